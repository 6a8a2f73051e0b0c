"""Somebody on foot or on a bicycle who was struck: a vehicle came over them, and they are gone.

A body that weighs little hardly changes a vehicle's motion, and is itself too small and too soon
hidden for its throw to be measured. What remains to be seen is what becomes of it: somebody
upright, followed up to the moment at which a driving vehicle came over their place, is nowhere
upright any more once the vehicle has left it. Who only passed behind the vehicle, or was passed by
it, comes into view again. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

import cv2
import numpy as np
import numpy.typing as npt

from monitor.trigger.forensic.timeline import Place, Timeline
from monitor.trigger.forensic.ways import Pixels, box_at, middle, size
from monitor.trigger.forensic.window import Image, Window
from monitor.trigger.ground import GroundPlane

_SEARCH_S: Final = 3.0  # to either side of the trigger's time
_UPRIGHT: Final = 1.35  # height over width, as in classify.py
_SMALL: Final = 0.62  # of a vehicle's size there
_TOLD_APART: Final = 0.018  # of the width: of a smaller body the shape is chance
_JUDGED_S: Final = 0.8  # of who was followed: shape and velocity
_DRIVES_M_S: Final = 3.0
_LARGER: Final = 1.5  # the vehicle than who it struck
_STEP_S: Final = 0.05
_LOST_S: Final = (-0.2, 0.4)  # around the last sight of them the vehicle came over them
_OVER: Final = 0.15  # of their box, by the vehicle's
_AT_ITS_FOOT: Final = (0.65, 0.4)  # of its height above and below its lowest row: where it stands
_NEAR_S: Final = 1.2
_APART_S: Final = 0.5  # so long before, the two still were apart
GONE_AFTER_S: Final = 0.7
"""After the contact: by then a passing vehicle uncovers who stood behind it."""

_LATEST_S: Final = 2.3
_EVERY_S: Final = 0.2
_LOOKS: Final = 3
_SURE_TO_PASS: Final = 1.3  # of the way that they would have gone meanwhile
_UPPER: Final = 0.6  # of their height: who lies does not reach into it
_COVERED: Final = 0.4  # more of the place behind other bodies: nothing can be said
_CHANGED_LEVELS: Final = 16
_THERE: Final = 0.3  # of a box of their size differs from the empty scene: somebody stands there
_SIGMA_S: Final = 0.12
_GROWN: Final = 0.2


@dataclass(frozen=True, slots=True)
class Struck:
    """When, who, by which vehicle; the share of its speed that it then lost.

    ``driven_m_s``, ``going_m_s``: how the vehicle and the struck one went on the ground before;
    ``seen_s`` is over how long the latter is measured.
    """

    time_s: float
    sigma_s: float
    person: int
    vehicle: int
    box: Pixels
    driven_m_s: tuple[float, float]
    lost: float
    going_m_s: tuple[float, float]
    seen_s: float


def find_struck(window: Window, empty: Image, told: Timeline, about_s: float) -> Struck | None:
    """The one nearest to a time; None if nobody was. ``empty`` (h, w): the scene before it."""
    if told.plane is None:
        return None
    tracks: dict[int, list[Place]] = {}
    for one in told.places:
        tracks.setdefault(one.track, []).append(one)
    found = [
        struck
        for person, places in tracks.items()
        if (struck := _struck(window, empty, told.plane, tracks, person, places, about_s))
    ]
    return min(found, key=lambda one: abs(one.time_s - about_s), default=None)


def _struck(
    window: Window, empty: Image, plane: GroundPlane, tracks: Mapping[int, Sequence[Place]],
    person: int, places: Sequence[Place], about_s: float,
) -> Struck | None:  # fmt: skip
    seen = [one for one in places if one.measured]
    if len(seen) < 2:
        return None
    last = seen[-1]
    if abs(last.time_s - about_s) > _SEARCH_S or window.times_s[-1] - last.time_s < GONE_AFTER_S:
        return None
    recent = [one for one in seen if last.time_s - one.time_s <= _JUDGED_S]
    if len(recent) < 2 or not _is_light(recent, plane, window.width):
        return None
    span_s = last.time_s - recent[0].time_s
    velocity = (middle(last.box) - middle(recent[0].box)) / span_s
    for vehicle, theirs in tracks.items():
        if vehicle == person:
            continue
        at_s = _came_over(last, velocity, recent, theirs)
        if at_s is None:
            continue
        driven = _velocity(theirs, plane, at_s - _APART_S, at_s)
        if driven is None or math.hypot(*driven) < _DRIVES_M_S:
            continue
        if not _gone(window, empty, tracks, last, velocity, at_s):
            continue
        after = _velocity(theirs, plane, at_s + 1.0, at_s + 1.5)
        kept = 1.0 if after is None else math.hypot(*after) / math.hypot(*driven)
        return Struck(
            at_s, _SIGMA_S, person, vehicle, _expected(last, velocity, at_s), driven,
            max(0.0, 1.0 - kept), _on_ground(plane, last, velocity), span_s,
        )  # fmt: skip
    return None


def _on_ground(
    plane: GroundPlane, last: Place, velocity: npt.NDArray[np.float64]
) -> tuple[float, float]:
    foot = np.array([(last.box[0] + last.box[2]) / 2, last.box[3]])
    ends = plane.to_ground(np.array([foot - 0.1 * velocity, foot])) * plane.metres_per_unit
    across, along = ((ends[1] - ends[0]) / 0.1).tolist()
    return across, along


def _is_light(seen: Sequence[Place], plane: GroundPlane, width: int) -> bool:
    aspect = np.median([(b[3] - b[1]) / max(b[2] - b[0], 1.0) for b in (o.box for o in seen)])
    small = np.median([size(one.box) / plane.vehicle_size_px(one.box[3]) for one in seen])
    large = np.median([size(one.box) for one in seen])
    return bool(aspect >= _UPRIGHT and small <= _SMALL and large >= _TOLD_APART * width)


def _expected(last: Place, velocity: npt.NDArray[np.float64], time_s: float) -> Pixels:
    dx, dy = (velocity * (time_s - last.time_s)).tolist()
    left, top, right, bottom = last.box
    return left + dx, top + dy, right + dx, bottom + dy


def _came_over(
    last: Place, velocity: npt.NDArray[np.float64], recent: Sequence[Place],
    theirs: Sequence[Place],
) -> float | None:  # fmt: skip
    """When a vehicle's foot first reached who was seen last there; None if it did not, then."""
    driven = [one for one in theirs if one.measured and abs(one.time_s - last.time_s) <= _NEAR_S]
    steps = np.arange(last.time_s + _LOST_S[0], last.time_s + _LOST_S[1], _STEP_S)
    for time_s in (float(one) for one in steps):
        body, theirs_now = _expected(last, velocity, time_s), box_at(driven, time_s)
        if theirs_now is None or size(theirs_now) < _LARGER * size(body):
            continue
        foot, height = theirs_now[3], theirs_now[3] - theirs_now[1]
        stands = foot - _AT_ITS_FOOT[0] * height <= body[3] <= foot + _AT_ITS_FOOT[1] * height
        if not stands or _overlap(body, theirs_now) < _OVER:
            continue
        before_s = max(time_s - _APART_S, recent[0].time_s)
        then = box_at(driven, before_s)
        me = min(recent, key=lambda one: abs(one.time_s - before_s)).box
        if then is None or _overlap(me, then) > 0.0:
            return None
        return time_s
    return None


def _overlap(body: Pixels, other: Pixels) -> float:
    wide = min(body[2], other[2]) - max(body[0], other[0])
    high = min(body[3], other[3]) - max(body[1], other[1])
    return max(0.0, wide) * max(0.0, high) / max(size(body) ** 2, 1.0)


def _velocity(
    places: Sequence[Place], plane: GroundPlane, from_s: float, until_s: float
) -> tuple[float, float] | None:
    """Metres a second on the ground, between the first and the last sight in a span."""
    there = [
        one for one in places if one.measured and from_s - 0.05 <= one.time_s <= until_s + 0.05
    ]
    if len(there) < 2 or there[-1].time_s - there[0].time_s < 0.2:
        return None
    feet = np.array([((one.box[0] + one.box[2]) / 2, one.box[3]) for one in (there[0], there[-1])])
    ground = plane.to_ground(feet) * plane.metres_per_unit
    across, along = ((ground[1] - ground[0]) / (there[-1].time_s - there[0].time_s)).tolist()
    return across, along


def _gone(
    window: Window, empty: Image, tracks: Mapping[int, Sequence[Place]], last: Place,
    velocity: npt.NDArray[np.float64], at_s: float,
) -> bool:  # fmt: skip
    """Whether nobody of their size stands anywhere on the way that they would have gone.

    The first looks that see the place decide: later others may come there.
    """
    looks = 0
    for time_s in np.arange(at_s + GONE_AFTER_S, at_s + _LATEST_S, _EVERY_S).tolist():
        if time_s > window.times_s[-1]:
            break
        others = [
            box
            for places in tracks.values()
            if (box := box_at([one for one in places if one.measured], time_s)) is not None
            and size(box) >= _LARGER * size(last.box)
        ]
        there = _somebody(window, empty, others, last, velocity, time_s)
        if there:
            return False
        looks += there is not None
        if looks == _LOOKS:
            return True
    return False


def _somebody(
    window: Window, empty: Image, others: Sequence[Pixels], last: Place,
    velocity: npt.NDArray[np.float64], time_s: float,
) -> bool | None:  # fmt: skip
    """Whether somebody of that size is there; None where it cannot be seen."""
    ahead = _expected(last, _SURE_TO_PASS * velocity, time_s)
    tall = _UPPER * (last.box[3] - last.box[1])
    wide = max(2, round(last.box[2] - last.box[0]))
    left, right = min(last.box[0], ahead[0]) - wide / 2, max(last.box[2], ahead[2]) + wide / 2
    top, bottom = min(last.box[1], ahead[1]), max(last.box[1], ahead[1]) + tall
    x0, y0 = max(0, round(left)), max(0, round(top))
    x1, y1 = min(window.width, round(right)), min(window.height, round(bottom))
    if (x1 - x0) * (y1 - y0) < (1.0 - _COVERED) * (right - left) * (bottom - top):
        return None
    now = window.luma[window.nearest(time_s)][y0:y1, x0:x1]
    changed = (cv2.absdiff(now, empty[y0:y1, x0:x1]) > _CHANGED_LEVELS).astype(np.float32)
    free = np.ones_like(changed)
    for box in others:
        grow = _GROWN * size(box)
        a, b = max(0, round(box[0] - grow) - x0), max(0, round(box[1] - grow) - y0)
        c, d = max(0, round(box[2] + grow) - x0), max(0, round(box[3] + grow) - y0)
        free[b:d, a:c] = 0.0
    if float(free.mean()) < 1.0 - _COVERED:
        return None
    shape = (min(wide, x1 - x0), min(max(2, round(tall)), y1 - y0))
    share = cast(Image, cv2.blur(changed * free, shape, borderType=cv2.BORDER_CONSTANT))
    return float(share.max()) >= _THERE
