"""The ways through the junction: every movement as one path from far away to far away.

A route is a line with a step of half a metre; ``s`` is the front bumper's metres along it. Routes
that begin in the same lane share ``s`` until they part. Where two routes cross or merge inside
the junction, ``conflict`` says from which ``s`` to which on either. Arithmetic only, computed
once per process.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final

import numpy as np

from monitor.scene import layout
from monitor.scene.camera import Array

STEP_M: Final = 0.5
CAR_APART_M: Final = 2.7  # between the middles of two paths: two cars have room
CYCLE_APART_M: Final = 1.9
PASSING_APART_M: Final = 1.5  # of a cyclist and a car that drive side by side
CYCLE_OFFSET_M: Final = {"main": -1.38, "side": -1.8}  # cyclists keep to the kerb
LEFT_RADIUS_M: Final = 11.0
RIGHT_RADIUS_M: Final = {"main": 6.5, "side": 5.0}


class Turn(StrEnum):
    """What a route does at the junction."""

    STRAIGHT = "straight"
    LEFT = "left"
    RIGHT = "right"


# Approach lane: group, where it begins, its direction, the stop line's coordinate.
_APPROACH: Final[dict[str, tuple[str, tuple[float, float], tuple[int, int], float]]] = {
    "out_right": ("main", (5.25, -110.0), (0, 1), 27.8),
    "out_left": ("main", (1.75, -110.0), (0, 1), 27.8),
    "in_right": ("main", (-5.25, 250.0), (0, -1), 55.0),
    "in_left": ("main", (-1.75, 250.0), (0, -1), 55.0),
    "side_east": ("side", (-110.0, 39.0), (1, 0), -layout.CROSS_LINE_M),
    "side_west": ("side", (110.0, 44.0), (-1, 0), layout.CROSS_LINE_M),
}
_EXIT_END: Final = {
    "out_right": 250.0, "out_left": 250.0, "in_right": -60.0, "in_left": -60.0,
    "side_east": 100.0, "side_west": -100.0,
}  # fmt: skip
_EXIT_BEGIN: Final = {
    "out_right": 54.0, "out_left": 54.0, "in_right": 29.0, "in_left": 29.0,
    "side_east": 11.5, "side_west": -11.5,
}  # fmt: skip
_TURNS: Final[tuple[tuple[str, str, Turn], ...]] = (
    ("out_right", "out_right", Turn.STRAIGHT), ("out_right", "side_east", Turn.RIGHT),
    ("out_left", "out_left", Turn.STRAIGHT), ("out_left", "side_west", Turn.LEFT),
    ("in_right", "in_right", Turn.STRAIGHT), ("in_right", "side_west", Turn.RIGHT),
    ("in_left", "in_left", Turn.STRAIGHT), ("in_left", "side_east", Turn.LEFT),
    ("side_east", "side_east", Turn.STRAIGHT), ("side_east", "in_right", Turn.RIGHT),
    ("side_east", "out_left", Turn.LEFT),
    ("side_west", "side_west", Turn.STRAIGHT), ("side_west", "out_right", Turn.RIGHT),
    ("side_west", "in_left", Turn.LEFT),
)  # fmt: skip
WRONG_WAY: Final = "in_left:wrong"
PARALLEL: Final = {
    "out_right": "out_left", "out_left": "out_right",
    "in_right": "in_left", "in_left": "in_right",
}  # fmt: skip
CROSSWALKS: Final = {"near": layout.NEAR_CROSSWALK_Y_M, "far": layout.FAR_CROSSWALK_Y_M}


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """One path. ``xs``, ``ys``, ``headings`` by half metres; plain lists, read one at a time."""

    id: str
    lane: str
    exit: str
    turn: Turn
    group: str
    stop_s: float
    exit_s: float
    turn_s: tuple[float, float]  # where it curves
    xs: list[float]
    ys: list[float]
    headings: list[float]
    points: Array  # (n, 2)
    crosswalks: tuple[tuple[str, float, float], ...]  # which, from, to
    cycle: bool = False

    @property
    def length_m(self) -> float:
        return (len(self.xs) - 1) * STEP_M

    def at(self, s: float, offset: float = 0.0) -> tuple[float, float, float]:
        """x, y and heading of a place, ``offset`` metres to the left of the path."""
        place = min(max(s / STEP_M, 0.0), len(self.xs) - 1.001)
        i = int(place)
        share = place - i
        heading = self.headings[i] + (self.headings[i + 1] - self.headings[i]) * share
        x = self.xs[i] + (self.xs[i + 1] - self.xs[i]) * share - offset * math.sin(heading)
        y = self.ys[i] + (self.ys[i + 1] - self.ys[i]) * share + offset * math.cos(heading)
        return x, y, heading

    def s_near(self, x: float, y: float) -> float:
        """Where on the path is nearest to a point."""
        gap = (self.points[:, 0] - x) ** 2 + (self.points[:, 1] - y) ** 2
        return float(gap.argmin()) * STEP_M


@cache
def routes() -> dict[str, Route]:
    """All movements of cars, and of cyclists (``<id>/cycle``)."""
    made = [_route(lane, leaves, turn) for lane, leaves, turn in _TURNS]
    cycles = [
        _shifted(route)
        for route in made
        if route.turn is Turn.STRAIGHT and not route.lane.endswith("_left")
    ]
    return {route.id: route for route in (*made, *cycles, _wrong_way())}


def _route(lane: str, leaves: str, turn: Turn) -> Route:
    group, start, ahead, stop_at = _APPROACH[lane]
    after = _APPROACH[leaves][2]
    stop_s = abs(stop_at - (start[1] if ahead[1] else start[0]))
    path = [np.array(start, np.float64)]
    end = np.array(_APPROACH[leaves][1], np.float64)
    end[1 if after[1] else 0] = _EXIT_END[leaves]
    corner = np.array([end[0] if ahead[0] else start[0], start[1] if ahead[0] else end[1]])
    if turn is Turn.STRAIGHT:
        path.append(end)
        curve = (math.inf, math.inf)
    else:
        radius = LEFT_RADIUS_M if turn is Turn.LEFT else RIGHT_RADIUS_M[group]
        before = corner - radius * np.array(ahead)
        middle = before + radius * np.array(after)
        for angle in np.linspace(0.0, math.pi / 2.0, 25):
            path.append(
                middle
                - radius * math.cos(angle) * np.array(after)
                + radius * math.sin(angle) * np.array(ahead)
            )
        path.append(end)
        begins = float(np.abs(before - path[0]).sum())
        curve = (begins, begins + radius * math.pi / 2.0)
    points = _even(np.array(path))
    axis = 1 if after[1] else 0
    passed = (points[:, axis] - _EXIT_BEGIN[leaves]) * after[axis] >= 0.0
    begun = np.arange(len(points)) * STEP_M > stop_s
    exit_s = float(np.flatnonzero(passed & begun)[0]) * STEP_M
    return _finished(f"{lane}:{turn}", lane, leaves, turn, group, stop_s, exit_s, curve, points)


def _wrong_way() -> Route:
    """From afar, over the centre line in the junction, and on against the outbound lane."""
    right = routes_straight("in_left")
    path = np.array([(-1.75, 250.0), (-1.75, 52.0)])
    share = np.linspace(0.0, 1.0, 21)[1:]
    bend = np.stack([-1.75 * np.cos(math.pi * share), 52.0 - 22.0 * share], axis=1)
    points = _even(np.concatenate([path, bend, np.array([(1.75, -60.0)])]))
    return _finished(WRONG_WAY, "in_left", "wrong", Turn.STRAIGHT, "main", right.stop_s,
                     right.exit_s, (math.inf, math.inf), points)  # fmt: skip


def routes_straight(lane: str) -> Route:
    """The way straight on from a lane."""
    return _route(lane, lane, Turn.STRAIGHT)


def _even(path: Array) -> Array:
    legs = np.hypot(*np.diff(path, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(legs)])
    places = np.arange(0.0, along[-1], STEP_M)
    return np.stack([np.interp(places, along, path[:, k]) for k in (0, 1)], axis=1)


def _finished(
    name: str, lane: str, leaves: str, turn: Turn, group: str, stop_s: float, exit_s: float,
    curve: tuple[float, float], points: Array, cycle: bool = False,
) -> Route:  # fmt: skip
    ahead = np.diff(points, axis=0, append=points[-1:] * 2 - points[-2:-1])
    headings = np.unwrap(np.arctan2(ahead[:, 1], ahead[:, 0]))
    walks = []
    for which, (low, high) in CROSSWALKS.items():
        on = (points[:, 1] > low) & (points[:, 1] < high) & (np.abs(points[:, 0]) < 7.0)
        if on.any():
            places = np.flatnonzero(on) * STEP_M
            walks.append((which, float(places[0]), float(places[-1])))
    return Route(
        name, lane, leaves, turn, group, stop_s, exit_s, curve, points[:, 0].tolist(),
        points[:, 1].tolist(), headings.tolist(), points,
        tuple(sorted(walks, key=lambda walk: walk[1])), cycle,
    )  # fmt: skip


def _shifted(route: Route) -> Route:
    heading = np.array(route.headings)
    left = np.stack([-np.sin(heading), np.cos(heading)], axis=1)
    points = route.points + CYCLE_OFFSET_M[route.group] * left
    return _finished(
        f"{route.id}/cycle", f"{route.lane}/cycle", f"{route.exit}/cycle", route.turn, route.group,
        route.stop_s, route.exit_s, route.turn_s, points, cycle=True,
    )  # fmt: skip


@cache
def conflict(first: str, second: str) -> tuple[float, float, float, float] | None:
    """Where two routes come too close in the junction: from and to on the first, on the second.

    None where they never do, and for two routes of one lane (there one follows the other).
    """
    a, b = routes()[first], routes()[second]
    same_road = a.lane.removesuffix("/cycle") == b.lane.removesuffix("/cycle")
    if same_road and (a.cycle == b.cycle or a.turn is b.turn):
        return None
    if same_road and Turn.RIGHT not in (a.turn, b.turn):
        return None
    apart = CYCLE_APART_M if a.cycle or b.cycle else CAR_APART_M
    margin = 0.5
    if same_road:  # side by side up to where one turns off
        apart = PASSING_APART_M
        margin = max(0.5, min(a.turn_s[0] - a.stop_s, b.turn_s[0] - b.stop_s))
    pa, pb = _junction(a, margin), _junction(b, margin)
    gap = np.hypot(
        a.points[pa, 0][:, None] - b.points[pb, 0], a.points[pa, 1][:, None] - b.points[pb, 1]
    )
    near = gap < apart
    if not near.any():
        return None
    ia, ib = pa[near.any(axis=1)], pb[near.any(axis=0)]
    return (
        float(ia[0] * STEP_M), float(ia[-1] * STEP_M), float(ib[0] * STEP_M),
        float(ib[-1] * STEP_M),
    )  # fmt: skip


def _junction(route: Route, margin: float) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    return np.arange(int((route.stop_s + margin) / STEP_M), int((route.exit_s + 3.0) / STEP_M))


@cache
def part_s(first: str, second: str) -> float:
    """``s`` from which two routes of one lane are far enough apart for cars to pass."""
    a, b = routes()[first], routes()[second]
    if a is b:
        return math.inf
    count = min(len(a.points), len(b.points))
    apart = np.hypot(*(a.points[:count] - b.points[:count]).T) > CAR_APART_M - 0.3
    return float(np.argmax(apart)) * STEP_M if apart.any() else math.inf
