"""The evidence of a window, measured with hindsight: who braked, how close behind, who was met.

The same tracker and the same detectors as the causal trigger, with three things it cannot have:
the empty scene is the median of the whole window, so there is no warm-up and no ghost of what
stood when it began; the window is gone through twice, so that the ground plane of the second time
is known from the first picture on; and ten pictures a second are looked at.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, cast

import cv2

from monitor.config.models import Camera
from monitor.domain import Actor, Evidence, EvidenceKind
from monitor.trigger.background import Background
from monitor.trigger.classify import classify, is_surely_vehicle
from monitor.trigger.forensic.window import Image, Window
from monitor.trigger.ground import GroundPlane, SizeByRow, calibrated_plane
from monitor.trigger.measuring import Measuring
from monitor.trigger.moment import Moment
from monitor.trigger.normal import SceneMemory
from monitor.trigger.steadying import Steadying
from monitor.trigger.tracker import Tracker

FIRST_TRACK: Final = 900_001
"""Ids of tracks begin here, so that they are not taken for those of the causal trigger."""

_COLLECTED: Final = 15  # pictures for the median
_GAP_S: Final = 0.6
_EXPOSURE_JUMP: Final = 0.1
_COVERED: Final = 0.5  # of the picture
_QUIET_S: Final = 1.0  # after a disturbance nothing is stated
_PLANE_S: Final = 2.0
_SAME_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a track was at a time: left, top, right, bottom in pixels."""

    time_s: float
    track: int
    box: tuple[float, float, float, float]
    measured: bool = True  # False: nothing was seen there, it was carried on


@dataclass(frozen=True, slots=True)
class Timeline:
    """All evidence in order of time, and where every body was at about ten moments a second."""

    evidence: tuple[Evidence, ...]
    places: tuple[Place, ...]
    plane: GroundPlane | None = None

    def nearest(
        self, time_s: float, x: float, y: float, apart_from: int | None = None
    ) -> int | None:
        """The track whose box holds a point or is nearest to it then; None where nobody is."""
        best, least = None, 1.0
        for one in self.places:
            if abs(one.time_s - time_s) > 0.2 or one.track == apart_from:
                continue
            left, top, right, bottom = one.box
            dx = max(left - x, 0.0, x - right) / (right - left)
            dy = max(top - y, 0.0, y - bottom) / (bottom - top)
            away = max(dx, dy) + 0.1 * abs(one.time_s - time_s)
            if away < least:
                best, least = one.track, away
        return best


def timeline(
    window: Window, camera: Camera, usable: Image | None, memory: SceneMemory | None
) -> Timeline:
    """Go through the window twice. ``usable`` is 0 in the camera's masks.

    ``memory`` is only read: a copy is taught.
    """
    if not window.samples:
        return Timeline((), ())
    known = SceneMemory() if memory is None else SceneMemory.from_bytes(memory.to_bytes())
    scene = _empty_scene(window)
    first = _Look(window, usable, copy.deepcopy(scene))
    plane = _learned(first, camera, known)
    return _measured(_Look(window, usable, scene), plane, known)


def _empty_scene(window: Window) -> Background:
    samples = window.samples
    scene = Background(samples[0][1])
    step = max(1, len(samples) // _COLLECTED)
    for _, planes in samples[step::step]:
        scene.collect(planes)
    scene.settle()
    return scene


def _learned(look: _Look, camera: Camera, memory: SceneMemory) -> GroundPlane:
    """The ground plane as all of the window shows it; ``memory`` is taught where vehicles drive."""
    window = look.window
    sizes = SizeByRow(window.width, window.height)
    plane, plane_s = sizes.plane(), 0.0
    for time_s, _ in look.steps():
        if time_s - plane_s > _PLANE_S:
            plane, plane_s = sizes.plane(), time_s
        teaches = memory.tick(window.wall_ms(time_s))
        for track in look.tracker.tracks:
            classify(track, plane, track.update_standing(plane, time_s))
            sample = track.history[-1]
            if track.actor is not Actor.VEHICLE or not sample.measured or not track.moving:
                continue
            if teaches:
                box, (dx, dy) = track.box, track.velocity / window.width
                place = (
                    box.x / window.width, box.y / window.height,
                    box.width / window.width, box.height / window.height,
                )  # fmt: skip
                memory.drive(track.id, place, (float(dx), float(dy)), box.size / window.width)
            if sample.whole and sample.apart and is_surely_vehicle(track):
                sizes.observe(track.id, float(track.foot[1]), track.box.size)
    learned = sizes.plane()
    if not camera.calibration:
        return learned
    return calibrated_plane(camera.calibration, window.width, window.height, learned)


class _Look:
    """One time through the samples: the foreground and the tracks of each."""

    def __init__(self, window: Window, usable: Image | None, scene: Background) -> None:
        self.window = window
        self.tracker = Tracker(window.width, window.height, FIRST_TRACK)
        self.disturbed_s = -_QUIET_S
        self.red: Image = window.samples[0][1].v
        self._usable = usable
        self._scene = scene
        self._steadying = Steadying(0.0)

    def steps(self) -> Iterator[tuple[float, Image]]:
        """Times and foregrounds; the tracker has seen each."""
        last_s = float(self.window.samples[0][0])
        for time_s, planes in self.window.samples:
            if self._steadying.wants_reference(time_s):
                self._steadying.refer_to(time_s, self._scene.picture, self.tracker.owned())
            picture = self._steadying.steadied(time_s, planes)
            ratio = self._scene.follow_exposure(picture.y)
            if time_s - last_s > _GAP_S or abs(ratio - 1.0) > _EXPOSURE_JUMP:
                self._disturbed(time_s)
            last_s = time_s
            foreground = self._scene.foreground(picture)
            if self._usable is not None:
                foreground = cast(Image, cv2.bitwise_and(foreground, self._usable))
            if cv2.countNonZero(foreground) > _COVERED * foreground.size:
                self._disturbed(time_s)
                continue
            self.tracker.update(time_s, picture.y, foreground, self._scene.picture)
            if self.tracker.jumped:
                self._disturbed(time_s)
            self._scene.learn(picture, foreground, self.tracker.owned())
            self.red = picture.v
            yield time_s, foreground

    def _disturbed(self, time_s: float) -> None:
        """Bodies cannot be followed across this."""
        self.tracker.forget()
        self.disturbed_s = time_s


def _measured(look: _Look, plane: GroundPlane, memory: SceneMemory) -> Timeline:
    window = look.window
    measuring = Measuring(0.0)
    since_s = look.disturbed_s
    found: dict[str, Evidence] = {}
    places: list[Place] = []
    for time_s, _ in look.steps():
        if look.disturbed_s != since_s:
            measuring, since_s = Measuring(time_s), look.disturbed_s
        tracks = look.tracker.tracks
        for track in tracks:
            classify(track, plane, track.update_standing(plane, time_s))
            box = track.box
            places.append(
                Place(
                    time_s,
                    track.id,
                    (box.x, box.y, box.x + box.width, box.y + box.height),
                    track.history[-1].measured,
                )
            )
        if time_s < since_s + _QUIET_S:
            continue
        moment = Moment(
            time_s, window.origin_ms, tracks, plane, memory, window.width, window.height
        )
        measuring.is_tense(moment, look.red)
        for one in measuring.step(moment, tuple(found.values())):
            found[one.id] = one
    ordered = sorted(found.values(), key=lambda one: one.time_ms)
    return Timeline(tuple(ordered), tuple(places), plane)


def with_contact(evidence: Sequence[Evidence], contact: Evidence) -> tuple[Evidence, ...]:
    """In order of time, with the pass's own contact in place of what tracks saw of the same."""
    others = [
        one
        for one in evidence
        if one.kind is not EvidenceKind.CONTACT
        or abs(one.time_ms - contact.time_ms) > 1000 * _SAME_S
    ]
    return tuple(sorted([*others, contact], key=lambda one: one.time_ms))
