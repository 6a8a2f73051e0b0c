"""Whether the camera itself moves: a pan, a tilt, a zoom; or trembles on its mast.

A pan is looked for only while much of the picture differs from the empty scene, since it costs a
millisecond. Nothing but the camera moves the whole picture by one shift and scale.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]

SUSPICIOUS_SHARE: Final = 0.25
TRAVEL: Final = 0.03
AGREE: Final = 0.5
EXPLAINED: Final = 0.7

_WIDE_PX: Final = 160
_CORNERS: Final = 60
_LEAST: Final = 12
_STEP: Final = 0.003  # of the width or of the scale between two pictures; less is noise
_INLIER_PX: Final = 1.0
_PARTS: Final = (8, 5)
_TELLING_LEVELS: Final = 3
_BETTER: Final = 0.85
_QUIET_S: Final = 0.5
_STOP: Final = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 10, 0.03)

SHAKE_S: Final = 3.0
SHAKE_SHARE: Final = 0.0025
_SHAKES: Final = 3  # changes of direction in that time


class CameraMotion:
    """Follows pans and zooms from picture to picture."""

    def __init__(self) -> None:
        self._before: Image | None = None
        self._travel = np.zeros(2)  # share of the width
        self._zoom = 0.0  # logarithm of the scale
        self._moved_s: float | None = None
        self.moving = False

    def look(self, time_s: float, luma: Image, foreground_share: float) -> bool:
        """Take note of a picture; returns whether a movement has just ended."""
        suspicious = foreground_share >= SUSPICIOUS_SHARE or self.moving
        small = self._small(luma) if suspicious else None
        step = None if small is None or self._before is None else _similarity(self._before, small)
        self._before = small
        if step is not None:
            shift, zoom = step
            if max(float(np.abs(shift).max()), abs(zoom)) >= _STEP:
                self._travel += shift
                self._zoom += zoom
                self._moved_s = time_s
                far = max(float(np.abs(self._travel).max()), abs(self._zoom))
                self.moving = self.moving or far >= TRAVEL
        if self._moved_s is not None and time_s - self._moved_s >= _QUIET_S:
            ended, self.moving = self.moving, False
            self._travel[:], self._zoom, self._moved_s = 0.0, 0.0, None
            return ended
        return False

    @staticmethod
    def _small(luma: Image) -> Image:
        height, width = luma.shape
        size = (_WIDE_PX, max(16, round(height * _WIDE_PX / width)))
        return np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.uint8)


def _similarity(before: Image, after: Image) -> tuple[npt.NDArray[np.float64], float] | None:
    """Shift of the middle (share of the width) and log-scale that most corners share."""
    if before.shape != after.shape:
        return None
    found = cv2.goodFeaturesToTrack(before, _CORNERS, 0.01, 6, blockSize=3)
    if found is None or len(found) < _LEAST:
        return None
    moved, good, _ = cv2.calcOpticalFlowPyrLK(
        before, after, found, np.zeros_like(found), winSize=(11, 11), maxLevel=3, criteria=_STOP
    )
    kept = good.ravel() == 1
    if int(kept.sum()) < _LEAST:
        return None
    matrix, inliers = cv2.estimateAffinePartial2D(
        found[kept], moved[kept], ransacReprojThreshold=_INLIER_PX
    )
    if matrix is None or float(inliers.sum()) < AGREE * len(found):
        return None
    if not _explains(matrix, before, after):
        return None
    height, width = before.shape
    middle = np.array([width / 2, height / 2, 1.0])
    shift = (matrix @ middle - middle[:2]) / width
    zoom = float(np.log(max(1e-3, np.hypot(matrix[0, 0], matrix[1, 0]))))
    return shift, zoom


def _explains(matrix: npt.NDArray[np.float64], before: Image, after: Image) -> bool:
    """Whether the whole picture looks moved so, not only the traffic that fills it.

    In each part of it that has something to show, the moved picture must fit better than the old
    one: on a street that stands still it fits worse.
    """
    height, width = before.shape
    moved = cv2.warpAffine(before, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    still, shifted = (
        cv2.resize(cv2.absdiff(one, after), _PARTS, interpolation=cv2.INTER_AREA)
        for one in (before, moved)
    )
    telling = np.maximum(still, shifted) >= _TELLING_LEVELS
    count = int(np.count_nonzero(telling))
    better = np.count_nonzero(telling & (shifted < _BETTER * still))
    return count >= _LEAST and bool(better >= EXPLAINED * count)


class Tremble:
    """Whether the shift against the empty scene goes to and fro."""

    def __init__(self) -> None:
        self._shifts: deque[tuple[float, float, float]] = deque(maxlen=40)
        self._shifted_s = -1e9

    def note(self, time_s: float, shift: tuple[float, float] | None, width_px: int) -> None:
        """``shift`` in pixels against the reference; None while there is none."""
        if shift is not None:
            self._shifted_s = time_s
        elif time_s - self._shifted_s > SHAKE_S:
            self._shifts.clear()
            return
        dx, dy = (0.0, 0.0) if shift is None else shift
        self._shifts.append((time_s, dx / width_px, dy / width_px))
        while self._shifts[0][0] < time_s - SHAKE_S:
            self._shifts.popleft()

    @property
    def shaking(self) -> bool:
        if len(self._shifts) < _SHAKES + 2:
            return False
        values = np.array(self._shifts)
        return any(
            float(np.ptp(axis)) >= SHAKE_SHARE and _turns(axis) >= _SHAKES
            for axis in (values[:, 1], values[:, 2])
        )


def _turns(axis: npt.NDArray[np.float64]) -> int:
    """How often it goes back by a good part of its range."""
    steps = np.diff(axis)
    signs = np.sign(steps[np.abs(steps) > 0.2 * np.ptp(axis)])
    return int(np.count_nonzero(np.diff(signs)))
