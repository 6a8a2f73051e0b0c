"""The way of one body up to a contact, by corners that move as one, chained backwards.

A body keeps its way where its foreground joined another's. Pixels in the window, metres on the
ground plane as the pass learned it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from monitor.trigger.forensic.impulse import Indices, Moment
from monitor.trigger.forensic.timeline import Place
from monitor.trigger.ground import GroundPlane

Array = npt.NDArray[np.float64]
Pixels = tuple[float, float, float, float]  # left, top, right, bottom

CLEAR_S: Final = 0.1  # before the contact: velocities over this are free of the crash itself
BACK_S: Final = 6.0
VELOCITY_S: Final = 0.45  # over which a way's velocity is fitted
_LEAST_CORNERS: Final = 3
_AGREE: Final = 0.25  # of its speed, between its own corners, and so many pixels a second
_AGREE_PX: Final = 2.0
_STILL_OWN: Final = 0.5  # of a body's corners
_BACK_STEP_S: Final = 0.4
_LEAST_STEP_S: Final = 0.15  # of a track that has just begun
_LOST_S: Final = 0.35  # without a chained group a way ends
_GROWS: Final = 0.03  # from moment to moment, as perspective does
_ALIKE: Final = 0.4  # of the body's speed, between the velocities of its corners
_ALIKE_OF_WIDTH: Final = 0.02  # and so much of the width per second


@dataclass(frozen=True, slots=True)
class Way:
    """One body up to the contact: times (n,), and on the ground feet (n, 2) in metres and
    velocities (n, 2) in m/s; boxes in pixels.
    """

    times_s: Array
    feet: Array
    velocities: Array
    boxes: tuple[Pixels, ...]
    by_corners: bool = True  # velocities are those of corners on the body, not of its lowest row

    def velocity(self, at_s: float) -> Array | None:
        """Metres a second around a time; None where too little was seen."""
        near = np.abs(self.times_s - at_s) <= VELOCITY_S / 2 + 1e-6
        if near.sum() < 3:
            return None
        median: Array = np.median(self.velocities[near], axis=0)
        return median


@dataclass(frozen=True, slots=True)
class Body:
    """What was at a moment and goes to the contact's place: corners, or a track's box alone."""

    moment: int  # its place among the moments
    box: Pixels
    then: Pixels  # carried on to the contact
    velocity: Array  # pixels a second
    corners: Indices | None = None
    track: int | None = None


def moved(box: Pixels, velocity: Array, by_s: float) -> Pixels:
    """Carried on at a velocity in pixels a second."""
    dx, dy = (velocity * by_s).tolist()
    return box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy


def inside(box: Pixels, other: Pixels) -> float:
    """Share of a box that lies in the other."""
    wide = min(box[2], other[2]) - max(box[0], other[0])
    high = min(box[3], other[3]) - max(box[1], other[1])
    return max(0.0, wide) * max(0.0, high) / max(size(box) ** 2, 1.0)


def box_at(places: Sequence[Place], time_s: float) -> Pixels | None:
    """A track's box at a time, between its samples; None where it was not followed then."""
    before = [one for one in places if one.time_s <= time_s + 1e-6]
    after = [one for one in places if one.time_s >= time_s - 1e-6]
    if not before or not after or after[0].time_s - before[-1].time_s > _LOST_S:
        return None
    span_s = after[0].time_s - before[-1].time_s
    share = 0.0 if span_s <= 1e-6 else (time_s - before[-1].time_s) / span_s
    left, top, right, bottom = (
        a + share * (b - a) for a, b in zip(before[-1].box, after[0].box, strict=True)
    )
    return left, top, right, bottom


def way_of(
    moments: Sequence[Moment], body: Body, tracked: Mapping[int, Sequence[Place]],
    plane: GroundPlane, width: int,
) -> Way:  # fmt: skip
    """Back from where it was found: its corners from moment to moment, or its track's boxes."""
    if body.track is not None:
        return _tracked_way(moments, body, tracked[body.track], plane)
    box, time_s, velocity = body.box, moments[body.moment].time_s, body.velocity
    boxes, times, moves = [box], [time_s], [velocity]
    for moment in reversed(moments[: body.moment]):
        step_s = time_s - moment.time_s
        if step_s > _LOST_S:
            break
        there = moved(box, velocity, -step_s)
        members = _moving_so(moment, there, velocity, width)
        if len(members) < _LEAST_CORNERS:
            continue
        box, time_s = _followed(there, corners_box(moment, members)), moment.time_s
        velocity = 0.5 * velocity + 0.5 * np.median(moment.before[members], axis=0)
        boxes.append(box)
        times.append(time_s)
        moves.append(velocity)
    times, boxes, moves = times[::-1], boxes[::-1], moves[::-1]
    for moment in moments[body.moment + 1 :]:
        step = _own_corners(moments[body.moment], body, moment)
        if step is None or moment.time_s - times[-1] > _LOST_S:
            continue
        shift, velocity = step
        times.append(moment.time_s)
        boxes.append(moved(body.box, shift, 1.0))
        moves.append(velocity)
    return _on_ground(times, boxes, moves, plane)


def _own_corners(found: Moment, body: Body, later: Moment) -> tuple[Array, Array] | None:
    """How far the body's own corners have gone by a later moment, and their velocity then."""
    assert body.corners is not None
    own = found.corners[body.corners]
    _, here, there = np.intersect1d(own, later.corners, True, return_indices=True)
    known = later.known_before[there]
    if known.sum() < max(_LEAST_CORNERS, _STILL_OWN * len(own)):
        return None
    shift = later.places[there] - found.places[body.corners[here]]
    velocities = later.before[there[known]]
    velocity = np.median(velocities, axis=0)
    apart = float(np.median(np.hypot(*(velocities - velocity).T)))
    if apart > _AGREE * float(np.hypot(*velocity)) + _AGREE_PX:
        return None  # some were dragged along by who passes in front
    return np.median(shift, axis=0).astype(np.float64), velocity.astype(np.float64)


def _tracked_way(
    moments: Sequence[Moment], body: Body, places: Sequence[Place], plane: GroundPlane
) -> Way:
    times: list[float] = []
    boxes: list[Pixels] = []
    moves: list[Array] = []
    for moment in moments[: body.moment + 1]:
        now = box_at(places, moment.time_s)
        before_s = max(moment.time_s - _BACK_STEP_S, places[0].time_s)
        before = box_at(places, before_s)
        if now is None or before is None or moment.time_s - before_s < _LEAST_STEP_S:
            continue
        times.append(moment.time_s)
        boxes.append(now)
        feet = [np.array([(b[0] + b[2]) / 2, b[3]]) for b in (before, now)]
        moves.append((feet[1] - feet[0]) / (moment.time_s - before_s))
    if not times:
        return _on_ground([moments[body.moment].time_s], [body.box], [body.velocity], plane)
    return replace(_on_ground(times, boxes, moves, plane), by_corners=False)


def _on_ground(
    times: Sequence[float], boxes: Sequence[Pixels], moves: Sequence[Array], plane: GroundPlane
) -> Way:
    """In order of time."""
    here = np.array([((b[0] + b[2]) / 2, b[3]) for b in boxes])
    step_s = 0.05
    feet = plane.to_ground(here) * plane.metres_per_unit
    gone = plane.to_ground(here - step_s * np.array(moves)) * plane.metres_per_unit
    return Way(np.array(times), feet, (feet - gone) / step_s, tuple(boxes))


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


def corners_box(moment: Moment, body: Indices) -> Pixels:
    """Around a body's corners, a few stray ones left out."""
    low = np.percentile(moment.places[body], 4, axis=0)
    high = np.percentile(moment.places[body], 96, axis=0)
    return float(low[0]) - 2, float(low[1]) - 2, float(high[0]) + 2, float(high[1]) + 2
