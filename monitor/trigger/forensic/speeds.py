"""How fast each of two that met went: just before, and before it slowed if it did. Pure."""

from __future__ import annotations

import numpy as np

from monitor.trigger.forensic.ways import VELOCITY_S, Way, size
from monitor.trigger.ground import GroundPlane
from monitor.trigger.speed import Speed, scale_spread, speed_told


def speeds(
    way: Way, plane: GroundPlane, height_px: int, slowed: tuple[float, float] | None
) -> list[tuple[float, Speed]]:
    """Times in the window's seconds, and the speed around each; none where too little was seen.

    ``slowed``: since when it lost speed, as ``relations.slowing`` says it.
    """
    last_s = float(way.times_s[-1]) - VELOCITY_S / 2
    before_s = last_s if slowed is None else slowed[0] - VELOCITY_S / 2
    times = [last_s] if before_s >= last_s else [before_s, last_s]
    return [(at_s, found) for at_s in times if (found := _around(way, plane, height_px, at_s))]


def _around(way: Way, plane: GroundPlane, height_px: int, at_s: float) -> Speed | None:
    velocity = way.velocity(at_s)
    if velocity is None:
        return None
    off = np.hypot(*(way.velocities[np.abs(way.times_s - at_s) <= VELOCITY_S / 2] - velocity).T)
    box = way.boxes[int(np.abs(way.times_s - at_s).argmin())]
    spread = scale_spread(plane, (box[0] + box[2]) / 2, box[3], size(box), height_px)
    return speed_told(
        plane,
        float(np.hypot(*velocity)) / plane.metres_per_unit,
        float(np.median(off)) / plane.metres_per_unit,
        spread,
    )
