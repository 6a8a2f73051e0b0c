"""What is in sight and goes nowhere: a lamp that lit up, a door. For the tracker."""

from __future__ import annotations

import math
from typing import Final

from monitor.trigger.track import Track

DRIFT_PX_S: Final = 6.0
"""Slower is standing, as far as the flow of corners can tell."""
_FOR_S: Final = 1.0
_GROWS: Final = 1.5  # its area; what comes nearer grows
_REACH: Final = 0.5  # own sizes


def is_thing(track: Track, time_s: float) -> bool:
    """There for a while, and never farther than a part of its size."""
    still = math.hypot(*track.velocity) < DRIFT_PX_S
    near = track.reach_px < _REACH * track.box.size
    first = track.history[0]
    alike = track.box.area < _GROWS * first.width * first.height
    return still and near and alike and time_s - track.born_s >= _FOR_S
