"""What really happened in a stretch: events with exact times and places, for the truth file.

Braking, lamps and headways are read off the frames; what only an incident knows (a contact, a
near miss, a wrong way, ...) is noted by who made it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from monitor.domain import Box
from monitor.scene.camera import PinholeCamera, box_of
from monitor.scene.events import ENDED, HARD_BRAKE, ONSET, STANDING, SUDDEN_STOP_S, Event, headway_s
from monitor.scene.hours.contact import Contact
from monitor.scene.hours.stretch import HourFrame, Walking
from monitor.scene.hours.users import CyclistState
from monitor.scene.record import VehicleState, person_points, world_vertices
from monitor.scene.vehicles import VehicleSpec

LAMP_FROM_PX: Final = 0.022  # of the picture's width: a narrower vehicle shows no lamp
_HEADWAY_MAX_S: Final = 6.0
_CONTACT_M: Final = 1.2  # half the side of the box around a contact


@dataclass(slots=True)
class _Braking:
    frame: HourFrame
    state: VehicleState
    peak: float = 0.0


@dataclass(slots=True)
class _Known:
    """An event with its place in the picture."""

    event: Event
    box: Box | None


@dataclass(slots=True)
class Ledger:
    """Fed with every frame in order; ``document`` at the end."""

    camera: PinholeCamera
    fps: int
    specs: dict[int, VehicleSpec] = field(default_factory=dict)
    _known: list[_Known] = field(default_factory=list)
    _lamps: dict[int, bool] = field(default_factory=dict)
    _braking: dict[int, _Braking] = field(default_factory=dict)
    _touched: set[int] = field(default_factory=set)
    incidents: list[dict[str, Any]] = field(default_factory=list)

    def frame(self, frame: HourFrame) -> None:
        """Read a frame."""
        for state in frame.vehicles:
            self._lamp(frame, state)
            if state.id not in self._touched:
                self._brakes(frame, state)

    def contact(self, contact: Contact, start_s: float) -> None:
        """Two touched; ``start_s`` is the town's time at the first frame."""
        x, y, m = contact.x, contact.y, _CONTACT_M
        corners = np.array(
            [(x + a, y + b, z) for a in (-m, m) for b in (-m, m) for z in (0.1, 1.3)]
        )
        box = box_of(self.camera.project(corners)) if self._ahead(corners) else None
        time_s = contact.time_s - start_s
        self._add(time_s, "contact", contact.striking, contact.struck, contact.closing_speed,
                  "m/s", box)  # fmt: skip
        self._touched |= {contact.striking, contact.struck}
        for actor in (contact.striking, contact.struck):
            self._finish(self._braking.pop(actor, None), None)

    def note(
        self, time_s: float, kind: str, actor: int, box: Box | None, *, other: int | None = None,
        value: float | None = None, unit: str = "",
    ) -> None:  # fmt: skip
        """Something that an incident knows of."""
        self._add(time_s, kind, actor, other, value, unit, box)

    def first(self, kind: str, from_s: float, to_s: float) -> float | None:
        """When the first event of a kind was in a span."""
        times = [
            one.event.time_s for one in self._known
            if one.event.kind == kind and from_s <= one.event.time_s <= to_s
        ]  # fmt: skip
        return min(times, default=None)

    def end(self) -> None:
        """No more frames: braking that still goes on counts."""
        for braking in self._braking.values():
            self._finish(braking, None)
        self._braking.clear()

    def events(self) -> list[dict[str, Any]]:
        """By time, in the truth file's form."""
        known = sorted(self._known, key=lambda k: (k.event.time_s, k.event.kind, k.event.actor))
        return [_told(one) for one in known]

    def box(self, state: VehicleState | CyclistState | Walking) -> Box | None:
        """Where somebody is in the picture."""
        if isinstance(state, VehicleState):
            points = world_vertices(self.specs[state.id], state)
        elif isinstance(state, Walking):
            points = person_points(state.person, state.state)
        else:
            points = np.array(
                [(state.x + a, state.y + b, z) for a in (-0.5, 0.5) for b in (-0.5, 0.5)
                 for z in (0.0, 1.75)]
            )  # fmt: skip
        return box_of(self.camera.project(points)) if self._ahead(points) else None

    def _ahead(self, points: np.ndarray[Any, np.dtype[np.float64]]) -> bool:
        return bool(self.camera.depth(points).min() > 1.0)

    def _add(
        self, time_s: float, kind: str, actor: int, other: int | None, value: float | None,
        unit: str, box: Box | None,
    ) -> None:  # fmt: skip
        time_s = round(time_s, 4)  # as the file has it, so that times compare
        frame = math.ceil(time_s * self.fps - 1e-6)
        self._known.append(_Known(Event(time_s, frame, kind, actor, other, value, unit), box))

    def _lamp(self, frame: HourFrame, state: VehicleState) -> None:
        before = self._lamps.get(state.id)
        self._lamps[state.id] = state.brake_lamp
        if before is None or before or not state.brake_lamp:
            return
        eye = self.camera.position
        away = math.cos(state.heading) * (state.x - eye[0]) + math.sin(state.heading) * (
            state.y - eye[1]
        )
        box = self.box(state) if away > 0.0 else None  # else its tail is on the other side
        if box is not None and box[2] >= LAMP_FROM_PX:
            self._add(frame.time_s, "brake_light_onset", state.id, None, None, "", box)

    def _brakes(self, frame: HourFrame, state: VehicleState) -> None:
        decel = -state.accel
        braking = self._braking.get(state.id)
        if braking is None:
            if decel > ONSET:
                self._braking[state.id] = _Braking(frame, state, decel)
            return
        braking.peak = max(braking.peak, decel)
        if decel <= ENDED:
            self._finish(self._braking.pop(state.id), (frame, state))

    def _finish(
        self, braking: _Braking | None, ended: tuple[HourFrame, VehicleState] | None
    ) -> None:
        if braking is None or braking.peak < HARD_BRAKE:
            return
        state, began = braking.state, braking.frame
        # The frame that shows the first braking averages over the time before it.
        time_s = began.time_s
        self._add(time_s, "hard_brake", state.id, None, braking.peak, "m/s2", self.box(state))
        self._headway(began, state)
        if ended is None or ended[1].speed >= STANDING:
            return
        took = ended[0].time_s - time_s
        if took <= SUDDEN_STOP_S:
            self._add(ended[0].time_s, "sudden_stop", state.id, None, took, "s",
                      self.box(ended[1]))  # fmt: skip

    def _headway(self, frame: HourFrame, leader: VehicleState) -> None:
        behind = [
            v for v in frame.vehicles
            if v.lane == leader.lane and v.front_s < leader.front_s and v.speed > 1.0
        ]  # fmt: skip
        if not behind:
            return
        follower = max(behind, key=lambda v: v.front_s)
        value = headway_s(leader, follower)
        if value < _HEADWAY_MAX_S:
            self._add(frame.time_s, "headway", follower.id, leader.id, value, "s",
                      self.box(follower))  # fmt: skip


def _told(known: _Known) -> dict[str, Any]:
    event = known.event
    return {
        "t_s": event.time_s,
        "frame": event.frame,
        "kind": event.kind,
        "actor": event.actor,
        "other": event.other,
        "value": None if event.value is None else round(event.value, 4),
        "unit": event.unit,
        "box": None if known.box is None else [round(value, 5) for value in known.box],
    }
