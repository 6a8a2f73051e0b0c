"""Sideways: room for cyclists, and lane changes round what stands in the way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from monitor.scene.hours.network import PARALLEL, Turn, routes
from monitor.scene.hours.users import Rider, Sideways
from monitor.scene.layout import LANE_WIDTH_M

if TYPE_CHECKING:
    from monitor.scene.hours.town import Town

CHANGE_S: Final = 3.6
ROOM_FOR_CYCLE_M: Final = 0.55
_CYCLE_AHEAD_M: Final = 22.0
_BLOCKED_S: Final = 2.0  # the one ahead stands this long, not at a signal


def beside(
    rider: Rider, lanes: dict[str, list[Rider]], exits: dict[str, list[Rider]]
) -> tuple[float, float] | None:
    """Gap and speed of a bus at its stop, which stands in a cyclist's way too."""
    name = rider.route.exit if rider.past_line else rider.route.lane
    group = exits if rider.past_line else lanes
    base = rider.route.exit_s if rider.past_line else 0.0
    best: tuple[float, float] | None = None
    for other in group.get(name.removesuffix("/cycle"), ()):
        if other.kind != "bus" or other.stop_at_s is None or other.stop_at_s - other.s > 25.0:
            continue
        there = other.rear_s - (other.route.exit_s if rider.past_line else 0.0)
        gap = there - (rider.s - base)
        if gap > 0.0 and (best is None or gap < best[0]):
            best = (gap, other.speed)
    return best


def passes(rider: Rider, ahead: tuple[float, float] | None, town: Town) -> None:
    """Begin to move sideways where there is reason and room; called once a step."""
    if rider.sideways is not None or rider.speed < 2.0 or rider.busy:
        return
    if ahead is not None and 8.0 < ahead[0] < 70.0 and ahead[1] < 0.5:
        _change_lane(rider, town)
        if rider.sideways is not None:
            return
    _give_cycle_room(rider, town)


def _give_cycle_room(rider: Rider, town: Town) -> None:
    """A little to the left while a cyclist is beside."""
    if rider.route.lane.endswith("_left") or rider.kind == "bus":
        return
    name = f"{rider.route.lane}/cycle"
    beside_cycle = any(
        rider.rear_s - 3.0 < cycle.s < rider.s + _CYCLE_AHEAD_M
        for cycle in town.lanes.get(name, ())
    )
    goal = ROOM_FOR_CYCLE_M if beside_cycle else 0.0
    if abs(rider.offset - goal) > 0.3 and rider.route.turn is Turn.STRAIGHT:
        rider.sideways = Sideways(town.time_s, 2.2, rider.offset, goal)


def _change_lane(rider: Rider, town: Town) -> None:
    target = PARALLEL.get(rider.route.lane)
    if target is None or rider.route.turn is not Turn.STRAIGHT or rider.kind == "bus":
        return
    junction = (rider.route.stop_s - 25.0, rider.route.exit_s)
    if junction[0] < rider.s < junction[1]:
        return
    blocker = _blocker(rider, town)
    if blocker is None:
        return
    route = routes()[f"{target}:{Turn.STRAIGHT}"]
    if not _room(rider, _on(route.exit if rider.past_line else target, rider, town)):
        return
    to_left = rider.route.lane.endswith("_right")
    start = (-LANE_WIDTH_M if to_left else LANE_WIDTH_M) + rider.offset
    rider.leaving, rider.route = rider.route, route
    rider.offset = start
    rider.sideways = Sideways(town.time_s, CHANGE_S, start, 0.0)


def _blocker(rider: Rider, town: Town) -> Rider | None:
    """Who stands ahead in the lane for another reason than a signal or a queue."""
    queue = [r for r in _on(_name(rider), rider, town) if r.s > rider.s]
    if not queue:
        return None
    foremost = min(queue, key=lambda r: r.rear_s)
    stands = foremost.standing_since_s
    if stands is None or town.time_s - stands < _BLOCKED_S or foremost.held:
        return None
    at_stop = foremost.stop_at_s is not None and foremost.dwell_until_s is not None
    return foremost if at_stop or foremost.hazards_since_s is not None else None


def _name(rider: Rider) -> str:
    return rider.route.exit if rider.past_line else rider.route.lane


def _on(name: str, rider: Rider, town: Town) -> Sequence[Rider]:
    """Who is on a lane, at the same side of the junction; ``s`` of parallel lanes agrees."""
    group = town.exits if rider.past_line else town.lanes
    return [
        r for r in group.get(name, ())
        if r is not rider and r.past_line == rider.past_line
        and (r.route.turn is Turn.STRAIGHT or not rider.past_line)
    ]  # fmt: skip


def _room(rider: Rider, target: Sequence[Rider]) -> bool:
    for other in target:
        ahead, behind = other.rear_s - rider.s, rider.rear_s - other.s
        if ahead < 0.0 and behind < 0.0:
            return False
        if 0.0 <= ahead < 7.0 + 2.2 * max(rider.speed - other.speed, 0.0):
            return False
        if 0.0 <= behind < 9.0 + 2.5 * max(other.speed - rider.speed, 0.0):
            return False
    return True
