"""Shadows on the ground: one soft mask a frame, at half the picture's size."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from monitor.scene.camera import Array, PinholeCamera
from monitor.scene.drawing import Canvas, Image, as_image
from monitor.scene.light import Light

_SCALE = 2
_SHIFT = 4


@dataclass(frozen=True, slots=True)
class Shadow:
    """One soft shadow, at half the picture's size."""

    x: int
    y: int
    mask: Image


class ShadowMask:
    """Makes shadows, collects a frame's, then darkens the picture under them once."""

    def __init__(self, camera: PinholeCamera, light: Light, size: tuple[int, int]) -> None:
        self._camera, self._light = camera, light
        self._size = (size[0] // _SCALE, size[1] // _SCALE)
        self._mask = np.zeros((self._size[1], self._size[0]), np.uint8)
        self._areas: list[tuple[slice, slice]] = []

    def cast(self, parts: list[Array]) -> Shadow | None:
        """The shadow of convex parts (world points each), which reaches under them."""
        dx, dy = self._light.shadow_offset(1.0)
        fallen = np.concatenate(parts)
        fallen[:, 0] += dx * fallen[:, 2]
        fallen[:, 1] += dy * fallen[:, 2]
        fallen[:, 2] = 0.0
        depths = self._camera.depth(fallen)
        if depths.min() < 1.0:
            return None
        pixels = self._camera.project(fallen) * self._size
        blur = max(0.7, 0.08 * self._camera.focal * self._size[0] / float(depths.mean()))
        reach = int(blur * 2.5) + 2
        low, high = pixels.min(axis=0), pixels.max(axis=0)
        x0, y0 = max(math.floor(low[0]) - reach, 0), max(math.floor(low[1]) - reach, 0)
        x1 = min(math.ceil(high[0]) + reach, self._size[0])
        y1 = min(math.ceil(high[1]) + reach, self._size[1])
        if x0 >= x1 or y0 >= y1:
            return None
        patch = np.zeros((y1 - y0, x1 - x0), np.uint8)
        fixed = ((pixels - (x0, y0)) * (1 << _SHIFT)).astype(np.int32)
        start = 0
        for part in parts:
            hull = cv2.convexHull(fixed[start : start + len(part)])
            cv2.fillConvexPoly(patch, hull, 255, cv2.LINE_AA, _SHIFT)
            start += len(part)
        kernel = 2 * max(1, round(blur * 1.5)) + 1
        return Shadow(x0, y0, as_image(cv2.GaussianBlur(patch, (kernel, kernel), blur)))

    def add(self, shadow: Shadow) -> None:
        """Put a shadow into this frame's mask."""
        rows, columns = shadow.mask.shape
        area = (slice(shadow.y, shadow.y + rows), slice(shadow.x, shadow.x + columns))
        here = self._mask[area]
        np.maximum(here, shadow.mask, out=here)
        self._areas.append(area)

    def darken(self, canvas: Canvas) -> None:
        """Apply to the picture, where bare ground is seen; the mask is empty afterwards."""
        for rows, columns in self._areas:
            here = self._mask[rows, columns]
            wide = as_image(
                cv2.resize(here, None, fx=_SCALE, fy=_SCALE, interpolation=cv2.INTER_LINEAR)
            )
            area = (
                slice(rows.start * _SCALE, rows.stop * _SCALE),
                slice(columns.start * _SCALE, columns.stop * _SCALE),
            )
            wide[np.isfinite(canvas.occluders[area])] = 0
            keep = cv2.convertScaleAbs(wide, alpha=-self._light.shadow, beta=255.0)
            canvas.image[area] = cv2.multiply(
                canvas.image[area], cv2.merge([keep] * 3), scale=1.0 / 255.0
            )
            here[:] = 0  # darkened once, where two shadows' areas overlap
        self._areas.clear()
