"""Who crosses a lane: news where nobody usually does."""

from __future__ import annotations

import pytest

from monitor.domain import Actor, Evidence
from monitor.trigger.judge import STRONG, judge
from monitor.trigger.normal import SceneMemory
from monitor.trigger.people import FOR_S, PeopleWatch
from tests.moving import ORIGIN_MS, Body, Motion, Stage, drive_over, wall_s

PERSON = (0.8, 2.6)
"""Against vehicles of 5.5 m, as they are on this stage."""


def wide_road() -> SceneMemory:
    """Many drive to the right, anywhere from y = 7 to 14 m."""
    memory = SceneMemory()
    for lane, y_px in enumerate(range(50, 120, 10)):
        drive_over(memory, 20, y_px=float(y_px), first=100 + 100 * lane)
    return memory


def walking(start_s: float, speed: float = 1.3) -> Motion:
    return lambda t: (30.0, 6.0 + speed * max(0.0, t - start_s))


def watch(
    motion: Motion, memory: SceneMemory, end_s: float = 8.0, size_m: tuple[float, float] = PERSON
) -> list[Evidence]:
    watching = PeopleWatch()
    body = Body(motion, Actor.PEDESTRIAN, size_m)
    stage = Stage({1: body}, memory=memory)
    found = []
    for number, moment in enumerate(stage.moments(end_s)):
        moment.tracks[0].person_score = 0.9
        if number % 3 == 0:
            found += watching.step(moment)
    memory.keep_only(set())
    return found


def scores(found: list[Evidence]) -> list[float]:
    return [trigger.score for one in found for trigger in judge([one], [one], ORIGIN_MS)]


def test_who_walks_across_a_lane_is_a_candidate_once_and_never_an_alert() -> None:
    found = [one for one in watch(walking(1.0), wide_road()) if one.value is not None]
    (score,) = scores(found)
    assert 1.0 <= score < STRONG
    assert found[0].value == pytest.approx(FOR_S, abs=0.5)
    assert wall_s(found[0].time_ms) == pytest.approx(1.8, abs=0.5), "the first step"


def test_where_people_cross_every_day_it_is_no_news() -> None:
    memory = wide_road()
    for _ in range(2):
        watch(walking(1.0), memory)
    assert scores(watch(walking(1.0), memory)) == []


def test_what_moves_along_the_lane_or_not_at_all_is_part_of_a_vehicle() -> None:
    assert scores(watch(lambda t: (10.0 + 2.0 * t, 9.5), wide_road())) == []
    assert scores(watch(lambda _: (30.0, 9.5), wide_road())) == []


def test_what_is_as_low_as_a_lamp_is_nobody() -> None:
    assert scores(watch(walking(1.0), wide_road(), size_m=(0.5, 1.2))) == []


def test_on_a_road_that_nobody_knows_nothing_is_said() -> None:
    assert scores(watch(walking(1.0), SceneMemory())) == []
