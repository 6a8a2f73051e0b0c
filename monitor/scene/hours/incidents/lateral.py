"""Sideways and against the stream: swerves, a driver on the wrong side, a breakdown."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from monitor.scene.hours.incidents.stage import Stage, drive_off
from monitor.scene.hours.network import PARALLEL, WRONG_WAY, Turn, routes
from monitor.scene.hours.users import Rider, Sideways
from monitor.scene.signals import Aspect

_SWERVE_M: Final = (2.0, 2.6)
_OUT_S: Final = 1.3
_BACK_S: Final = 1.8
_EMPTY_S: Final = 26.0
_ROLLS: Final = (2.2, 2.9)  # m/s^2, rolling out with a dead engine and some brake
_STANDS_S: Final = (40.0, 60.0)
_EMPTY_FROM_S: Final = 12.0  # of the lane that the driver will take, from its beginning
_ENTERS_X_M: Final = 0.6  # right of the centre line: on the wrong side


@dataclass(slots=True)
class Swerve:
    """A sharp move towards the next lane and back."""

    kind: str = "swerve"
    _rider: Rider | None = None
    _start: float = 0.0

    def ready(self, stage: Stage) -> bool:
        """Somebody fast with nobody beside."""
        for rider in stage.drivers(9.5):
            lane = rider.route.exit if rider.past_line else rider.route.lane
            other = PARALLEL[lane]
            if not (stage.beside_free(rider, other, 16.0) and stage.alone(rider, 1.2, 12.0)):
                continue
            reach = stage.rng.uniform(*_SWERVE_M) * (1.0 if lane.endswith("_right") else -1.0)
            self._rider, self._start = rider, rider.offset
            rider.busy, rider.command = True, 0.0
            rider.sideways = Sideways(stage.now, _OUT_S, rider.offset, rider.offset + reach)
            sharp = abs(reach) / 2.0 * (math.pi / _OUT_S) ** 2
            stage.note("swerve", stage.now, rider, value=sharp, unit="m/s2")
            return True
        return False

    def step(self, stage: Stage) -> bool:
        """Out, and back."""
        rider = self._rider
        if rider is None or rider.slide is not None:
            return True
        if rider.sideways is not None:
            return False
        if abs(rider.offset - self._start) > 0.5:
            rider.sideways = Sideways(stage.now, _BACK_S, rider.offset, self._start)
            return False
        rider.command, rider.busy = None, False
        return True


@dataclass(slots=True)
class WrongWay:
    """A driver from afar crosses the centre line at the junction and goes on there."""

    kind: str = "wrong_way"
    _rider: Rider | None = None
    _noted: bool = False
    _again_s: float = 0.0

    def ready(self, stage: Stage) -> bool:
        """When the lane that it will take is empty; then nobody is let into it."""
        town = stage.town
        if stage.now > self._again_s:  # a gap in the lane's arrivals, now and then
            self._again_s = stage.now + 2.5 * _EMPTY_S
            town.demand.postpone("out_left", stage.now + _EMPTY_S)
        green = all(town.plan.main(stage.now + t) is Aspect.GREEN for t in (0.0, 4.0))
        if not green or any(
            r.s > _EMPTY_FROM_S and not r.past_line for r in town.lanes.get("out_left", ())
        ):
            return False
        for rider in town.lanes.get("in_left", ()):
            before = rider.route.stop_s - rider.s
            free = rider.kind == "car" and not rider.busy and rider.sideways is None
            straight = rider.route.turn is Turn.STRAIGHT and rider.route.lane == "in_left"
            if free and straight and 6.0 < before < 60.0 and rider.speed > 6.0:
                rider.route, rider.busy = routes()[WRONG_WAY], True
                town.demand.blocked.add("out_left")
                self._rider = rider
                return True
        return False

    def step(self, stage: Stage) -> bool:
        """Noted where it enters the wrong side; over when it is out of sight."""
        rider = self._rider
        if rider is None or rider not in stage.town.riders:
            stage.town.demand.blocked.discard("out_left")
            return True
        x, y, _ = rider.place()
        if not self._noted and x > _ENTERS_X_M:
            self._noted = True
            stage.note("wrong_way", stage.now, rider, value=rider.speed, unit="m/s")
        if y < -28.0:
            stage.town.demand.blocked.discard("out_left")
            return True
        return False


@dataclass(slots=True)
class Breakdown:
    """A car rolls out with its hazard lights on and stands in the lane."""

    kind: str = "stopped_in_lane"
    _rider: Rider | None = None
    _stood_s: float | None = None
    _stands_s: float = 0.0

    def ready(self, stage: Stage) -> bool:
        """Somebody who will come to rest well in view."""
        for rider in stage.drivers(7.0):
            if stage.alone(rider, 1.5, 16.0):
                rider.busy, rider.command = True, -stage.rng.uniform(*_ROLLS)
                rider.hazards_since_s = stage.now + 0.8
                self._rider, self._stands_s = rider, stage.rng.uniform(*_STANDS_S)
                return True
        return False

    def step(self, stage: Stage) -> bool:
        """Rolls, stands, is started again."""
        rider = self._rider
        if rider is None or rider.slide is not None:
            return True
        if self._stood_s is None:
            if rider.speed <= 0.0:
                self._stood_s, rider.command = stage.now, -1.0
            return False
        if stage.now < self._stood_s + self._stands_s:
            return False
        stage.note(
            "stopped_in_lane", self._stood_s, rider, value=stage.now - self._stood_s, unit="s"
        )
        drive_off(stage, rider)
        return True
