from __future__ import annotations

import pytest

from monitor.domain import Actor, Evidence, EvidenceKind
from monitor.trigger.judge import STRONG, judge
from monitor.trigger.normal import SceneMemory
from monitor.trigger.wrong_way import FOR_S, SURE_FOR_S, WrongWayWatch
from tests.moving import ORIGIN_MS, Body, Motion, Stage, drive_over, driving, wall_s


def one_way(vehicles: int = 20) -> SceneMemory:
    """Vehicles have driven to the right along y = 10 m."""
    memory = SceneMemory()
    drive_over(memory, vehicles)
    return memory


def watch(motion: Motion, end_s: float, memory: SceneMemory, **body: object) -> list[Evidence]:
    watching = WrongWayWatch()
    stage = Stage({1: Body(motion, **body)}, memory=memory)  # type: ignore[arg-type]  # a test's
    moments = enumerate(stage.moments(end_s))
    return [one for n, moment in moments if n % 3 == 0 for one in watching.step(moment)]


def reversing_at(turn_s: float) -> Motion:
    """With the traffic at 8 m/s, and from a time on against it."""
    return lambda t: (10.0 + 8.0 * t if t < turn_s else 10.0 + 8.0 * (2 * turn_s - t), 10.0)


def test_against_the_only_direction_is_the_wrong_way() -> None:
    (found, *_) = watch(driving(-8.0, x=60.0), 4.0, one_way())
    assert found.kind is EvidenceKind.WRONG_WAY
    assert found.track == 1
    assert found.unit == "s"
    assert wall_s(found.time_ms) == pytest.approx(0.2, abs=0.3), "since it came into sight"
    assert found.value is not None
    assert found.value >= FOR_S
    assert found.time_uncertainty_s == 0.4


def test_it_is_back_dated_to_where_it_began() -> None:
    found = watch(reversing_at(3.0), 6.0, one_way())
    assert found
    assert wall_s(found[0].time_ms) == pytest.approx(3.0, abs=0.4)


def test_it_is_a_candidate_by_itself() -> None:
    found = watch(driving(-8.0, x=60.0), 4.0, one_way())
    (trigger,) = judge(found[:1], found[:1], ORIGIN_MS)
    assert 1.0 <= trigger.score < 1.6
    assert "against" in trigger.reason


def test_it_alerts_once_it_has_gone_on_for_longer_and_farther() -> None:
    found = watch(driving(-8.0, x=60.0), 6.0, one_way())
    first, second = (judge([one], [one], ORIGIN_MS)[0] for one in found)
    assert first.score < STRONG <= second.score
    assert found[1].value is not None
    assert found[1].value >= SURE_FOR_S


def test_it_is_told_again_only_after_a_while() -> None:
    assert len(watch(driving(-3.0, x=62.0), 9.0, one_way())) == 2  # as a candidate, and for sure


def test_with_the_traffic_it_is_not() -> None:
    assert watch(driving(8.0, x=0.0), 6.0, one_way()) == []


def test_across_the_traffic_it_is_a_crossing() -> None:
    assert watch(lambda t: (30.0, 2.0 + 8.0 * t), 3.0, one_way()) == []


def test_a_short_way_back_is_a_manoeuvre() -> None:
    back_and_stop = driving(-3.0, x=40.0, brakes_s=1.2, decel=4.0)
    assert watch(back_and_stop, 6.0, one_way()) == []


def test_where_few_have_driven_nothing_is_usual() -> None:
    assert watch(driving(-8.0, x=60.0), 4.0, one_way(5)) == []
    assert watch(driving(-8.0, x=60.0), 4.0, SceneMemory()) == []


def test_on_a_road_with_both_directions_nothing_is_wrong() -> None:
    memory = one_way(20)
    drive_over(memory, 15, speed=-50.0, first=500)
    drive_over(memory, 150, speed=-50.0, first=600)
    assert watch(driving(-8.0, x=60.0), 4.0, memory) == []


def test_people_may_walk_either_way() -> None:
    assert watch(driving(-8.0, x=60.0), 4.0, one_way(), actor=Actor.PEDESTRIAN) == []
