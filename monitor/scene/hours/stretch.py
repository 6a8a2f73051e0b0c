"""A stretch of time at the junction, frame by frame: pure computation, no pictures."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from monitor.errors import SceneError
from monitor.scene.hours.town import STEP_S, Town
from monitor.scene.hours.users import CyclistState, Rider
from monitor.scene.pedestrians import Person, PersonState
from monitor.scene.record import VehicleState
from monitor.scene.signals import Aspect
from monitor.scene.vehicles import VehicleSpec

WARM_UP_S: Final = 150.0
"""Simulated before the first frame, so that the junction is in use; not shown."""
FPS: Final = (5, 10, 20)
"""Frame rates that a simulation step divides."""
_SEEN_X_M: Final = 70.0
_SEEN_Y_M: Final = (-30.0, 252.0)
_PEDAL_M: Final = 4.5  # metres a turn of the pedals


@dataclass(frozen=True, slots=True)
class Walking:
    """A person in one frame."""

    person: Person
    state: PersonState
    lies: bool


@dataclass(frozen=True, slots=True)
class HourFrame:
    """Everything that moves, and the signals, at one instant."""

    index: int
    time_s: float
    vehicles: tuple[VehicleState, ...]
    cyclists: tuple[CyclistState, ...]
    people: tuple[Walking, ...]
    main: Aspect
    side: Aspect
    walk: bool


def seeded(seed: int, part: int, what: str) -> random.Random:
    """One generator per purpose, so that pictures do not change traffic."""
    return random.Random(f"hours {seed} {part} {what}")


def begin(seed: int, part: int, duration_s: float, level: float | None = None) -> Town:
    """The junction in use, at the beginning of a part of the hours.

    ``level``: of the usual demand; the seed's own without it.
    """
    rng = seeded(seed, part, "traffic")
    own = rng.uniform(0.7, 1.25)
    town = Town(rng, WARM_UP_S + duration_s, level=own if level is None else level)
    while town.time_s < WARM_UP_S - STEP_S / 2.0:
        town.step()
    return town


def frames(town: Town, duration_s: float, fps: int) -> Iterator[HourFrame]:
    """The stretch, starting now; the town is stepped as frames are taken."""
    if fps not in FPS:
        raise SceneError(f"{fps} frames a second: hours are rendered at one of {FPS}")
    steps = round(1.0 / fps / STEP_S)
    start_s = town.time_s
    for index in range(round(duration_s * fps)):
        if index:
            for rider in town.riders:
                rider.speed_before = rider.speed
            for step in range(steps):
                # Never by adding up: a sum of twentieths drifts off the frames.
                town.time_s = start_s + ((index - 1) * steps + step) * STEP_S
                town.step()
            for rider in town.riders:
                rider.accel_mean = (rider.speed - rider.speed_before) * fps
        yield _frame(town, index, index / fps, start_s)


def specs(town: Town) -> dict[int, VehicleSpec]:
    """Of everybody who is there now."""
    return {rider.id: rider.spec for rider in town.riders}


def _frame(town: Town, index: int, time_s: float, start_s: float) -> HourFrame:
    now = start_s + time_s
    vehicles, cyclists = [], []
    for rider in town.riders:
        x, y, _ = rider.place()
        if abs(x) > _SEEN_X_M or not _SEEN_Y_M[0] < y < _SEEN_Y_M[1]:
            continue
        if rider.kind == "cycle":
            cyclists.append(cyclist_state(rider))
        else:
            vehicles.append(rider.state(now))
    people = tuple(Walking(w.person, w.state, w.lies) for w in town.walkers if w.from_s <= now)
    return HourFrame(
        index, time_s, tuple(vehicles), tuple(cyclists), people,
        town.plan.main(now), town.plan.side(now), town.plan.walk(now),
    )  # fmt: skip


def cyclist_state(rider: Rider) -> CyclistState:
    """Freeze a cyclist."""
    x, y, heading = rider.place()
    phase = rider.s / _PEDAL_M * 2.0 * math.pi if rider.speed > 0.3 else 0.6
    return CyclistState(rider.id, x, y, heading, rider.speed, phase, rider.slide is not None)
