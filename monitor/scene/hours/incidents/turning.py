"""Left turns in front of somebody who comes: too late for a contact, or just in time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from monitor.scene.hours.incidents.braking import stands_until_cleared
from monitor.scene.hours.incidents.stage import CLEARED_S, Stage
from monitor.scene.hours.network import Turn, conflict
from monitor.scene.hours.users import Rider
from monitor.scene.signals import Aspect

_PET_S: Final = (0.55, 0.95)  # left over in a near miss
_ACCEL: Final = (-2.5, 3.0)
_SPEED: Final = (2.5, 8.5)  # of the turning car where the paths meet
_MIN_COMING: Final = 6.5  # m/s
_GIVE_UP_S: Final = 8.0
_BEFORE_S: Final = 2.0  # the turning car is in the other lanes so long before the meeting,
_AFTER_S: Final = 1.2  # and after it


@dataclass(frozen=True, slots=True)
class _Meeting:
    turner: Rider
    comes: Rider
    accel: float
    arrives_s: float  # from now
    zone: tuple[float, float, float, float]


def _meeting(stage: Stage, pet_s: float | None) -> _Meeting | None:
    """A left turner and somebody coming whose paths can be made to meet.

    ``pet_s`` None: at the same time; else the turner has left that long before.
    """
    town = stage.town
    if town.plan.main(stage.now) is not Aspect.GREEN:
        return None
    for turner in town.riders:
        if turner.kind != "car" or turner.route.turn is not Turn.LEFT or turner.busy:
            continue
        if turner.route.group != "main" or turner.slide is not None:
            continue
        for comes in town.riders:
            if comes.kind != "car" or comes.busy or comes.slide is not None:
                continue
            zone = conflict(turner.route.id, comes.route.id)
            if zone is None or comes.route.turn is not Turn.STRAIGHT or comes.held:
                continue
            if comes.route.group != "main":
                continue
            made = _timed(turner, comes, zone, pet_s)
            if made is None or _queues(stage, turner, zone):
                continue
            if all(_keeps_away(made, third) for third in town.riders if third is not comes):
                return made
    return None


def _keeps_away(met: _Meeting, third: Rider) -> bool:
    """Whether somebody else will not meet the turning car as well."""
    zone = conflict(met.turner.route.id, third.route.id)
    if zone is None or third is met.turner or third.slide is not None:
        return True
    if third.held or (third.speed < 0.5 and not third.past_line) or third.rear_s > zone[3]:
        return True
    speed = max(third.speed, 2.0)
    comes, leaves = (zone[2] - third.s) / speed, (zone[3] + third.length_m - third.s) / speed
    return comes > met.arrives_s + _AFTER_S or leaves < met.arrives_s - _BEFORE_S


def _queues(stage: Stage, turner: Rider, zone: tuple[float, float, float, float]) -> bool:
    """Whether somebody is in the turning car's way."""
    ahead = stage.ahead(turner)
    return ahead is not None and turner.s + ahead[1] < zone[1] + 2.0


def _timed(
    turner: Rider, comes: Rider, zone: tuple[float, float, float, float], pet_s: float | None
) -> _Meeting | None:
    a0, a1, b0, b1 = zone
    if comes.speed < _MIN_COMING or not 12.0 < b0 - comes.s < 55.0 or turner.s > a0 - 0.3:
        return None
    if pet_s is None:
        target = (a0 + a1) / 2.0 + turner.length_m * 0.45
        arrives = ((b0 + b1) / 2.0 - 1.2 - comes.s) / comes.speed
    else:
        target = a1 + turner.length_m
        arrives = (b0 - comes.s) / comes.speed - pet_s
    if arrives < 1.0:
        return None
    distance = target - turner.s
    accel = 2.0 * (distance - turner.speed * arrives) / arrives**2
    final = turner.speed + accel * arrives
    if not (_ACCEL[0] < accel < _ACCEL[1] and _SPEED[0] < final < _SPEED[1] + 1.5):
        return None
    return _Meeting(turner, comes, accel, arrives, zone)


@dataclass(slots=True)
class SideImpact:
    """The turning car is hit in its side, or hits the other's."""

    kind: str = "side_impact"
    _met: _Meeting | None = None
    _began_s: float = 0.0
    _cleared_s: float | None = None
    _rest: dict[int, float] = field(default_factory=dict)

    def ready(self, stage: Stage) -> bool:
        """A pair whose paths can be made to meet."""
        self._met = _meeting(stage, None)
        if self._met is None:
            return False
        self._began_s = stage.now
        _set_going(self._met)
        return True

    def step(self, stage: Stage) -> bool:
        """Until they touch; the one who comes brakes in the last half second."""
        if self._met is None:
            return True
        turner, comes = self._met.turner, self._met.comes
        if self._cleared_s is None:
            if turner.slide is not None or comes.slide is not None:
                self._cleared_s = stage.now + stage.rng.uniform(*CLEARED_S)
                return False
            left = (self._met.zone[2] - comes.s) / max(comes.speed, 0.1)
            if left < 0.35:
                comes.command = -6.0
            if stage.now > self._began_s + _GIVE_UP_S:
                _let_go(self._met)
                return True
            return False
        return stands_until_cleared(stage, [turner, comes], self._rest, self._cleared_s)


@dataclass(slots=True)
class NearMiss:
    """The turning car gets through with less than a second left."""

    kind: str = "near_miss"
    _met: _Meeting | None = None
    _began_s: float = 0.0
    _left_s: float | None = None
    _cleared_s: float | None = None
    _rest: dict[int, float] = field(default_factory=dict)

    def ready(self, stage: Stage) -> bool:
        """A pair whose paths can be made to meet nearly."""
        self._met = _meeting(stage, stage.rng.uniform(*_PET_S))
        if self._met is None:
            return False
        self._began_s = stage.now
        _set_going(self._met)
        return True

    def step(self, stage: Stage) -> bool:
        """Post-encroachment time: from the one's leaving the shared place to the other's coming."""
        if self._met is None:
            return True
        turner, comes, (_, a1, b0, _) = self._met.turner, self._met.comes, self._met.zone
        if self._left_s is None and turner.rear_s >= a1:
            self._left_s = stage.now
        if comes.s >= b0 and self._left_s is not None and turner.slide is None:
            value = stage.now - self._left_s
            stage.note("near_miss", stage.now, comes, other=turner.id, value=value, unit="s")
            _let_go(self._met)
            return True
        if turner.slide is not None:  # it did not miss
            if self._cleared_s is None:
                self._cleared_s = stage.now + stage.rng.uniform(*CLEARED_S)
            return stands_until_cleared(stage, [turner, comes], self._rest, self._cleared_s)
        if stage.now > self._began_s + _GIVE_UP_S:
            _let_go(self._met)
            return True
        return False


def _set_going(met: _Meeting) -> None:
    met.turner.busy = met.comes.busy = met.turner.reckless = True
    met.turner.command, met.comes.command = met.accel, 0.0


def _let_go(met: _Meeting) -> None:
    for rider in (met.turner, met.comes):
        rider.command, rider.reckless, rider.busy = None, False, False
