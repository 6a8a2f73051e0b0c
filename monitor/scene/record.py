"""What a simulation leaves behind: the state of everything in every frame."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from monitor.scene.bodies import body_of
from monitor.scene.camera import Array
from monitor.scene.layout import LANES
from monitor.scene.pedestrians import Person, PersonState
from monitor.scene.signals import Aspect
from monitor.scene.vehicles import Vehicle, VehicleSpec


@dataclass(frozen=True, slots=True)
class VehicleState:
    """A vehicle in one frame. ``x``, ``y``: the middle of its (undented) body on the ground."""

    id: int
    lane: str
    front_s: float  # bumpers along the lane, dents included
    rear_s: float
    x: float
    y: float
    heading: float  # radians, counter-clockwise from +x
    speed: float
    accel: float  # over the last frame
    brake_lamp: bool
    hazard_lit: bool
    crush_front_m: float
    crush_rear_m: float


@dataclass(frozen=True, slots=True)
class FrameState:
    """Everything that moves, and the signals, at one instant."""

    index: int
    time_s: float
    vehicles: tuple[VehicleState, ...]
    persons: tuple[PersonState, ...]
    main: Aspect
    side: Aspect
    walk: bool


HAZARD_PERIOD_S = 0.72


def state_of(vehicle: Vehicle, time_s: float, accel: float) -> VehicleState:
    """Freeze a vehicle."""
    lane = LANES[vehicle.lane]
    x, y = lane.point(vehicle.s - vehicle.spec.length_m / 2.0, vehicle.offset)
    heading = math.atan2(lane.direction[1], lane.direction[0]) + vehicle.yaw
    since = vehicle.hazards_since_s
    lit = since is not None and time_s >= since and (time_s - since) % HAZARD_PERIOD_S < 0.4
    return VehicleState(
        vehicle.id, vehicle.lane, vehicle.front_s, vehicle.rear_s, x, y, heading,
        vehicle.speed, accel, vehicle.brake_lamp, lit,
        vehicle.crush_front_m, vehicle.crush_rear_m,
    )  # fmt: skip


def world_vertices(spec: VehicleSpec, state: VehicleState) -> Array:
    """The body's vertices in the world, dents pushed in, shape (n, 3)."""
    body = body_of(spec.shape, spec.length_m, spec.width_m, spec.height_m)
    local = body.vertices.copy()
    half = spec.length_m / 2.0
    # A dent shortens the outer quarter of the body; nothing sticks out beyond the bumper.
    for end, dent in ((1.0, state.crush_front_m), (-1.0, state.crush_rear_m)):
        if dent > 0.0:
            along = local[:, 0] * end
            share = np.clip((along - half * 0.5) / (half * 0.5), 0.0, 1.0)
            local[:, 0] -= end * dent * share
    cos, sin = math.cos(state.heading), math.sin(state.heading)
    world = np.empty_like(local)
    world[:, 0] = state.x + cos * local[:, 0] - sin * local[:, 1]
    world[:, 1] = state.y + sin * local[:, 0] + cos * local[:, 1]
    world[:, 2] = local[:, 2]
    return world


def vehicle_parts(spec: VehicleSpec, state: VehicleState) -> list[Array]:
    """The convex parts that cast a vehicle's shadow; the lower one reaches to the ground."""
    body = body_of(spec.shape, spec.length_m, spec.width_m, spec.height_m)
    points = world_vertices(spec, state)
    foot = points[body.lower].copy()
    foot[:, 2] = 0.0
    return [np.concatenate([points[body.lower], foot]), points[body.upper]]


def person_points(person: Person, state: PersonState, wide: float = 0.30) -> Array:
    """The corners of an upright box around a person, ``wide`` metres to each side, (8, 3)."""
    high = person.height_m
    return np.array(
        [
            (state.x + sx * wide, state.y + sy * wide, z)
            for sx in (-1.0, 1.0)
            for sy in (-1.0, 1.0)
            for z in (0.0, high)
        ]
    )
