"""How much of its momentum a body lost or turned, and what that weighs; for both fast cues."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from monitor.trigger.fast.trail import Array

BORDER: Final = 0.05  # of the width: nothing is predicted across the picture's edge
_MOST: Final = 1.25
_TYPICAL: Final = 8  # features of a body
_MOST_FEATURES: Final = 1.5


def change_of(present: Array, velocity: Array, speed: float, between: tuple[float, float]) -> float:
    """The share of ``velocity`` (2,) that ``present`` (2,) has lost or turned.

    What lies ``between`` two multiples of the old velocity is perspective or easing, and plain
    speeding up is no impulse.
    """
    x, y = velocity.tolist()
    now_x, now_y = present.tolist()
    share = (now_x * x + now_y * y) / speed**2
    kept = min(max(share, between[0]), between[1])
    jump_x, jump_y = now_x - kept * x, now_y - kept * y
    along = max(0.0, (jump_x * x + jump_y * y) / speed) / speed
    return math.hypot(jump_x - along * x, jump_y - along * y) / speed


def weight_of(features: int, change: float, least: float) -> float:
    """What a change above ``least``, seen on so many features, counts."""
    return min(_MOST_FEATURES, math.sqrt(features / _TYPICAL)) * (min(_MOST, change) - least)


def inside(points: Array, width: int, height: int) -> npt.NDArray[np.bool_]:
    """Which of ``points`` (n, 2) are away from the picture's edge."""
    border = BORDER * width
    x, y = points[:, 0], points[:, 1]
    return (x > border) & (x < width - border) & (y > border) & (y < height - border)
