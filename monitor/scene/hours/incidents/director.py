"""Decides which incident is next and gives each its time and its quiet afterwards."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Final

from monitor.scene.hours.contact import Contact
from monitor.scene.hours.incidents.braking import HardBrake, RearEnd, SuddenStop
from monitor.scene.hours.incidents.lateral import Breakdown, Swerve, WrongWay
from monitor.scene.hours.incidents.persons import CyclistStruck, PedestrianInRoad, PedestrianStruck
from monitor.scene.hours.incidents.stage import Incident, Stage, drive_off
from monitor.scene.hours.incidents.turning import NearMiss, SideImpact
from monitor.scene.hours.ledger import Ledger
from monitor.scene.hours.stretch import HourFrame
from monitor.scene.hours.town import Town

_MAKERS: Final[dict[str, Callable[[], Incident]]] = {
    "rear_end": RearEnd,
    "side_impact": SideImpact,
    "pedestrian_struck": PedestrianStruck,
    "cyclist_struck": CyclistStruck,
    "hard_brake": HardBrake,
    "sudden_stop": SuddenStop,
    "wrong_way": WrongWay,
    "swerve": Swerve,
    "near_miss": NearMiss,
    "stopped_in_lane": Breakdown,
    "pedestrian_in_road": PedestrianInRoad,
}
KINDS: Final = tuple(_MAKERS)
EVENT_OF: Final = {
    "rear_end": "contact", "side_impact": "contact", "pedestrian_struck": "contact",
    "cyclist_struck": "contact",
}  # fmt: skip
"""The event that an incident is labelled with, where it has another name."""
_FIRST_S: Final = 40.0  # of a segment: the watcher has warmed up
_QUIET_S: Final = 22.0  # after an incident is over
_LEFT_ALONE_S: Final = 58.0  # longer than any incident lets its own stand
_AT_ONCE: Final = 6  # kinds that look for their moment at the same time
_NO_LATER_S: Final = 30.0  # before the end nothing begins


class Director:
    """Hooked into the town: called at every step, and told every frame."""

    def __init__(
        self, town: Town, ledger: Ledger, kinds: Sequence[str], per_hour: float,
        rng: random.Random,
    ) -> None:  # fmt: skip
        self._stage = Stage(town, ledger, rng, town.time_s)
        self._kinds = list(kinds)
        self._turns: list[str] = []
        self._every_s = 3600.0 / per_hour
        self._due_s = town.time_s + _FIRST_S
        self._running: Incident | None = None
        self._hunting: list[Incident] = []
        town.on_contact = self._touched
        town.steer = self._step

    def frame(self, frame: HourFrame) -> None:
        """Know everybody who is in the picture."""
        specs = self._stage.ledger.specs
        for rider in self._stage.town.riders:
            specs.setdefault(rider.id, rider.spec)

    def _touched(self, contact: Contact) -> None:
        self._stage.ledger.contact(contact, self._stage.start_s)

    def _step(self, town: Town) -> None:
        stage = self._stage
        for rider in town.riders:  # who got into it by chance leaves after a while as well
            if rider.slide is not None and stage.now > rider.slide.since_s + _LEFT_ALONE_S:
                rider.gone = rider.kind == "cycle"
                drive_off(stage, rider)
        if self._running is not None:
            if self._running.step(stage):
                self._finish(self._running)
            return
        if not self._kinds or stage.now < self._due_s or stage.now > town.end_s - _NO_LATER_S:
            return
        self._look_out()
        for incident in self._hunting:
            if incident.ready(stage):
                stage.ledger.incidents.append(
                    {"kind": incident.kind, "event": EVENT_OF.get(incident.kind, incident.kind),
                     "begins_s": round(stage.now - stage.start_s, 3)}
                )  # fmt: skip
                self._hunting.remove(incident)
                self._running = incident
                return

    def _look_out(self) -> None:
        """Some kinds look for their moment at the same time, every kind in its turn.

        What is rare keeps looking while others happen, so that all come about equally often.
        """
        if not self._turns:
            self._turns = list(self._kinds)
            self._stage.rng.shuffle(self._turns)
        looking = {incident.kind for incident in self._hunting}
        for kind in [k for k in self._turns if k not in looking]:
            if len(self._hunting) < _AT_ONCE:
                self._hunting.append(_MAKERS[kind]())
                self._turns.remove(kind)

    def end(self) -> None:
        """No more frames: each incident gets the time of its event; what came to nothing goes."""
        ledger = self._stage.ledger
        kept = []
        for record in ledger.incidents:
            begins_s = float(record["begins_s"])
            record.setdefault("over_s", round(self._stage.now - self._stage.start_s, 3))
            over_s = float(record["over_s"])
            # Braking is noticed a frame later, and known to be hard only when it ends.
            touched = ledger.first("contact", begins_s, over_s + 1.0)
            if record["kind"] == "near_miss" and touched is not None:
                record |= {"kind": "side_impact", "event": "contact"}  # it did not miss
            record["t_s"] = ledger.first(str(record["event"]), begins_s - 0.2, over_s + 1.0)
            if record["t_s"] is not None:
                kept.append(record)
        ledger.incidents[:] = kept

    def _finish(self, incident: Incident) -> None:
        stage = self._stage
        record = stage.ledger.incidents[-1]
        record["over_s"] = round(stage.now - stage.start_s, 3)
        wait_s = self._every_s * stage.rng.uniform(0.85, 1.15)
        self._due_s = max(
            stage.now + _QUIET_S, stage.start_s + float(record["begins_s"]) + wait_s
        )  # fmt: skip
        self._running = None
