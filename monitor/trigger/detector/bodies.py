"""Tracks out of a detector's boxes, in the shape that every measurement reads.

ByteTrack says which box is which body. Where a body moves is measured finer than a box can tell:
its corners are followed from picture to picture, as for the classical tracks, and the boxes draw
the track to its place. So a detector may see every third picture only, and braking is measured
on all of them. What never moved is no track: a parked car is scenery until it drives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from monitor.config.models import DetectorSettings
from monitor.trigger.blobs import PixelBox
from monitor.trigger.carry import Expected, carried
from monitor.trigger.detector.duty import Seen
from monitor.trigger.detector.identity import Identities, Key
from monitor.trigger.detector.model import actor
from monitor.trigger.flow import corners, detail, follow, not_of
from monitor.trigger.track import Sample, Track

Image = npt.NDArray[np.uint8]

_LOST_S: Final = 1.0  # undetected, a body is expected to go on for so long
_LOST_TURNS: Final = 3  # or for so many of the detector's turns
_TURN_S: Final = 0.15  # between pictures that are looked at
_DRAW: Final = 0.6  # of the box towards what was detected
_DRAW_FOOT: Final = 0.15  # of the foot that the flow carries; detected boxes jitter
_DRAW_SPEED: Final = 0.5  # where there is no flow
_SETTLED: Final = 4  # detections, after which a box's foot is averaged
_YOUNG_S: Final = 0.8
_NEW_SEGMENT_S: Final = 0.35
_BORDER: Final = 0.015
_MOVED_SIZES: Final = 0.35
_MOVED_PX: Final = 4.0
_STRAIGHT: Final = 0.6  # net over gross displacement
_SAMPLES: Final = 4
_APART: Final = 0.15  # of a box that others cover, at most, for its shape to be its own
_POINTS_WANTED: Final = 13
_POINTS_ENOUGH: Final = 6
_PLANT_AT_ONCE: Final = 5  # tracks per picture
_MAX_TRACKS: Final = 64


class DetectedBodies:
    """The bodies of one camera as a detector sees them."""

    def __init__(
        self, width_px: int, height_px: int, settings: DetectorSettings, new_id: Callable[[], int]
    ) -> None:
        """``new_id`` numbers the tracks, apart from the classical ones'.

        ``DetectorError`` where ByteTrack is not installed.
        """
        self._width, self._height = width_px, height_px
        self._new_id = new_id
        self._lost_s = max(_LOST_S, _LOST_TURNS * _TURN_S * settings.every)
        self._identities = Identities(settings.min_score, self._lost_s)
        self._tracks: dict[Key, Track] = {}
        self._boxed_s: dict[Key, float] = {}  # when each was detected last
        self._previous: Image | None = None
        self._previous_s = 0.0
        self._everywhere = np.full((height_px, width_px), 255, np.uint8)

    @property
    def tracks(self) -> Sequence[Track]:
        """Those that have moved and are still followed."""
        return [track for track in self._tracks.values() if track.confirmed]

    @property
    def boxes(self) -> list[PixelBox]:
        """Of all that are followed, standing scenery too."""
        return [track.box for track in self._tracks.values()]

    def forget(self) -> None:
        """Bodies cannot be followed across this."""
        self._tracks.clear()
        self._boxed_s.clear()
        self._identities.forget()
        self._previous = None

    def update(self, time_s: float, luma: Image, empty: Image, seen: Seen | None) -> None:
        """Carry all to this picture; ``seen`` is None where nothing was asked of it.

        ``empty`` is the scene without bodies: corners that it has too are no body's. Times must
        rise. ``DetectorError`` where boxes cannot be matched.
        """
        fine = detail(luma)
        boxes: dict[Key, PixelBox] = {}
        crowd: list[PixelBox] = []
        if seen is not None:
            found, people = seen
            crowd = [_pixel_box(row) for row in found.boxes]
            keys = self._identities.update(time_s, found, people)
            boxes = {key: crowd[row] for key, row in keys.items()}
        expected = self._expect(time_s, fine, boxes)
        for (key, track), e in zip(self._tracks.items(), expected, strict=True):
            region = boxes.pop(key, None)
            if region is not None:
                self._boxed_s[key] = time_s
            self._advance(track, e, region, crowd, time_s)
        self._drop(time_s)
        for key, box in boxes.items():
            if len(self._tracks) < _MAX_TRACKS:
                self._add(key, box, crowd, time_s)
        self._plant(fine, empty, time_s)
        self._previous, self._previous_s = fine, time_s

    def _expect(self, time_s: float, fine: Image, boxes: Mapping[Key, PixelBox]) -> list[Expected]:
        tracks = list(self._tracks.values())
        if self._previous is None or not tracks:
            return [
                Expected(t.box, t.points, t.point_ages, t.foot, t.velocity, False) for t in tracks
            ]
        span = max(1e-3, time_s - self._previous_s)
        steps = [
            # Where it was detected tells better than its course, which a collision ends.
            np.subtract(boxes[key].centre, t.box.centre) if key in boxes else t.velocity * span
            for key, t in self._tracks.items()
        ]
        points = np.concatenate([t.points for t in tracks])
        guess = np.concatenate([t.points + step for t, step in zip(tracks, steps, strict=True)])
        flow = follow(self._previous, fine, points, guess.astype(np.float32))
        return carried(tracks, flow, self._everywhere, span)

    def _advance(
        self,
        track: Track,
        e: Expected,
        region: PixelBox | None,
        crowd: Sequence[PixelBox],
        time_s: float,
    ) -> None:
        box, velocity = e.box, e.velocity
        young = time_s - track.born_s < _YOUNG_S
        if region is not None:
            if not e.by_flow:
                since = max(1e-3, time_s - track.seen_s)
                share = 1.0 if track.whole_samples < 2 else _DRAW_SPEED
                velocity = velocity + share * np.subtract(region.centre, e.box.centre) / since
            box = _between(box, region, 1.0 if young else _DRAW)
        whole = self._whole(box) and (region is None or self._whole(region))
        # The flow alone tells how it moves, the detector where it is: the error is taken out of
        # the whole path at once, so that a box's jitter is never seen as motion.
        if e.by_flow:
            track.carried = track.carried + (e.foot - track.foot)
            if region is not None and whole:
                draw = _DRAW_FOOT if track.whole_samples >= _SETTLED else 1.0
                track.anchor = track.anchor + draw * (np.array(region.foot) - e.foot)
        else:
            foot = e.foot if region is None else np.array(box.foot)
            track.carried = track.carried + (foot - track.foot)
        track.whole_samples += whole and region is not None
        track.foot = track.carried + track.anchor
        if e.by_flow or region is not None:
            if time_s - track.seen_s > _NEW_SEGMENT_S:
                track.segment_s = time_s
            track.seen_s = time_s
        track.box, track.velocity = box, velocity
        track.points, track.point_ages = e.points, e.point_ages
        apart = region is not None and _is_apart(region, crowd)
        track.add(_sample(track, time_s, whole=whole, apart=apart, by_flow=e.by_flow))
        if not track.confirmed:
            track.confirmed = _has_moved(track)

    def _whole(self, box: PixelBox) -> bool:
        margin = _BORDER * self._width
        return (
            box.x > margin and box.y > margin
            and box.x + box.width < self._width - margin
            and box.y + box.height < self._height - margin
        )  # fmt: skip

    def _drop(self, time_s: float) -> None:
        """What is not detected any more is gone, even if something there is still followed."""
        for key, track in list(self._tracks.items()):
            x, y = track.box.centre
            outside = not (0 < x < self._width and 0 < y < self._height)
            if outside or time_s - self._boxed_s[key] > self._lost_s:
                del self._tracks[key], self._boxed_s[key]

    def _add(self, key: Key, box: PixelBox, crowd: Sequence[PixelBox], time_s: float) -> None:
        foot = np.array(box.foot)
        is_person = key[0]
        track = Track(
            self._new_id(), box, np.zeros((0, 2), np.float32), time_s, time_s, foot, foot.copy(),
            segment_s=time_s, actor=actor(is_person), named=True, person_score=float(is_person),
        )  # fmt: skip
        whole = self._whole(box)
        track.whole_samples = int(whole)
        track.add(_sample(track, time_s, whole=whole, apart=_is_apart(box, crowd), by_flow=False))
        self._tracks[key], self._boxed_s[key] = track, time_s

    def _plant(self, fine: Image, empty: Image, time_s: float) -> None:
        """Give corners to tracks that have too few, from where no nearer body covers them."""
        planted = 0
        for key, track in sorted(self._tracks.items(), key=lambda one: len(one[1].points)):
            if planted == _PLANT_AT_ONCE:
                break
            if len(track.points) >= _POINTS_ENOUGH or self._boxed_s[key] < time_s:
                continue
            planted += 1
            box = track.box.clipped(self._width, self._height)
            fresh = corners(fine, self._own(track), box, _POINTS_WANTED - len(track.points))
            fresh = fresh[not_of(empty, fine, fresh)]
            track.points = np.concatenate([track.points, fresh])
            track.point_ages = np.concatenate([track.point_ages, np.zeros(len(fresh), np.int64)])

    def _own(self, track: Track) -> Image:
        """255 within the body: an ellipse in its box, without what nearer bodies cover."""
        mask = np.zeros((self._height, self._width), np.uint8)
        x, y = track.box.centre
        half = int(track.box.width / 2), int(track.box.height / 2)
        cv2.ellipse(mask, ((int(x), int(y)), (2 * half[0], 2 * half[1]), 0.0), 255, -1)
        for other in self._tracks.values():
            if other is not track and other.foot[1] > track.foot[1]:
                left, top, wide, high = other.box.clipped(self._width, self._height)
                mask[top : top + high, left : left + wide] = 0
        return mask


def _sample(track: Track, time_s: float, *, whole: bool, apart: bool, by_flow: bool) -> Sample:
    x, y = track.carried
    return Sample(
        time_s, float(x), float(y), track.box.width, track.box.height, whole, apart,
        measured=track.seen_s == time_s, by_flow=by_flow,
    )  # fmt: skip


def _pixel_box(row: npt.NDArray[np.float32]) -> PixelBox:
    left, top, right, bottom = (float(side) for side in row)
    return PixelBox(left, top, right - left, bottom - top)


def _is_apart(region: PixelBox, crowd: Sequence[PixelBox]) -> bool:
    covered = sum(region.overlap(other) for other in crowd if other is not region)
    return covered <= _APART * region.area


def _between(box: PixelBox, region: PixelBox, draw: float) -> PixelBox:
    sides = [
        (1.0 - draw) * mine + draw * its
        for mine, its in zip(
            (box.x, box.y, box.width, box.height),
            (region.x, region.y, region.width, region.height),
            strict=True,
        )
    ]
    return PixelBox(*sides)


def _has_moved(track: Track) -> bool:
    """Whether it went somewhere, and not to and fro: as for the classical tracks."""
    if len(track.history) < _SAMPLES:
        return False
    centres = np.array([(s.foot_x, s.foot_y - s.height / 2) for s in track.history])
    net = float(np.hypot(*(centres[-1] - centres[0])))
    gross = float(np.hypot(*np.diff(centres, axis=0).T).sum())
    needed = max(_MOVED_PX, _MOVED_SIZES * track.box.size)
    return net > needed and net > _STRAIGHT * gross
