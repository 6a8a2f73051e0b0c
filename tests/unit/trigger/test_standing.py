from __future__ import annotations

import pytest

from monitor.domain import Evidence, EvidenceKind
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


def test_where_others_have_waited_before_standing_is_usual() -> None:
    road = driven_road()
    for _ in range(2):
        road.waited(fractions(PixelBox(270.0, 70.0, 40.0, 30.0)), 20.0)
    assert stopped(watch({1: STOPPING, 2: passing(7.0), 3: passing(8.5)}, 12.0, road)) == []


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
