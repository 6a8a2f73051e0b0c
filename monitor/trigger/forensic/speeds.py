"""How fast each of two that met went: just before, and before it slowed if it did. Pure."""

from __future__ import annotations

from typing import Final

import numpy as np

from monitor.trigger.forensic.ways import VELOCITY_S, Array, Pixels, Way, size
from monitor.trigger.ground import GroundPlane
from monitor.trigger.speed import Speed, scale_spread, speed_told

_STEP_S: Final = 0.05
_LEAST: Final = 0.25  # of the way to the horizon is left below the corners
_LOW, _HIGH = 0.2, 0.7
"""How high on a body, as shares of its box, its corners may lie on the average."""


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
    velocity = velocity / plane.metres_per_unit
    off = way.velocities[np.abs(way.times_s - at_s) <= VELOCITY_S / 2] / plane.metres_per_unit
    box = way.boxes[int(np.abs(way.times_s - at_s).argmin())]
    spread = scale_spread(plane, (box[0] + box[2]) / 2, box[3], size(box), height_px)
    sigma = float(np.median(np.hypot(*(off - velocity).T)))
    if not way.by_corners:
        return speed_told(plane, float(np.hypot(*velocity)), sigma, spread)
    least, most = (_lowered(plane, box, velocity, share) for share in (_LOW, _HIGH))
    # Between the two anything is as likely: a twelfth of the square of their distance.
    sigma = float(np.hypot(sigma, (most - least) / np.sqrt(12.0)))
    return speed_told(plane, (least + most) / 2, sigma, spread)


def _lowered(plane: GroundPlane, box: Pixels, velocity: Array, share: float) -> float:
    """The ground speed of a body whose corners, ``share`` of its box above its foot, seem to lie
    at its foot and go at ``velocity`` there.

    Of points over one spot of the ground the higher move less up and down the picture, in
    proportion to their distance from the horizon, and sideways as the foot does.
    """
    foot = np.array([[(box[0] + box[2]) / 2, box[3]]])
    right, down, one = plane.homography[2].tolist()
    away = right * foot[0, 0] + down * box[3] + one  # goes with the rows below the horizon
    left = 1.0 - share * down * (box[3] - box[1]) / away
    back = np.linalg.inv(plane.homography)
    here = plane.to_ground(foot) - _STEP_S * velocity
    mapped = here @ back[:, :2].T + back[:, 2]
    moved = (foot - mapped[:, :2] / mapped[:, 2:3]) * (1.0, 1.0 / max(left, _LEAST))
    gone = plane.to_ground(foot) - plane.to_ground(foot - moved)
    return float(np.hypot(*gone[0])) / _STEP_S
