"""From the picture to the road plane: metres where calibrated, else typical vehicle sizes.

Without calibration the camera is taken for a level-rolled pinhole of usual focal length whose
horizon and height follow from one observation: the size of vehicles grows linearly with their
row below the horizon (``growth``; before enough were followed, compared row by row here). Lengths
then come in units of a typical vehicle's size in the picture, ``sqrt(width * height)``, taken as
2.7 m where a physical limit has to be applied: from a mast, a car of 4.5 m x 1.8 m x 1.5 m covers
some 1.8 m x 2.8 m from behind and 4.5 m x 2 m from the side.
Ratios and times do not depend on that.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

import cv2
import numpy as np
import numpy.typing as npt

from monitor.config.models import GroundPoint
from monitor.trigger.growth import Growth

Array = npt.NDArray[np.float64]

METRES_PER_SIZE: Final = 2.7
_FOCAL_WIDTHS: Final = 1.0  # 53 degrees across: between a wide lens and a zoom
_BINS: Final = 12
_PER_BIN: Final = 40
_PRIOR_HORIZON: Final = -0.5  # picture heights; a mild perspective until sizes are seen
_PRIOR_WEIGHT: Final = 1.5  # vehicles
_NEVER: Final = 1e-12  # instead of nothing, for what lies on the horizon


@dataclass(frozen=True, slots=True)
class GroundPlane:
    """``homography`` maps picture pixels to the ground; ``metres_per_unit`` scales to metres."""

    homography: Array
    metres_per_unit: float
    calibrated: bool
    horizon_px: float
    size_slope: float  # vehicle size in pixels per row below the horizon

    def to_ground(self, points_px: Array) -> Array:
        """(n, 2) picture points to (n, 2) ground points, in units."""
        h = self.homography
        mapped = points_px @ h[:, :2].T + h[:, 2]
        result: Array = mapped[:, :2] / mapped[:, 2:3]
        return result

    def far_row(self, limit_m_per_px: float, width_px: int, height_px: int) -> int:
        """Above this row of the picture's middle a pixel reaches farther than the limit."""
        first = max(0, int(self.horizon_px) + 1)
        for row in range(first, height_px // 2, 4):
            if self.metres_per_px(width_px / 2, float(row)) <= limit_m_per_px:
                return row
        return height_px // 2

    def vehicle_size_px(self, row_px: float) -> float:
        """The size a typical vehicle has whose lowest point is on that row."""
        return max(4.0, self.size_slope * (row_px - self.horizon_px))

    def metres_per_px(self, x_px: float, y_px: float) -> float:
        """How far one pixel reaches on the ground there, in the worse direction."""
        x, y = self._place(x_px, y_px)
        right, below = self._place(x_px + 1.0, y_px), self._place(x_px, y_px + 1.0)
        return self.metres(
            max(math.hypot(right[0] - x, right[1] - y), math.hypot(below[0] - x, below[1] - y))
        )

    def _place(self, x_px: float, y_px: float) -> tuple[float, float]:
        """``to_ground`` of one point; for one, numpy's calls cost ten times their arithmetic."""
        a, b, c = self.homography.tolist()
        down = c[0] * x_px + c[1] * y_px + c[2] or _NEVER
        return (
            (a[0] * x_px + a[1] * y_px + a[2]) / down,
            (b[0] * x_px + b[1] * y_px + b[2]) / down,
        )

    def metres(self, units: float) -> float:
        return units * self.metres_per_unit


def calibrated_plane(
    points: Sequence[GroundPoint], width_px: int, height_px: int, learned: GroundPlane
) -> GroundPlane:
    """Metres from at least four points; sizes in the picture stay as learned."""
    image = np.array([(p.image[0] * width_px, p.image[1] * height_px) for p in points])
    ground = np.array([p.ground_m for p in points])
    homography, _ = cv2.findHomography(image, ground)
    if homography is None:
        return learned
    return GroundPlane(cast(Array, homography), 1.0, True, learned.horizon_px, learned.size_slope)


def pinhole_plane(
    horizon_px: float, size_slope: float, width_px: int, height_px: int
) -> GroundPlane:
    """The plane seen by a level-rolled pinhole above it.

    With tilt ``t`` below the horizon: down = (y - cy) cos t + f sin t, forward = f cos t -
    (y - cy) sin t; ground = camera height * ((x - cx) / down, -forward / down). One unit is
    ``size_slope * (y - horizon)`` pixels wide, hence the height cos t / size_slope.
    """
    focal, cx, cy = _FOCAL_WIDTHS * width_px, width_px / 2, height_px / 2
    tilt = math.atan((cy - horizon_px) / focal)
    c, s = math.cos(tilt), math.sin(tilt)
    height = c / size_slope
    homography = np.array(
        [
            [height, 0.0, -height * cx],
            [0.0, height * s, -height * (focal * c + cy * s)],
            [0.0, c, focal * s - cy * c],
        ]
    )
    return GroundPlane(homography, METRES_PER_SIZE, False, horizon_px, size_slope)


class SizeByRow:
    """Learns how large vehicles are on each row, and with it where the horizon is.

    Before enough bodies were seen to grow on their way: one observation per vehicle and band.
    """

    def __init__(self, width_px: int, height_px: int) -> None:
        self._width, self._height = width_px, height_px
        self._bins: tuple[deque[tuple[float, float]], ...] = tuple(
            deque(maxlen=_PER_BIN) for _ in range(_BINS)
        )
        self._seen: deque[tuple[int, int]] = deque(maxlen=2000)
        self._growth = Growth(height_px, _BINS)

    def observe(self, track: int, row_px: float, size_px: float) -> None:
        """A vehicle wholly in the picture, apart from others, stands on ``row_px``."""
        band = min(_BINS - 1, max(0, int(row_px / self._height * _BINS)))
        if (track, band) not in self._seen:
            self._seen.append((track, band))
            self._bins[band].append((row_px, size_px))
        self._growth.observe(track, band, row_px, size_px)

    def typical_size_px(self) -> float:
        """The median of all; a twelfth of the width before any was seen."""
        sizes = [size for band in self._bins for _, size in band]
        return float(np.median(sizes)) if sizes else self._width / 12

    def plane(self) -> GroundPlane:
        """The best plane so far: by growth, or else least squares over the bands' medians."""
        grown = self._growth.fit()
        if grown is not None:
            return pinhole_plane(*grown, self._width, self._height)
        filled = [band for band in self._bins if band]
        rows = np.array([np.median([row for row, _ in band]) for band in filled])
        sizes = np.array([np.median([size for _, size in band]) for band in filled])
        weights = np.array([float(len(band)) for band in filled])
        middle, typical = 0.5 * self._height, self.typical_size_px()
        if filled:
            middle = float(np.average(rows, weights=weights))
            typical = float(np.average(sizes, weights=weights))
        # The prior: two bands a quarter of the picture apart, on a line to the prior horizon.
        prior_slope = typical / (middle - _PRIOR_HORIZON * self._height)
        offset = 0.25 * self._height
        rows = np.append(rows, [middle - offset, middle + offset])
        sizes = np.append(sizes, [typical - prior_slope * offset, typical + prior_slope * offset])
        weights = np.append(weights, [_PRIOR_WEIGHT, _PRIOR_WEIGHT])
        mean_row, mean_size = np.average(rows, weights=weights), np.average(sizes, weights=weights)
        variance = float(np.sum(weights * (rows - mean_row) ** 2))
        slope = float(np.sum(weights * (rows - mean_row) * (sizes - mean_size))) / variance
        slope = max(slope, 0.25 * prior_slope)
        horizon = float(mean_row - mean_size / slope)
        top = float(rows[:-2].min()) if filled else middle
        horizon = min(horizon, top - 0.08 * self._height)
        slope = float(mean_size / (mean_row - horizon))
        return pinhole_plane(horizon, slope, self._width, self._height)
