"""Places that a body left and that are taken for one: what stood there was in the empty scene.

Along the outline of a body that stands the picture has an edge; along that of a place which was
left, only the learned empty scene has. Asked by the tracker of what stands still.
"""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from monitor.trigger.planting import Image, Scene
from monitor.trigger.track import Track

GHOST_ROOM: Final = 0.1
"""Of its size: the place reaches so far beyond the box, to every side."""
_CHECK_S: Final = 0.6  # between questions
_EDGES: Final = 0.7  # of the empty scene's
_LEAST_PX: Final = 6
_SQUARE: Final = np.ones((3, 3), np.uint8)


def is_ghost(track: Track, time_s: float, scene: Scene) -> bool:
    """Asked again no sooner than after a while; meanwhile it is none."""
    if time_s < track.checked_s + _CHECK_S:
        return False
    track.checked_s = time_s
    height, width = scene.luma.shape
    x, y, w, h = track.box.grown(GHOST_ROOM).clipped(width, height)
    if w < _LEAST_PX or h < _LEAST_PX:
        return False
    there = (slice(y, y + h), slice(x, x + w))
    outline = cv2.morphologyEx(scene.foreground[there], cv2.MORPH_GRADIENT, _SQUARE)
    return _edges(scene.luma[there], outline) < _EDGES * _edges(scene.empty[there], outline)


def _edges(region: Image, where: npt.NDArray[Any]) -> float:
    """Mean strength of the edges at some pixels."""
    dx = cv2.Sobel(region, cv2.CV_32F, 1, 0)
    dy = cv2.Sobel(region, cv2.CV_32F, 0, 1)
    return float(cv2.mean(cv2.magnitude(dx, dy), where.astype(np.uint8))[0])
