"""What stands, in other conditions than a clear day: street light, lit windows, a wet road."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from monitor.scene.backdrop import paint_backdrop
from monitor.scene.camera import Array, PinholeCamera
from monitor.scene.drawing import Depth, Image, as_image
from monitor.scene.ground import Texture
from monitor.scene.hours.weather import Weather
from monitor.scene.structures import BUILDINGS, LAMP_POSTS, Building

_LANTERN_M: Final = 8.0
_BESIDE: Final = ((9.9, 26.0), (-9.9, 54.0), (9.9, -6.0), (-30.0, 34.6), (24.0, 47.8))
"""Lamps whose posts are out of the picture or hidden."""
_WARM: Final = np.array((0.74, 0.92, 1.0), np.float32)
_LIT_SHARE: Final = 0.22


def lanterns() -> Array:
    """Where street lamps hang, (n, 2) on the ground."""
    posts = [(x - 1.9 if x > 0 else x + 1.9, y) for x, y in (*LAMP_POSTS, *_BESIDE)]
    return np.array(posts)


def street_light(x: Array, y: Array) -> Array:
    """1 under a lamp, falling with the cube of the distance's cosine; shape of ``x``."""
    total = np.zeros_like(x)
    for lx, ly in lanterns():
        total += _LANTERN_M**3 / (_LANTERN_M**2 + (x - lx) ** 2 + (y - ly) ** 2) ** 1.5
    return np.minimum(total, 1.3)


def paint(camera: PinholeCamera, weather: Weather, size: tuple[int, int]) -> tuple[Image, Depth]:
    """The picture without anything that moves, and the distance to what stands in it."""
    image, occluders = paint_backdrop(camera, weather.light, *size, caption=False)
    if weather.condition == "day":
        return image, occluders
    x, y, reach, below = _ground(camera, size)
    bare = np.isfinite(occluders) < below
    picture = image.astype(np.float32)
    if weather.wet > 0.05:
        _wet(picture, x, y, reach, bare, weather)
    if weather.street_light > 0.0:
        gain = np.where(below, street_light(x, y), 0.12)
        gain = np.where(bare, gain, np.minimum(gain + 0.1, 0.5)).astype(np.float32)
        picture *= 1.0 + weather.street_light * gain[..., None] * _WARM
    image = as_image(np.clip(picture, 0.0, 255.0).astype(np.uint8))
    if weather.street_light > 0.0:
        _windows(image, occluders, camera)
        _lit_lanterns(image, occluders, camera)
    return image, occluders


def _ground(
    camera: PinholeCamera, size: tuple[int, int]
) -> tuple[Array, Array, Array, npt.NDArray[np.bool_]]:
    """World x and y of every pixel, its distance, and whether it is below the horizon."""
    u = (np.arange(size[0]) + 0.5) / size[0]
    v = (np.arange(size[1]) + 0.5) / size[1]
    dx, dy, dz = camera.rays(*np.meshgrid(u, v))
    below = dz < -0.004
    scale = np.where(below, -camera.position[2] / np.where(below, dz, -1.0), 0.0)
    return camera.position[0] + scale * dx, camera.position[1] + scale * dy, scale, below


def _wet(
    picture: npt.NDArray[np.float32], x: Array, y: Array, reach: Array,
    bare: npt.NDArray[np.bool_], weather: Weather,
) -> None:  # fmt: skip
    """Wet asphalt is darker, and mirrors the sky the more the flatter it is looked at."""
    flat = np.clip(reach / 90.0, 0.0, 1.0)
    puddle = np.clip(
        Texture(23)(x.astype(np.float32), y.astype(np.float32), 3.2, 2) - 0.75, 0.0, 1.0
    ) * np.clip(1.5 - reach / 80.0, 0.0, 1.0)
    share = weather.wet * (0.06 + 0.22 * flat + 0.28 * puddle)
    dark = 1.0 - 0.34 * weather.wet
    sky = np.array(weather.light.haze, np.float32)
    wet = picture * dark * (1.0 - share[..., None]) + sky * share[..., None]
    picture[bare] = wet[bare].astype(np.float32)


def _windows(image: Image, occluders: Depth, camera: PinholeCamera) -> None:
    """Some rooms have their lights on."""
    rng = np.random.default_rng(17)
    glow = np.zeros_like(image)
    for b in BUILDINGS:
        bays = max(1, int((b.x[1] - b.x[0]) / b.bay_m))
        for floor in range(int((b.height - 0.8) / b.floor_m)):
            for bay in range(bays):
                lit = rng.random() < (0.8 if b.shop and floor == 0 else _LIT_SHARE)
                tint = rng.uniform(0.7, 1.0)
                if lit:
                    _window(glow, occluders, camera, b, floor, (bay + 0.5) / bays, tint)
    image[:] = cv2.add(image, glow)


def _window(
    glow: Image, occluders: Depth, camera: PinholeCamera, b: Building, floor: int, along: float,
    tint: float,
) -> None:  # fmt: skip
    middle = b.x[0] + along * (b.x[1] - b.x[0])
    low = floor * b.floor_m + 1.0
    corners = np.array(
        [(middle + dx, b.y[0], low + dz) for dx, dz in
         ((-0.6, 0.0), (0.6, 0.0), (0.6, 1.5), (-0.6, 1.5))]
    )  # fmt: skip
    far = camera.depth(corners)
    if far.min() < 2.0:
        return
    spot = np.zeros(glow.shape[:2], np.uint8)
    pixels = camera.project(corners) * (glow.shape[1], glow.shape[0])
    cv2.fillConvexPoly(spot, np.round(pixels * 16).astype(np.int32), 255, cv2.LINE_AA, 4)
    seen = (spot > 0) & (occluders > float(far.min()) - 8.0)
    glow[seen] = (np.array((88.0, 158.0, 196.0)) * tint).astype(np.uint8)


def _lit_lanterns(image: Image, occluders: Depth, camera: PinholeCamera) -> None:
    size = (image.shape[1], image.shape[0])
    for x, y in lanterns()[: len(LAMP_POSTS)]:
        at = np.array([[x, y, 7.95]])
        depth = float(camera.depth(at)[0])
        if depth < 2.0:
            continue
        px, py = (camera.project(at) * size)[0]
        column, row = int(px), int(py)
        if not (0 <= column < size[0] and 0 <= row < size[1]):
            continue
        if occluders[row, column] < depth - 3.0:
            continue
        radius = max(0.35 * camera.focal * size[0] / depth, 1.0)
        for reach, level in ((3.0, 40), (1.0, 230)):
            glow = np.zeros_like(image)
            centre = (round(px * 16), round(py * 16))
            colour = (level * 0.8, level * 0.95, float(level))
            cv2.circle(glow, centre, round(radius * reach * 16), colour, -1, cv2.LINE_AA, 4)
            soft = cv2.GaussianBlur(glow, (0, 0), max(radius * reach * 0.4, 0.6))
            image[:] = cv2.add(image, as_image(soft))
