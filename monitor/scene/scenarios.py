"""The stories: who is where at the start, and what each scenario has somebody do.

Every number that a seed varies is drawn here, from one generator named after the scenario and
the seed, so the same pair is the same scene for ever.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from monitor.errors import SceneError
from monitor.scene.decisions import Caution
from monitor.scene.driver import Driver, equilibrium_gap, time_gap_for
from monitor.scene.layout import LANES
from monitor.scene.pedestrians import Person, Waypoint
from monitor.scene.signals import SignalPlan
from monitor.scene.traffic import Fleet
from monitor.scene.vehicles import Mode, Shape, Vehicle, make_spec
from monitor.scene.world import Manoeuvre

PANIC_DECEL = 6.9
CROSSING_Y = 31.2  # where the pedestrian of the incidents steps out


@dataclass(slots=True)
class Script:
    """Everything a simulation needs. ``fps`` frames a second for ``duration_s``."""

    scenario: str
    seed: int
    duration_s: float
    vehicles: list[Vehicle]
    persons: list[Person]
    plan: SignalPlan = field(default_factory=SignalPlan)
    manoeuvres: tuple[Manoeuvre, ...] = ()
    caution_after_contact: tuple[Caution, ...] = ()
    cautions: tuple[Caution, ...] = ()
    passers: tuple[int, ...] = ()


_COATS = (
    (58, 48, 44), (40, 60, 150), (120, 84, 40), (64, 110, 70), (150, 150, 156), (40, 140, 190),
    (92, 52, 96),
)  # fmt: skip
_TROUSERS = ((44, 40, 38), (88, 62, 40), (70, 72, 78), (52, 58, 70))


def _person(rng: random.Random, number: int, path: tuple[Waypoint, ...], role: str = "") -> Person:
    return Person(
        id=100 + number,
        height_m=rng.uniform(1.62, 1.86),
        coat=rng.choice(_COATS),
        trousers=rng.choice(_TROUSERS),
        path=path,
        role=role,
    )


def _strollers(rng: random.Random, duration_s: float, first: int) -> list[Person]:
    """People who walk along the pavements and never leave them."""
    people = []
    for number in range(rng.randint(2, 4)):
        side = rng.choice((-1.0, 1.0))
        x = side * rng.uniform(7.9, 9.2)
        pace = rng.uniform(1.1, 1.5)
        forward = rng.random() < 0.5
        low, high = (-14.0, 34.5) if rng.random() < 0.7 else (48.8, 90.0)
        late = rng.uniform(-20.0, duration_s * 0.5)
        length = (high - low) / pace
        a, z = (low, high) if forward else (high, low)
        path = (Waypoint(late, x, a), Waypoint(late + length, x, z))
        people.append(_person(rng, first + number, path))
    return people


def _waiting(rng: random.Random, number: int) -> Person:
    """Someone who stands at the kerb all the time."""
    x, y = rng.choice((-1.0, 1.0)) * rng.uniform(7.6, 8.2), rng.uniform(30.2, 32.6)
    turn = 0.3 if x < 0 else -0.3
    return _person(rng, number, (Waypoint(0.0, x - turn, y), Waypoint(0.5, x, y)))


def _background(fleet: Fleet, rng: random.Random, lanes: tuple[str, ...], cruise: float) -> None:
    for lane in lanes:
        gap = 2.2 if lane.endswith("right") else 2.8
        speed = cruise * rng.uniform(0.97, 1.06)
        start = LANES[lane].s_of(110.0 if lane.startswith("out") else -30.0)
        fleet.flow(lane, start + rng.uniform(0.0, 25.0), start - 640.0, speed, gap)
    fleet.queue("side_east", rng.randint(1, 2))
    fleet.queue("side_west", rng.randint(1, 2))


def _normal(rng: random.Random, seed: int) -> Script:
    fleet = Fleet(rng)
    _background(
        fleet, rng, ("out_right", "out_left", "in_right", "in_left"), rng.uniform(10.8, 12.2)
    )
    red = rng.uniform(9.5, 12.0)
    people = [*_strollers(rng, 40.0, 1), _waiting(rng, 20)]
    plan = SignalPlan(((red, red + rng.uniform(15.0, 17.0)),))
    return Script("normal", seed, 40.0, fleet.vehicles, people, plan)


@dataclass(frozen=True, slots=True)
class _Pair:
    lead: Vehicle
    follower: Vehicle
    step_s: float
    brake_s: float
    steps_out: Person


def _pair(
    rng: random.Random, fleet: Fleet, *, headway_s: float, follower_reaction_s: float
) -> _Pair:
    """A lead car that will brake at the crosswalk, and its follower at a chosen headway."""
    cruise = rng.uniform(11.0, 12.2)
    step = 21.4 + rng.uniform(-0.6, 0.6)
    brake = step + rng.uniform(0.5, 0.7)
    stop_s = LANES["out_right"].s_of(26.2 + rng.uniform(-0.4, 0.5))
    braking_m = cruise * cruise / (2.0 * PANIC_DECEL) + cruise * 0.09
    lead_s = stop_s - braking_m - cruise * brake
    shapes = [Shape.SEDAN, Shape.HATCHBACK, Shape.SUV]
    ahead = Driver(cruise * 1.03, reaction_s=0.4)
    fleet.flow("out_right", lead_s + 260.0, lead_s + 105.0, cruise * 1.04, 1.6)
    lead = fleet.add(
        "out_right", lead_s, cruise, replace(ahead, desired_speed=cruise * 1.001),
        spec=make_spec(rng, rng.choice(shapes)), role="lead",
    )  # fmt: skip
    gap = headway_s * cruise - lead.spec.length_m
    limit = cruise * 1.2
    closest = Driver(
        limit,
        time_gap_s=time_gap_for(limit, cruise, gap, 1.5),
        standstill_gap_m=1.5,
        max_accel=1.6,
        comfortable_decel=2.2,
        reaction_s=follower_reaction_s,
    )
    follower = fleet.add(
        "out_right", lead.rear_s - gap, cruise, closest,
        spec=make_spec(rng, rng.choice(shapes)), role="follower",
    )  # fmt: skip
    behind = fleet.driver(cruise)
    clear = equilibrium_gap(behind, cruise * 0.97) + rng.uniform(12.0, 22.0)
    fleet.flow("out_right", follower.rear_s - clear, follower.rear_s - 420.0, cruise, 2.2)
    return _Pair(lead, follower, step, brake, _darter(rng, step))


def _darter(rng: random.Random, step_s: float) -> Person:
    """Comes along the pavement, waits at the kerb, steps out, freezes, and goes back."""
    pace = rng.uniform(1.35, 1.55)
    y = CROSSING_Y + rng.uniform(-0.5, 0.5)
    arrive = step_s - rng.uniform(5.0, 8.0)
    kerb, far = 7.5, 5.75 + rng.uniform(-0.15, 0.1)
    walk = arrive - (y - 12.0) / 1.3
    out = step_s + (7.0 - far) / pace
    back = out + rng.uniform(0.9, 1.2)
    return _person(
        rng, 1,
        (
            Waypoint(walk - 22.0, 8.5, -16.6),
            Waypoint(walk, 8.5, 12.0),
            Waypoint(arrive, kerb, y),
            Waypoint(step_s - (kerb - 7.0) / pace, kerb, y),
            Waypoint(out, far, y + 0.1),
            Waypoint(back, far, y + 0.1),
            Waypoint(back + (8.1 - far) / 2.1, 8.1, y + 0.3),
        ),
        "steps_out",
    )  # fmt: skip


def _rear_end(rng: random.Random, seed: int) -> Script:
    fleet = Fleet(rng)
    pair = _pair(
        rng, fleet, headway_s=rng.uniform(1.12, 1.32), follower_reaction_s=rng.uniform(1.0, 1.12)
    )
    _background(fleet, rng, ("out_left", "in_right", "in_left"), rng.uniform(10.8, 12.0))
    people = [pair.steps_out, *_strollers(rng, 40.0, 2)]
    return Script(
        "rear_end", seed, 40.0, fleet.vehicles, people,
        manoeuvres=(Manoeuvre(pair.lead.id, pair.brake_s, Mode.PANIC, PANIC_DECEL),),
        caution_after_contact=(Caution(1.2, ("out_left",), (-45.0, 26.0), 5.5),),
    )  # fmt: skip


def _hard_brake(rng: random.Random, seed: int) -> Script:
    fleet = Fleet(rng)
    pair = _pair(
        rng, fleet, headway_s=rng.uniform(2.45, 2.6), follower_reaction_s=rng.uniform(0.5, 0.65)
    )
    _background(fleet, rng, ("out_left", "in_right", "in_left"), rng.uniform(10.8, 12.0))
    people = [pair.steps_out, *_strollers(rng, 40.0, 2)]
    release = pair.brake_s + rng.uniform(5.5, 6.5)
    return Script(
        "hard_brake", seed, 40.0, fleet.vehicles, people,
        manoeuvres=(Manoeuvre(pair.lead.id, pair.brake_s, Mode.PANIC, PANIC_DECEL, release),),
    )  # fmt: skip


def _stopped_vehicle(rng: random.Random, seed: int) -> Script:
    fleet = Fleet(rng)
    cruise = rng.uniform(11.2, 12.2)
    fails = 11.0 + rng.uniform(-0.8, 0.8)
    rest_s = LANES["out_right"].s_of(19.0 + rng.uniform(-1.5, 1.5))
    front = rest_s - cruise**2 / 2.3 - cruise * fails
    fleet.flow("out_right", front + 260.0, front + 105.0, cruise * 1.04, 1.6)
    broken = fleet.add(
        "out_right", front, cruise, Driver(cruise * 1.001),
        spec=make_spec(rng, rng.choice((Shape.SEDAN, Shape.VAN, Shape.HATCHBACK))),
        role="breaks_down",
    )  # fmt: skip
    behind = len(fleet.vehicles)
    fleet.flow("out_right", broken.rear_s - 34.0, broken.rear_s - 420.0, cruise, 2.6)
    # The first behind it stops and stays; those after it go round both.
    passers = tuple(vehicle.id for vehicle in fleet.vehicles[behind + 1 :])
    _background(fleet, rng, ("in_right", "in_left"), rng.uniform(10.8, 12.0))
    start = LANES["out_left"].s_of(110.0)
    fleet.flow("out_left", start, start - 640.0, cruise, 4.5)
    people = [*_strollers(rng, 40.0, 1), _waiting(rng, 20)]
    failure = Manoeuvre(broken.id, fails, Mode.COASTING, hazards_after_s=rng.uniform(3.0, 4.5))
    return Script(
        "stopped_vehicle", seed, 40.0, fleet.vehicles, people, manoeuvres=(failure,),
        passers=passers,
    )  # fmt: skip


_MAKERS: dict[str, Callable[[random.Random, int], Script]] = {
    "normal": _normal,
    "rear_end": _rear_end,
    "hard_brake": _hard_brake,
    "stopped_vehicle": _stopped_vehicle,
}
SCENARIOS: tuple[str, ...] = tuple(_MAKERS)


def write(scenario: str, seed: int) -> Script:
    """The script of a scenario; ``SceneError`` names what there is."""
    maker = _MAKERS.get(scenario)
    if maker is None:
        known = ", ".join(SCENARIOS)
        raise SceneError(f"there is no scenario {scenario!r}; there are: {known}")
    return maker(random.Random(f"{scenario}/{seed}"), seed)
