"""Braking for no reason in sight, and what happens when the one behind does not notice."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from monitor.scene.hours.incidents.stage import CLEARED_S, Stage, drive_off
from monitor.scene.hours.users import Rider

_DECEL: Final = (6.2, 7.4)
_LASTS_S: Final = (1.0, 1.3)
_LEFT_SPEED: Final = 2.0  # m/s
_STANDS_S: Final = (4.5, 6.5)


@dataclass(slots=True)
class HardBrake:
    """A driver brakes hard for a second, then drives on."""

    kind: str = "hard_brake"
    _rider: Rider | None = None
    _until_s: float = 0.0

    def ready(self, stage: Stage) -> bool:
        """Somebody with room behind."""
        for rider in stage.drivers():
            if stage.alone(rider, 1.8, 12.0):
                rider.busy, rider.command = True, -stage.rng.uniform(*_DECEL)
                self._rider, self._until_s = rider, stage.now + stage.rng.uniform(*_LASTS_S)
                return True
        return False

    def step(self, stage: Stage) -> bool:
        """Brakes until its time."""
        rider = self._rider
        if rider is None or rider.gone:
            return True
        if stage.now < self._until_s and rider.speed > _LEFT_SPEED:
            return False
        rider.command, rider.busy = None, False
        return True


@dataclass(slots=True)
class SuddenStop:
    """A driver brakes to a stand, waits some seconds and drives on."""

    kind: str = "sudden_stop"
    _rider: Rider | None = None
    _until_s: float | None = None

    def ready(self, stage: Stage) -> bool:
        """Somebody with room behind."""
        for rider in stage.drivers():
            if stage.alone(rider, 1.9, 18.0):
                rider.busy, rider.command = True, -stage.rng.uniform(*_DECEL)
                self._rider = rider
                return True
        return False

    def step(self, stage: Stage) -> bool:
        """Brakes, stands, goes."""
        rider = self._rider
        if rider is None or rider.slide is not None:
            return True
        if self._until_s is None:
            if rider.speed <= 0.0:
                rider.command, self._until_s = -1.0, stage.now + stage.rng.uniform(*_STANDS_S)
            return False
        if stage.now < self._until_s:
            return False
        rider.command, rider.busy = None, False
        return True


@dataclass(slots=True)
class RearEnd:
    """The lead brakes to a stand; the follower looks up too late."""

    kind: str = "rear_end"
    _pair: tuple[Rider, Rider] | None = None
    _brakes_at_s: float = 0.5  # to contact, when the follower brakes at last
    _touched_s: float | None = None
    _cleared_s: float = 0.0
    _noted: set[int] = field(default_factory=set)
    _rest: dict[int, float] = field(default_factory=dict)

    def ready(self, stage: Stage) -> bool:
        """Two that follow one another, and nobody right behind them."""
        for lead in stage.drivers(7.0):
            follows = stage.behind(lead)
            if follows is None or not stage.alone(lead, 0.3, 16.0):
                continue
            rider, gap = follows
            if rider.kind != "car" or rider.busy or not 4.0 < gap < 24.0 or rider.speed < 7.0:
                continue
            if not stage.alone(rider, 1.1, 0.0) or rider.route is not lead.route:
                continue
            lead.busy = rider.busy = rider.reckless = True
            lead.command, rider.command = -stage.rng.uniform(6.4, 7.4), 0.0
            self._brakes_at_s = stage.rng.uniform(0.3, 0.55)
            self._pair = (lead, rider)
            return True
        return False

    def step(self, stage: Stage) -> bool:
        """The follower brakes late, both slide, stand, and are gone after a while."""
        if self._pair is None:
            return True
        lead, rider = self._pair
        if self._touched_s is None:
            if lead.slide is not None or rider.slide is not None:
                self._touched_s = stage.now
                self._cleared_s = stage.now + stage.rng.uniform(*CLEARED_S)
                return False
            if lead.speed <= 0.0:
                lead.command = -1.0
            gap, closing = lead.rear_s - rider.s, rider.speed - lead.speed
            if closing > 0.0 and gap / closing < self._brakes_at_s:
                rider.command = -5.5
            return False
        return stands_until_cleared(stage, [lead, rider], self._rest, self._cleared_s)


def stands_until_cleared(
    stage: Stage, riders: list[Rider], rest: dict[int, float], cleared_s: float
) -> bool:
    """Note who comes to rest; at ``cleared_s`` all drive off. True when that is done."""
    for rider in riders:
        if rider.speed <= 0.05 and rider.id not in rest:
            rest[rider.id] = stage.now
    if stage.now < cleared_s:
        return False
    for rider in riders:
        since = rest.get(rider.id)
        if since is not None:
            stage.note("stopped_in_lane", since, rider, value=stage.now - since, unit="s")
        if rider.kind == "cycle":
            rider.gone = True
        else:
            drive_off(stage, rider)
    return True
