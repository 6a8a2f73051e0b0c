"""Where the light comes from and how the sensor sees it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from monitor.scene.camera import Array


@dataclass(frozen=True, slots=True)
class Light:
    """Daylight. ``noise`` is the sensor's standard deviation in grey levels of 255.

    ``exposure`` scales every colour; ``shadow`` is what part of the light a shadow takes.
    """

    to_sun: tuple[float, float, float] = (0.66, -0.40, 0.64)
    ambient: float = 0.62
    diffuse: float = 0.46
    shadow: float = 0.50
    exposure: float = 1.0
    noise: float = 2.2
    haze: tuple[int, int, int] = (206, 200, 192)  # BGR far away
    haze_m: float = 650.0  # where the haze has taken 63 %

    def direction(self) -> Array:
        """Unit vector towards the sun."""
        vector = np.array(self.to_sun, dtype=np.float64)
        result: Array = vector / np.linalg.norm(vector)
        return result

    def shade(self, normals: Array) -> Array:
        """Brightness of faces by their unit normals (n, 3): sun, sky from above, shape (n,)."""
        sun = np.clip(normals @ self.direction(), 0.0, None)
        sky = 0.10 * normals[:, 2]
        result: Array = (self.ambient + self.diffuse * sun + sky) * self.exposure
        return result

    def shadow_offset(self, height_m: float) -> tuple[float, float]:
        """Where on the ground the shadow of a point at ``height_m`` falls, relative to it."""
        x, y, z = self.to_sun
        return (-x / z * height_m, -y / z * height_m)

    def haze_share(self, depth_m: float) -> float:
        """How much of the haze's colour something that far away has."""
        return 1.0 - math.exp(-max(depth_m, 0.0) / self.haze_m)
