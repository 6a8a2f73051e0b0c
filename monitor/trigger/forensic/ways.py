"""The way of one body up to a contact, by corners that move as one, chained backwards.

A body keeps its way where its foreground joined another's. Pixels in the window, metres on the
ground plane as the pass learned it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from monitor.trigger.forensic.impulse import Indices, Moment, group
from monitor.trigger.ground import GroundPlane

Array = npt.NDArray[np.float64]
Pixels = tuple[float, float, float, float]  # left, top, right, bottom

CLEAR_S: Final = 0.1  # before the contact: velocities over this are free of the crash itself
BACK_S: Final = 6.0
VELOCITY_S: Final = 0.45  # over which a way's velocity is fitted
_LEAST_CORNERS: Final = 3
_MOVING: Final = 0.008  # of the width per second; slower corners may be noise
_LOST_S: Final = 0.35  # without a chained group a way ends
_MEET_SIZES: Final = 1.2  # between the boxes of two that meet, carried to the contact
_NEAR_SIZES: Final = 2.5  # from the contact's place
_GROWS: Final = 0.03  # from moment to moment, as perspective does
_ALIKE: Final = 0.4  # of the body's speed, between the velocities of its corners
_ALIKE_OF_WIDTH: Final = 0.02  # and so much of the width per second
_MOST: Final = 0.45  # of the width: what is larger is the camera or a lorry at its lens


@dataclass(frozen=True, slots=True)
class Way:
    """One body up to the contact: times (n,), and on the ground feet (n, 2) in metres and
    velocities (n, 2) in m/s; boxes in pixels.
    """

    times_s: Array
    feet: Array
    velocities: Array
    boxes: tuple[Pixels, ...]

    def velocity(self, at_s: float) -> Array | None:
        """Metres a second around a time; None where too little was seen."""
        near = np.abs(self.times_s - at_s) <= VELOCITY_S / 2 + 1e-6
        if near.sum() < 3:
            return None
        median: Array = np.median(self.velocities[near], axis=0)
        return median


def meeting(moment: Moment, place: Pixels, at_s: float, width: int) -> list[Indices]:
    """Up to two bodies that are at the contact's place when it comes, closing on one another."""
    ahead_s = at_s - moment.time_s
    found = []
    for body in _bodies(moment, width):
        velocity = np.median(moment.before[body], axis=0)
        dx, dy = (velocity * ahead_s).tolist()
        box = _box(moment, body)
        then = (box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy)
        away = gap_of(then, place) / max(size(then), 4.0)
        if away <= _NEAR_SIZES and size(then) < _MOST * width:
            found.append((away, then, velocity, body))
    best: tuple[float, list[Indices]] | None = None
    for number, (away, box, velocity, body) in enumerate(found):
        for far, there, other_velocity, other in found[number + 1 :]:
            sizes = (size(box) + size(there)) / 2
            apart = gap_of(box, there) / max(sizes, 4.0)
            way = middle(there) - middle(box)
            closing = float((velocity - other_velocity) @ way)
            if apart > _MEET_SIZES or closing <= 0.0:
                continue
            badness = apart + away + far
            if best is None or badness < best[0]:
                best = (badness, [body, other])
    if best is not None:
        return best[1]
    return [min(found, key=lambda one: one[0])[3]] if found else []


def _bodies(moment: Moment, width: int) -> list[Indices]:
    """Groups of corners that move as one, as places in the moment's arrays."""
    speed = np.hypot(*moment.before.T)
    usable = np.flatnonzero(moment.known_before & moment.own & (speed > _MOVING * width))
    if len(usable) < _LEAST_CORNERS:
        return []
    labels = group(moment.places[usable], moment.before[usable], width)
    found = [usable[labels == label] for label in np.unique(labels)]
    return [body for body in found if len(body) >= _LEAST_CORNERS]


def _box(moment: Moment, body: Indices) -> Pixels:
    low = np.percentile(moment.places[body], 4, axis=0)
    high = np.percentile(moment.places[body], 96, axis=0)
    return float(low[0]) - 2, float(low[1]) - 2, float(high[0]) + 2, float(high[1]) + 2


def way_of(moments: Sequence[Moment], body: Indices, plane: GroundPlane, width: int) -> Way:
    """Back from the last moment: at each the corners that move so where the body must have been.

    The box keeps its size but for perspective, so that what moves alike beside it is not taken in.
    """
    last = moments[-1]
    box, time_s = _box(last, body), last.time_s
    velocity = np.median(last.before[body], axis=0)
    boxes, times, moves = [box], [time_s], [velocity]
    for moment in reversed(moments[:-1]):
        step_s = time_s - moment.time_s
        if step_s > _LOST_S:
            break
        dx, dy = (-velocity * step_s).tolist()
        there = (box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy)
        members = _moving_so(moment, there, velocity, width)
        if len(members) < _LEAST_CORNERS:
            continue
        seen = _box(moment, members)
        box, time_s = _followed(there, seen), moment.time_s
        velocity = 0.5 * velocity + 0.5 * np.median(moment.before[members], axis=0)
        boxes.append(box)
        times.append(time_s)
        moves.append(velocity)
    here = np.array([((b[0] + b[2]) / 2, b[3]) for b in reversed(boxes)])
    step_s = 0.05
    feet = plane.to_ground(here) * plane.metres_per_unit
    gone = plane.to_ground(here - step_s * np.array(moves[::-1])) * plane.metres_per_unit
    return Way(np.array(times[::-1]), feet, (feet - gone) / step_s, tuple(reversed(boxes)))


def _moving_so(
    moment: Moment, box: Pixels, velocity: npt.NDArray[np.floating], width: int
) -> Indices:
    """Corners in a box, a little grown, that move about as the body does."""
    slack = 0.15 * size(box) + 2.0
    x, y = moment.places.T
    chosen = (
        moment.known_before & moment.own
        & (x > box[0] - slack) & (x < box[2] + slack) & (y > box[1] - slack) & (y < box[3] + slack)
    )  # fmt: skip
    limit = _ALIKE * float(np.hypot(*velocity)) + _ALIKE_OF_WIDTH * width
    chosen &= np.hypot(*(moment.before - velocity).T) < limit
    return np.flatnonzero(chosen)


def _followed(expected: Pixels, seen: Pixels) -> Pixels:
    """The expected box, moved and resized halfway to what the corners span, within limits."""
    scale = min(1.0 + _GROWS, max(1.0 - _GROWS, size(seen) / max(size(expected), 1.0)))
    half = np.array([expected[2] - expected[0], expected[3] - expected[1]]) / 2 * scale
    there = 0.5 * middle(expected) + 0.5 * middle(seen)
    (left, top), (right, bottom) = (there - half).tolist(), (there + half).tolist()
    return left, top, right, bottom


def size(box: Pixels) -> float:
    """The root of its area."""
    return math.sqrt(max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0))


def middle(box: Pixels) -> Array:
    """Of a box, (2,)."""
    return np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])


def gap_of(a: Pixels, b: Pixels) -> float:
    """The free distance of two boxes; 0 where they overlap."""
    across = max(a[0] - b[2], b[0] - a[2], 0.0)
    down = max(a[1] - b[3], b[1] - a[3], 0.0)
    return math.hypot(across, down)
