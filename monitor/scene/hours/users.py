"""Who uses the road: drivers and cyclists on routes, people on timed paths."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

from monitor.scene.driver import Driver
from monitor.scene.hours.network import Route
from monitor.scene.pedestrians import Person, PersonState
from monitor.scene.record import HAZARD_PERIOD_S, VehicleState
from monitor.scene.vehicles import VehicleSpec

Kind = Literal["car", "bus", "cycle"]

Rectangle = tuple[float, float, float, float, float]
"""What a body covers of the ground: middle x, y, heading, half length, half width."""

_LYING_FRICTION: Final = 6.0  # m/s^2
_LOOK_M: Final = 0.9  # ahead of a person


@dataclass(slots=True)
class Slide:
    """A body after a contact: it slides freely to rest, turning as it goes."""

    x: float
    y: float
    vx: float
    vy: float
    heading: float
    spin: float  # radians a second
    since_s: float

    @property
    def speed(self) -> float:
        return math.hypot(self.vx, self.vy)

    def step(self, decel: float, step_s: float) -> None:
        """Slide on; friction takes speed and spin."""
        speed = self.speed
        after = max(0.0, speed - decel * step_s)
        mean = (speed + after) / 2.0
        if speed > 0.0:
            self.x += self.vx / speed * mean * step_s
            self.y += self.vy / speed * mean * step_s
            self.vx, self.vy = self.vx / speed * after, self.vy / speed * after
        self.heading += self.spin * step_s
        self.spin *= max(0.0, 1.0 - 3.5 * step_s) if after > 0.0 else 0.0


@dataclass(slots=True)
class Sideways:
    """A move from one offset to another, a cosine in time."""

    start_s: float
    lasts_s: float
    start: float
    end: float
    turned: float = 0.0  # beyond the path's heading at the start; taken back on the way

    def at(self, time_s: float) -> float:
        return self.start + (self.end - self.start) * self.done(time_s)

    def done(self, time_s: float) -> float:
        """0 to 1."""
        share = min(max((time_s - self.start_s) / self.lasts_s, 0.0), 1.0)
        return (1.0 - math.cos(math.pi * share)) / 2.0


@dataclass(slots=True, eq=False)
class Rider:
    """A driver with a vehicle, or a cyclist. Mutable: moved by ``town`` and nothing else.

    ``command`` overrides what the driver would do, in m/s^2; ``reckless`` ignores leaders,
    signals and right of way. Both are how incidents are made.
    """

    id: int
    kind: Kind
    spec: VehicleSpec
    driver: Driver
    route: Route
    s: float
    speed: float
    accel: float = 0.0
    offset: float = 0.0  # metres left of the path
    yaw: float = 0.0  # beyond the path's own heading
    brake_lamp: bool = False
    hazards_since_s: float | None = None
    held: bool = False  # by a signal
    entered_s: float = math.inf  # when it passed the stop line
    standing_since_s: float | None = None
    stop_at_s: float | None = None  # a bus stop ahead, along the route
    dwell_until_s: float | None = None
    sideways: Sideways | None = None
    leaving: Route | None = None  # while it changes lanes
    slide: Slide | None = None
    crush_front_m: float = 0.0
    crush_rear_m: float = 0.0
    command: float | None = None
    coasting: bool = False
    reckless: bool = False
    busy: bool = False  # part of an incident
    gone: bool = False
    untouched_s: float = 0.0  # wrecks that stand in one another drive apart without a new contact
    accel_mean: float = 0.0  # over the last frame
    speed_before: float = 0.0

    @property
    def length_m(self) -> float:
        return self.spec.length_m

    @property
    def rear_s(self) -> float:
        return self.s - self.spec.length_m

    @property
    def past_line(self) -> bool:
        return self.s > self.route.stop_s

    def place(self) -> tuple[float, float, float]:
        """Middle of the body on the ground, and its heading."""
        if self.slide is not None:
            return self.slide.x, self.slide.y, self.slide.heading
        half = self.spec.length_m / 2.0
        x, y, heading = self.route.at(self.s - half, self.offset)
        return x, y, heading + self.yaw

    def state(self, time_s: float) -> VehicleState:
        """Freeze it."""
        x, y, heading = self.place()
        since = self.hazards_since_s
        lit = since is not None and time_s >= since and (time_s - since) % HAZARD_PERIOD_S < 0.4
        return VehicleState(
            self.id, self.route.exit if self.past_line else self.route.lane, self.s, self.rear_s,
            x, y, heading, self.slide.speed if self.slide else self.speed, self.accel_mean,
            self.brake_lamp, lit, self.crush_front_m, self.crush_rear_m,
        )  # fmt: skip


@dataclass(slots=True, eq=False)
class Walker:
    """A person on a timed path. ``lawful`` people cross where and when they may.

    A struck walker slides and lies; one that ``holds`` stands where it is.
    """

    person: Person
    from_s: float
    until_s: float
    crosswalk: str = ""
    crosses_s: tuple[float, float] = (math.inf, math.inf)  # between the kerbs
    lawful: bool = True
    slide: Slide | None = None
    waits: bool = False  # for a car that stands in the way, so that it can go
    late_s: float = 0.0  # behind the timed path, because something stood in the way
    state: PersonState = field(init=False)

    def __post_init__(self) -> None:
        self.state = self.person.state(self.from_s)

    def wait(self, step_s: float, bodies: Iterable[Rectangle]) -> None:
        """Nobody walks into the side of a car: stand while one is in the way."""
        self.waits = False
        x = self.state.x + _LOOK_M * math.cos(self.state.heading)
        y = self.state.y + _LOOK_M * math.sin(self.state.heading)
        for bx, by, heading, half_length, half_width in bodies:
            cos, sin = math.cos(heading), math.sin(heading)
            along, across = (x - bx) * cos + (y - by) * sin, (y - by) * cos - (x - bx) * sin
            if abs(along) < half_length + 0.3 and abs(across) < half_width + 0.3:
                self.waits = True
                self.late_s += step_s
                self.until_s += step_s
                self.crosses_s = (self.crosses_s[0], self.crosses_s[1] + step_s)
                return

    def step(self, time_s: float, step_s: float) -> None:
        """Walk on, or slide."""
        if self.slide is None:
            self.state = self.person.state(time_s - self.late_s)
            return
        self.slide.step(_LYING_FRICTION, step_s)
        before = self.state
        self.state = PersonState(
            before.id, self.slide.x, self.slide.y, self.slide.speed, self.slide.heading, 0.0, True
        )

    @property
    def lies(self) -> bool:
        return self.slide is not None


@dataclass(frozen=True, slots=True)
class CyclistState:
    """A cyclist in one frame; ``phase`` of the pedals, radians."""

    id: int
    x: float
    y: float
    heading: float
    speed: float
    phase: float
    lies: bool
