"""Soft spots of light added to a picture, quickly: the same few shapes again and again."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

import cv2
import numpy as np

from monitor.scene.drawing import Canvas, Image, as_image

_FINE: Final = 4  # places within a pixel
_STEP: Final = 1.12  # sizes go in steps of this factor
_LEVELS: Final = 24  # steps of brightness

Colour = tuple[int, int, int]


def glow(canvas: Canvas, x: float, y: float, radius: float, colour: Colour, gain: float) -> None:
    """A round spot."""
    size = _stepped(radius)
    _add(canvas, x, y, size, size, colour, gain, below=False)


def streak(
    canvas: Canvas, x: float, y: float, size: tuple[float, float], colour: Colour, gain: float
) -> None:
    """What a lamp leaves on a wet road: from ``y`` downwards, ``size`` wide and long."""
    _add(canvas, x, y, _stepped(size[0]), _stepped(size[1]), colour, gain, below=True)


def _stepped(value: float) -> int:
    return round(math.log(max(value, 0.3)) / math.log(_STEP))


def _add(
    canvas: Canvas, x: float, y: float, wide: int, high: int, colour: Colour, gain: float,
    *, below: bool,
) -> None:  # fmt: skip
    level = round(min(gain, 1.0) * _LEVELS)
    if level <= 0 or not (-1e4 < x < 1e4 and -1e4 < y < 1e4):
        return
    left, top = math.floor(x), math.floor(y)
    fx, fy = int((x - left) * _FINE), int((y - top) * _FINE)
    spot = _spot(wide, high, fx, 0 if below else fy, colour, level, below)
    rows, columns = spot.shape[:2]
    left -= columns // 2
    top -= 0 if below else rows // 2
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + columns, canvas.size[0]), min(top + rows, canvas.size[1])
    if x0 >= x1 or y0 >= y1:
        return
    here = canvas.image[y0:y1, x0:x1]
    canvas.image[y0:y1, x0:x1] = cv2.add(here, spot[y0 - top : y1 - top, x0 - left : x1 - left])


@lru_cache(maxsize=4096)
def _spot(wide: int, high: int, fx: int, fy: int, colour: Colour, level: int, below: bool) -> Image:
    rx, ry = _STEP**wide, _STEP**high
    reach_x, reach_y = int(2.2 * rx) + 1, int(2.2 * ry) + 1
    across = np.exp(-(((np.arange(-reach_x, reach_x + 1) - (fx + 0.5) / _FINE + 0.5) / rx) ** 2))
    rows = np.arange(0 if below else -reach_y, reach_y + 1)
    down = np.exp(-(((rows - (fy + 0.5) / _FINE + 0.5) / ry) ** 2))
    spot = (down[:, None] * across * (level / _LEVELS))[..., None] * np.array(colour, np.float64)
    return as_image(np.clip(spot, 0.0, 255.0).astype(np.uint8))
