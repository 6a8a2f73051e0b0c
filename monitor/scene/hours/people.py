"""People on foot: where they come from, and how they cross with the signal.

The signal's plan is known beforehand, so a person's whole way is a timed path: along the
pavement to the kerb, a wait for the walk phase, across, and on. They start and end out of the
camera's sight, or so far away that they are a pixel.
"""

from __future__ import annotations

import itertools
import math
import random
from typing import Final

from monitor.scene.hours.network import CROSSWALKS
from monitor.scene.hours.users import Walker
from monitor.scene.pedestrians import Person, Waypoint
from monitor.scene.signals import SignalPlan

KERB_X_M: Final = 8.0  # where people wait, beside the kerb at 7 m
CROSSING_S: Final = 2.0 * 7.0 / 1.1  # the slowest need this long
_COATS: Final = (
    (58, 48, 44), (40, 60, 150), (120, 84, 40), (64, 110, 70), (150, 150, 156), (40, 140, 190),
    (92, 52, 96), (200, 205, 210), (60, 60, 190),
)  # fmt: skip
_TROUSERS: Final = ((44, 40, 38), (88, 62, 40), (70, 72, 78), (52, 58, 70))
_AWAY_X_M: Final = {-1: -48.0, 1: 34.0}  # beside the side road
_AWAY_Y_M: Final = {"near": -16.0, "far": 160.0}  # along the main road
_CORNER_Y_M: Final = {"near": 34.9, "far": 48.1}  # pavement of the side road


def dressed(rng: random.Random, number: int, path: tuple[Waypoint, ...], role: str = "") -> Person:
    """Somebody with a path."""
    return Person(
        number, rng.uniform(1.58, 1.88), rng.choice(_COATS), rng.choice(_TROUSERS), path, role
    )


def crossing(
    rng: random.Random, number: int, which: str, kerb_s: float, plan: SignalPlan, end_s: float
) -> Walker | None:
    """Somebody who reaches the kerb at ``kerb_s`` and crosses in the next walk phase.

    None where no walk phase is left before ``end_s``.
    """
    side = rng.choice((-1, 1))
    low, high = CROSSWALKS[which]
    y = rng.uniform(low + 0.5, high - 0.5)
    pace = rng.uniform(1.15, 1.6)
    goes = walk_start(kerb_s, pace, plan, end_s)
    if goes is None:
        return None
    waited = goes > kerb_s
    goes += rng.uniform(0.3, 1.8) if waited else 0.0
    there_s = goes + 2.0 * KERB_X_M / pace
    before = _pavement(rng, which, side, y)
    after = _pavement(rng, which, -side, y)
    path = [*_walked(before, kerb_s, pace, to_end=True)]
    if waited:
        path.append(Waypoint(goes, side * KERB_X_M, y))
    path += _walked(list(reversed(after)), there_s, pace, to_end=False)
    edge = (KERB_X_M - 7.0) / pace
    return Walker(
        dressed(rng, number, tuple(path)), path[0].time_s, path[-1].time_s, which,
        (goes + edge, there_s - edge),
    )  # fmt: skip


def strolling(rng: random.Random, number: int, start_s: float) -> Walker:
    """Somebody who stays on one corner's pavements."""
    which, side = rng.choice(("near", "far")), rng.choice((-1, 1))
    x = side * rng.uniform(8.0, 9.2)
    y = _CORNER_Y_M[which] + rng.uniform(-0.6, 0.6)
    spots = [(x, _AWAY_Y_M[which]), (x, y), (_AWAY_X_M[side], y)]
    if rng.random() < 0.5:
        spots.reverse()
    path = _walked(spots, start_s, rng.uniform(1.1, 1.6), to_end=False)
    return Walker(dressed(rng, number, tuple(path)), path[0].time_s, path[-1].time_s)


def walk_start(kerb_s: float, pace: float, plan: SignalPlan, end_s: float) -> float | None:
    """The first moment from ``kerb_s`` at which the phase left is enough to get across."""
    needs = 2.0 * 7.0 / pace + 1.5
    time_s = kerb_s
    while time_s < end_s:
        if plan.walk(time_s) and plan.walk(time_s + needs):
            return time_s
        time_s += 0.25
    return None


def _pavement(rng: random.Random, which: str, side: int, y: float) -> list[tuple[float, float]]:
    """From out of sight to the kerb of a crosswalk."""
    kerb = (side * KERB_X_M, y)
    walk_x = side * rng.uniform(8.1, 9.1)
    if rng.random() < 0.5:
        return [(walk_x, _AWAY_Y_M[which]), (walk_x, y), kerb]
    corner = _CORNER_Y_M[which] + rng.uniform(-0.6, 0.6)
    return [(_AWAY_X_M[side], corner), (walk_x, corner), (walk_x, y), kerb]


def _walked(
    spots: list[tuple[float, float]], at_s: float, pace: float, *, to_end: bool
) -> list[Waypoint]:
    """Timed at a pace, ending at ``at_s`` or beginning there."""
    legs = [math.dist(a, b) / pace for a, b in itertools.pairwise(spots)]
    time_s = at_s - sum(legs) if to_end else at_s
    path = [Waypoint(time_s, *spots[0])]
    for leg, spot in zip(legs, spots[1:], strict=True):
        time_s += leg
        path.append(Waypoint(time_s, *spot))
    return path
