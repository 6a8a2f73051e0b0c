from __future__ import annotations

import pytest

from monitor.domain import Actor, Evidence, EvidenceKind
from monitor.trigger.following import HeadwayWatch
from tests.moving import Body, Motion, Stage, driving, standing, wall_s


def onset(time_ms: int, track: int) -> Evidence:
    return Evidence(
        "lamps", EvidenceKind.BRAKE_LIGHT_ONSET, time_ms, Actor.VEHICLE, 0.9, track=track
    )


def watch(
    bodies: dict[int, Body], end_s: float = 4.0, braking: dict[float, int] | None = None
) -> list[Evidence]:
    """``braking``: at which moment whose lamps are seen to light up."""
    watching, found = HeadwayWatch(), []
    for moment in Stage(bodies).moments(end_s):
        lit = (braking or {}).get(moment.now_s)
        fresh = [] if lit is None else [onset(moment.wall_ms(moment.now_s), lit)]
        found += watching.step(moment, fresh)
    return found


@pytest.mark.parametrize("headway_s", [0.8, 1.5, 2.2])
def test_headway_is_the_time_between_two_passing_one_point(headway_s: float) -> None:
    found = watch({1: Body(driving(10.0, x=5.0)), 2: Body(driving(10.0, x=5.0 + 10.0 * headway_s))})
    assert found
    for one in found:
        assert (one.track, one.other) == (1, 2), "track is the follower"
        assert one.unit == "s"
        assert one.value == pytest.approx(headway_s, abs=0.02)


def test_it_is_of_speed_and_distance_both_whatever_the_scale() -> None:
    slow = watch({1: Body(driving(5.0, x=5.0)), 2: Body(driving(5.0, x=11.0))}, end_s=6.0)
    assert slow[0].value == pytest.approx(1.2, abs=0.02)


def test_it_is_told_again_for_the_moment_the_leader_brakes() -> None:
    bodies = {1: Body(driving(10.0, x=0.0)), 2: Body(driving(10.0, x=12.0))}
    found = watch(bodies, braking={3.5: 2})
    assert found[-1].value == pytest.approx(1.2, abs=0.02)
    assert wall_s(found[-1].time_ms) == pytest.approx(3.5, abs=0.2)
    before = watch(bodies)
    assert len(found) == len(before) + 1


def test_the_followers_own_lamps_ask_for_no_headway() -> None:
    bodies = {1: Body(driving(10.0, x=0.0)), 2: Body(driving(10.0, x=12.0))}
    assert len(watch(bodies, braking={3.5: 1})) == len(watch(bodies))


@pytest.mark.parametrize(
    "other",
    [
        driving(10.0, x=40.0),  # 3.5 s ahead
        driving(10.0, x=17.0, y=13.0),  # in the next lane
        driving(-10.0, x=60.0),  # coming towards it
        standing(20.0, 14.0),
    ],
    ids=["far ahead", "another lane", "oncoming", "parked"],
)
def test_who_does_not_follow_has_no_headway(other: Motion) -> None:
    assert watch({1: Body(driving(10.0, x=5.0)), 2: Body(other)}) == []


def test_the_nearest_of_two_leaders_counts() -> None:
    found = watch(
        {
            1: Body(driving(10.0, x=0.0)),
            2: Body(driving(10.0, x=20.0)),
            3: Body(driving(10.0, x=9.0)),
        },
        end_s=3.5,
    )
    assert {one.other for one in found if one.track == 1} == {3}
