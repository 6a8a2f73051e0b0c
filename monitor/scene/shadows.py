"""Shadows on the ground: one soft mask a frame, at half the picture's size."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from monitor.scene.camera import Array, PinholeCamera
from monitor.scene.drawing import Canvas
from monitor.scene.light import Light

_SCALE = 2
_SHIFT = 4


class ShadowMask:
    """Collects shadows, then darkens the picture under them once."""

    def __init__(self, camera: PinholeCamera, light: Light, size: tuple[int, int]) -> None:
        self._camera, self._light = camera, light
        self._size = (size[0] // _SCALE, size[1] // _SCALE)
        self._mask = np.zeros((self._size[1], self._size[0]), np.uint8)
        self._boxes: list[tuple[int, int, int, int]] = []

    def begin(self) -> None:
        """Forget the last frame's shadows."""
        for x0, y0, x1, y1 in self._boxes:
            self._mask[y0:y1, x0:x1] = 0
        self._boxes.clear()

    def cast(self, parts: list[Array]) -> None:
        """The shadow of convex parts (world points each), and the dark right underneath."""
        hulls = []
        for points in parts:
            fallen = points.copy()
            fallen[:, 0] += self._light.shadow_offset(1.0)[0] * points[:, 2]
            fallen[:, 1] += self._light.shadow_offset(1.0)[1] * points[:, 2]
            fallen[:, 2] = 0.0
            if self._camera.depth(fallen).min() < 1.0:
                return
            hulls.append(self._camera.project(fallen) * self._size)
        every = np.concatenate(hulls)
        depth = float(self._camera.depth(parts[0]).mean())
        blur = max(0.7, 0.10 * self._camera.focal * self._size[0] / depth)
        reach = int(blur * 2.5) + 2
        low = np.maximum(np.floor(every.min(axis=0)).astype(int) - reach, 0)
        high = np.minimum(np.ceil(every.max(axis=0)).astype(int) + reach, self._size)
        if low[0] >= high[0] or low[1] >= high[1]:
            return
        patch = np.zeros((int(high[1] - low[1]), int(high[0] - low[0])), np.uint8)
        for hull in hulls:
            fixed = np.round((hull - low) * (1 << _SHIFT)).astype(np.int32)
            cv2.fillConvexPoly(patch, cv2.convexHull(fixed), 255, cv2.LINE_AA, _SHIFT)
        kernel = 2 * max(1, round(blur * 1.5)) + 1
        patch = cv2.GaussianBlur(patch, (kernel, kernel), blur)
        here = self._mask[int(low[1]) : int(high[1]), int(low[0]) : int(high[0])]
        np.maximum(here, patch, out=here)
        self._boxes.append((int(low[0]), int(low[1]), int(high[0]), int(high[1])))

    def darken(self, canvas: Canvas) -> None:
        """Apply to the picture, where bare ground is seen."""
        for x0, y0, x1, y1 in self._boxes:
            here = self._mask[y0:y1, x0:x1]
            wide = cv2.resize(here, None, fx=_SCALE, fy=_SCALE, interpolation=cv2.INTER_LINEAR)
            area = (slice(y0 * _SCALE, y1 * _SCALE), slice(x0 * _SCALE, x1 * _SCALE))
            wide[np.isfinite(canvas.occluders[area])] = 0
            keep = cv2.convertScaleAbs(wide, alpha=-self._light.shadow, beta=255.0)
            canvas.image[area] = cv2.multiply(
                canvas.image[area], cv2.merge([keep] * 3), scale=1.0 / 255.0
            )
            here[:] = 0  # once only, where two shadows' boxes overlap


Mask = npt.NDArray[np.uint8]
