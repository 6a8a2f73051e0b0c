from __future__ import annotations

import numpy as np
import pytest

from monitor.domain import Actor, Evidence, EvidenceKind
from monitor.trigger.conflict import ConflictWatch, time_to_collision
from tests.moving import Body, Motion, Stage, driving, wall_s


@pytest.mark.parametrize(
    ("gap", "speed", "expected"),
    [
        ((10.0, 0.0), (-5.0, 0.0), 1.6),
        ((10.0, 0.0), (5.0, 0.0), None),  # apart
        ((10.0, 0.0), (0.0, 0.0), None),  # neither
        ((10.0, 3.0), (-5.0, 0.0), None),  # past each other
        ((1.0, 0.0), (-5.0, 0.0), 0.0),  # already there
        ((3.0, 4.0), (-3.0, -4.0), 0.6),
    ],
)
def test_time_to_collision_solves_its_equation(
    gap: tuple[float, float], speed: tuple[float, float], expected: float | None
) -> None:
    found = time_to_collision(np.array(gap), np.array(speed), 2.0)
    assert found == (None if expected is None else pytest.approx(expected))


def watch(first: Body, second: Body, touched: set[frozenset[int]] | None = None) -> list[Evidence]:
    watching = ConflictWatch()
    stage = Stage({1: first, 2: second})
    return [one for m in stage.moments(6.0) for one in watching.step(m, touched or set())]


def crossing(stops_s: float) -> Motion:
    """Towards y at 8 m/s to meet x = 40 at 3 s, stopped hard at a time."""

    def at(time_s: float) -> tuple[float, float]:
        going = min(time_s, stops_s)
        braking = min(max(0.0, time_s - stops_s), 8.0 / 20.0)
        return 40.0, -14.0 + 8.0 * going + 8.0 * braking - 10.0 * braking**2

    return at


ACROSS = driving(10.0, x=10.0)


def test_two_on_a_course_to_meet_that_then_do_not_is_a_near_miss() -> None:
    (near,) = watch(Body(ACROSS), Body(crossing(2.2)))
    assert near.kind is EvidenceKind.NEAR_MISS
    assert {near.track, near.other} == {1, 2}
    assert near.unit == "s"
    assert near.value is not None
    assert 0.2 < near.value < 0.9
    assert wall_s(near.time_ms) == pytest.approx(2.3, abs=0.4)


def test_a_pair_that_touched_had_no_near_miss() -> None:
    assert watch(Body(ACROSS), Body(crossing(2.2)), {frozenset((1, 2))}) == []


def test_two_people_on_a_course_to_meet_are_nobodys_concern() -> None:
    person = Actor.PEDESTRIAN
    assert watch(Body(ACROSS, person), Body(crossing(2.2), person)) == []


def test_two_lanes_side_by_side_do_not_conflict() -> None:
    assert watch(Body(ACROSS), Body(driving(4.0, x=30.0, y=13.0))) == []
