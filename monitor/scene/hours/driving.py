"""What everybody on the road decides at one step: follow, stop, give way, pass.

Car following is the model of ``monitor.scene.driver``; right of way is gap acceptance: who must
give way waits before the place where the paths meet unless it is clear of it before the other
gets there.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from monitor.scene.driver import Driver, free_acceleration, idm_acceleration
from monitor.scene.hours.network import Turn, conflict, part_s
from monitor.scene.hours.users import Rider, Walker
from monitor.scene.signals import Aspect, SignalPlan

SIGHT_M: Final = 120.0
MERGE_M: Final = 12.0  # before an exit, who comes from elsewhere is followed too
AMBER_DECEL: Final = 1.65  # who would need more goes on
STOP_SHORT_M: Final = 1.2
TURN_SPEED: Final = {Turn.LEFT: 6.2, Turn.RIGHT: 4.3}
GENTLE_DECEL: Final = 1.5
BOX_SPEED: Final = 4.5  # m/s, at least, of who clears the junction, for judging gaps
GAP_S: Final = 1.6  # left over between two that cross
WALK_GAP_S: Final = 1.2
STALEMATE_S: Final = 2.5
_RANK: Final = {Turn.STRAIGHT: 2, Turn.RIGHT: 1, Turn.LEFT: 0}


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Something on the ground that is not on a route: a wreck, a person on the roadway."""

    key: int
    x: float
    y: float
    radius_m: float


def leader_gap(
    rider: Rider, lane: Sequence[Rider], position: int, leaving: Sequence[Rider]
) -> tuple[tuple[float, float] | None, tuple[float, float] | None]:
    """Gap and speed of who is ahead: in the lane, and coming into the same exit. None: nobody.

    ``lane`` is sorted foremost first; ``position`` is the rider's own. ``leaving`` are those on
    the same exit who are past their stop line.
    """
    best: tuple[float, float] | None = None
    merging: tuple[float, float] | None = None
    for other in reversed(lane[:position]):
        gap = other.rear_s - rider.s
        if gap > SIGHT_M:
            break
        ghost = other.route.lane != rider.route.lane
        if ghost or other.rear_s < part_s(rider.route.id, other.route.id):
            best = (gap, other.speed)
            break
    own = rider.s - rider.route.exit_s
    if rider.past_line and own > -MERGE_M:
        for other in leaving:
            if other is rider or other.route.lane == rider.route.lane:
                continue
            there = other.s - other.route.exit_s
            gap = there - other.length_m - own
            if there > own and (merging is None or gap < merging[0]):
                merging = (gap, other.speed)
    return best, merging


def follow(driver: Driver, speed: float, ahead: tuple[float, float] | None) -> float:
    """The acceleration that car following asks for."""
    if ahead is None:
        return free_acceleration(driver, speed)
    return idm_acceleration(driver, speed, ahead[0], speed - ahead[1])


def to_stop(driver: Driver, speed: float, distance_m: float) -> float:
    """The acceleration that ends at a line, gently where there is room."""
    standing = replace(driver, standstill_gap_m=STOP_SHORT_M)
    command = idm_acceleration(standing, speed, distance_m, speed)
    gentle = speed**2 / (2.0 * max(distance_m - STOP_SHORT_M, 0.15))
    return max(command, -1.2 * gentle - 0.15)


def held_by_signal(rider: Rider, plan: SignalPlan, time_s: float) -> bool:
    """Whether the signal holds the rider; a decision at amber is kept."""
    distance = rider.route.stop_s - rider.s
    if distance < 0.0 or plan.of(rider.route.group, time_s) is Aspect.GREEN:
        return False
    return rider.held or can_stop(rider, distance)


def can_stop(rider: Rider, distance_m: float) -> bool:
    """Whether gentle braking is enough."""
    room = max(distance_m - STOP_SHORT_M, 0.01)
    return rider.speed < 0.3 or rider.speed**2 / (2.0 * room) <= AMBER_DECEL


def curve_limit(rider: Rider) -> float:
    """The speed that the curve ahead allows here, m/s."""
    if rider.route.turn is Turn.STRAIGHT:
        return math.inf
    begins, ends = rider.route.turn_s
    if rider.s > ends + 0.6 * rider.length_m:
        return math.inf
    return math.sqrt(
        TURN_SPEED[rider.route.turn] ** 2 + 2.0 * GENTLE_DECEL * max(begins - rider.s, 0.0)
    )


def _time_to(speed: float, distance_m: float, floor: float) -> float:
    return distance_m / max(speed, floor) if distance_m > 0.0 else 0.0


def must_wait_at(
    rider: Rider, others: Iterable[Rider], plan: SignalPlan, time_s: float
) -> float | None:
    """Where along its route the rider has to wait for somebody with right of way, or None."""
    nearest: float | None = None
    for other in others:
        if other is rider or other.slide is not None:
            continue
        zone = conflict(rider.route.id, other.route.id)
        if zone is None:
            continue
        a0, a1, b0, b1 = zone
        if rider.s >= a0 or other.rear_s > b1 or (nearest is not None and a0 >= nearest):
            continue
        inside = other.s > b0
        if not inside and _both_wait(rider, other, time_s):
            continue
        if not inside and (_goes_first(rider, other) or _waits(other, plan, time_s)):
            continue
        arrives = _time_to(rider.speed, a0 - rider.s, 1.0)
        clear = _time_to(rider.speed, a1 + rider.length_m - rider.s, BOX_SPEED)
        comes = _time_to(other.speed, b0 - other.s, 2.0)
        leaves = _time_to(other.speed, b1 + other.length_m - other.s, 2.0)
        if comes < clear + GAP_S and leaves > arrives - 0.6:
            nearest = a0
    return nearest


def _both_wait(rider: Rider, other: Rider, time_s: float) -> bool:
    """Three that wait for one another in a ring would wait for ever: somebody goes."""
    if rider.standing_since_s is None or other.standing_since_s is None:
        return False
    return time_s - max(rider.standing_since_s, other.standing_since_s) > STALEMATE_S


def _goes_first(rider: Rider, other: Rider) -> bool:
    """Right of way of two who are both not yet where their paths meet."""
    if rider.route.group == other.route.group:
        mine, theirs = _rank(rider), _rank(other)
        return mine > theirs or (mine == theirs and rider.entered_s < other.entered_s)
    return rider.entered_s < other.entered_s


def _rank(rider: Rider) -> int:
    return _RANK[rider.route.turn] + (1 if rider.kind == "cycle" else 0)


def _waits(other: Rider, plan: SignalPlan, time_s: float) -> bool:
    """Whether a signal keeps the other away."""
    if other.reckless or other.past_line:
        return False
    aspect = plan.of(other.route.group, time_s)
    return other.held or (aspect is not Aspect.GREEN and other.speed < 1.0) or aspect is Aspect.RED


def walkers_at(rider: Rider, walkers: Iterable[Walker], time_s: float) -> float | None:
    """Where to wait for people on a crosswalk, or None."""
    for which, begins, ends in rider.route.crosswalks:
        if rider.s > begins:
            continue
        if begins - rider.s > 40.0:
            return None
        lane_x = rider.route.at((begins + ends) / 2.0)[0]
        clear = _time_to(rider.speed, ends + rider.length_m - rider.s, BOX_SPEED) + WALK_GAP_S
        for walker in walkers:
            if walker.crosswalk != which:
                continue
            starts, over = walker.crosses_s
            if not starts - 1.5 <= time_s <= over:
                continue
            state = walker.state
            apart = lane_x - state.x
            towards = apart * math.cos(state.heading) > 0.0
            if abs(apart) < (1.6 if walker.waits else 2.6):
                return begins
            soon = abs(apart) / 1.3 < clear + max(0.0, starts - time_s)
            if towards and soon and not walker.waits:
                return begins
    return None


def obstacle_gap(rider: Rider, obstacles: Iterable[Obstacle]) -> float | None:
    """Metres to the first thing that stands in the rider's way."""
    route, nearest = rider.route, None
    first = int(rider.s / 0.5)
    ahead = route.points[first : first + 130]
    half = rider.spec.width_m / 2.0
    for obstacle in obstacles:
        if obstacle.key == rider.id:
            continue
        dx, dy = ahead[:, 0] - obstacle.x, ahead[:, 1] - obstacle.y
        distance = dx * dx + dy * dy
        if not len(distance):
            continue
        at = int(distance.argmin())
        heading = route.headings[min(first + at, len(route.headings) - 1)]
        across = -dx[at] * -math.sin(heading) - dy[at] * math.cos(heading) - rider.offset
        if distance[at] > 36.0 or abs(across) > half + obstacle.radius_m + 0.25:
            continue
        gap = at * 0.5 - obstacle.radius_m
        if gap > -1.0 and (nearest is None or gap < nearest):
            nearest = max(gap, 0.05)
    return nearest
