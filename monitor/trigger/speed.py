"""A speed on the ground as it is told: metres a second with calibration, else vehicle sizes.

Without calibration no length in the picture is known in metres, so a speed is told in sizes of a
typical vehicle there per second (``ground``). The error carries on what the fit does not know:
the scale at the body's foot. Used by the second look.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from monitor.trigger.ground import GroundPlane
from monitor.trigger.moment import HORIZON_SHARE

_FOOT_SHARE: Final = 0.1
"""Of a body's size: how far its lowest row is from where it stands, one standard deviation."""


@dataclass(frozen=True, slots=True)
class Speed:
    """``uncertainty`` is one standard deviation, in ``unit``: ``m/s`` or ``sizes/s``."""

    value: float
    unit: str
    uncertainty: float

    @property
    def strength(self) -> float:
        """1 where it is exact, a half where it may be off by itself."""
        return self.value / (self.value + self.uncertainty) if self.value > 0.0 else 0.5


def scale_spread(
    plane: GroundPlane, x_px: float, y_px: float, size_px: float, height_px: int
) -> float:
    """Share by which lengths on the ground may be wrong for a body whose foot is there.

    By its foot, which is off by a part of its size: half of how much the scale differs between
    a little above it and a little below. Without calibration by the horizon too, which is learned.
    """
    off = max(1.0, _FOOT_SHARE * size_px)
    above = max(plane.horizon_px + 1.0, y_px - off)
    far, near = plane.metres_per_px(x_px, above), plane.metres_per_px(x_px, y_px + off)
    foot = abs(far - near) / max(far + near, 1e-9)
    if plane.calibrated:
        return min(1.0, foot)
    below = max(1.0, y_px - plane.horizon_px)
    return min(1.0, math.hypot(foot, 2.0 * HORIZON_SHARE * height_px / below))


def speed_told(plane: GroundPlane, units_s: float, sigma_units_s: float, spread: float) -> Speed:
    """Of a speed in the plane's units and its error; ``spread``: the scale's, as a share."""
    sigma = math.hypot(sigma_units_s, spread * units_s)
    if plane.calibrated:
        return Speed(plane.metres(units_s), "m/s", plane.metres(sigma))
    return Speed(units_s, "sizes/s", sigma)
