"""The pinhole camera on its pole: world metres to fractions of the picture and back."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from monitor.domain import Box

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PinholeCamera:
    """A level-rolled pinhole. ``focal`` is in picture widths, so it holds for every size.

    ``yaw_deg`` turns left from the main road's direction (+y), ``pitch_deg`` looks down.
    """

    position: tuple[float, float, float] = (10.8, -24.0, 9.2)
    yaw_deg: float = 10.5
    pitch_deg: float = 13.6
    focal: float = 1.14
    aspect: float = 16 / 9
    rotation: Array = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        yaw, pitch = math.radians(self.yaw_deg), math.radians(self.pitch_deg)
        forward = np.array(
            [
                -math.sin(yaw) * math.cos(pitch),
                math.cos(yaw) * math.cos(pitch),
                -math.sin(pitch),
            ]
        )
        right = np.array([math.cos(yaw), math.sin(yaw), 0.0])
        down = np.cross(forward, right)
        object.__setattr__(self, "rotation", np.stack([right, down, forward]))

    def depth(self, points: Array) -> Array:
        """Metres along the optical axis, shape (n,)."""
        result: Array = (points - np.array(self.position)) @ self.rotation[2]
        return result

    def project(self, points: Array) -> Array:
        """(n, 3) world points to (n, 2) fractions of the picture; points in front only."""
        seen = (points - np.array(self.position)) @ self.rotation.T
        depth = np.maximum(seen[:, 2], 0.05)
        u = 0.5 + self.focal * seen[:, 0] / depth
        v = 0.5 + self.focal * self.aspect * seen[:, 1] / depth
        return np.stack([u, v], axis=1)

    def rays(self, u: Array, v: Array) -> tuple[Array, Array, Array]:
        """World directions (x, y, z), depth 1 along the axis, of picture fractions."""
        x, y = (u - 0.5) / self.focal, (v - 0.5) / (self.focal * self.aspect)
        r = self.rotation
        return (
            x * r[0, 0] + y * r[1, 0] + r[2, 0],
            x * r[0, 1] + y * r[1, 1] + r[2, 1],
            x * r[0, 2] + y * r[1, 2] + r[2, 2],
        )

    def ground(self, u: float, v: float) -> tuple[float, float]:
        """Where on the road plane a picture point lies; ``ValueError`` above the horizon."""
        dx, dy, dz = self.rays(np.array([u]), np.array([v]))
        if dz[0] >= -1e-9:
            raise ValueError("that point is above the horizon")
        scale = -self.position[2] / dz[0]
        return (
            float(self.position[0] + scale * dx[0]),
            float(self.position[1] + scale * dy[0]),
        )


def box_of(points: Array) -> Box | None:
    """The bounding box of projected points cut to the picture; None where nothing is in it."""
    low = np.maximum(points.min(axis=0), 0.0)
    high = np.minimum(points.max(axis=0), 1.0)
    if high[0] - low[0] < 1e-3 or high[1] - low[1] < 1e-3:
        return None
    return (float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1]))
