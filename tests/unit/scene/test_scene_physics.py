"""The scene's physics and its truth, with numbers recomputed from positions and speeds."""

from __future__ import annotations

import math
from functools import cache
from itertools import combinations, pairwise

import pytest

from monitor.errors import SceneError
from monitor.scene import SCENARIOS, Simulation, build
from monitor.scene.collision import PULSE_S, RESTITUTION, Contact
from monitor.scene.driver import (
    Driver,
    desired_gap,
    equilibrium_gap,
    free_acceleration,
    idm_acceleration,
    time_gap_for,
)
from monitor.scene.events import Event, events_of
from monitor.scene.record import VehicleState
from monitor.scene.signals import Aspect, SignalPlan
from monitor.scene.truth import antecedents

SEEDS = (0, 1)


@cache
def scene(scenario: str, seed: int = 0) -> Simulation:
    return build(scenario, seed)


@cache
def events(scenario: str, seed: int = 0) -> tuple[Event, ...]:
    return tuple(events_of(scene(scenario, seed)))


def one(scenario: str, seed: int, kind: str, actor: int | None = None) -> Event:
    found = [
        e for e in events(scenario, seed) if e.kind == kind and (actor is None or e.actor == actor)
    ]
    assert found, kind
    return found[0]


def state(simulation: Simulation, frame: int, actor: int) -> VehicleState:
    return next(v for v in simulation.frames[frame].vehicles if v.id == actor)


# The Intelligent Driver Model, by hand.


def test_idm_by_hand() -> None:
    driver = Driver(
        20.0, time_gap_s=1.5, standstill_gap_m=2.0, max_accel=1.0, comfortable_decel=4.0
    )
    assert free_acceleration(driver, 10.0) == 1.0 - 0.5**4
    assert desired_gap(driver, 10.0, 0.0) == 2.0 + 15.0
    assert desired_gap(driver, 10.0, 4.0) == 2.0 + 15.0 + 10.0 * 4.0 / (2.0 * 2.0)
    assert idm_acceleration(driver, 10.0, 34.0, 0.0) == pytest.approx(1.0 - 0.0625 - 0.25)


@pytest.mark.parametrize("speed", [3.0, 8.0, 12.0])
def test_at_the_equilibrium_gap_nobody_accelerates(speed: float) -> None:
    driver = Driver(14.0)
    gap = equilibrium_gap(driver, speed)
    assert idm_acceleration(driver, speed, gap, 0.0) == pytest.approx(0.0, abs=1e-9)
    made = time_gap_for(14.0, speed, gap, driver.standstill_gap_m)
    assert made == pytest.approx(driver.time_gap_s)


def test_the_contact_force_adds_up_to_the_impulse() -> None:
    contact = Contact(1.0, 1, 2, 8.0, 5000.0)
    step = 1e-5
    total = sum(contact.force(1.0 + (n + 0.5) * step) * step for n in range(int(PULSE_S / step)))
    assert total == pytest.approx(5000.0, rel=1e-6)
    assert contact.force(0.999) == contact.force(1.0 + PULSE_S + 0.001) == 0.0


def test_signals_never_give_two_roads_green() -> None:
    plan = SignalPlan(((10.0, 26.0),))
    for tenth in range(400):
        time_s = tenth / 10.0
        assert Aspect.RED in (plan.main(time_s), plan.side(time_s))
        assert not (plan.walk(time_s) and plan.main(time_s) is not Aspect.RED)
    assert [plan.main(t) for t in (9.9, 10.0, 14.0, 26.0)] == [
        Aspect.GREEN, Aspect.AMBER, Aspect.RED, Aspect.GREEN,
    ]  # fmt: skip


# Every scenario.


def test_an_unknown_scenario_is_named_with_those_there_are() -> None:
    with pytest.raises(SceneError, match="there are: normal, rear_end"):
        build("earthquake")


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_same_seed_is_the_same_scene(scenario: str) -> None:
    assert build(scenario, 1) == scene(scenario, 1)
    assert scene(scenario, 0).frames != scene(scenario, 1).frames


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_positions_speeds_and_accelerations_agree(scenario: str, seed: int) -> None:
    simulation = scene(scenario, seed)
    struck = {i for c in simulation.contacts for i in (c.striking, c.struck)}
    for before, after in pairwise(simulation.frames):
        then = {v.id: v for v in before.vehicles}
        for now in after.vehicles:
            was = then.get(now.id)
            if was is None:
                continue
            assert now.accel == pytest.approx((now.speed - was.speed) * 25, abs=1e-6)
            assert now.speed >= 0.0
            if now.id not in struck and now.lane == was.lane:
                moved = now.front_s - was.front_s
                assert moved == pytest.approx((now.speed + was.speed) / 2 / 25, abs=4e-3)
                assert moved >= 0.0
                assert now.accel > -0.8 * 9.81 - 1e-6  # the tyres' limit


Corners = list[tuple[float, float]]


def corners(simulation: Simulation, v: VehicleState) -> Corners:
    spec = simulation.specs[v.id]
    cos, sin = math.cos(v.heading), math.sin(v.heading)
    front, back = spec.length_m / 2 - v.crush_front_m, -spec.length_m / 2 + v.crush_rear_m
    half = spec.width_m / 2
    return [
        (v.x + cos * a - sin * b, v.y + sin * a + cos * b)
        for a in (front, back)
        for b in (half, -half)
    ]


def overlap(a: Corners, b: Corners) -> float:
    """How deep two rectangles are in each other; negative when apart (separating axes)."""
    depth = math.inf
    for box in (a, b):
        for p, q in ((box[0], box[1]), (box[0], box[2])):
            length = math.hypot(q[0] - p[0], q[1] - p[1])
            axis = ((q[0] - p[0]) / length, (q[1] - p[1]) / length)
            one = [x * axis[0] + y * axis[1] for x, y in a]
            two = [x * axis[0] + y * axis[1] for x, y in b]
            depth = min(depth, min(max(one), max(two)) - max(min(one), min(two)))
    return depth


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_nobody_drives_through_anybody(scenario: str, seed: int) -> None:
    simulation = scene(scenario, seed)
    crashed = {frozenset((c.striking, c.struck)) for c in simulation.contacts}
    for frame in simulation.frames[::5]:
        boxes = [(v, corners(simulation, v)) for v in frame.vehicles]
        for (v, a), (w, b) in combinations(boxes, 2):
            if abs(v.x - w.x) + abs(v.y - w.y) > 16:
                continue
            # Bumpers of those that crashed may touch, slightly askew.
            allowed = 0.05 if frozenset((v.id, w.id)) in crashed else 0.0
            assert overlap(a, b) <= allowed, (frame.time_s, v.id, w.id)


@pytest.mark.parametrize("seed", SEEDS)
def test_normal_traffic_is_normal(seed: int) -> None:
    simulation = scene("normal", seed)
    assert simulation.contacts == ()
    assert {e.kind for e in events("normal", seed)} <= {"brake_light_onset"}
    assert min(v.accel for f in simulation.frames for v in f.vehicles) > -3.0
    assert not any(p.on_road for f in simulation.frames for p in f.persons)
    stood = {
        v.id for f in simulation.frames for v in f.vehicles
        if v.lane.startswith("out") and v.speed < 0.1
    }  # fmt: skip
    left = {v.id for v in simulation.frames[-1].vehicles if v.speed > 4.0}
    assert stood, "somebody stops at the signal"
    assert stood & left, "and drives on"


@pytest.mark.parametrize("seed", SEEDS)
def test_the_rear_end_collision(seed: int) -> None:
    simulation = scene("rear_end", seed)
    lead, follower = simulation.roles["lead"], simulation.roles["follower"]
    (contact,) = simulation.contacts
    assert (contact.striking, contact.struck) == (follower, lead)
    assert 22.5 < contact.time_s < 25.5
    gaps = []
    for frame in simulation.frames:
        pair = {v.id: v for v in frame.vehicles if v.id in (lead, follower)}
        if len(pair) == 2:
            undented = simulation.specs[lead].length_m
            rear = pair[lead].front_s + pair[lead].crush_front_m - undented
            front = pair[follower].front_s + pair[follower].crush_front_m
            gaps.append((frame, rear - front))
    first = next(frame for frame, gap in gaps if gap <= 0.0)
    event = one("rear_end", seed, "contact")
    assert event.frame == first.index == math.ceil(contact.time_s * 25)
    assert first.time_s - contact.time_s < 0.04
    assert all(gap > 0.0 for frame, gap in gaps if frame.index < first.index)


@pytest.mark.parametrize("seed", SEEDS)
def test_momentum_is_exchanged(seed: int) -> None:
    simulation = scene("rear_end", seed)
    (contact,) = simulation.contacts
    masses = [simulation.specs[i].mass_kg for i in (contact.striking, contact.struck)]
    reduced = masses[0] * masses[1] / sum(masses)
    assert contact.impulse_ns == pytest.approx((1 + RESTITUTION) * reduced * contact.closing_speed)
    before = math.floor(contact.time_s * 25)
    after = math.ceil((contact.time_s + PULSE_S) * 25)
    hit = [state(simulation, before, i) for i in (contact.striking, contact.struck)]
    then = [state(simulation, after, i) for i in (contact.striking, contact.struck)]
    slowed = (after - before) / 25 * 0.8 * 9.81  # at most what brakes took in the meantime
    was = sum(m * v.speed for m, v in zip(masses, hit, strict=True))
    now = sum(m * v.speed for m, v in zip(masses, then, strict=True))
    assert was - sum(masses) * slowed <= now <= was
    assert then[1].speed > then[0].speed  # the struck car is pushed away
    dents = (then[0].crush_front_m, then[1].crush_rear_m)
    assert dents[0] == dents[1]
    assert 0.05 < dents[0] < 0.4


@pytest.mark.parametrize("seed", SEEDS)
def test_what_led_to_it(seed: int) -> None:
    simulation = scene("rear_end", seed)
    lead, follower = simulation.roles["lead"], simulation.roles["follower"]
    person = simulation.roles["steps_out"]
    step = one("rear_end", seed, "pedestrian_in_road", person)
    lamp = one("rear_end", seed, "brake_light_onset", lead)
    hard = one("rear_end", seed, "hard_brake", lead)
    late = one("rear_end", seed, "brake_light_onset", follower)
    contact = one("rear_end", seed, "contact")
    assert step.time_s < lamp.time_s <= hard.time_s < late.time_s < contact.time_s
    assert 0.5 <= lamp.time_s - step.time_s <= 0.8  # the lead driver's reaction
    assert late.time_s - lamp.time_s > 1.0  # the follower's is slow
    assert hard.value == pytest.approx(6.9, abs=0.05)
    before = next(p for p in simulation.frames[step.frame - 1].persons if p.id == person)
    after = next(p for p in simulation.frames[step.frame].persons if p.id == person)
    assert before.x >= 7.0 > after.x
    assert not state(simulation, lamp.frame - 1, lead).brake_lamp
    assert state(simulation, lamp.frame, lead).brake_lamp


@pytest.mark.parametrize(
    ("scenario", "low", "high"), [("rear_end", 1.0, 1.4), ("hard_brake", 2.4, 2.7)]
)
@pytest.mark.parametrize("seed", SEEDS)
def test_headways_are_distance_over_speed(
    scenario: str, low: float, high: float, seed: int
) -> None:
    simulation = scene(scenario, seed)
    lead, follower = simulation.roles["lead"], simulation.roles["follower"]
    event = one(scenario, seed, "headway", follower)
    ahead, behind = (state(simulation, event.frame, i) for i in (lead, follower))
    assert event.other == lead
    assert event.value == (ahead.front_s - behind.front_s) / behind.speed
    assert low < event.value < high
    # What a watcher measures: the lead passed that long ago where the follower is now.
    before, after = next(
        (f, g)
        for f, g in pairwise(simulation.frames[event.frame - 75 : event.frame + 1])
        if state(simulation, g.index, lead).front_s >= behind.front_s
    )
    was, now = (state(simulation, f.index, lead).front_s for f in (before, after))
    passed_s = before.time_s + (behind.front_s - was) / (now - was) / 25
    assert event.time_s - passed_s == pytest.approx(event.value, abs=0.02)


@pytest.mark.parametrize("seed", SEEDS)
def test_both_stand_after_the_crash_and_others_hold_behind(seed: int) -> None:
    simulation = scene("rear_end", seed)
    last = simulation.frames[-1]
    crashed = {simulation.roles["lead"], simulation.roles["follower"]}
    assert all(v.speed == 0.0 for v in last.vehicles if v.id in crashed)
    assert {e.actor for e in events("rear_end", seed) if e.kind == "stopped_in_lane"} == crashed
    tail = min(v.rear_s for v in last.vehicles if v.id in crashed)
    behind = [v for v in last.vehicles if v.lane == "out_right" and v.front_s < tail]
    assert behind
    assert max(behind, key=lambda v: v.front_s).speed < 0.1
    darter = next(p for p in last.persons if p.id == simulation.roles["steps_out"])
    assert not darter.on_road


@pytest.mark.parametrize("seed", SEEDS)
def test_a_hard_brake_without_a_crash(seed: int) -> None:
    simulation = scene("hard_brake", seed)
    assert simulation.contacts == ()
    lead = simulation.roles["lead"]
    stop = one("hard_brake", seed, "sudden_stop", lead)
    hard = one("hard_brake", seed, "hard_brake", lead)
    assert stop.value == pytest.approx(stop.time_s - hard.time_s)
    assert state(simulation, stop.frame, lead).speed < 0.2
    gone = [v for v in simulation.frames[-1].vehicles if v.id == lead]
    assert not gone or gone[0].speed > 5.0  # it drives on


@pytest.mark.parametrize("seed", SEEDS)
def test_a_vehicle_that_breaks_down(seed: int) -> None:
    simulation = scene("stopped_vehicle", seed)
    assert simulation.contacts == ()
    broken = simulation.roles["breaks_down"]
    stopped = one("stopped_vehicle", seed, "stopped_in_lane", broken)
    assert stopped.value == pytest.approx(39.96 - stopped.time_s)
    track = [v for f in simulation.frames for v in f.vehicles if v.id == broken]
    assert not any(v.brake_lamp for v in track)
    assert any(v.hazard_lit for v in track)
    assert min(v.accel for v in track) > -1.3
    others = [v for v in simulation.frames[-1].vehicles if v.lane == "out_right"]
    assert any(v.front_s < track[-1].rear_s and v.speed < 0.5 for v in others)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_truth_names_three_antecedents_in_order(seed: int) -> None:
    named = antecedents(scene("rear_end", seed), list(events("rear_end", seed)))
    assert [a["kind"] for a in named] == ["pedestrian_in_road", "hard_brake", "headway"]
    times = [a["t_s"] for a in named]
    assert times == sorted(times)
    assert times[-1] < one("rear_end", seed, "contact").time_s
    for quiet in ("normal", "hard_brake", "stopped_vehicle"):
        assert antecedents(scene(quiet, seed), list(events(quiet, seed))) == []
