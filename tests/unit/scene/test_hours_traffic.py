"""The junction in normal use: who keeps lanes, signals, right of way; nobody touches anybody."""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import dataclass, field
from functools import cache

import pytest

from monitor.errors import SceneError
from monitor.scene.hours.contact import penetration, rectangle
from monitor.scene.hours.network import Turn, conflict, part_s, routes
from monitor.scene.hours.people import walk_start
from monitor.scene.hours.stretch import begin, frames
from monitor.scene.hours.town import STEP_S, Town
from monitor.scene.hours.users import Rider, Slide
from monitor.scene.signals import Aspect, SignalPlan

WATCHED_S = 200.0


@dataclass
class Seen:
    """What a stretch of normal traffic held."""

    overlaps: list[tuple[int, int]] = field(default_factory=list)
    hardest: float = 0.0
    crossed_at_red: list[int] = field(default_factory=list)
    turned: set[Turn] = field(default_factory=set)
    dwelt: bool = False
    cycles: int = 0
    queue: int = 0
    walked_at_red: list[int] = field(default_factory=list)
    crossed: set[int] = field(default_factory=set)
    contacts: int = 0


@cache
def normal() -> Seen:
    town, seen = Town(random.Random("a normal day"), 400.0), Seen()
    before: dict[int, float] = {}
    for step in range(round(WATCHED_S / STEP_S)):
        town.step()
        _signals(town, before, seen)
        if step % 10 == 0:
            _look(town, seen)
    seen.contacts = len(town.contacts)
    return seen


def _signals(town: Town, before: dict[int, float], seen: Seen) -> None:
    for rider in town.riders:
        seen.hardest = max(seen.hardest, -rider.accel)
        line = rider.route.stop_s
        if before.get(rider.id, rider.s) <= line < rider.s:
            seen.turned.add(rider.route.turn)
            if town.plan.of(rider.route.group, town.time_s) is Aspect.RED:
                seen.crossed_at_red.append(rider.id)
        before[rider.id] = rider.s
        seen.dwelt |= rider.kind == "bus" and rider.dwell_until_s is not None


def _look(town: Town, seen: Seen) -> None:
    places = [(r.id, rectangle(r)) for r in town.riders]
    for (a, ra), (b, rb) in itertools.combinations(places, 2):
        if abs(ra[0] - rb[0]) < 14 and abs(ra[1] - rb[1]) < 14 and penetration(ra, rb) > 0.12:
            seen.overlaps.append((a, b))
    seen.cycles = max(seen.cycles, sum(r.kind == "cycle" for r in town.riders))
    seen.queue = max(seen.queue, sum(r.held and r.speed < 0.2 for r in town.riders))
    for walker in town.walkers:
        if walker.state.on_road and abs(walker.state.x) < 6.9 and walker.crosswalk:
            seen.crossed.add(walker.person.id)
            if town.plan.main(town.time_s) is Aspect.GREEN:
                seen.walked_at_red.append(walker.person.id)


def test_nobody_touches_anybody_in_normal_traffic() -> None:
    assert normal().overlaps == []
    assert normal().contacts == 0


def test_nobody_brakes_hard_in_normal_traffic() -> None:
    # Below what the truth calls hard braking; above gentle, since signals do turn amber.
    assert 1.0 < normal().hardest < 4.0


def test_red_is_kept_and_queues_form_at_it() -> None:
    assert normal().crossed_at_red == []
    assert normal().queue >= 4


def test_there_are_turns_cyclists_and_a_bus_at_its_stop() -> None:
    assert normal().turned == set(Turn)
    assert normal().cycles >= 1
    assert normal().dwelt


def test_people_cross_while_the_main_road_is_closed() -> None:
    assert normal().crossed
    assert normal().walked_at_red == []


def test_walking_begins_only_where_there_is_time_left_to_cross() -> None:
    plan = SignalPlan(((10.0, 42.0),))  # side green, so walking, from 16 to 36
    assert walk_start(0.0, 1.2, plan, 60.0) == 16.0
    assert walk_start(20.0, 1.2, plan, 60.0) == 20.0
    assert walk_start(26.0, 1.2, plan, 60.0) is None  # 14 m need 11.7 s and a little


@pytest.mark.parametrize("name", [name for name in routes() if "wrong" not in name])
def test_routes_are_even_and_bend_no_sharper_than_a_car_can(name: str) -> None:
    route = routes()[name]
    for (xa, ya), (xb, yb) in itertools.pairwise(zip(route.xs, route.ys, strict=True)):
        assert math.dist((xa, ya), (xb, yb)) == pytest.approx(0.5, abs=0.12)
    turned = [abs(b - a) / 0.5 for a, b in itertools.pairwise(route.headings)]
    assert max(turned) < 1.0 / 4.5  # of a radius of 4.5 m


def test_routes_from_one_lane_agree_up_to_where_they_part() -> None:
    straight, left = routes()["out_left:straight"], routes()["out_left:left"]
    assert straight.stop_s == left.stop_s
    assert straight.at(120.0) == pytest.approx(left.at(120.0))
    assert 142.0 < part_s(straight.id, left.id) < 156.0
    assert part_s(left.id, left.id) == math.inf


def test_conflicts_are_where_paths_cross_seen_from_either() -> None:
    zone = conflict("out_left:left", "in_right:straight")
    back = conflict("in_right:straight", "out_left:left")
    assert zone is not None
    assert back is not None
    assert (back[2], back[3], back[0], back[1]) == zone
    a, b = routes()["out_left:left"], routes()["in_right:straight"]
    assert math.dist(a.at((zone[0] + zone[1]) / 2)[:2], b.at((zone[2] + zone[3]) / 2)[:2]) < 2.7
    assert conflict("out_left:straight", "in_left:straight") is None
    assert conflict("out_left:left", "out_left:straight") is None


def test_the_same_seed_is_the_same_traffic() -> None:
    def last(seed: int) -> object:
        return list(frames(begin(seed, 0, 2.0), 2.0, 5))[-1]

    assert last(3) == last(3)
    assert last(3) != last(4)


def test_frame_rates_that_no_step_divides_are_refused() -> None:
    with pytest.raises(SceneError, match="7 frames"):
        next(frames(Town(random.Random(0), 10.0), 1.0, 7))


def test_a_sliding_body_comes_to_rest_where_friction_says() -> None:
    slide = Slide(0.0, 0.0, 6.0, 8.0, 0.0, 1.0, 0.0)
    for _ in range(100):
        slide.step(5.0, 0.05)
    assert slide.speed == 0.0
    assert math.hypot(slide.x, slide.y) == pytest.approx(10.0**2 / (2 * 5.0), abs=0.05)
    assert 0.0 < slide.heading < 0.6


def test_depth_of_overlap_of_turned_rectangles() -> None:
    a = (0.0, 0.0, 0.0, 2.0, 1.0)
    assert penetration(a, (3.5, 0.0, 0.0, 2.0, 1.0)) == pytest.approx(0.5)
    assert penetration(a, (0.0, 3.1, math.pi / 2, 2.0, 1.0)) == pytest.approx(-0.1)
    assert penetration(a, (2.0 + math.sqrt(2.0) - 0.01, 0.0, math.pi / 4, 1.0, 1.0)) > 0.0


def test_brake_lamps_of_the_standing_are_lit() -> None:
    town = Town(random.Random("lamps"), 200.0)
    for _ in range(round(90.0 / STEP_S)):
        town.step()
    standing: list[Rider] = [r for r in town.riders if r.held and r.speed < 0.1]
    assert standing
    assert all(r.brake_lamp for r in standing)
