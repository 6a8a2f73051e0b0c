from __future__ import annotations

import pytest

from monitor.domain import Evidence, EvidenceKind
from monitor.trigger.contact import ContactWatch
from tests.moving import Body, Motion, Stage, driving, standing, wall_s

AT_S = 3.05
LENGTH_M = 4.5


def watch(bodies: dict[int, Body], end_s: float = 5.0) -> list[Evidence]:
    watching = ContactWatch()
    stage = Stage(bodies)
    return [one for moment in stage.moments(end_s) for one in watching.step(moment)]


def rear_end(fast: float, slow: float, after: float) -> tuple[Motion, Motion]:
    """The follower and the leader: they meet at AT_S and go on together."""

    def follower(time_s: float) -> tuple[float, float]:
        return 10.0 + fast * min(time_s, AT_S) + after * max(0.0, time_s - AT_S), 10.0

    def leader(time_s: float) -> tuple[float, float]:
        start = 10.0 + fast * AT_S + LENGTH_M - slow * AT_S
        return start + slow * min(time_s, AT_S) + after * max(0.0, time_s - AT_S), 10.0

    return follower, leader


def off_by(contact: Evidence) -> float:
    """Seconds; one interval between pictures is what it may err."""
    assert contact.time_uncertainty_s == pytest.approx(0.1)
    return abs(wall_s(contact.time_ms) - AT_S)


@pytest.mark.parametrize("swapped", [False, True])
def test_a_rear_end_collision_has_its_moment_and_its_parties(swapped: bool) -> None:
    follower, leader = rear_end(12.0, 4.0, 8.0)
    ids = (2, 1) if swapped else (1, 2)
    bodies = {ids[0]: Body(follower), ids[1]: Body(leader)}
    (contact,) = watch(dict(sorted(bodies.items())))
    assert contact.kind is EvidenceKind.CONTACT
    assert (contact.track, contact.other) == ids, "track is the striking body"
    assert off_by(contact) <= 0.11
    assert contact.value is not None
    assert 0.6 <= contact.value <= 1.0, "the share of the closing speed that is gone"


def test_one_that_stands_is_struck_and_pushed() -> None:
    follower, leader = rear_end(9.0, 0.0, 4.0)
    (contact,) = watch({1: Body(follower), 2: Body(leader)})
    assert (contact.track, contact.other) == (1, 2)
    assert off_by(contact) <= 0.11


def test_a_struck_body_that_is_hidden_is_known_from_what_stopped_the_other() -> None:
    follower, leader = rear_end(13.0, 3.0, 5.0)
    (contact,) = watch(
        {1: Body(follower), 2: Body(leader, seen=lambda time_s: time_s < AT_S - 0.2)}
    )
    assert (contact.track, contact.other) == (1, 2)
    assert wall_s(contact.time_ms) == pytest.approx(AT_S, abs=0.12)
    assert contact.strength <= 0.5, "less sure than where both were seen"


def test_braking_to_rest_close_behind_another_is_no_contact() -> None:
    # 14 m/s and 7 m/s2: 14 m of braking; half a metre is left.
    stopping = driving(14.0, x=5.0, brakes_s=1.5, decel=7.0)
    stops_at = stopping(10.0)[0]
    assert watch({1: Body(stopping), 2: Body(standing(stops_at + LENGTH_M + 0.5))}) == []


def test_both_braking_hard_in_a_line_is_no_contact() -> None:
    leader = driving(12.0, x=22.0, brakes_s=1.0, decel=7.0)
    follower = driving(12.0, x=8.0, brakes_s=1.7, decel=7.0)
    assert watch({1: Body(follower), 2: Body(leader)}) == []


def test_bodies_that_pass_before_each_other_in_the_picture_are_no_contact() -> None:
    assert watch({1: Body(driving(12.0)), 2: Body(standing(30.0, 11.0))}) == []


def test_a_sudden_stop_beside_another_lane_is_no_contact() -> None:
    follower, _ = rear_end(12.0, 4.0, 0.5)
    beside = standing(10.0 + 12.0 * AT_S + 1.0, 13.5)
    assert watch({1: Body(follower), 2: Body(beside)}) == []


def test_one_collision_is_told_once() -> None:
    follower, leader = rear_end(12.0, 4.0, 8.0)
    assert len(watch({1: Body(follower), 2: Body(leader)}, end_s=9.0)) == 1
