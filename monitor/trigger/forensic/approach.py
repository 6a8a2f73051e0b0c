"""The seconds before a contact, with hindsight: where the two who met came from.

From the contact backwards, corners that move as one body are chained from moment to moment, so
that a body keeps its way where its foreground joined another's. What is stated of the two ways:
their directions just before the contact and what each was; since when one was in the other's
way; when the time to collision fell under two seconds; when one began to slow.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from monitor.domain import Actor, Box, Evidence, EvidenceKind
from monitor.trigger.classify import person_likeness
from monitor.trigger.forensic.impulse import Moment
from monitor.trigger.forensic.partners import meeting
from monitor.trigger.forensic.relations import (
    brought_together,
    closing_since,
    course,
    faster,
    headway,
    slowing,
    told_by,
    turned_from,
    who_entered,
)
from monitor.trigger.forensic.speeds import speeds
from monitor.trigger.forensic.timeline import Place, Timeline
from monitor.trigger.forensic.ways import (
    BACK_S,
    CLEAR_S,
    VELOCITY_S,
    Body,
    Pixels,
    Way,
    box_at,
    inside,
    size,
    way_of,
)
from monitor.trigger.forensic.window import Window

_BORDER: Final = 0.03  # of the picture: who begins there came into view
_RIDES_M_S: Final = 2.6  # faster than a person walks
_TOLD_APART: Final = 0.018  # of the width: of a smaller body the shape is chance
_AGREED: Final = 0.012  # unless its corners and its track are of one shape
_OF_A_SIZE: Final = 2.2  # a body and its track
_COVERED: Final = 0.5  # of the one by the other
_NAMED_S: Final = 1.5
_SHAPE_S: Final = 1.5
_ACROSS_DEG: Final = 40.0
_RUNS_M_S: Final = 5.5  # people run no faster across a road
_SMALL_ALONE: Final = 0.5
_PERSON: Final = 0.4
_NARROW: Final = 1.25  # height over width of somebody on a bicycle, seen along their way
_SMALL: Final = 0.62  # of a vehicle's size
_UNTOLD_DEG: Final = 90.0  # of a direction seen at one moment only
_STRENGTH: Final = 0.6


def approach(
    window: Window, seen: Sequence[Moment], told: Timeline, contact: Evidence,
    parties: tuple[int, ...] = (),
) -> tuple[Evidence, ...]:  # fmt: skip
    """What led two bodies to a contact; nothing where fewer than one was followed into it.

    ``parties``: the tracks of a vehicle and of whom it struck where they are known, else the two
    are looked for.
    """
    plane = told.plane
    if plane is None or contact.box is None:
        return ()
    at_s = (contact.time_ms - window.origin_ms) / 1000
    before = [one for one in seen if at_s - BACK_S <= one.time_s <= at_s - CLEAR_S]
    if not before or at_s - before[-1].time_s > 0.4:
        return ()
    place = _pixels(contact.box, window)
    tracked: dict[int, list[Place]] = {}
    for one in told.places:
        tracked.setdefault(one.track, []).append(one)
    bodies = meeting(before, tracked, place, at_s, window.width, plane)
    ways = [way_of(before, body, tracked, plane, window.width) for body in bodies]
    if parties:
        own = _last_seen(before, tracked, parties)
        by_track = [way_of(before, body, tracked, plane, window.width) for body in own]
        ways = max(ways, by_track, key=told_by)
    names = _names(ways, told, contact)
    actors = [
        _actor(way, names[n], ways[1 - n] if len(ways) == 2 else None, told, window)
        for n, way in enumerate(ways)
    ]
    light = next((n for n, one in enumerate(actors) if one is not Actor.VEHICLE), None)
    if parties and parties[1] in names:
        light = names.index(parties[1])
    if light is not None and len(ways) == 2:
        ways = brought_together(ways, light, at_s)
    return _stated(ways, names, actors, light, window, told, at_s)


def _last_seen(
    moments: Sequence[Moment], tracked: Mapping[int, Sequence[Place]], tracks: Sequence[int]
) -> list[Body]:
    """Those tracks, each at the last moment at which it was there."""
    found = []
    for track in tracks:
        for index in range(len(moments) - 1, -1, -1):
            box = box_at(tracked.get(track, ()), moments[index].time_s)
            if box is not None:
                found.append(Body(index, box, box, np.zeros(2), track=track))
                break
    return found


def _pixels(box: Box, window: Window) -> Pixels:
    x, y, w, h = box
    return (
        x * window.width, y * window.height, (x + w) * window.width, (y + h) * window.height
    )  # fmt: skip


def _stated(
    ways: Sequence[Way], names: Sequence[int], actors: Sequence[Actor], light: int | None,
    window: Window, told: Timeline, at_s: float,
) -> tuple[Evidence, ...]:  # fmt: skip
    made: list[Evidence] = []
    assert told.plane is not None

    def say(
        kind: EvidenceKind, number: int, time_s: float, value: float | None, unit: str,
        spread: float | None, time_sigma_s: float, *, strength: float = _STRENGTH,
    ) -> None:  # fmt: skip
        way, track = ways[number], names[number]
        box = way.boxes[int(np.abs(way.times_s - time_s).argmin())]
        other = names[1 - number] if len(ways) == 2 else None
        time_ms = window.wall_ms(time_s)
        made.append(
            Evidence(
                id=f"{kind.value}-{track}-{time_ms}", kind=kind, time_ms=time_ms,
                actor=actors[number], strength=strength, track=track, other=other,
                value=None if value is None else round(value, 2), unit=unit,
                uncertainty=None if spread is None else round(spread, 2),
                time_uncertainty_s=round(time_sigma_s, 3), box=_fractions(box, window),
            )
        )  # fmt: skip

    for number, way in enumerate(ways):
        heading = course(way)
        if heading is not None:
            say(EvidenceKind.COURSE, number, float(way.times_s[-1]), heading[0], "deg",
                heading[1], 0.1)  # fmt: skip
        elif actors[number] is not Actor.VEHICLE and len(ways) == 2:
            across, along = way.velocities[-1].tolist()
            say(
                EvidenceKind.COURSE, number, float(way.times_s[-1]),
                math.degrees(math.atan2(along, across)), "deg", _UNTOLD_DEG, 0.1,
            )  # fmt: skip
        before = turned_from(way)
        if before is not None:
            say(EvidenceKind.COURSE, number, before[0], before[1], "deg", before[2], 0.2)
        if _at_border(way.boxes[0], window) and way.times_s[-1] - way.times_s[0] < BACK_S - 1.0:
            say(EvidenceKind.APPEARED, number, float(way.times_s[0]), None, "", None, 0.2)
        slowed = slowing(way)
        if slowed is not None:
            say(EvidenceKind.SLOWING, number, slowed[0], slowed[1], "", None, 0.2)
        for time_s, went in speeds(way, told.plane, window.height, slowed):
            say(EvidenceKind.SPEED, number, time_s, went.value, went.unit, went.uncertainty,
                VELOCITY_S / 2, strength=round(went.strength, 3))  # fmt: skip
    if len(ways) == 2:
        came = who_entered(ways, at_s, light)
        if came is not None:
            say(EvidenceKind.PATH_ENTERED, came[0], came[1], at_s - came[1], "s", 0.2, 0.2)
        followed = headway(ways)
        if followed is not None:
            behind, time_s, value_s, spread_s = followed
            say(EvidenceKind.HEADWAY, behind, time_s, value_s, "s", spread_s, 0.2)
        soon = closing_since(ways[0], ways[1])
        if soon is not None:
            say(EvidenceKind.CLOSING, faster(ways), soon[0], soon[1], "s", 0.4, 0.3)
    return tuple(made)


def _names(ways: Sequence[Way], told: Timeline, contact: Evidence) -> list[int]:
    """Track numbers: of the track that was where the body was for the longest of its last way,
    rather the contact's own; a new one where no track was.
    """
    taken: list[int] = []
    spare = 1 + max((one.track for one in told.places), default=900_000)
    known = [one for one in (contact.track, contact.other) if one is not None]
    for way in ways:
        end_s = float(way.times_s[-1])
        there: dict[int, float] = {}
        for one in told.places:
            back_s = end_s - one.time_s
            if one.track in taken or not -0.05 <= back_s <= _NAMED_S:
                continue
            box = way.boxes[int(np.abs(way.times_s - one.time_s).argmin())]
            if min(inside(one.box, box), inside(box, one.box)) > 1 / _OF_A_SIZE**2 and (
                max(inside(one.box, box), inside(box, one.box)) > _COVERED
            ):
                there[one.track] = there.get(one.track, 0.0) + (2.0 if one.track in known else 1.0)
        best = max(there, key=lambda track: (there[track], -track), default=None)
        taken.append(spare + len(taken) if best is None else best)
    return taken


def _actor(way: Way, track: int, other: Way | None, told: Timeline, window: Window) -> Actor:
    """By shape, size, speed and direction, over the way's last second and a half.

    Somebody upright and small is on foot if slow; if faster, who goes along with the other rides,
    and who crosses its way no faster than people run is on foot.
    """
    plane = told.plane
    assert plane is not None
    end_s = float(way.times_s[-1])
    shapes = [
        [one.box for one in told.places
         if one.track == track and 0.0 <= end_s - one.time_s <= _SHAPE_S],
        [box for t, box in zip(way.times_s, way.boxes, strict=True) if end_s - t <= _SHAPE_S],
    ]  # fmt: skip
    # Shadows and neighbours only widen a body: the narrower of its two outlines is its own.
    outlines = sorted(
        (
            float(np.median([(b[3] - b[1]) / max(b[2] - b[0], 1.0) for b in boxes])),
            float(np.median([size(b) / plane.vehicle_size_px(b[3]) for b in boxes])),
            float(np.median([size(b) for b in boxes])),
        )
        for boxes in shapes
        if boxes
    )
    upright = [one for one in outlines if one[0] >= _NARROW]
    aspect, small, pixels = min(upright or outlines[-1:], key=lambda one: one[1])
    velocity = way.velocity(end_s - VELOCITY_S / 2)
    speed = 0.0 if velocity is None else float(np.hypot(*velocity))
    agreed = len(upright) == 2
    tracked = bool(shapes[0])  # else a few corners may be a part of a vehicle
    if pixels < (_AGREED if agreed else _TOLD_APART) * window.width:
        return Actor.VEHICLE
    mine, theirs = course(way), None if other is None else course(other)
    turned = 90.0
    if mine is not None and theirs is not None:
        turned = abs(mine[0] - theirs[0]) % 360.0
        turned = min(turned, 360.0 - turned)
    light = bool(upright) and small <= (_SMALL if tracked else _SMALL_ALONE)
    if light and turned <= _ACROSS_DEG and speed > _RIDES_M_S:
        return Actor.CYCLIST
    if (tracked or light) and person_likeness(aspect, small, speed) > _PERSON:
        return Actor.PEDESTRIAN
    if not light:
        return Actor.VEHICLE
    if mine is not None and theirs is not None and _ACROSS_DEG < turned < 180.0 - _ACROSS_DEG:
        return Actor.PEDESTRIAN if speed < _RUNS_M_S else Actor.VEHICLE
    return Actor.CYCLIST if speed > _RIDES_M_S else Actor.PEDESTRIAN


def _at_border(box: Pixels, window: Window) -> bool:
    x, y = _BORDER * window.width, _BORDER * window.height
    return (
        box[0] < x or box[1] < y or box[2] > window.width - x or box[3] > window.height - y
    )  # fmt: skip


def _fractions(box: Pixels, window: Window) -> Box:
    left, top = max(0.0, box[0] / window.width), max(0.0, box[1] / window.height)
    right, bottom = min(1.0, box[2] / window.width), min(1.0, box[3] / window.height)
    return (
        round(min(left, 1.0), 4), round(min(top, 1.0), 4), round(max(0.0, right - left), 4),
        round(max(0.0, bottom - top), 4),
    )  # fmt: skip
