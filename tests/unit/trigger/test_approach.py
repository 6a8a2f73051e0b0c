"""Two bodies' ways to a contact, from synthetic corners and from given ways."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from monitor.domain import Actor, Evidence, EvidenceKind
from monitor.trigger.forensic.approach import approach
from monitor.trigger.forensic.impulse import Moment
from monitor.trigger.forensic.relations import (
    brought_together,
    closing_since,
    course,
    entered,
    headway,
    slowing,
    told_by,
    turned_from,
    who_entered,
)
from monitor.trigger.forensic.speeds import speeds
from monitor.trigger.forensic.timeline import Timeline
from monitor.trigger.forensic.ways import Way
from monitor.trigger.forensic.window import Window
from monitor.trigger.ground import GroundPlane, pinhole_plane

SIZE = (640, 360)
AT_S = 4.0
TIMES = np.arange(0.0, AT_S - 0.05, 1 / 15)


def way(x: float, y: float, vx: float, vy: float, *, until_s: float = AT_S) -> Way:
    """Straight, at (x, y) metres at the contact."""
    feet = np.stack([x + vx * (TIMES - AT_S), y + vy * (TIMES - AT_S)], axis=1)
    velocities = np.tile([vx, vy], (len(TIMES), 1))
    return Way(TIMES, feet, velocities, ((0.0, 0.0, 20.0, 20.0),) * len(TIMES))


def braking_way(y: float, speed: float, since_s: float, decel: float) -> Way:
    """Along y; at ``y`` when the contact comes."""
    speeds = np.maximum(0.0, speed - decel * np.maximum(0.0, TIMES - since_s))
    path = np.concatenate([[0.0], np.cumsum((speeds[1:] + speeds[:-1]) / 2 * np.diff(TIMES))])
    feet = np.stack([np.zeros_like(path), y + path - path[-1]], axis=1)
    velocities = np.stack([np.zeros_like(speeds), speeds], axis=1)
    return Way(TIMES, feet, velocities, ((0.0, 0.0, 20.0, 20.0),) * len(TIMES))


def test_a_course_is_a_direction_and_who_stands_has_none() -> None:
    found = course(way(0.0, 0.0, 5.0, 5.0))
    assert found is not None
    assert found[0] == pytest.approx(45.0)
    assert course(way(0.0, 0.0, 0.1, 0.0)) is None


def test_who_came_to_rest_went_the_way_in_which_it_last_moved() -> None:
    found = course(braking_way(0.0, 12.0, 1.0, 5.0))
    assert found is not None
    assert found[0] == pytest.approx(90.0)
    assert found[1] < 10.0


def test_who_turned_says_where_it_came_from_and_who_went_straight_does_not() -> None:
    headings = np.radians(np.interp(TIMES, [0.0, 2.0, AT_S], [90.0, 90.0, 150.0]))
    velocities = 6.0 * np.stack([np.cos(headings), np.sin(headings)], axis=1)
    feet = np.cumsum(velocities / 15, axis=0)
    found = turned_from(Way(TIMES, feet, velocities, ((0.0, 0.0, 20.0, 20.0),) * len(TIMES)))
    assert found is not None
    assert found[0] < 1.0
    assert found[1] == pytest.approx(90.0, abs=2.0)
    assert turned_from(way(0.0, 0.0, 0.0, 6.0)) is None


def test_a_vehicle_across_the_way_is_in_it_before_somebody_on_foot_would_be() -> None:
    turner, comes = way(0.0, 0.0, -4.0, 0.0), way(0.0, -4.0, 0.0, 12.0)
    on_foot = who_entered((comes, turner), AT_S, 1)
    vehicle = who_entered((comes, turner), AT_S)
    assert on_foot is not None
    assert vehicle is not None
    assert vehicle[1] < on_foot[1] - 0.3


def test_who_crosses_is_in_the_path_since_it_came_within_two_metres_of_it() -> None:
    turner, comes = way(0.0, 0.0, -4.0, 0.0), way(0.0, -4.0, 0.0, 12.0)
    found = who_entered((comes, turner), AT_S, 1)
    assert found is not None
    assert found[0] == 1
    assert found[1] == pytest.approx(AT_S - 0.5, abs=0.08)
    assert who_entered((comes, way(0.0, 3.0, 0.0, 12.0)), AT_S) is None  # one behind the other
    assert entered(way(9.0, 0.0, 0.0, 5.0), comes, AT_S) is None


def test_who_came_into_sight_in_the_path_was_there_from_then_on() -> None:
    comes = way(0.0, -2.0, 0.0, 12.0)
    walks = way(0.0, 0.0, -1.0, 0.0)
    late = walks.times_s >= AT_S - 1.2
    seen = Way(walks.times_s[late], walks.feet[late], walks.velocities[late],
               walks.boxes[: int(late.sum())])  # fmt: skip
    found = who_entered((comes, seen), AT_S)
    assert found is not None
    assert found[0] == 1
    assert found[1] == pytest.approx(AT_S - 1.2, abs=0.1)


def test_who_was_struck_was_in_the_path_though_their_feet_are_seen_beside_it() -> None:
    comes, walks = way(0.0, 0.0, 0.0, 12.0), way(5.0, 3.0, -2.0, 0.0)
    assert who_entered((comes, walks), AT_S) is None
    ways = brought_together((comes, walks), 1, AT_S)
    assert ways[0] is comes
    assert np.allclose(ways[1].feet[-1], 0.0, atol=0.2)  # as good as at the contact
    found = who_entered(ways, AT_S, 1)
    assert found is not None
    assert found[0] == 1
    assert found[1] == pytest.approx(AT_S - 1.0, abs=0.1)


def test_a_way_of_one_moment_does_not_say_how_it_moved() -> None:
    long = way(0.0, 0.0, 0.0, 12.0)
    short = Way(long.times_s[-1:], long.feet[-1:], long.velocities[-1:], long.boxes[-1:])
    assert told_by((long, short)) == 1


def test_closing_begins_two_seconds_before_they_would_touch() -> None:
    found = closing_since(way(0.0, -3.0, 0.0, 10.0), way(0.0, 0.0, 0.0, 0.0))
    assert found is not None
    assert found[0] == pytest.approx(AT_S - 2.0, abs=0.1)
    assert found[1] == pytest.approx(2.0, abs=0.1)
    assert closing_since(way(0.0, -3.0, 0.0, 5.0), way(0.0, 0.0, 0.0, 5.0)) is None


def test_a_body_that_brakes_slows_from_then_on() -> None:
    found = slowing(braking_way(0.0, 12.0, 2.0, 5.0))
    assert found is not None
    assert found[0] == pytest.approx(2.1, abs=0.25)
    assert found[1] == pytest.approx(0.8, abs=0.1)
    assert slowing(way(0.0, 0.0, 0.0, 12.0)) is None


def test_the_headway_is_taken_before_the_one_in_front_slowed() -> None:
    lead = braking_way(4.0, 12.0, 2.0, 5.0)
    behind = way(0.0, 0.0, 0.0, 12.0)
    found = headway((lead, behind))
    assert found is not None
    number, time_s, value_s, spread_s = found
    gap_m = lead.feet[0, 1] - behind.feet[0, 1]
    assert number == 1
    assert value_s == pytest.approx(gap_m / 12.0, abs=0.1)
    assert time_s < 2.3
    assert spread_s >= 0.1
    assert headway((way(0.0, 0.0, 5.0, 0.0), behind)) is None  # it crosses


def moments(half: tuple[float, float] = (14.0, 14.0), speed: float = 90.0) -> list[Moment]:
    """Two clouds of corners in the picture that meet at (320, 200) at the contact.

    ``half``: width and height of the first, half of each, which moves across it.
    """
    rng = np.random.default_rng(3)
    cloud = rng.uniform(-14.0, 14.0, (14, 2))
    first = cloud / 14.0 * np.array(half)
    found = []
    for index, time_s in enumerate(TIMES.tolist()):
        ahead = time_s - AT_S
        bodies = [
            (np.array([300.0, 200.0]) + np.array([speed, 0.0]) * ahead, (speed, 0.0)),
            (np.array([336.0, 200.0]) + np.array([0.0, -60.0]) * ahead, (0.0, -60.0)),
        ]
        shapes = zip((first, cloud), bodies, strict=True)
        places = np.concatenate([body + one for one, (body, _) in shapes]).astype(np.float32)
        before = np.repeat([v for _, v in bodies], len(cloud), axis=0).astype(np.float32)
        known = np.ones(len(places), np.bool_)
        found.append(
            Moment(
                time_s, index, np.arange(len(places)), places, before, before, known, known, known
            )
        )  # fmt: skip
    return found


def looked_at(seen: list[Moment], **fields: Any) -> tuple[Evidence, ...]:
    width, height = SIZE
    window = SimpleNamespace(
        origin_ms=1_000, width=width, height=height, wall_ms=lambda t: 1_000 + round(t * 1000)
    )
    plane = pinhole_plane(20.0, 0.25, width, height)
    contact = Evidence(
        "contact-1-5000", EvidenceKind.CONTACT, 5_000, Actor.VEHICLE, 0.8,
        box=(0.44, 0.5, 0.12, 0.1),
    )  # fmt: skip
    return approach(cast(Window, window), seen, Timeline((), (), plane), contact)


def test_two_clouds_of_corners_are_two_bodies_whose_courses_cross() -> None:
    found = looked_at(moments())
    courses = [one for one in found if one.kind is EvidenceKind.COURSE]
    assert len(courses) == 2
    assert {courses[0].track, courses[1].track} == {courses[0].other, courses[1].other}
    assert courses[0].value is not None
    assert courses[1].value is not None
    angle = abs(courses[0].value - courses[1].value) % 360
    assert 50 < min(angle, 360 - angle) < 130
    assert any(one.kind is EvidenceKind.CLOSING for one in found)
    assert all(one.time_ms < 5_000 for one in found)
    assert all(math.isfinite(one.value or 0.0) for one in found)


@pytest.mark.parametrize(
    ("half", "actor"), [((5.0, 12.0), Actor.PEDESTRIAN), ((10.0, 20.0), Actor.VEHICLE)]
)
def test_somebody_upright_without_a_track_is_on_foot_only_if_well_under_half_a_vehicle(
    half: tuple[float, float], actor: Actor
) -> None:
    """A few corners may be a part of a vehicle, and narrow."""
    found = looked_at(moments(half, 30.0))
    courses = [one for one in found if one.kind is EvidenceKind.COURSE]
    across = min(courses, key=lambda one: abs((one.value or 0.0) % 360 - 0.0))
    assert across.actor is actor


def test_without_corners_before_the_contact_nothing_is_said() -> None:
    assert looked_at([]) == ()
    assert looked_at([one for one in moments() if one.time_s < 2.0]) == ()


def by_feet(found: Way, box: tuple[float, float, float, float]) -> Way:
    """The velocities are those of the box's lowest row."""
    return replace(found, boxes=(box,) * len(found.times_s), by_corners=False)


NEAR_BOX = (300.0, 260.0, 360.0, 300.0)
LEARNED = pinhole_plane(-40.0, 0.15, *SIZE)
CALIBRATED = replace(LEARNED, calibrated=True, metres_per_unit=1.0)


@pytest.mark.parametrize(
    ("plane", "unit", "value"), [(CALIBRATED, "m/s", 12.0), (LEARNED, "sizes/s", 12.0 / 2.7)]
)
def test_a_speed_is_in_metres_with_calibration_and_else_in_sizes(
    plane: GroundPlane, unit: str, value: float
) -> None:
    near = by_feet(way(0.0, 0.0, 0.0, 12.0), NEAR_BOX)
    ((at_s, found),) = speeds(near, plane, SIZE[1], None)
    assert at_s == pytest.approx(AT_S, abs=0.4)
    assert found.unit == unit
    assert found.value == pytest.approx(value)
    assert 0.0 < found.uncertainty / found.value < 0.2
    ((_, farther),) = speeds(
        by_feet(near, (310.0, 0.0, 330.0, 20.0)), plane, SIZE[1], None
    )  # fmt: skip
    assert farther.uncertainty > found.uncertainty, "a foot that is off by a row is off by more"


def test_corners_above_the_ground_go_slower_up_the_picture_than_their_body() -> None:
    along, across = (
        speeds(replace(one, boxes=(NEAR_BOX,) * len(TIMES)), CALIBRATED, SIZE[1], None)[0][1]
        for one in (way(0.0, 0.0, 0.0, 12.0), way(0.0, 0.0, 12.0, 0.0))
    )
    share = 0.45 * 40.0 / 340.0  # of the way from the foot to the horizon
    assert along.value == pytest.approx(12.0 / (1.0 - share), rel=0.02)
    assert across.value == pytest.approx(12.0, rel=0.02)
    assert along.uncertainty > across.uncertainty


def test_who_slowed_has_its_speed_before_and_at_last() -> None:
    slowed = by_feet(braking_way(0.0, 12.0, 2.0, 4.0), NEAR_BOX)
    since = slowing(slowed)
    assert since is not None
    (before_s, before), (last_s, last) = speeds(slowed, CALIBRATED, SIZE[1], since)
    assert before_s < since[0] < last_s
    assert before.value == pytest.approx(12.0, abs=0.3)
    assert last.value == pytest.approx(12.0 - 4.0 * (last_s - 2.0), abs=0.5)


def test_nothing_is_told_of_a_way_of_a_moment() -> None:
    short = way(0.0, 0.0, 0.0, 12.0)
    short = Way(short.times_s[:2], short.feet[:2], short.velocities[:2], short.boxes[:2])
    assert speeds(short, LEARNED, SIZE[1], None) == []
