"""The junction and everybody at it, moved step by step."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from monitor.scene.driver import GRAVITY
from monitor.scene.hours.contact import Contact, rectangle, touching
from monitor.scene.hours.demand import Demand, signal_plan
from monitor.scene.hours.driving import (
    Obstacle,
    can_stop,
    curve_limit,
    follow,
    held_by_signal,
    leader_gap,
    must_wait_at,
    obstacle_gap,
    to_stop,
    walkers_at,
)
from monitor.scene.hours.lanes import beside, passes
from monitor.scene.hours.users import Rider, Walker
from monitor.scene.signals import SignalPlan
from monitor.scene.world import (
    BRAKING_JERK,
    COASTING_DECEL,
    COMFORT_JERK,
    CRAWL,
    FOOT_ON_BRAKE,
    LAMP_OFF_DECEL,
    LAMP_ON_DECEL,
    TYRE_FRICTION,
)

STEP_S: Final = 0.05
SLIDING_DECEL: Final = 6.1
BUS_DWELL_S: Final = (11.0, 19.0)
_SPEED_EASE: Final = 0.8  # m/s over a limit that are taken back within a second
_NEAR_JUNCTION_M: Final = 34.0
YIELD_DECEL: Final = 2.8


@dataclass(slots=True)
class Town:
    """Mutable on purpose: stepped by ``stretch`` and steered by ``incidents``."""

    rng: random.Random
    end_s: float
    level: float = 1.0
    time_s: float = 0.0
    riders: list[Rider] = field(default_factory=list)
    walkers: list[Walker] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)
    plan: SignalPlan = field(init=False)
    demand: Demand = field(init=False)
    lanes: dict[str, list[Rider]] = field(default_factory=dict)
    exits: dict[str, list[Rider]] = field(default_factory=dict)
    on_contact: Callable[[Contact], None] = lambda contact: None
    steer: Callable[[Town], None] = lambda town: None

    def __post_init__(self) -> None:
        self.plan = signal_plan(self.rng, self.end_s + 300.0)
        self.demand = Demand(self.rng, self.plan, self.end_s, self.level)

    def step(self) -> None:
        """Advance everybody by ``STEP_S``."""
        self._sort()
        self.steer(self)
        self._arrive()
        obstacles = list(self.obstacles())
        near = [
            r for r in self.riders
            if r.slide is None
            and -_NEAR_JUNCTION_M < r.s - r.route.stop_s < r.route.exit_s - r.route.stop_s + 30.0
        ]  # fmt: skip
        crossing = [w for w in self.walkers if w.crosswalk]
        commands: list[tuple[Rider, float]] = []
        for name, lane in self.lanes.items():
            commands += [
                (rider, self._command(rider, lane, position, near, crossing, obstacles))
                for position, rider in enumerate(lane)
                if rider.route.lane == name  # else it has not quite left this lane
            ]
        for rider, command in commands:
            self._move(rider, command)
        self.time_s += STEP_S
        bodies = [rectangle(r) for r in near]
        for walker in self.walkers:
            if walker.crosswalk and walker.state.on_road and walker.lawful:
                walker.wait(STEP_S, bodies)
            walker.step(self.time_s, STEP_S)
        for rider in self.riders:
            if rider.slide is not None:
                rider.slide.step(SLIDING_DECEL, STEP_S)
                rider.speed = rider.slide.speed
        for contact in touching(self.riders, self.walkers, self.time_s):
            self.contacts.append(contact)
            self.on_contact(contact)
        self.riders = [r for r in self.riders if r.s < r.route.length_m - 2.0 and not r.gone]
        self.walkers = [w for w in self.walkers if w.until_s > self.time_s or w.lies]

    def obstacles(self) -> Iterable[Obstacle]:
        """What stands or lies on the roadway without being traffic."""
        for rider in self.riders:
            if rider.slide is None:
                continue
            x, y, heading = rider.place()
            reach = max(rider.length_m / 2.0 - 0.8, 0.0)
            for along in (-reach, 0.0, reach):
                yield Obstacle(
                    rider.id, x + along * math.cos(heading), y + along * math.sin(heading),
                    rider.spec.width_m / 2.0,
                )  # fmt: skip
        for walker in self.walkers:
            if walker.state.on_road and (walker.lies or not walker.lawful):
                moves = walker.state.speed > 0.1
                lead, wide = (0.9, 1.1) if moves else (0.0, 0.2)  # where they are going
                yield Obstacle(
                    walker.person.id, walker.state.x + lead * math.cos(walker.state.heading),
                    walker.state.y + lead * math.sin(walker.state.heading), wide,
                )  # fmt: skip

    def _arrive(self) -> None:
        for rider in self.demand.riders(self.time_s, self.lanes):
            self.riders.append(rider)
            self.lanes.setdefault(rider.route.lane, []).append(rider)
        self.walkers += self.demand.walkers(self.time_s)

    def _sort(self) -> None:
        lanes: dict[str, list[Rider]] = {}
        exits: dict[str, list[Rider]] = {}
        for rider in self.riders:
            if rider.slide is not None:
                continue
            lanes.setdefault(rider.route.lane, []).append(rider)
            if rider.leaving is not None and abs(rider.offset) > 1.3:
                lanes.setdefault(rider.leaving.lane, []).append(rider)
            if rider.past_line:
                exits.setdefault(rider.route.exit, []).append(rider)
        for queue in lanes.values():
            queue.sort(key=lambda r: -r.s)
        self.lanes, self.exits = lanes, exits

    def _command(
        self, rider: Rider, lane: list[Rider], position: int, near: list[Rider],
        crossing: list[Walker], obstacles: list[Obstacle],
    ) -> float:  # fmt: skip
        """The acceleration the driver asks for."""
        if rider.command is not None:
            return rider.command
        driver = rider.driver
        ahead, merging = leader_gap(rider, lane, position, self.exits.get(rider.route.exit, ()))
        if rider.kind == "cycle":
            ahead = _nearer(ahead, beside(rider, self.lanes, self.exits))
        else:
            passes(rider, ahead, self)
        if rider.reckless:
            ahead = None
        command = follow(driver, rider.speed, ahead)
        if merging is not None and not rider.reckless:
            command = min(command, max(follow(driver, rider.speed, merging), -YIELD_DECEL))
        over = rider.speed - curve_limit(rider)
        if over > -0.5:
            command = min(command, -_SPEED_EASE * over)
        if rider.reckless:
            return command
        stops = [self._bus_stop(rider)]
        rider.held = held_by_signal(rider, self.plan, self.time_s)
        if rider.held or (not rider.past_line and self._no_room(rider)):
            stops.append(rider.route.stop_s - rider.s)
        blocked = obstacle_gap(rider, obstacles) if obstacles else None
        if blocked is not None:
            line = rider.route.stop_s - rider.s
            # Who sees something in the way inside the junction does not enter it.
            inside = 0.0 < line < blocked < rider.route.exit_s + 6.0 - rider.s
            stops.append(line if inside and can_stop(rider, line) else blocked)
        command = min([command, *_stopping(rider, stops)])
        if rider.s - rider.route.stop_s > -_NEAR_JUNCTION_M and rider.s < rider.route.exit_s + 4:
            places = (
                must_wait_at(rider, near, self.plan, self.time_s),
                walkers_at(rider, crossing, self.time_s),
            )
            yields = _stopping(rider, [None if p is None else p - rider.s for p in places])
            # Who sees too late that somebody else goes first rolls a little into the junction.
            command = min([command, *(max(one, -YIELD_DECEL) for one in yields)])
        return command

    def _bus_stop(self, rider: Rider) -> float | None:
        if rider.stop_at_s is None:
            return None
        distance = rider.stop_at_s - rider.s
        if rider.dwell_until_s is None:
            if distance < 2.0 and rider.speed < 0.3:
                rider.dwell_until_s = self.time_s + self.rng.uniform(*BUS_DWELL_S)
            return distance if distance < 90.0 else None
        if self.time_s < rider.dwell_until_s:
            return max(distance, 0.05)
        rider.stop_at_s = None
        return None

    def _no_room(self, rider: Rider) -> bool:
        """Whether the junction would be blocked: no room behind the last who left it."""
        distance = rider.route.stop_s - rider.s
        if distance > 30.0 or rider.kind == "cycle" or not can_stop(rider, distance):
            return False
        room = math.inf
        for other in self.exits.get(rider.route.exit, ()):
            if other.speed < 3.5:
                room = min(room, other.rear_s - other.route.exit_s)
        waiting = sum(
            other.length_m + 2.5
            for other in self.exits.get(rider.route.exit, ())
            if other.rear_s < other.route.exit_s
        )
        return room < waiting + rider.length_m + 3.0

    def _move(self, rider: Rider, command: float) -> None:
        limit = TYRE_FRICTION * GRAVITY
        command = -COASTING_DECEL if rider.coasting else max(-limit, min(command, limit))
        hard = command < -3.0 or rider.accel < -3.0
        jerk = (BRAKING_JERK if hard else COMFORT_JERK) * STEP_S
        accel = rider.accel + max(-jerk, min(command - rider.accel, jerk))
        if rider.speed <= 0.0 and command <= 0.0:
            accel = 0.0
        _lamp(rider, command)
        speed = rider.speed + accel * STEP_S
        if speed <= 0.0 and accel < 0.0:
            rider.s += max(0.0, -(rider.speed**2) / (2.0 * accel))
            speed, accel = 0.0, 0.0
        else:
            rider.s += (rider.speed + speed) / 2.0 * STEP_S
        rider.speed, rider.accel = speed, accel
        if rider.past_line and rider.entered_s == math.inf:
            rider.entered_s = self.time_s
        if speed > 0.3:
            rider.standing_since_s = None
        elif rider.standing_since_s is None:
            rider.standing_since_s = self.time_s
        self._sideways(rider)

    def _sideways(self, rider: Rider) -> None:
        move = rider.sideways
        if move is None:
            return
        before = rider.offset
        rider.offset = move.at(self.time_s + STEP_S)
        drift = (rider.offset - before) / STEP_S
        rider.yaw = move.turned * (1.0 - move.done(self.time_s + STEP_S))
        if rider.speed > 0.3:
            rider.yaw += math.atan2(drift, max(rider.speed, 1.5))
        if self.time_s >= move.start_s + move.lasts_s:
            rider.sideways, rider.leaving, rider.yaw = None, None, 0.0


def _stopping(rider: Rider, distances: Iterable[float | None]) -> list[float]:
    """Accelerations that end at these distances."""
    return [
        to_stop(rider.driver, rider.speed, max(distance, 0.05))
        for distance in distances
        if distance is not None
    ]


def _nearer(
    a: tuple[float, float] | None, b: tuple[float, float] | None
) -> tuple[float, float] | None:
    if a is None or b is None:
        return a or b
    return a if a[0] < b[0] else b


def _lamp(rider: Rider, command: float) -> None:
    if rider.coasting:
        rider.brake_lamp = False
    elif command < -LAMP_ON_DECEL or (rider.speed < FOOT_ON_BRAKE and command < 0.1):
        rider.brake_lamp = True
    elif command > -LAMP_OFF_DECEL and (rider.speed > CRAWL or command > 0.1):
        rider.brake_lamp = False
