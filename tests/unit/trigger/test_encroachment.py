from __future__ import annotations

import pytest

from monitor.domain import Evidence
from monitor.trigger.encroachment import CrossingWatch
from tests.moving import Body, Motion, Stage, driving, wall_s

ACROSS = driving(10.0, x=10.0)


def watch(*bodies: Body, touched: frozenset[frozenset[int]] = frozenset()) -> list[Evidence]:
    watching = CrossingWatch()
    stage = Stage(dict(enumerate(bodies, start=1)))
    return [one for m in stage.moments(6.0) for one in watching.step(m, set(touched))]


def comes_later(gap_s: float) -> Motion:
    """Along y at 8 m/s, over the place x = 40, y = 10 so long after who drives ``ACROSS``."""
    return lambda time_s: (40.0, 10.0 + 8.0 * (time_s - 3.0 - gap_s))


@pytest.mark.parametrize(("gap_s", "pet_s"), [(1.0, 0.5), (1.3, 0.8)])
def test_crossing_shortly_behind_another_is_a_near_miss_with_the_time_between(
    gap_s: float, pet_s: float
) -> None:
    (near,) = watch(Body(ACROSS), Body(comes_later(gap_s)))
    assert (near.track, near.other) == (2, 1)  # who came second
    assert near.value == pytest.approx(pet_s, abs=0.06)
    assert near.uncertainty is not None
    assert wall_s(near.time_ms) == pytest.approx(3.0 + gap_s, abs=0.1)


def test_crossing_long_after_another_is_traffic() -> None:
    assert watch(Body(ACROSS), Body(comes_later(2.0))) == []


def test_who_follows_in_one_lane_crosses_nobody() -> None:
    assert watch(Body(ACROSS), Body(driving(10.0, x=0.0, y=10.2))) == []


def test_a_pair_that_touched_had_no_close_crossing() -> None:
    assert watch(Body(ACROSS), Body(comes_later(1.0)), touched=frozenset({frozenset((1, 2))})) == []


def test_each_pair_is_told_of_once_whoever_else_drives_there() -> None:
    aside = Body(driving(10.0, x=10.0, y=40.0))
    told = watch(Body(ACROSS), aside, Body(comes_later(1.0)))
    assert {(one.track, one.other) for one in told} <= {(3, 1), (3, 2)}
    assert len([one for one in told if one.other == 1]) == 1
