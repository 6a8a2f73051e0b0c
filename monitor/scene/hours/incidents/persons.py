"""People and cyclists in danger: run over, brushed off the bicycle, or just in the way."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from monitor.scene.hours.incidents.braking import stands_until_cleared
from monitor.scene.hours.incidents.stage import CLEARED_S, Stage, drive_off, remove_walker
from monitor.scene.hours.people import KERB_X_M, dressed
from monitor.scene.hours.users import Rider, Sideways, Walker
from monitor.scene.pedestrians import Waypoint

_RUNS: Final = (2.0, 2.6)  # m/s, of who runs into the road
_WALKS: Final = (1.2, 1.5)
_COMES_Y_M: Final = -15.0  # out of the picture, below
_SPOT_Y_M: Final = (9.0, 17.0)
_WAITS_S: Final = 400.0
_SEEN: Final = {"out": ((-18.0, 20.0), (50.0, 66.0)), "in": ((55.0, 84.0), (8.0, 36.0))}
_HALF_WAY_S: Final = 2.2  # at least, on the centre line
_CLEAR_S: Final = 4.2  # a gap that somebody thinks enough for half the road


def _comes_to_kerb(stage: Stage, side: int, y: float) -> Walker:
    """Somebody walks up the pavement and waits at the kerb."""
    demand = stage.town.demand
    pace = stage.rng.uniform(*_WALKS)
    there_s = stage.now + (y - _COMES_Y_M) / pace
    x = side * (KERB_X_M + 0.1)
    path = (
        Waypoint(stage.now, x, _COMES_Y_M), Waypoint(there_s, x, y),
        Waypoint(there_s + _WAITS_S, x, y),
    )  # fmt: skip
    walker = Walker(
        dressed(stage.rng, demand.fresh_id(), path, "steps_out"), stage.now, there_s + _WAITS_S,
        lawful=False,
    )  # fmt: skip
    stage.town.walkers.append(walker)
    return walker


def _waits(walker: Walker, stage: Stage) -> bool:
    return stage.now >= walker.person.path[1].time_s


def _goes(walker: Walker, stage: Stage, points: list[tuple[float, float, float]]) -> None:
    """From where they stand, through (seconds from now, x, y)."""
    now = stage.now
    path = [Waypoint(now, walker.state.x, walker.state.y)]
    path += [Waypoint(now + after, x, y) for after, x, y in points]
    walker.person = replace(walker.person, path=tuple(path))
    walker.until_s = path[-1].time_s


def _walks_away(walker: Walker, stage: Stage) -> None:
    x, y = walker.state.x, walker.state.y
    _goes(walker, stage, [((y - _COMES_Y_M) / 1.4, x, _COMES_Y_M)])


@dataclass(slots=True)
class PedestrianStruck:
    """Somebody runs into the road right before a car."""

    kind: str = "pedestrian_struck"
    _walker: Walker | None = None
    _rider: Rider | None = None
    _began_s: float = 0.0
    _cleared_s: float | None = None
    _on_road: bool = False
    _rest: dict[int, float] = field(default_factory=dict)

    def ready(self, stage: Stage) -> bool:
        """Waits at the kerb for a car in the nearest lane."""
        if self._walker is None:
            side = stage.rng.choice((-1, 1))
            self._walker = _comes_to_kerb(stage, side, stage.rng.uniform(*_SPOT_Y_M))
        walker = self._walker
        if not _waits(walker, stage):
            return False
        x, y = walker.state.x, walker.state.y
        lane = "out_right" if x > 0 else "in_right"
        pace = stage.rng.uniform(*_RUNS)
        for rider in stage.town.riders:
            here = rider.route.exit if rider.past_line else rider.route.lane
            if rider.kind != "car" or here != lane or rider.busy or rider.slide is not None:
                continue
            meets_s = rider.route.s_near(x, y)
            takes_s = (abs(x) - 5.25 - 0.2) / pace
            arrives_s = (meets_s - rider.s) / max(rider.speed, 0.1)
            if rider.speed > 6.5 and 0.0 < arrives_s - takes_s < 0.12 and rider.sideways is None:
                self._rider, self._began_s = rider, stage.now
                rider.busy, rider.reckless, rider.command = True, True, 0.0
                _goes(walker, stage, [(2.0 * KERB_X_M / pace, -x, y)])
                return True
        return False

    def step(self, stage: Stage) -> bool:
        """Contact, a fall, a car that stops; helped away after a while."""
        walker, rider = self._walker, self._rider
        if walker is None or rider is None:
            return True
        if walker.state.on_road and not self._on_road:
            self._on_road = True
            stage.note("pedestrian_in_road", stage.now, walker)
        if self._cleared_s is None:
            if walker.lies:
                self._cleared_s = stage.now + stage.rng.uniform(*CLEARED_S)
            elif stage.now > self._began_s + 4.0:
                drive_off(stage, rider)
                return True
            return False
        if rider.speed <= 0.0:
            rider.command = -1.0
        if stands_until_cleared(stage, [rider], self._rest, self._cleared_s):
            remove_walker(stage, walker)
            return True
        return False


@dataclass(slots=True)
class PedestrianInRoad:
    """Somebody crosses where it is not allowed, half and half; cars give way."""

    kind: str = "pedestrian_in_road"
    _walker: Walker | None = None
    _half_s: float | None = None
    _pace: float = 1.3
    _noted: bool = False
    _second: bool = False

    def ready(self, stage: Stage) -> bool:
        """Waits at the kerb for a gap in the nearer lanes."""
        if self._walker is None:
            side = stage.rng.choice((-1, 1))
            self._walker = _comes_to_kerb(stage, side, stage.rng.uniform(*_SPOT_Y_M))
            self._pace = stage.rng.uniform(*_WALKS)
        walker = self._walker
        if not _waits(walker, stage) or not _clear(stage, walker, walker.state.x > 0):
            return False
        takes_s = abs(walker.state.x) / self._pace
        self._half_s = stage.now + takes_s
        _goes(walker, stage, [(takes_s, 0.0, walker.state.y), (_WAITS_S, 0.0, walker.state.y)])
        return True

    def step(self, stage: Stage) -> bool:
        """To the centre line, a wait there, and on."""
        walker = self._walker
        if walker is None or self._half_s is None:
            return True
        if walker.lies:
            return True
        if walker.state.on_road and not self._noted:
            self._noted = True
            stage.note("pedestrian_in_road", stage.now, walker)
        if not self._second:
            start_x = walker.person.path[0].x
            if stage.now < self._half_s + _HALF_WAY_S or not _clear(stage, walker, start_x < 0):
                return False
            self._second = True
            y, x = walker.state.y, -start_x
            takes_s = abs(x) / self._pace
            away_s = takes_s + (y - _COMES_Y_M) / self._pace
            _goes(walker, stage, [(takes_s, x, y), (away_s, x, _COMES_Y_M)])
        return not walker.state.on_road


def _clear(stage: Stage, walker: Walker, right_side: bool) -> bool:
    """Nobody comes soon in the two lanes on one side."""
    lanes = ("out_right", "out_left") if right_side else ("in_right", "in_left")
    for rider in stage.town.riders:
        here = (rider.route.exit if rider.past_line else rider.route.lane).removesuffix("/cycle")
        if here not in lanes or rider.slide is not None:
            continue
        distance = rider.route.s_near(0.0, walker.state.y) - rider.s
        standing = rider.speed < 0.3 and distance > 2.0
        if not standing and -rider.length_m - 2.0 < distance < _CLEAR_S * max(rider.speed, 3.0):
            return False
    return True


@dataclass(slots=True)
class CyclistStruck:
    """A driver comes too close while passing a cyclist."""

    kind: str = "cyclist_struck"
    _asked: bool = False
    _pair: tuple[Rider, Rider] | None = None
    _began_s: float = 0.0
    _cleared_s: float | None = None
    _rest: dict[int, float] = field(default_factory=dict)

    def ready(self, stage: Stage) -> bool:
        """A car that comes up behind a cyclist."""
        if not self._asked:
            self._asked = True
            for road in ("out_right", "in_right"):
                stage.town.demand.hasten(f"{road}/cycle", stage.now)
        for rider in stage.drivers(6.5, _SEEN):
            lane = rider.route.exit if rider.past_line else rider.route.lane
            for cycle in stage.town.riders:
                if cycle.kind != "cycle" or cycle.busy or cycle.slide is not None:
                    continue
                there = cycle.route.exit if cycle.past_line else cycle.route.lane
                gap = cycle.rear_s - rider.s
                if there != f"{lane}/cycle" or not 2.0 < gap < 30.0:
                    continue
                closing = rider.speed - cycle.speed
                if closing < 2.5 or gap / closing > 4.0 or not stage.alone(rider, 1.0, 10.0):
                    continue
                takes_s = max(gap / closing * 0.9, 0.7)
                rider.busy = cycle.busy = rider.reckless = True
                rider.command, cycle.command = 0.0, 0.0
                rider.sideways = Sideways(stage.now, takes_s, rider.offset, -1.15)
                self._pair, self._began_s = (rider, cycle), stage.now
                return True
        return False

    def step(self, stage: Stage) -> bool:
        """Until they touch, then as after every contact."""
        if self._pair is None:
            return True
        rider, cycle = self._pair
        if self._cleared_s is None:
            if cycle.slide is not None:
                self._cleared_s = stage.now + stage.rng.uniform(*CLEARED_S)
            elif stage.now > self._began_s + 6.0:
                cycle.command, cycle.busy = None, False
                rider.sideways = Sideways(stage.now, 2.0, rider.offset, 0.0)
                rider.command, rider.busy, rider.reckless = None, False, False
                return True
            return False
        return stands_until_cleared(stage, [rider, cycle], self._rest, self._cleared_s)
