"""Runs a script through the world and keeps every frame; pure computation, no pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace

from monitor.errors import SceneError
from monitor.scene.camera import PinholeCamera
from monitor.scene.collision import Contact
from monitor.scene.pedestrians import Person
from monitor.scene.record import FrameState, VehicleState, state_of
from monitor.scene.scenarios import Script, write
from monitor.scene.vehicles import Vehicle, VehicleSpec
from monitor.scene.world import World

STEPS_PER_FRAME = 4
_SEEN_X_M = 95.0
_SEEN_Y_M = (-30.0, 230.0)


@dataclass(frozen=True, slots=True)
class Simulation:
    """A finished scene. Actors' ids are unique over vehicles and persons."""

    scenario: str
    seed: int
    fps: int
    camera: PinholeCamera
    frames: tuple[FrameState, ...]
    specs: dict[int, VehicleSpec]
    persons: dict[int, Person]
    roles: dict[str, int]
    contacts: tuple[Contact, ...]

    @property
    def duration_s(self) -> float:
        return len(self.frames) / self.fps


def build(
    scenario: str, seed: int = 0, *, fps: int = 25, camera: PinholeCamera | None = None
) -> Simulation:
    """Simulate a scenario; the same arguments give the same scene, to the bit."""
    if not 5 <= fps <= 60:
        raise SceneError(f"{fps} frames a second is not a camera's rate; take 5 to 60")
    return simulate(write(scenario, seed), fps=fps, camera=camera or PinholeCamera())


def simulate(script: Script, *, fps: int, camera: PinholeCamera) -> Simulation:
    """Run a script to its end."""
    world = World(
        script.vehicles,
        script.plan,
        script.manoeuvres,
        list(script.cautions),
        script.passers,
        step_s=1.0 / (fps * STEPS_PER_FRAME),
    )
    persons = {person.id: person for person in script.persons}
    roles = {v.role: v.id for v in script.vehicles if v.role}
    roles |= {p.role: p.id for p in script.persons if p.role}
    last_speed = {vehicle.id: vehicle.speed for vehicle in script.vehicles}
    frames: list[FrameState] = []
    for index in range(round(script.duration_s * fps)):
        time_s = index / fps
        if index:
            for step in range(STEPS_PER_FRAME):
                # Never by adding up: a sum of hundredths drifts off the frames.
                world.time_s = ((index - 1) * STEPS_PER_FRAME + step) / (fps * STEPS_PER_FRAME)
                seen = len(world.contacts)
                world.step()
                if len(world.contacts) > seen == 0:
                    at = world.contacts[0].time_s
                    world.cautions += [
                        replace(c, from_s=at + c.from_s) for c in script.caution_after_contact
                    ]
        states = tuple(
            state_of(v, time_s, (v.speed - last_speed[v.id]) * fps) for v in world.vehicles
        )
        last_speed = {v.id: v.speed for v in world.vehicles}
        frames.append(
            FrameState(
                index, time_s, tuple(s for s in states if _near(s)),
                tuple(person.state(time_s) for person in script.persons),
                script.plan.main(time_s), script.plan.side(time_s), script.plan.walk(time_s),
            )
        )  # fmt: skip
    return Simulation(
        script.scenario, script.seed, fps, camera, tuple(frames),
        {v.id: v.spec for v in script.vehicles}, persons, roles, tuple(world.contacts),
    )  # fmt: skip


def _near(state: VehicleState) -> bool:
    return abs(state.x) < _SEEN_X_M and _SEEN_Y_M[0] < state.y < _SEEN_Y_M[1]


__all__ = ["Simulation", "Vehicle", "build", "simulate"]
