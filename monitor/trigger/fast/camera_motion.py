"""How the camera itself moved from one picture to the next: mast sway, pan, zoom, a vehicle."""

from __future__ import annotations

from typing import Any, Final, cast

import cv2
import numpy as np
import numpy.typing as npt

from monitor.trigger.fast.corners import evenly
from monitor.trigger.flow import WINDOW
from monitor.trigger.motion import middle

Luma = npt.NDArray[np.uint8]
Affine = npt.NDArray[np.float64]

_CORNERS: Final = 48
_SEARCHED: Final = 200
_APART_PX: Final = 8
_CELLS: Final = (6, 4)
_LEAST: Final = 8
_RENEW_S: Final = 1.0
_SCARCE: Final = 25
_INLIER_PX: Final = 0.6
_LEAST_INLIERS: Final = 0.4
_LEAST_SPREAD: Final = 0.5  # of the picture
_STILL_PX: Final = 0.35  # full-size pixels; less is the noise of measuring
_STILL_SCALE: Final = 0.002


class CameraMotion:
    """Follows corners all over the half-size picture, moving things among them."""

    def __init__(self) -> None:
        self._corners = np.zeros((0, 1, 2), np.float32)
        self._renewed_s = 0.0

    def between(self, now_s: float, last: Luma, now: Luma) -> Affine | None:
        """(2, 3) in full-size pixels, or None where the camera stood still or nothing is sure."""
        if len(self._corners) < _SCARCE or now_s - self._renewed_s > _RENEW_S:
            self._corners = _spread_corners(last)
            self._renewed_s = now_s
        if len(self._corners) < _LEAST:
            return None
        after, status, _ = cv2.calcOpticalFlowPyrLK(
            last, now, self._corners, self._corners.copy(), winSize=WINDOW, maxLevel=2,
            criteria=(cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_COUNT, 8, 0.03),
        )  # fmt: skip
        good = status.ravel() == 1
        before, self._corners = self._corners[good], after[good]
        if len(before) < _LEAST:
            return None
        moved = np.abs(self._corners - before).reshape(-1, 2)
        if float(middle(moved.max(axis=1))) < _STILL_PX / 2:
            return None  # most of the picture stands still: nothing to estimate
        matrix, inliers = cv2.estimateAffinePartial2D(
            before, self._corners, ransacReprojThreshold=_INLIER_PX, maxIters=60
        )
        if matrix is None or float(inliers.mean()) < _LEAST_INLIERS:
            return None
        corners = before[inliers.ravel() == 1].reshape(-1, 2)
        spread = np.percentile(corners, 95, axis=0) - np.percentile(corners, 5, axis=0)
        if (spread < _LEAST_SPREAD * np.array(now.shape[::-1])).any():
            return None  # one large body in front of a plain scene
        affine = cast(Affine, matrix.astype(np.float64))
        affine[:, 2] *= 2.0
        turned = np.abs(affine[:, :2] - np.eye(2)).max()
        if np.abs(affine[:, 2]).max() < _STILL_PX and turned < _STILL_SCALE:
            return None
        return affine


def _spread_corners(picture: Luma) -> npt.NDArray[np.float32]:
    """(n, 1, 2): from all parts of it, or moving bodies would be taken for the scene."""
    found: Any = cv2.goodFeaturesToTrack(picture, _SEARCHED, 0.003, _APART_PX)
    if found is None:
        return np.zeros((0, 1, 2), np.float32)
    none = np.zeros((0, 2), np.float32)
    corners = evenly(found.reshape(-1, 2).astype(np.float32), none, picture.shape, _CELLS)
    return corners[:_CORNERS].reshape(-1, 1, 2)
