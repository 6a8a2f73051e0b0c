"""Lit lamps of vehicles: pools of headlight on the road, glare, tail lamps, wet reflections."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from monitor.scene.camera import Array, PinholeCamera
from monitor.scene.drawing import Canvas, as_image
from monitor.scene.hours.glow import glow, streak
from monitor.scene.hours.weather import Weather
from monitor.scene.record import VehicleState
from monitor.scene.vehicles import Shape, VehicleSpec

_SCALE: Final = 4  # the pools are soft: a quarter of the picture's size is enough
_SHIFT: Final = 4
_POOLS: Final = ((15.0, 2.6), (10.0, 2.0), (6.0, 1.5))  # reach and half width, the widest first
_PARTS: Final = (0.30, 0.65, 1.0)
_CORNERS: Final = 6
_FAN: Final = np.array(
    [
        corner
        for reach, half in _POOLS
        for corner in (
            (0.6, -0.8), (0.6, 0.8), (reach * 0.8, half), (reach, half * 0.5),
            (reach, -half * 0.5), (reach * 0.8, -half),
        )
    ]
)  # fmt: skip
_BRIGHTEST: Final = 2.2
_GIVEN_BACK: Final = 2.6
_WHITE: Final = (235, 250, 255)
_RED: Final = (40, 34, 250)
_AMBER: Final = (40, 190, 255)
_FAR_M: Final = 230.0
_HALO_PX: Final = 5.0  # pixels a metre: farther away a lamp is only a point


@dataclass(frozen=True, slots=True)
class Lamps:
    """Where a vehicle's lamps are in the picture, and how they face the camera."""

    front: Array  # (2, 2) pixels
    rear: Array
    front_facing: float  # cosine to the camera, below 0 turned away
    rear_facing: float
    depth_m: float
    hidden: bool


def lamps_of(
    camera: PinholeCamera, canvas: Canvas, spec: VehicleSpec, state: VehicleState
) -> Lamps | None:
    """None where the vehicle is behind the camera."""
    cos, sin = math.cos(state.heading), math.sin(state.heading)
    half, side = spec.length_m / 2.0, spec.width_m * 0.38
    high = 0.95 if spec.shape is Shape.BUS else 0.68
    world = np.array(
        [
            (state.x + end * half * cos - wide * sin, state.y + end * half * sin + wide * cos,
             high + (0.1 if end < 0 else 0.0))
            for end in (1.0, -1.0)
            for wide in (-side, side)
        ]
    )  # fmt: skip
    depths = camera.depth(world)
    if depths.min() < 2.0 or depths.min() > _FAR_M:
        return None
    pixels = camera.project(world) * canvas.size
    to_eye = np.array(camera.position) - (state.x, state.y, high)
    to_eye /= np.linalg.norm(to_eye)
    facing = float(cos * to_eye[0] + sin * to_eye[1])
    x, y = (int(v) for v in pixels[:2].mean(axis=0) if abs(v) < 1e6)
    inside = 0 <= x < canvas.size[0] and 0 <= y < canvas.size[1]
    hidden = inside and float(canvas.occluders[y, x]) < float(depths.min())
    return Lamps(pixels[:2], pixels[2:], facing, -facing, float(depths.min()), hidden)


class Pools:
    """Collects the light that headlights throw on the road in one frame."""

    def __init__(self, camera: PinholeCamera, size: tuple[int, int]) -> None:
        self._camera = camera
        self._size = (size[0] // _SCALE, size[1] // _SCALE)
        self._full = size
        self._map = np.zeros((self._size[1], self._size[0]), np.float32)

    def add(self, spec: VehicleSpec, state: VehicleState, gain: float) -> None:
        """One vehicle's low beam: a fan ahead of it."""
        cos, sin = math.cos(state.heading), math.sin(state.heading)
        local = _FAN[:, :2].copy()
        local[:, 0] += spec.length_m / 2.0
        world = np.zeros((len(local), 3))
        world[:, 0] = state.x + local[:, 0] * cos - local[:, 1] * sin
        world[:, 1] = state.y + local[:, 0] * sin + local[:, 1] * cos
        if self._camera.depth(world).min() < 2.0:
            return
        pixels = self._camera.project(world) * self._size
        x0, y0 = (max(int(v) - 1, 0) for v in pixels.min(axis=0))
        x1, y1 = (min(int(v) + 2, n) for v, n in zip(pixels.max(axis=0), self._size, strict=True))
        if x0 >= x1 or y0 >= y1:
            return
        fixed = ((pixels - (x0, y0)) * (1 << _SHIFT)).astype(np.int32)
        spot = np.zeros((y1 - y0, x1 - x0), np.float32)
        for number, part in enumerate(_PARTS):  # the widest first, each brighter than the last
            fan = fixed[number * _CORNERS : (number + 1) * _CORNERS]
            cv2.fillConvexPoly(spot, fan, part * gain, cv2.LINE_8, _SHIFT)
        self._map[y0:y1, x0:x1] += spot

    def light(self, canvas: Canvas) -> None:
        """Brighten the picture under the pools; the map is empty afterwards."""
        if not self._map.any():
            return
        soft = cv2.GaussianBlur(self._map, (9, 9), 1.6)
        lit = as_image(cv2.convertScaleAbs(soft, alpha=255.0 / _BRIGHTEST))
        wide = cv2.resize(lit, self._full, interpolation=cv2.INTER_LINEAR)
        # The road gives back a part of what falls on it.
        scale = _GIVEN_BACK * _BRIGHTEST / 255.0
        add = cv2.multiply(canvas.image, cv2.merge([wide] * 3), scale=scale)
        canvas.image[:] = cv2.add(canvas.image, add)
        self._map[:] = 0.0


def draw_lamps(
    canvas: Canvas, state: VehicleState, lamps: Lamps, weather: Weather, camera: PinholeCamera
) -> None:
    """Glare of headlights that face the camera, tail lamps that turn away from it."""
    if lamps.hidden:
        return
    metre = camera.focal * canvas.size[0] / lamps.depth_m
    strength = weather.headlights
    if lamps.front_facing > 0.05:
        glare = strength * lamps.front_facing**0.5
        core = max(0.16 * metre, 0.9)
        for x, y in lamps.front:
            glow(canvas, x, y, core, _WHITE, min(1.0, 1.25 * glare))
            if metre > _HALO_PX:
                glow(canvas, x, y, core * 3.4, _WHITE, 0.30 * glare)
    if lamps.rear_facing > 0.05:
        bright = 1.0 if state.brake_lamp else 0.42
        core = max(0.13 * metre, 0.8)
        for x, y in lamps.rear:
            glow(canvas, x, y, core, _RED, min(1.0, bright * strength * 1.1))
            if metre > _HALO_PX:
                glow(canvas, x, y, core * 2.6, _RED, 0.26 * bright * strength)
    if state.hazard_lit:
        for x, y in (*lamps.front, *lamps.rear):
            glow(canvas, x, y, max(0.15 * metre, 0.9), _AMBER, 0.8)


def reflect(
    canvas: Canvas, lamps: Lamps, state: VehicleState, weather: Weather, camera: PinholeCamera
) -> None:
    """The streaks that lamps leave on a wet road, below the lamps in the picture."""
    if lamps.hidden or weather.headlights <= 0.0 or weather.wet <= 0.05:
        return
    metre = camera.focal * canvas.size[0] / lamps.depth_m
    if metre < _HALO_PX:
        return
    bright = weather.wet * weather.headlights
    wide, long = max(0.22 * metre, 0.8), max(1.9 * metre, 2.0)
    if lamps.front_facing > 0.05:
        for x, y in lamps.front:
            streak(canvas, x, y + 0.7 * metre, (wide, long), _WHITE, 0.34 * bright)
    if lamps.rear_facing > 0.05:
        gain = (0.42 if state.brake_lamp else 0.2) * bright
        for x, y in lamps.rear:
            streak(canvas, x, y + 0.7 * metre, (wide, long), _RED, gain)
