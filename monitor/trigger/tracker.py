"""Bodies with identity over time: foreground regions joined by the flow of their corners.

Each track is carried to the next picture by the median flow of its own corners (after Kalal,
Mikolajczyk, Matas, "Forward-backward error: automatic detection of tracking failures", ICPR 2010)
and drawn towards the foreground region that it alone claims. Where several tracks claim one
region (one vehicle hides another), each goes on by its own flow and keeps its own size. A track
without a region is expected to go on as before for a second.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from monitor.trigger.blobs import Blob, PixelBox, find_blobs
from monitor.trigger.carry import Expected, carried
from monitor.trigger.claims import Claim, claimed, is_part_of_another
from monitor.trigger.flow import detail, follow
from monitor.trigger.ghosts import GHOST_ROOM, is_ghost
from monitor.trigger.planting import Scene, plant
from monitor.trigger.regions import between, united
from monitor.trigger.things import DRIFT_PX_S, is_thing
from monitor.trigger.track import Sample, Track

Image = npt.NDArray[np.uint8]

_MISSING_S: Final = 1.0
_TENTATIVE_MISSING_S: Final = 0.3
_TENTATIVE_LIFE_S: Final = 2.5
_CONFIRM_SAMPLES: Final = 4
_CONFIRM_SIZES: Final = 0.35
_CONFIRM_PX: Final = 4.0
_CONFIRM_STRAIGHT: Final = 0.6  # net over gross displacement
_DRAW: Final = 0.6  # of the box towards its region
_DRAW_FOOT: Final = 0.15  # of the foot that the flow carries, towards the box's
_ODD_AREA: Final = (0.5, 1.7)  # of a region against its body's: joined, hidden or broken up
_ODD_PICTURES: Final = 8  # after which it is believed
_SETTLED: Final = 4  # whole samples, after which a region's foot is averaged
_BORDER: Final = 0.015
_MAX_TRACKS: Final = 48
_VANISHED_FILL: Final = 0.2
_SAME_THING: Final = 0.65  # share of its area
_THING_ROOM: Final = 0.3  # of its size, to each side


class Tracker:
    """Keeps the tracks of one camera."""

    def __init__(self, width_px: int, height_px: int, first_id: int = 1) -> None:
        self._width, self._height = width_px, height_px
        self._tracks: list[Track] = []
        self._next_id = first_id
        self._previous: Image | None = None
        self._previous_s = 0.0
        self.jumped = False
        self._thing_areas: dict[int, int] = {}
        self.idle_s: float | None = None  # the last picture in which nobody was to be seen
        self.far_row = 0  # what ends above it is too far off to be followed

    @property
    def next_id(self) -> int:
        """The id the next track will get."""
        return self._next_id

    def take_id(self) -> int:
        """An id for a body that is followed elsewhere."""
        self._next_id += 1
        return self._next_id - 1

    @property
    def tracks(self) -> Sequence[Track]:
        """Confirmed tracks that are still followed."""
        return [track for track in self._tracks if track.confirmed]

    def forget(self) -> None:
        """Drop all tracks; ids are not used again."""
        self._tracks.clear()
        self._previous = None

    def owned(self) -> Image:
        """255 where bodies are, and where something that may become one moves."""
        mask = np.zeros((self._height, self._width), np.uint8)
        for track in self._tracks:
            if not track.confirmed and math.hypot(*track.velocity) < DRIFT_PX_S:
                continue
            x, y, w, h = track.box.grown(0.06).clipped(self._width, self._height)
            mask[y : y + h, x : x + w] = 255
        return mask

    def strike_out_things(self, foreground: Image) -> bool:
        """Take what never went anywhere out of the foreground; False if it has changed in size.

        Sizes are compared with those of the first time since ``update``.
        """
        same = True
        for track in self._tracks:
            x, y, w, h = track.box.grown(_THING_ROOM).clipped(self._width, self._height)
            region = foreground[y : y + h, x : x + w]
            area = cv2.countNonZero(region)
            region[:] = 0
            before = self._thing_areas.setdefault(track.id, area)
            same &= _SAME_THING * before <= area <= before / _SAME_THING
        return same

    def only_things_since(self, first_id: int) -> bool:
        """Whether everything that came with that id or a later one is still there."""
        return self._next_id - first_id == sum(one.id >= first_id for one in self._tracks)

    def pass_over(self, time_s: float) -> None:
        """A picture in which nobody was, slept through: things stay what they are."""
        for track in self._tracks:
            track.seen_s = time_s
        self._previous_s = time_s

    def ghosts(self, time_s: float, luma: Image, empty: Image, foreground: Image) -> list[PixelBox]:
        """Places that a body left and that are taken for one; their tracks are dropped."""
        left = [
            track
            for track in self._tracks
            if math.hypot(*track.velocity) < DRIFT_PX_S
            and is_ghost(track, time_s, Scene(luma, foreground, empty))
        ]
        self._tracks = [track for track in self._tracks if track not in left]
        return [track.box.grown(GHOST_ROOM) for track in left]

    def update(self, time_s: float, luma: Image, foreground: Image, empty: Image) -> None:
        """Carry all tracks to this picture; ``jumped`` says the recording was cut."""
        self.jumped = False
        self._thing_areas.clear()
        fine = detail(luma)
        expected = self._expect(time_s, fine, foreground)
        if self._recording_jumped(expected, foreground):
            self._tracks.clear()
            expected = []
            self.jumped = True
        blobs = find_blobs(foreground, self.far_row)
        claims, taken = claimed(self._tracks, expected, blobs)
        for track, e, claim in zip(self._tracks, expected, claims, strict=True):
            self._advance(track, e, claim, time_s)
        self._drop(time_s)
        for index, blob in enumerate(blobs):
            if index not in taken and len(self._tracks) < _MAX_TRACKS:
                self._add(blob, time_s)
        if len(taken) == len(blobs) and all(is_thing(one, time_s) for one in self._tracks):
            self.idle_s = time_s
        plant(self._tracks, Scene(fine, foreground, empty), time_s)
        self._previous, self._previous_s = fine, time_s

    def _expect(self, time_s: float, fine: Image, foreground: Image) -> list[Expected]:
        if self._previous is None or not self._tracks:
            return [
                Expected(t.box, t.points, t.point_ages, t.foot, t.velocity, False)
                for t in self._tracks
            ]
        span = max(1e-3, time_s - self._previous_s)
        steps = [(t.velocity * span).astype(np.float32) for t in self._tracks]
        points = np.concatenate([t.points for t in self._tracks])
        guess = np.concatenate(
            [t.points + step for t, step in zip(self._tracks, steps, strict=True)]
        )
        flow = follow(self._previous, fine, points, guess)
        return carried(self._tracks, flow, foreground, span)

    def _recording_jumped(self, expected: Sequence[Expected], foreground: Image) -> bool:
        """Most bodies gone at once, from the middle of the picture, is a cut, not traffic."""
        inner, gone = 0, 0
        for track, e in zip(self._tracks, expected, strict=True):
            if not track.confirmed or track.seen_s < self._previous_s or not self._whole(e.box):
                continue
            inner += 1
            x, y, w, h = e.box.clipped(self._width, self._height)
            fill = cv2.countNonZero(foreground[y : y + h, x : x + w]) / max(1, w * h)
            gone += not e.by_flow and fill < _VANISHED_FILL
        return gone >= 2 and gone >= 0.6 * inner

    def _advance(self, track: Track, e: Expected, claim: Claim, time_s: float) -> None:
        span = max(1e-3, time_s - self._previous_s)
        box, velocity = e.box, e.velocity
        measured = e.by_flow or bool(claim.own)
        young = time_s - track.born_s < 0.8
        region = united(claim.own)
        if region is not None and e.by_flow and not young and self._is_odd(track, e, region):
            region = None
        joined = claim.any and region is None
        if region is not None:
            if not e.by_flow:
                step = np.subtract(region.centre, track.box.centre) / span
                velocity = step if len(track.history) < 2 else 0.5 * velocity + 0.5 * step
            box = between(box, region, 1.0 if young else _DRAW)
        whole = self._whole(box) and (region is None or self._whole(region))
        # The flow alone tells how it moves; the region tells where it is. Its error is taken out
        # of the whole path at once, so that a region's jump is never seen as motion.
        if e.by_flow:
            track.carried = track.carried + (e.foot - track.foot)
            if region is not None and whole:
                draw = _DRAW_FOOT if track.whole_samples >= _SETTLED else 1.0
                track.anchor = track.anchor + draw * (box.foot - e.foot)
        else:
            foot = e.foot if region is None else np.array(box.foot)
            track.carried = track.carried + (foot - track.foot)
        track.reach_px = max(track.reach_px, math.dist(track.carried, track.began_at))
        track.whole_samples += whole
        track.foot = track.carried + track.anchor
        if measured:
            if time_s - track.seen_s > 0.35:
                track.segment_s = time_s
            track.seen_s = time_s
        if joined:
            track.joined_s = time_s
        track.box, track.velocity = box, velocity
        track.points, track.point_ages = e.points, e.point_ages
        track.add(_sample(track, time_s, whole, region is not None, e))
        if not track.confirmed:
            track.confirmed = _is_moving_body(track)

    def _is_odd(self, track: Track, e: Expected, region: PixelBox) -> bool:
        """Whether a region is too large or too small to be this body alone.

        Too large a one is believed after a while, too small a one only if the body's corners
        are in it: a standing vehicle must not shrink to what is left of it.
        """
        ratio = region.area / e.box.area
        if _ODD_AREA[0] < ratio < _ODD_AREA[1] or not self._whole(region):
            track.odd_pictures = 0
            return False
        track.odd_pictures += 1
        if track.odd_pictures <= _ODD_PICTURES:
            return True
        near = region.grown(0.2)
        inside = (
            (e.points[:, 0] > near.x) & (e.points[:, 0] < near.x + near.width)
            & (e.points[:, 1] > near.y) & (e.points[:, 1] < near.y + near.height)
        )  # fmt: skip
        return ratio < 1.0 and float(inside.mean()) < 0.8

    def _whole(self, box: PixelBox) -> bool:
        margin = _BORDER * self._width
        return (
            box.x > margin and box.y > margin
            and box.x + box.width < self._width - margin
            and box.y + box.height < self._height - margin
        )  # fmt: skip

    def _drop(self, time_s: float) -> None:
        kept: list[Track] = []
        for track in self._tracks:
            missing = time_s - track.seen_s
            limit = _MISSING_S if track.confirmed else _TENTATIVE_MISSING_S
            cx, cy = track.box.centre
            outside = not (0 < cx < self._width and 0 < cy < self._height)
            outside |= track.box.y + track.box.height < self.far_row
            stale = not track.confirmed and time_s - track.born_s > _TENTATIVE_LIFE_S
            if (
                missing > limit
                or outside
                or stale
                or is_part_of_another(track, self._tracks, time_s)
            ):
                continue
            kept.append(track)
        self._tracks = kept

    def _add(self, blob: Blob, time_s: float) -> None:
        points = np.zeros((0, 2), np.float32)
        foot = np.array(blob.box.foot)
        track = Track(
            self._next_id, blob.box, points, time_s, time_s, foot, foot.copy(),
            segment_s=time_s, began_at=foot.copy(),
        )  # fmt: skip
        track.add(_sample(track, time_s, self._whole(blob.box), True, None))
        self._next_id += 1
        self._tracks.append(track)


def _sample(track: Track, time_s: float, whole: bool, apart: bool, e: Expected | None) -> Sample:
    box, (foot_x, foot_y) = track.box, track.carried
    by_flow = e is not None and e.by_flow
    return Sample(
        time_s, float(foot_x), float(foot_y), box.width, box.height, whole, apart,
        measured=track.seen_s == time_s, by_flow=by_flow,
    )  # fmt: skip


def _is_moving_body(track: Track) -> bool:
    if len(track.history) < _CONFIRM_SAMPLES:
        return False
    middles = [(s.foot_x, s.foot_y - s.height / 2) for s in track.history]
    net = math.dist(middles[-1], middles[0])
    if net <= max(_CONFIRM_PX, _CONFIRM_SIZES * track.box.size):
        return False
    return net > _CONFIRM_STRAIGHT * sum(map(math.dist, middles[1:], middles[:-1]))
