from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.domain import Actor, Evidence, EvidenceKind
from monitor.trigger.aftermath import UNEXPECTED, Signs
from monitor.trigger.blobs import PixelBox
from monitor.trigger.normal import SceneMemory
from monitor.trigger.standing import StandingWatch
from tests.moving import (
    Body,
    Motion,
    Stage,
    drive_over,
    driving,
    fractions,
    standing,
    wall_s,
)


def driven_road() -> SceneMemory:
    """Vehicles have driven along y = 10 m over the whole picture."""
    memory = SceneMemory()
    drive_over(memory, 4)
    return memory


def watch(
    motions: dict[int, Motion], end_s: float, memory: SceneMemory | None = None
) -> list[Evidence]:
    watching, memory = StandingWatch(), memory or driven_road()
    stage = Stage({number: Body(motion) for number, motion in motions.items()}, memory=memory)
    return [
        one
        for moment in stage.moments(end_s, interval_s=0.2 if end_s > 60 else 0.1)
        for one in watching.step(moment)
    ]


# 8 m/s, 4 m/s2: it comes to rest at 4 s, 24 m on.
STOPPING = driving(8.0, x=5.0, brakes_s=2.0, decel=4.0)


def passing(at_s: float) -> Motion:
    """In the next lane, abreast of x = 29 m at a time."""
    return driving(10.0, x=29.0 - 10.0 * at_s, y=13.5)


def stopped(found: list[Evidence]) -> list[Evidence]:
    return [one for one in found if one.kind is EvidenceKind.STOPPED_IN_LANE]


def test_standing_where_traffic_flows_past_is_stopped_in_lane() -> None:
    found = stopped(watch({1: STOPPING, 2: passing(7.0), 3: passing(8.5)}, 12.0))
    first = found[0]
    assert first.track == 1
    assert wall_s(first.time_ms) == pytest.approx(4.0, abs=0.4), "when it came to rest"
    assert first.unit == "s"
    assert first.value == pytest.approx(6.0, abs=0.15), "how long it stood when that was said"


def test_it_is_told_again_while_it_stands_with_a_longer_time() -> None:
    found = stopped(watch({1: STOPPING, 2: passing(7.0), 3: passing(8.5)}, 24.0))
    assert len(found) == 2
    assert found[1].value == pytest.approx(16.0, abs=0.3)


def test_nothing_passes_so_it_may_be_a_red_light() -> None:
    assert stopped(watch({1: STOPPING}, 30.0)) == []


def test_longer_than_any_red_it_is_stopped_anyhow() -> None:
    found = stopped(watch({1: STOPPING}, 160.0))
    assert found[0].value == pytest.approx(150.0, abs=0.5)


def test_oncoming_traffic_does_not_pass() -> None:
    oncoming = {n: driving(-10.0, x=29.0 + 10.0 * t, y=13.5) for n, t in ((2, 7.0), (3, 8.5))}
    assert stopped(watch({1: STOPPING, **oncoming}, 12.0)) == []


def test_off_the_roadway_standing_is_parking() -> None:
    untouched = SceneMemory()
    found = watch({1: STOPPING, 2: passing(7.0), 3: passing(8.5)}, 12.0, untouched)
    assert stopped(found) == []


def test_behind_another_that_stands_it_is_held_up_by_that_one() -> None:
    ahead = driving(8.0, x=13.0, brakes_s=2.0, decel=4.0)
    found = stopped(watch({1: STOPPING, 2: passing(7.0), 3: passing(8.5), 4: ahead}, 12.0))
    assert {one.track for one in found} == {4}


def test_who_rolls_up_beside_it_and_stands_too_has_not_passed() -> None:
    beside = {
        2: driving(8.0, x=-19.0, y=13.5, brakes_s=7.2, decel=8.0),  # abreast at 6 s
        3: driving(8.0, x=-27.0, y=13.5, brakes_s=7.4, decel=8.0),
    }
    assert stopped(watch({1: STOPPING, **beside}, 14.0)) == []


def test_behind_a_bus_it_is_held_up_by_the_bus() -> None:
    bus = Body(driving(8.0, x=21.0, brakes_s=2.0, decel=4.0), size_m=(11.0, 4.0))  # 16 m on
    watching = StandingWatch()
    stage = Stage(
        {1: Body(STOPPING), 2: Body(passing(7.0)), 3: Body(passing(8.5)), 4: bus},
        memory=driven_road(),
    )
    found = [one for moment in stage.moments(12.0) for one in watching.step(moment)]
    assert 1 not in {one.track for one in stopped(found)}


def test_a_part_of_a_vehicle_is_no_vehicle_that_stands() -> None:
    watching = StandingWatch()
    stage = Stage(
        {1: Body(STOPPING, size_m=(1.0, 0.8)), 2: Body(passing(7.0)), 3: Body(passing(8.5))},
        memory=driven_road(),
    )
    found = [one for moment in stage.moments(12.0) for one in watching.step(moment)]
    assert stopped(found) == []


def three_pass(from_s: float) -> dict[int, Motion]:
    return {n: passing(from_s + 1.5 * n) for n in (2, 3, 4)}


def test_far_longer_than_anybody_waits_at_a_well_known_place_it_is_surely_no_red_light() -> None:
    road = waited_at(well_known_road(), passed=False)  # for 20 s each
    found = stopped(watch({1: STOPPING, **three_pass(6.0)}, 75.0, road))
    sure = [one for one in found if one.strength == 1.0]
    assert sure[0].value == pytest.approx(60.0, abs=1.0), "three times as long as usual"
    assert all(one.strength < 0.917 for one in found if one.value is not None and one.value < 59.0)


def waited_at(memory: SceneMemory, *, passed: bool) -> SceneMemory:
    for _ in range(6):
        memory.waited(fractions(PixelBox(270.0, 70.0, 40.0, 30.0)), 20.0, passed=passed)
    return memory


def test_where_others_have_waited_while_traffic_passed_standing_is_usual() -> None:
    road = waited_at(driven_road(), passed=True)
    assert stopped(watch({1: STOPPING, 2: passing(7.0), 3: passing(8.5)}, 12.0, road)) == []


def test_at_a_red_light_nobody_passes_so_who_is_passed_there_is_in_the_way() -> None:
    road = waited_at(driven_road(), passed=False)
    found = stopped(watch({1: STOPPING, 2: passing(7.0), 3: passing(8.5)}, 12.0, road))
    assert {one.track for one in found} == {1}


def well_known_road() -> SceneMemory:
    """Many have driven here, and none has ever waited."""
    memory = SceneMemory()
    drive_over(memory, 60)
    return memory


def first_said(found: list[Evidence]) -> float:
    """Seconds it had stood when it was first said; its time is when it came to rest."""
    assert wall_s(found[0].time_ms) == pytest.approx(4.0, abs=0.4)
    assert found[0].value is not None
    return found[0].value


def test_where_nobody_ever_waits_standing_is_unexpected_without_a_pass() -> None:
    found = stopped(watch({1: STOPPING}, 20.0, well_known_road()))
    assert 6.0 <= first_said(found) <= 13.0


def test_and_sooner_when_others_pile_up_behind_it() -> None:
    behind = driving(8.0, x=-3.0, brakes_s=2.4, decel=4.0)
    found = stopped(watch({1: STOPPING, 2: behind}, 12.0, well_known_road()))
    assert {one.track for one in found} == {1}, "not the one that waits behind"
    assert first_said(found) <= 4.0


def test_and_sooner_beside_another_off_its_line() -> None:
    crashed = driving(8.0, x=6.0, y=12.5, brakes_s=2.0, decel=4.0)
    found = stopped(watch({1: STOPPING, 2: crashed}, 12.0, well_known_road()))
    assert first_said(found) <= 4.0


def test_and_sooner_with_a_person_on_the_roadway_beside_it() -> None:
    watching, memory = StandingWatch(), well_known_road()
    person = Body(standing(31.0, 9.8), Actor.PEDESTRIAN, (0.6, 1.8))
    stage = Stage({1: Body(STOPPING), 2: person}, memory=memory)
    found = stopped([one for m in stage.moments(12.0) for one in watching.step(m)])
    assert first_said(found) <= 4.0


def skidding(time_s: float) -> tuple[float, float]:
    """Leaves its course at the end, and comes to rest across it."""
    x, y = STOPPING(time_s)
    return x, y + 1.3 * max(0.0, min(time_s, 4.0) - 3.0) ** 2


def test_and_sooner_at_an_odd_angle() -> None:
    wide = well_known_road()
    drive_over(wide, 60, y_px=85.0, first=900)
    straight = first_said(stopped(watch({1: STOPPING}, 20.0, wide)))
    odd = stopped(watch({1: skidding}, 20.0, wide))
    assert odd[0].value is not None
    assert odd[0].value < straight


def test_signs_count_only_where_the_place_is_known() -> None:
    every = Signs(1.0, 20.0, 2, True, True, True, True)
    assert every.weight > 2 * UNEXPECTED
    assert replace(every, known=0.0).weight == 0.0
    assert Signs(1.0, 3.0, 0, False, False, False, False).weight < UNEXPECTED


def test_what_never_drove_is_no_stopped_vehicle() -> None:
    still = {1: standing(29.0), 2: passing(3.0), 3: passing(4.5)}
    assert stopped(watch(still, 12.0)) == []


def test_three_in_a_line_are_a_queue_of_three() -> None:
    line = {n: driving(8.0, x=5.0 + 8.0 * n, brakes_s=2.0, decel=4.0) for n in range(3)}
    (queue,) = [
        one
        for one in watch({n + 1: motion for n, motion in line.items()}, 8.0)
        if one.kind is EvidenceKind.QUEUE
    ]
    assert queue.value == 3.0
    assert queue.track == 3, "its head"


def test_two_are_no_queue() -> None:
    line = {n: driving(8.0, x=5.0 + 8.0 * n, brakes_s=2.0, decel=4.0) for n in (1, 2)}
    assert watch(line, 8.0) == []
