"""Connected foreground regions, as candidates for bodies."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]

_MIN_HEIGHT: Final = 0.022  # of the picture's height: a person a hundred metres off
_MIN_FILL: Final = 0.2  # of its box


@dataclass(frozen=True, slots=True)
class PixelBox:
    """A box in pixels of the analysed picture."""

    x: float
    y: float
    width: float
    height: float

    @property
    def area(self) -> float:
        return self.width * self.height

    @property
    def size(self) -> float:
        """The side of the square of the same area."""
        return math.sqrt(self.width * self.height)

    @property
    def centre(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height / 2

    @property
    def foot(self) -> tuple[float, float]:
        """Where the body meets the ground, as far as its box tells: the middle of the bottom."""
        return self.x + self.width / 2, self.y + self.height

    def overlap(self, other: PixelBox) -> float:
        """Shared area in square pixels."""
        wide = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        high = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        return max(0.0, wide) * max(0.0, high)

    def grown(self, share: float) -> PixelBox:
        """The same centre, ``share`` of its size larger on every side."""
        dx, dy = self.width * share, self.height * share
        return PixelBox(self.x - dx, self.y - dy, self.width + 2 * dx, self.height + 2 * dy)

    def moved(self, dx: float, dy: float, scale: float = 1.0) -> PixelBox:
        """Shifted, and scaled about its centre."""
        width, height = self.width * scale, self.height * scale
        cx, cy = self.centre
        return PixelBox(cx + dx - width / 2, cy + dy - height / 2, width, height)

    def union(self, other: PixelBox) -> PixelBox:
        x, y = min(self.x, other.x), min(self.y, other.y)
        right = max(self.x + self.width, other.x + other.width)
        bottom = max(self.y + self.height, other.y + other.height)
        return PixelBox(x, y, right - x, bottom - y)

    def clipped(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Whole pixels inside a picture: x, y, width, height; may be empty."""
        left, top = max(0, int(self.x)), max(0, int(self.y))
        right = min(width, math.ceil(self.x + self.width))
        bottom = min(height, math.ceil(self.y + self.height))
        return left, top, max(0, right - left), max(0, bottom - top)


@dataclass(frozen=True, slots=True)
class Blob:
    """A foreground region."""

    box: PixelBox
    area: float


def find_blobs(foreground: Image, far_row: int = 0, limit: int = 60) -> list[Blob]:
    """The larger regions that reach below ``far_row``, largest first."""
    contours, _ = cv2.findContours(foreground, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    height = foreground.shape[0]
    blobs = []
    for contour in contours:
        x, y, w, h = cv2.boundingRect(contour)
        if h < _MIN_HEIGHT * height or w < 3 or y + h <= far_row:
            continue
        area = float(cv2.contourArea(contour))
        if area < _MIN_FILL * w * h:
            continue
        blobs.append(Blob(PixelBox(float(x), float(y), float(w), float(h)), area))
    blobs.sort(key=lambda blob: -blob.area)
    return blobs[:limit]
