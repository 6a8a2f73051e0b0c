"""Events read off the finished frames: when lamps lit, who braked, stepped out, touched, stood."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

from monitor.scene.record import FrameState, VehicleState
from monitor.scene.simulation import Simulation

HARD_BRAKE = 4.0  # m/s^2; comfortable braking stays under 3
ONSET = 1.0  # m/s^2 at which a braking phase is said to begin
ENDED = 0.3  # and to end
STANDING = 0.2  # m/s
SUDDEN_STOP_S = 4.0  # from first braking to standstill
STOOD_S = 3.0  # a vehicle that stands this long, away from a signal's queue, blocks its lane


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. ``frame`` is the first one that shows it; ``time_s`` is exact."""

    time_s: float
    frame: int
    kind: str
    actor: int
    other: int | None = None
    value: float | None = None
    unit: str = ""


def events_of(simulation: Simulation) -> list[Event]:
    """Every event of a scene, by time."""
    tracks = _tracks(simulation)
    struck = {i: c.time_s for c in simulation.contacts for i in (c.striking, c.struck)}
    events = [*_contacts(simulation), *_steps_out(simulation)]
    for track in tracks.values():
        events += _lamp_onsets(track)
        events += _braking(track, struck.get(track[0][1].id, math.inf))
    events += _headways(simulation, events)
    events += _standing(simulation, tracks)
    return sorted(events, key=lambda event: (event.time_s, event.kind, event.actor))


Track = list[tuple[FrameState, VehicleState]]


def _tracks(simulation: Simulation) -> dict[int, Track]:
    tracks: dict[int, Track] = {}
    for frame in simulation.frames:
        for vehicle in frame.vehicles:
            tracks.setdefault(vehicle.id, []).append((frame, vehicle))
    return tracks


def _frame_at(simulation: Simulation, time_s: float) -> int:
    return min(math.ceil(time_s * simulation.fps - 1e-9), len(simulation.frames) - 1)


def _contacts(simulation: Simulation) -> list[Event]:
    return [
        Event(
            contact.time_s, _frame_at(simulation, contact.time_s), "contact", contact.striking,
            contact.struck, contact.closing_speed, "m/s",
        )
        for contact in simulation.contacts
    ]  # fmt: skip


def _steps_out(simulation: Simulation) -> list[Event]:
    """The first frame of every visit to the roadway."""
    events, on_road = [], dict.fromkeys(simulation.persons, False)
    for frame in simulation.frames:
        for person in frame.persons:
            if person.on_road and not on_road[person.id]:
                events.append(Event(frame.time_s, frame.index, "pedestrian_in_road", person.id))
            on_road[person.id] = person.on_road
    return events


def _lamp_onsets(track: Track) -> list[Event]:
    return [
        Event(frame.time_s, frame.index, "brake_light_onset", state.id)
        for (_, before), (frame, state) in itertools.pairwise(track)
        if state.brake_lamp and not before.brake_lamp
    ]


def _braking(track: Track, struck_s: float) -> list[Event]:
    """Hard braking phases, with their peak, and the sudden stop that one ends in.

    What a vehicle does after ``struck_s``, its contact, belongs to the crash: no new braking is
    counted, and its stop is measured from the braking before it.
    """
    events: list[Event] = []
    start: int | None = None
    peak = 0.0
    for number, (frame, state) in enumerate(track):
        struck = frame.time_s >= struck_s
        decel = -state.accel
        if decel > ONSET and start is None and not struck:
            start, peak = number, 0.0
        if start is None:
            continue
        if not struck:
            peak = max(peak, decel)
        standing = state.speed < STANDING
        over = standing if struck else decel <= ENDED
        if not (over or number == len(track) - 1):
            continue
        began = track[start][0]
        if peak >= HARD_BRAKE:
            events.append(
                Event(began.time_s, began.index, "hard_brake", state.id, None, peak, "m/s2")
            )
            took = frame.time_s - began.time_s
            if standing and took <= SUDDEN_STOP_S:
                events.append(
                    Event(frame.time_s, frame.index, "sudden_stop", state.id, None, took, "s")
                )
        start = None
    return events


def headway_s(leader: VehicleState, follower: VehicleState) -> float:
    """Time headway: from the leader's front passing a point to the follower's front passing it.

    The follower's present speed carries it there, so it is distance over speed.
    """
    return (leader.front_s - follower.front_s) / follower.speed


def _headways(simulation: Simulation, events: list[Event]) -> list[Event]:
    """The follower's headway when a vehicle ahead of it begins to brake hard."""
    result = []
    hard = [event for event in events if event.kind == "hard_brake"]
    for braking in hard:
        onsets = [
            e for e in events
            if e.kind == "brake_light_onset" and e.actor == braking.actor
            and abs(e.time_s - braking.time_s) < 0.5
        ]  # fmt: skip
        frame = simulation.frames[onsets[0].frame if onsets else braking.frame]
        leader = next(v for v in frame.vehicles if v.id == braking.actor)
        behind = [
            v for v in frame.vehicles
            if v.lane == leader.lane and v.front_s < leader.front_s and v.speed > 1.0
        ]  # fmt: skip
        if not behind:
            continue
        follower = max(behind, key=lambda v: v.front_s)
        value = headway_s(leader, follower)
        if value < 6.0:
            result.append(
                Event(frame.time_s, frame.index, "headway", follower.id, leader.id, value, "s")
            )
    return result


def _standing(simulation: Simulation, tracks: dict[int, Track]) -> list[Event]:
    """Crashed or broken-down vehicles at rest; value is how long they stand to the end."""
    named = {simulation.roles.get("breaks_down")}
    named |= {c.striking for c in simulation.contacts} | {c.struck for c in simulation.contacts}
    events = []
    for number in sorted(i for i in named if i is not None):
        track = tracks[number]
        for position, (frame, state) in enumerate(track):
            if state.speed < STANDING and all(s.speed < STANDING for _, s in track[position:]):
                stood = track[-1][0].time_s - frame.time_s
                if stood >= STOOD_S:
                    events.append(
                        Event(
                            frame.time_s, frame.index, "stopped_in_lane", number, None, stood, "s"
                        )
                    )
                break
    return events
