"""The scene's ground truth as JSON; docs/scene.md describes every field."""

from __future__ import annotations

from typing import Any

import numpy as np

from monitor.domain import Box
from monitor.scene.camera import PinholeCamera, box_of
from monitor.scene.events import Event, events_of
from monitor.scene.pedestrians import PersonState
from monitor.scene.record import (
    FrameState,
    VehicleState,
    person_points,
    world_vertices,
)
from monitor.scene.simulation import Simulation

FORMAT = 1


def vehicle_box(simulation: Simulation, state: VehicleState) -> Box | None:
    """A vehicle's bounding box in the picture; None where it is out of it."""
    points = world_vertices(simulation.specs[state.id], state)
    if simulation.camera.depth(points).min() < 1.0:
        return None
    return box_of(simulation.camera.project(points))


def person_box(simulation: Simulation, state: PersonState) -> Box | None:
    """A person's bounding box in the picture; None where they are out of it."""
    points = person_points(simulation.persons[state.id], state)
    if simulation.camera.depth(points).min() < 1.0:
        return None
    return box_of(simulation.camera.project(points))


def truth_of(simulation: Simulation) -> dict[str, Any]:
    """Everything that is known of a scene, as plain dicts and lists."""
    events = events_of(simulation)
    return {
        "format": FORMAT,
        "scenario": simulation.scenario,
        "seed": simulation.seed,
        "fps": simulation.fps,
        "frame_count": len(simulation.frames),
        "duration_s": simulation.duration_s,
        "roles": simulation.roles,
        "calibration": calibration(simulation.camera),
        "actors": _actors(simulation),
        "events": [_event(simulation, event) for event in events],
        "antecedents": antecedents(simulation, events),
        "frames": [_frame(simulation, frame) for frame in simulation.frames],
    }


def antecedents(simulation: Simulation, events: list[Event]) -> list[dict[str, Any]]:
    """The three key events before a rear-end collision; empty where nothing crashed."""
    roles = simulation.roles
    if not simulation.contacts or "lead" not in roles:
        return []

    def first(kind: str, actor: int) -> Event | None:
        return next((e for e in events if e.kind == kind and e.actor == actor), None)

    stepped = first("pedestrian_in_road", roles["steps_out"])
    braked = first("brake_light_onset", roles["lead"])
    close = first("headway", roles["follower"])
    late = first("brake_light_onset", roles["follower"])
    if stepped is None or braked is None or close is None or close.value is None:
        return []
    reaction = f"; brakes only {late.time_s - braked.time_s:.1f} s after it" if late else ""
    return [
        {"t_s": round(stepped.time_s, 3), "kind": "pedestrian_in_road", "actor": stepped.actor,
         "text": "A pedestrian steps off the kerb into the lane."},
        {"t_s": round(braked.time_s, 3), "kind": "hard_brake", "actor": braked.actor,
         "text": "The car ahead brakes hard for the pedestrian."},
        {"t_s": round(close.time_s, 3), "kind": "headway", "actor": close.actor,
         "text": f"The follower is {close.value:.1f} s behind{reaction}.",
         "value": round(close.value, 3), "unit": "s",
         "brakes_t_s": round(late.time_s, 3) if late else None},
    ]  # fmt: skip


def calibration(camera: PinholeCamera) -> list[dict[str, Any]]:
    """Four spots on the road that a camera's ``calibration`` in streams.yaml may name."""
    spots = [(-6.75, 6.0), (6.75, 6.0), (-6.75, 52.0), (6.75, 52.0)]
    seen = camera.project(np.array([(x, y, 0.0) for x, y in spots]))
    return [
        {"image": [round(float(u), 5), round(float(v), 5)], "ground_m": [x, y]}
        for (x, y), (u, v) in zip(spots, seen, strict=True)
    ]


def _actors(simulation: Simulation) -> list[dict[str, Any]]:
    role = {number: name for name, number in simulation.roles.items()}
    vehicles = [
        {"id": number, "kind": "vehicle", "role": role.get(number, ""), "shape": spec.shape.value,
         "length_m": round(spec.length_m, 3), "width_m": round(spec.width_m, 3),
         "height_m": round(spec.height_m, 3), "paint_bgr": list(spec.paint)}
        for number, spec in simulation.specs.items()
    ]  # fmt: skip
    persons = [
        {"id": number, "kind": "pedestrian", "role": role.get(number, ""),
         "height_m": round(person.height_m, 3)}
        for number, person in simulation.persons.items()
    ]  # fmt: skip
    return [*vehicles, *persons]


def _event(simulation: Simulation, event: Event) -> dict[str, Any]:
    frame = simulation.frames[event.frame]
    box = _box_in(simulation, frame, event.actor)
    if event.kind == "contact" and event.other is not None:
        box = _contact_box(simulation, frame, event)
    return {
        "t_s": round(event.time_s, 4),
        "frame": event.frame,
        "kind": event.kind,
        "actor": event.actor,
        "other": event.other,
        "value": None if event.value is None else round(event.value, 4),
        "unit": event.unit,
        "box": None if box is None else _rounded(box),
    }


def _box_in(simulation: Simulation, frame: FrameState, actor: int) -> Box | None:
    for vehicle in frame.vehicles:
        if vehicle.id == actor:
            return vehicle_box(simulation, vehicle)
    for person in frame.persons:
        if person.id == actor:
            return person_box(simulation, person)
    return None


def _contact_box(simulation: Simulation, frame: FrameState, event: Event) -> Box | None:
    """Where bumpers meet: the struck vehicle's rear end, as a box in the picture."""
    struck = next((v for v in frame.vehicles if v.id == event.other), None)
    if struck is None:
        return None
    spec = simulation.specs[struck.id]
    back = np.array([-np.cos(struck.heading), -np.sin(struck.heading)])
    side = np.array([back[1], -back[0]]) * spec.width_m / 2.0
    middle = np.array([struck.x, struck.y]) + back * (spec.length_m / 2.0 - struck.crush_rear_m)
    points = np.array([(*(middle + sign * side), z) for sign in (-1.0, 1.0) for z in (0.2, 0.9)])
    return box_of(simulation.camera.project(points))


def _frame(simulation: Simulation, frame: FrameState) -> dict[str, Any]:
    actors: list[dict[str, Any]] = []
    for vehicle in frame.vehicles:
        box = vehicle_box(simulation, vehicle)
        if box is None:
            continue
        actors.append(
            {"id": vehicle.id, "x": round(vehicle.x, 3), "y": round(vehicle.y, 3),
             "heading": round(vehicle.heading, 4), "speed": round(vehicle.speed, 3),
             "accel": round(vehicle.accel, 3), "brake_lamp": vehicle.brake_lamp,
             "lane": vehicle.lane, "front_s": round(vehicle.front_s, 3),
             "rear_s": round(vehicle.rear_s, 3), "box": _rounded(box)}
        )  # fmt: skip
    for person in frame.persons:
        box = person_box(simulation, person)
        if box is None:
            continue
        actors.append(
            {"id": person.id, "x": round(person.x, 3), "y": round(person.y, 3),
             "speed": round(person.speed, 3), "on_road": person.on_road, "box": _rounded(box)}
        )  # fmt: skip
    return {
        "t_s": round(frame.time_s, 4),
        "signal": {"main": frame.main.value, "side": frame.side.value, "walk": frame.walk},
        "actors": actors,
    }


def _rounded(box: Box) -> list[float]:
    return [round(value, 5) for value in box]
