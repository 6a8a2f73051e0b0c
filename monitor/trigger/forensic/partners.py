"""Which two bodies met: of all that were followed towards a contact's place, those who got there.

Looked for at several moments before the contact, since two that are about to touch are one group
of corners and one region. Where a body then was is not guessed but followed as far as its own
corners, or its track, can be; only the rest is carried on. Pure; called by ``approach``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from monitor.trigger.forensic.clusters import TOO_LARGE, groups
from monitor.trigger.forensic.impulse import Indices, Moment
from monitor.trigger.forensic.timeline import Place
from monitor.trigger.forensic.ways import (
    Array,
    Body,
    Pixels,
    box_at,
    corners_box,
    gap_of,
    inside,
    middle,
    moved,
    size,
)
from monitor.trigger.ground import GroundPlane

_LEADS_S: Final = (0.15, 0.4, 0.7, 1.0, 1.4, 1.9)  # before the contact, where two are still two
_OFF_S: Final = 0.12
_BACK_STEP_S: Final = 0.4
_LEAST_STEP_S: Final = 0.3  # of a track that has just begun
_LEAST_CORNERS: Final = 3
_SAME: Final = 0.6  # share of a box in another that is the same body
_NEAR_SIZES: Final = 1.5  # of who takes part, from the contact's place
_MOST: Final = 0.45  # of the width: what is larger is the camera or a lorry at its lens
_MOST_BAD: Final = 1.6  # sizes, in all: worse pairs are no pair
_SEEN_AGAIN: Final = 0.15  # surer for every other moment at which the same two are found
_HIDDEN: Final = 0.5  # for the share of one that lies in the other: whose corners are whose?
_PART: Final = 0.8  # of its track's size: corners of a part of it
_TOUCH_M: Final = 4.0  # between the feet of two that touch, at most
_PER_M_APART: Final = 0.1  # sizes
_CORE: Final = 0.7  # of a vehicle: how far inside the edges of a contact's box two touched
_MEET_SIZES: Final = 1.2  # between the boxes of two that meet
_PER_S_BEFORE: Final = 0.1  # how much less sure an earlier moment is, in sizes
_PER_S_CARRIED: Final = 0.5  # and where nothing of the body was followed since
_TRACK_ALONE: Final = 0.6  # a track without corners of its own
_APART_M_S: Final = 2.0  # two that collide differ so much in velocity, as good as always


@dataclass(frozen=True, slots=True)
class Arriving:
    """A body near the contact's place, how far off in sizes, and how it moved on the ground."""

    body: Body
    away: float
    going: Array  # m/s
    stands: Array  # where at the contact, on the ground, metres


def meeting(
    moments: Sequence[Moment], tracked: Mapping[int, Sequence[Place]], place: Pixels, at_s: float,
    width: int, plane: GroundPlane,
) -> list[Body]:  # fmt: skip
    """The two bodies that are at the contact's place when it comes, closing on one another.

    One where nobody fits beside it, none where nobody gets there. ``moments`` end before the
    contact; ``place`` is the contact's box in pixels.
    """
    pairs: list[tuple[float, Arriving, Arriving]] = []
    alone: list[tuple[float, Body]] = []
    times = np.array([one.time_s for one in moments])
    for lead_s in _LEADS_S:
        index = int(np.abs(times - (at_s - lead_s)).argmin())
        if abs(times[index] - (at_s - lead_s)) > _OFF_S:
            continue
        found = arriving(moments, index, tracked, place, at_s, width, plane)
        alone += [(one.away + lead_s, one.body) for one in found]
        for number, one in enumerate(found):
            for other in found[number + 1 :]:
                badness = _badness(one, other)
                if badness is not None and badness <= _MOST_BAD:
                    pairs.append((badness + _PER_S_BEFORE * lead_s, one, other))
    if pairs:
        _, one, other = min(pairs, key=lambda pair: pair[0] - _SEEN_AGAIN * _again(pair, pairs))
        return [one.body, other.body]
    return [min(alone, key=lambda one: one[0])[1]] if alone else []


def _again(
    pair: tuple[float, Arriving, Arriving], pairs: Sequence[tuple[float, Arriving, Arriving]]
) -> int:
    """At how many other moments the same two were found."""
    _, one, other = pair
    return len(
        {
            a.body.moment
            for _, a, b in pairs
            if a.body.moment != one.body.moment
            and (
                (_alike(one, a) and _alike(other, b)) or (_alike(one, b) and _alike(other, a))
            )
        }
    )  # fmt: skip


def _alike(one: Arriving, other: Arriving) -> bool:
    """Whether both get to the same place in the same way."""
    a, b = one.body.then, other.body.then
    return (
        max(inside(a, b), inside(b, a)) > _SAME
        and float(np.hypot(*(one.going - other.going))) < _APART_M_S
    )


def arriving(
    moments: Sequence[Moment], index: int, tracked: Mapping[int, Sequence[Place]], place: Pixels,
    at_s: float, width: int, plane: GroundPlane,
) -> list[Arriving]:  # fmt: skip
    """Everybody of one moment who is near the contact's place when it comes."""
    moment = moments[index]
    spot = _core(place, plane)
    found: list[Arriving] = []

    def take(body: Body, carried_s: float, extra: float) -> None:
        large = max(size(body.then), 4.0)
        away = gap_of(body.then, spot) / large
        if size(body.then) < _MOST * width and away <= _NEAR_SIZES:
            badness = away + _PER_S_CARRIED * carried_s + extra
            found.append(Arriving(body, badness, going(body, plane), _stands(body.then, plane)))

    tracks = _tracks(moment.time_s, index, tracked, at_s)
    for corners in groups(moment, width, plane, at_s):
        box, velocity = corners_box(moment, corners), _velocity(moment, corners)
        box = _outline(Body(index, box, box, velocity), [one for one, _ in tracks], plane)
        then, carried_s = _followed_on(moments, index, corners, box, velocity, at_s)
        take(Body(index, box, then, velocity, corners), carried_s, 0.0)
    clustered = list(found)
    for body, carried_s in tracks:
        now, going_on = body.box, going(body, plane)
        if any(
            inside(now, one.body.box) > _SAME
            and float(np.hypot(*(one.going - going_on))) < _APART_M_S
            for one in clustered
        ):
            continue
        take(body, carried_s, _TRACK_ALONE)
    return found


def _core(place: Pixels, plane: GroundPlane) -> Pixels:
    """Where two touched: well inside a contact's box, which spans some of both."""
    half = _CORE * plane.vehicle_size_px(place[3])
    x, y = middle(place).tolist()
    wide, high = (max(0.0, (place[i + 2] - place[i]) / 2 - half) for i in (0, 1))
    return x - wide, y - high, x + wide, y + high


def _tracks(
    time_s: float, index: int, tracked: Mapping[int, Sequence[Place]], at_s: float
) -> list[tuple[Body, float]]:
    """Everybody who was tracked then and a little before, and for how long they are carried on."""
    found = []
    for track, places in tracked.items():
        before_s = max(time_s - _BACK_STEP_S, places[0].time_s)
        now, before = box_at(places, time_s), box_at(places, before_s)
        if now is None or before is None or time_s - before_s < _LEAST_STEP_S:
            continue
        velocity = (middle(now) - middle(before)) / (time_s - before_s)
        last_s = min(at_s, places[-1].time_s)
        last = box_at(places, last_s) or now
        then = moved(last, velocity, at_s - last_s)
        found.append((Body(index, now, then, velocity, track=track), at_s - last_s))
    return found


def _outline(body: Body, tracks: Sequence[Body], plane: GroundPlane) -> Pixels:
    """Of a few corners of a body the whole of it, where it is tracked as one vehicle."""
    for one in tracks:
        usual = plane.vehicle_size_px(one.box[3])
        if (
            inside(body.box, one.box) > _SAME
            and size(body.box) < _PART * size(one.box)
            and size(one.box) < TOO_LARGE * usual
            and float(np.hypot(*(going(body, plane) - going(one, plane)))) < _APART_M_S
        ):
            return one.box
    return body.box


def going(body: Body, plane: GroundPlane) -> Array:
    """Its velocity on the ground, (2,) m/s."""
    foot = np.array([(body.box[0] + body.box[2]) / 2, body.box[3]])
    ends = plane.to_ground(np.array([foot - 0.05 * body.velocity, foot])) * plane.metres_per_unit
    velocity: Array = (ends[1] - ends[0]) / 0.05
    return velocity


def _badness(one: Arriving, other: Arriving) -> float | None:
    """How ill two fit as the two of a contact; None where they are one body or part."""
    a, b = one.body, other.body
    closing = float(np.hypot(*(one.going - other.going)))
    same = max(inside(a.box, b.box), inside(b.box, a.box)) > _SAME
    if same and (closing < _APART_M_S or (a.track is None and b.track is None)):
        return None
    sizes = max((size(a.box) + size(b.box)) / 2, 4.0)
    apart = gap_of(a.then, b.then) / sizes
    way = middle(b.box) - middle(a.box)
    if apart > _MEET_SIZES or float((a.velocity - b.velocity) @ way) <= 0.0:
        return None
    between = float(np.hypot(*(one.stands - other.stands)))
    far = _PER_M_APART * max(0.0, between - _TOUCH_M)
    alike = max(0.0, 1.0 - closing / _APART_M_S)
    hidden = _HIDDEN * max(inside(a.box, b.box), inside(b.box, a.box))
    return one.away + other.away + apart + far + alike + hidden


def _stands(box: Pixels, plane: GroundPlane) -> Array:
    foot = np.array([[(box[0] + box[2]) / 2, box[3]]])
    there: Array = plane.to_ground(foot)[0] * plane.metres_per_unit
    return there


def _followed_on(
    moments: Sequence[Moment], index: int, members: Indices, box: Pixels, velocity: Array,
    at_s: float,
) -> tuple[Pixels, float]:  # fmt: skip
    """Its box at the contact, by its own corners as far as they are followed, then by going on;
    and for how long it had to be carried.
    """
    moment = moments[index]
    own = moment.corners[members]
    for later in reversed(moments[index + 1 :]):
        _, here, there = np.intersect1d(own, later.corners, True, return_indices=True)
        if len(here) < max(_LEAST_CORNERS, 0.3 * len(own)):
            continue
        shift = np.median(later.places[there] - moment.places[members[here]], axis=0)
        known = there[later.known_before[there]]
        last = np.median(later.before[known], axis=0) if len(known) else velocity
        left_s = at_s - later.time_s
        return moved(box, np.asarray(shift + last * left_s, np.float64), 1.0), left_s
    return moved(box, velocity, at_s - moment.time_s), at_s - moment.time_s


def _velocity(moment: Moment, body: Indices) -> Array:
    return np.median(moment.before[body], axis=0).astype(np.float64)
