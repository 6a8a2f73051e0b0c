"""Which corners move as one body, where bodies are close together.

More strictly than ``impulse.group``, which asks of single changes of speed: neighbours are near
by the size of vehicles there, and what is too large for one vehicle is taken apart. Pure; called
by ``partners``.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from monitor.trigger.forensic.impulse import SPAN_S, Indices, Moment, components
from monitor.trigger.forensic.trajectories import Floats
from monitor.trigger.forensic.ways import corners_box, size
from monitor.trigger.ground import GroundPlane

_LEAST_CORNERS: Final = 3
_REACH: Final = 0.05  # of the width, between neighbouring corners of one body, at most
_REACH_SIZES: Final = 0.7  # and of a vehicle's size there
_ALIKE: Final = 0.25  # of the slower one's speed
_ALIKE_PX: Final = 5.0  # and this much, px/s at 640 wide
TOO_LARGE: Final = 1.4
"""Of a vehicle's size: a bus, or two that move alike."""

_STRICTER: Final = 0.75
_STRICTEST: Final = 0.35


def groups(moment: Moment, width: int, plane: GroundPlane, until_s: float) -> list[Indices]:
    """Corners that move, or stand, as one body, as places in the moment's arrays.

    What is too large for one vehicle is several: those are told apart more strictly.
    """
    usable = np.flatnonzero(moment.known_before & moment.own)
    found: list[Indices] = []
    waiting = [(usable, 1.0)]
    while waiting:
        members, share = waiting.pop()
        for body in _linked(moment, members, share, width, plane, until_s):
            box = corners_box(moment, body)
            if size(box) > TOO_LARGE * plane.vehicle_size_px(box[3]) and share > _STRICTEST:
                waiting.append((body, _STRICTER * share))
            else:
                found.append(body)
    return found


def _linked(
    moment: Moment,
    members: Indices,
    share: float,
    width: int,
    plane: GroundPlane,
    until_s: float,
) -> list[Indices]:
    """Those near each other and moving alike; ``share``: of what both usually mean."""
    if len(members) < _LEAST_CORNERS:
        return []
    places, velocities = moment.places[members], moment.before[members]
    usual = np.maximum(4.0, plane.size_slope * (places[:, 1] - plane.horizon_px))
    reach = share * np.minimum(_REACH * width, _REACH_SIZES * usual)
    speed = np.hypot(*velocities.T)
    limit = share * (_ALIKE * np.minimum(speed[:, None], speed[None, :]) + _ALIKE_PX * width / 640)
    alike = (_apart(places) < np.minimum(reach[:, None], reach[None, :])) & (
        _apart(velocities) < limit
    )
    if moment.time_s + SPAN_S <= until_s:  # what goes on alike is one body, before the contact
        known = moment.known_after[members]
        both = known[:, None] & known[None, :]
        alike &= ~both | (_apart(moment.after[members]) < limit)
    labels = components(alike)
    found = [members[labels == label] for label in np.unique(labels)]
    return [body for body in found if len(body) >= _LEAST_CORNERS]


def _apart(points: Floats) -> Floats:
    x, y = points[:, 0], points[:, 1]
    away: Floats = np.hypot(x[:, None] - x[None, :], y[:, None] - y[None, :])
    return away
