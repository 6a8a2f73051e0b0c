"""What a vehicle is: its class, size, mass and paint, and its state while it is simulated."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from enum import StrEnum

from monitor.scene.driver import Driver


class Shape(StrEnum):
    """Body shapes; the mesh of each is in ``monitor.scene.bodies``."""

    SEDAN = "sedan"
    HATCHBACK = "hatchback"
    SUV = "suv"
    VAN = "van"
    BUS = "bus"


@dataclass(frozen=True, slots=True)
class VehicleSpec:
    """Fixed properties. ``paint`` is BGR."""

    shape: Shape
    length_m: float
    width_m: float
    height_m: float
    mass_kg: float
    paint: tuple[int, int, int]


_SIZES: dict[Shape, tuple[float, float, float, float]] = {
    Shape.SEDAN: (4.65, 1.82, 1.46, 1480.0),
    Shape.HATCHBACK: (4.10, 1.77, 1.50, 1250.0),
    Shape.SUV: (4.60, 1.88, 1.72, 1780.0),
    Shape.VAN: (5.35, 1.98, 2.35, 2350.0),
    Shape.BUS: (11.4, 2.50, 3.05, 11500.0),
}
_PAINTS: tuple[tuple[int, int, int], ...] = (
    (226, 228, 226), (206, 208, 210), (168, 168, 164), (120, 118, 116), (64, 62, 60),
    (36, 34, 33), (122, 72, 34), (146, 104, 60), (38, 34, 142), (52, 50, 112), (74, 92, 60),
    (150, 176, 190), (96, 84, 62),
)  # fmt: skip


def make_spec(rng: random.Random, shape: Shape | None = None) -> VehicleSpec:
    """A vehicle as traffic has them: mostly cars, a few vans."""
    if shape is None:
        shape = rng.choices(
            (Shape.SEDAN, Shape.HATCHBACK, Shape.SUV, Shape.VAN), (0.36, 0.28, 0.26, 0.10)
        )[0]
    length, width, height, mass = _SIZES[shape]
    paint = rng.choice(_PAINTS)
    if shape is Shape.BUS:
        paint = rng.choice(((60, 120, 190), (150, 96, 40), (70, 70, 180)))
    elif shape is Shape.VAN and rng.random() < 0.6:
        paint = (224, 226, 226)
    scale = rng.uniform(0.97, 1.04)
    return VehicleSpec(shape, length * scale, width, height, mass * scale, paint)


class Mode(StrEnum):
    """Who is driving."""

    DRIVING = "driving"  # the IDM
    PANIC = "panic"  # full braking to a standstill, then held
    COASTING = "coasting"  # engine dead, rolls out, no brake
    STRUCK = "struck"  # after a contact: slides to rest and stays


@dataclass(slots=True)
class Vehicle:
    """A vehicle while it is simulated; ``s`` is its front bumper along its lane."""

    id: int
    spec: VehicleSpec
    driver: Driver
    lane: str
    s: float
    speed: float
    role: str = ""
    accel: float = 0.0
    mode: Mode = Mode.DRIVING
    brake_lamp: bool = False
    hazards_since_s: float | None = None
    offset: float = 0.0  # metres left of the lane's middle
    yaw: float = 0.0  # radians, counter-clockwise from the lane's direction
    crush_front_m: float = 0.0
    crush_rear_m: float = 0.0
    skew_offset: float = 0.0  # where a struck vehicle's offset and yaw are heading
    skew_yaw: float = 0.0
    leaving_lane: str | None = None  # while it changes lanes, the one it comes from
    change_start_s: float = 0.0
    change_from: float = 0.0
    held_at_signal: bool = False
    past_line: bool = False
    trail_s: list[float] = field(default_factory=list)  # one entry per step, for reaction times
    trail_speed: list[float] = field(default_factory=list)

    @property
    def rear_s(self) -> float:
        """The rear bumper along the lane, dents included."""
        return self.s - self.spec.length_m + self.crush_rear_m

    @property
    def front_s(self) -> float:
        """The front bumper along the lane, dents included."""
        return self.s - self.crush_front_m
