"""Who arrives, when and for where: random arrivals by lane, buses by timetable, people on foot."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from typing import Final

from monitor.scene.driver import Driver
from monitor.scene.hours.network import Turn, routes
from monitor.scene.hours.people import crossing, strolling
from monitor.scene.hours.users import Rider, Walker
from monitor.scene.signals import AMBER_S, CLEARANCE_S, SignalPlan
from monitor.scene.vehicles import Shape, VehicleSpec, make_spec

PER_HOUR: Final = {
    "out_right": 300.0, "out_left": 230.0, "in_right": 280.0, "in_left": 220.0,
    "side_east": 150.0, "side_west": 150.0,
}  # fmt: skip
TURNS: Final[dict[str, dict[Turn, float]]] = {
    "out_right": {Turn.STRAIGHT: 0.8, Turn.RIGHT: 0.2},
    "out_left": {Turn.STRAIGHT: 0.8, Turn.LEFT: 0.2},
    "in_right": {Turn.STRAIGHT: 0.8, Turn.RIGHT: 0.2},
    "in_left": {Turn.STRAIGHT: 0.82, Turn.LEFT: 0.18},
    "side_east": {Turn.STRAIGHT: 0.36, Turn.RIGHT: 0.34, Turn.LEFT: 0.30},
    "side_west": {Turn.STRAIGHT: 0.36, Turn.RIGHT: 0.34, Turn.LEFT: 0.30},
}
CYCLES_PER_HOUR: Final = 34.0  # per direction
PEOPLE_PER_HOUR: Final = {"near": 90.0, "far": 70.0, "stroll": 60.0}
BUS_EVERY_S: Final = 170.0
BUS_STOPS: Final = {"in_right": 251.0, "out_right": 188.0}  # front bumper, along the route
CRUISE: Final = {"main": 12.4, "side": 9.2}
GREEN_S: Final = (28.0, 38.0)  # the main road's, and
SIDE_GREEN_S: Final = (18.0, 22.0)  # the side road's, fixed for a stretch by its seed
WHERE_FIRST_BUS: Final = {"in_right": 70.0, "out_right": 150.0}


def signal_plan(rng: random.Random, end_s: float) -> SignalPlan:
    """A fixed-time plan."""
    green, side = rng.uniform(*GREEN_S), rng.uniform(*SIDE_GREEN_S)
    closed = 2.0 * (AMBER_S + CLEARANCE_S) + side
    phases, start = [], rng.uniform(4.0, green)
    while start < end_s:
        phases.append((start, start + closed))
        start += closed + green
    return SignalPlan(tuple(phases))


@dataclass(slots=True)
class Demand:
    """Arrivals for one stretch. ``blocked`` lanes get none: incidents ask for room."""

    rng: random.Random
    plan: SignalPlan
    end_s: float
    level: float = 1.0  # of the usual demand
    next_id: int = 1
    blocked: set[str] = field(default_factory=set)
    _due: dict[str, float] = field(default_factory=dict)

    def fresh_id(self) -> int:
        """A number nobody else has."""
        self.next_id += 1
        return self.next_id - 1

    def hasten(self, what: str, time_s: float) -> None:
        """Let the next one come now."""
        self._due[what] = time_s

    def postpone(self, what: str, until_s: float) -> None:
        """Nobody before that time."""
        self._due[what] = max(self._due.get(what, 0.0), until_s)

    def riders(self, time_s: float, lanes: dict[str, list[Rider]]) -> list[Rider]:
        """Who enters now; where there is no room they wait out of sight."""
        made = []
        for lane, per_hour in PER_HOUR.items():
            if lane in self.blocked or not self._is_due(lane, time_s, per_hour):
                continue
            last = min(lanes.get(lane, ()), key=lambda r: r.s, default=None)
            if last is None or last.rear_s > 16.0:
                self._taken(lane, time_s, per_hour)
                made.append(self._car(lane, last))
        for lane in ("out_right", "in_right", "side_east", "side_west"):
            name = f"{lane}/cycle"
            last = min(lanes.get(name, ()), key=lambda r: r.s, default=None)
            if self._is_due(name, time_s, CYCLES_PER_HOUR) and (last is None or last.rear_s > 6.0):
                self._taken(name, time_s, CYCLES_PER_HOUR)
                made.append(self._cycle(lane))
        for lane, first_s in WHERE_FIRST_BUS.items():
            due = self._due.setdefault(f"bus {lane}", first_s * self.rng.uniform(0.1, 1.0))
            last = min(lanes.get(lane, ()), key=lambda r: r.s, default=None)
            free = lane not in self.blocked and (last is None or last.rear_s > 20.0)
            if time_s >= due and free:
                self._due[f"bus {lane}"] = time_s + BUS_EVERY_S * self.rng.uniform(0.8, 1.2)
                made.append(self._bus(lane, last))
        return made

    def walkers(self, time_s: float) -> list[Walker]:
        """Who sets out now."""
        made = []
        for kind, per_hour in PEOPLE_PER_HOUR.items():
            if not self._is_due(kind, time_s, per_hour):
                continue
            self._taken(kind, time_s, per_hour)
            group = 1 if self.rng.random() < 0.75 else 2
            for _ in range(group):
                if kind == "stroll":
                    made.append(strolling(self.rng, self.fresh_id(), time_s))
                    continue
                kerb_s = time_s + 85.0 + self.rng.uniform(0.0, 1.5)
                walker = crossing(
                    self.rng, self.fresh_id(), kind, kerb_s, self.plan, self.end_s + 200.0
                )
                if walker is not None:
                    made.append(walker)
        return made

    def _is_due(self, what: str, time_s: float, per_hour: float) -> bool:
        if what not in self._due:
            self._due[what] = time_s + self.rng.expovariate(per_hour / 3600.0) * 0.3
        return time_s >= self._due[what]

    def _taken(self, what: str, time_s: float, per_hour: float) -> None:
        # Arrivals that found no room come right after; hence from when it was due.
        due = max(self._due[what], time_s - 20.0)
        self._due[what] = due + self.rng.expovariate(self.level * per_hour / 3600.0)

    def _driver(self, cruise: float) -> Driver:
        rng = self.rng
        return Driver(
            desired_speed=cruise * rng.uniform(0.92, 1.1),
            time_gap_s=rng.uniform(1.2, 1.8),
            standstill_gap_m=rng.uniform(1.9, 2.8),
            max_accel=rng.uniform(1.2, 1.7),
            comfortable_decel=rng.uniform(1.4, 1.8),
            reaction_s=0.0,
        )

    def _car(self, lane: str, ahead: Rider | None) -> Rider:
        turns = TURNS[lane]
        turn = self.rng.choices(list(turns), list(turns.values()))[0]
        route = routes()[f"{lane}:{turn}"]
        spec = make_spec(self.rng)
        driver = self._driver(CRUISE[route.group])
        rider = Rider(self.fresh_id(), "car", spec, driver, route, 0.0, driver.desired_speed)
        rider.speed = _entry_speed(driver, ahead)
        rider.offset = self.rng.gauss(0.0, 0.12)
        return rider

    def _bus(self, lane: str, ahead: Rider | None) -> Rider:
        route = routes()[f"{lane}:{Turn.STRAIGHT}"]
        spec = make_spec(self.rng, Shape.BUS)
        driver = Driver(11.3, 1.7, 2.6, 0.95, 1.4, 0.0)
        rider = Rider(self.fresh_id(), "bus", spec, driver, route, 0.0, 11.0)
        rider.speed = _entry_speed(driver, ahead)
        rider.offset, rider.stop_at_s = 0.3, BUS_STOPS[lane]
        return rider

    def _cycle(self, lane: str) -> Rider:
        route = routes()[f"{lane}:{Turn.STRAIGHT}/cycle"]
        spec = VehicleSpec(Shape.SEDAN, 1.8, 0.6, 1.75, 92.0, self.rng.choice(_JACKETS))
        driver = Driver(self.rng.uniform(4.2, 6.2), 1.2, 1.2, 0.9, 1.4, 0.0)
        return Rider(self.fresh_id(), "cycle", spec, driver, route, 0.0, driver.desired_speed)


_JACKETS: Final = ((60, 60, 200), (70, 170, 60), (190, 120, 50), (40, 190, 220), (90, 90, 96))


def _entry_speed(driver: Driver, ahead: Rider | None) -> float:
    """Not faster than gentle braking behind the last one allows."""
    if ahead is None:
        return driver.desired_speed
    room = max(ahead.rear_s - 8.0 - ahead.speed * driver.time_gap_s, 0.0)
    return min(driver.desired_speed, math.sqrt(ahead.speed**2 + 2.0 * 1.2 * room))
