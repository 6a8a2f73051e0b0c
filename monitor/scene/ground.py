"""The road seen by the camera: asphalt, kerbs, pavement, grass and markings, per pixel.

Every pixel below the horizon is traced back to the road plane, and its colour is a function of
the world point there, so that texture and paint are in true perspective.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from monitor.scene import layout
from monitor.scene.camera import PinholeCamera
from monitor.scene.light import Light

Plane = npt.NDArray[np.float32]
Picture = npt.NDArray[np.float32]  # (h, w, 3) BGR, 0..255

_NOISE_SIZE = 512
_STRIP_ROWS = 72


class Texture:
    """Tileable noise, looked up in metres."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self._tiles = []
        for blur in (0.0, 1.2, 4.0):
            tile = rng.standard_normal((_NOISE_SIZE, _NOISE_SIZE)).astype(np.float32)
            if blur:
                wide = cv2.GaussianBlur(np.tile(tile, (3, 3)), (0, 0), blur)
                tile = np.asarray(wide, np.float32)[
                    _NOISE_SIZE : 2 * _NOISE_SIZE, _NOISE_SIZE : 2 * _NOISE_SIZE
                ]
            self._tiles.append((tile / tile.std()).astype(np.float32))

    def __call__(self, x: Plane, y: Plane, cell_m: float, kind: int = 1) -> Plane:
        """Unit-variance noise whose grain is about ``cell_m`` metres."""
        grain = (1.0, 2.6, 8.0)[kind]
        scale = grain / cell_m
        u = np.mod(x * scale, _NOISE_SIZE).astype(np.float32)
        v = np.mod(y * scale, _NOISE_SIZE).astype(np.float32)
        tile = self._tiles[kind]
        seen = cv2.remap(tile, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        return np.asarray(seen, np.float32)


def band(value: Plane, low: float, high: float, soft: Plane) -> Plane:
    """1 between ``low`` and ``high``, with edges as soft as a pixel's footprint."""
    up: Plane = np.clip((value - low) / soft + np.float32(0.5), 0.0, 1.0)
    up *= np.clip((high - value) / soft + np.float32(0.5), 0.0, 1.0)
    return up


def mix(picture: Picture, colour: tuple[float, float, float], share: Plane) -> None:
    """Blend a colour in, in place."""
    picture += (np.array(colour, dtype=np.float32) - picture) * share[..., None]


@dataclass(frozen=True, slots=True)
class _Map:
    """World coordinates of every pixel, its footprint along the view, and its distance."""

    x: Plane
    y: Plane
    soft_x: Plane
    soft_y: Plane
    range_m: Plane


def _trace(
    camera: PinholeCamera, width: int, height: int, rows: range
) -> tuple[_Map, npt.NDArray[np.bool_]]:
    u = (np.arange(width, dtype=np.float64) + 0.5) / width
    v = (np.array(rows, dtype=np.float64) + 0.5) / height
    uu, vv = np.meshgrid(u, v)
    dx, dy, dz = camera.rays(uu, vv)
    below = dz < -0.004
    scale = np.where(below, -camera.position[2] / np.where(below, dz, -1.0), 0.0)
    x = (camera.position[0] + scale * dx).astype(np.float32)
    y = (camera.position[1] + scale * dy).astype(np.float32)
    across = (scale / (camera.focal * width)).astype(np.float32)
    along = (across * scale / camera.position[2]).astype(np.float32)
    soft_x = np.maximum(across + 0.15 * along, 0.012)
    soft_y = np.maximum(along, 0.02)
    return _Map(x, y, soft_x, soft_y, scale.astype(np.float32)), below


def paint_ground(
    camera: PinholeCamera, light: Light, width: int, height: int
) -> tuple[Picture, npt.NDArray[np.bool_]]:
    """The ground's colours, and where the ground is (below the horizon)."""
    texture = Texture(11)
    strips = [range(top, min(top + _STRIP_ROWS, height)) for top in range(0, height, _STRIP_ROWS)]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:  # numpy lets go of the lock
        done = list(
            pool.map(lambda rows: _strip(camera, light, texture, width, height, rows), strips)
        )
    return np.concatenate([p for p, _ in done]), np.concatenate([b for _, b in done])


def _strip(
    camera: PinholeCamera, light: Light, texture: Texture, width: int, height: int, rows: range
) -> tuple[Picture, npt.NDArray[np.bool_]]:
    m, below = _trace(camera, width, height, rows)
    picture = np.zeros((len(rows), width, 3), np.float32)
    if not below.any():
        return picture, below
    fine = np.clip(1.4 - m.range_m / 55.0, 0.0, 1.0)  # detail finer than a pixel averages out
    coarse = np.clip(1.6 - m.range_m / 150.0, 0.0, 1.0)
    _grass(picture, m, texture, fine, coarse)
    cross = band(m.y, *layout.CROSS_Y_M, m.soft_y)
    main = band(np.abs(m.x), -1.0, layout.MAIN_HALF_M, m.soft_x)
    _round_corners(m, main)
    road = np.maximum(main, cross)
    _car_park(picture, m, texture, fine)
    _pavement(picture, m, texture, fine, road)
    _asphalt(picture, m, texture, fine, coarse, road, main)
    _markings(picture, m, texture, fine, main, cross)
    _haze(picture, m, light)
    picture *= np.float32(light.exposure)
    return picture, below


def _grass(p: Picture, m: _Map, texture: Texture, fine: Plane, coarse: Plane) -> None:
    tone = 1.0 + 0.05 * texture(m.x, m.y, 7.5, 2) * coarse + 0.07 * texture(m.x, m.y, 0.6) * coarse
    tone += 0.09 * texture(m.x, m.y, 0.12) * fine
    p[:] = np.array((62.0, 104.0, 92.0), np.float32) * tone[..., None]
    dry = np.clip(0.5 + 0.6 * texture(m.x + 40, m.y, 6.0, 2), 0, 1).astype(np.float32) * 0.35
    mix(p, (92.0, 128.0, 132.0), dry)


def _car_park(p: Picture, m: _Map, texture: Texture, fine: Plane) -> None:
    """Off the road, to the right: asphalt, a drive to the kerb, and bays."""
    (x0, x1), (y0, y1) = layout.CAR_PARK_X_M, layout.CAR_PARK_Y_M
    lot = band(m.x, x0, x1, m.soft_x) * band(m.y, y0, y1, m.soft_y)
    drive = band(m.x, layout.MAIN_HALF_M, x0 + 0.1, m.soft_x) * band(m.y, 10.4, 14.2, m.soft_y)
    tone = 1.0 + 0.04 * texture(m.x, m.y, 0.5) + 0.07 * texture(m.x, m.y, 0.06, 0) * fine
    colour = np.array((122.0, 123.0, 122.0), np.float32) * tone[..., None]
    p += (colour - p) * np.maximum(lot, drive)[..., None]
    across = np.mod(m.x - x0, layout.BAY_M).astype(np.float32)
    line = band(across, 0.0, 0.1, m.soft_x) * band(m.x, x0, x1, m.soft_x)
    rows = band(m.y, y0, y0 + 5.0, m.soft_y) + band(m.y, y1 - 5.0, y1, m.soft_y)
    mix(p, (206.0, 208.0, 208.0), (line * rows * 0.8).astype(np.float32))


def _round_corners(m: _Map, main: Plane) -> None:
    """Widen the junction's corners by a kerb radius."""
    radius = 5.0
    for y_kerb, side in ((layout.CROSS_Y_M[0], -1.0), (layout.CROSS_Y_M[1], 1.0)):
        cx, cy = layout.MAIN_HALF_M + radius, y_kerb + side * radius
        ax = np.abs(m.x)
        inside = (ax < cx) & (ax > layout.MAIN_HALF_M - 0.1)
        inside &= (m.y - y_kerb) * side < radius
        inside &= (m.y - y_kerb) * side > -0.1
        distance = np.hypot(ax - cx, m.y - cy)
        share = np.clip((distance - radius) / (m.soft_x + m.soft_y) + 0.5, 0.0, 1.0)
        np.maximum(main, np.where(inside, share, 0.0).astype(np.float32), out=main)


def _pavement(p: Picture, m: _Map, texture: Texture, fine: Plane, road: Plane) -> None:
    edge = layout.MAIN_HALF_M + layout.PAVEMENT_M
    beside_main = band(np.abs(m.x), 0.0, edge, m.soft_x)
    beside_cross = band(m.y, layout.CROSS_Y_M[0] - 2.4, layout.CROSS_Y_M[1] + 2.4, m.soft_y)
    corner = band(np.abs(m.x), 0.0, edge + 3.5, m.soft_x) * band(
        m.y, layout.CROSS_Y_M[0] - 6.0, layout.CROSS_Y_M[1] + 6.0, m.soft_y
    )
    share = np.maximum(np.maximum(beside_main, beside_cross), corner)
    tone = 1.0 + 0.03 * texture(m.x, m.y, 1.4) + 0.05 * texture(m.x, m.y, 0.1) * fine
    seam_x = np.abs(np.mod(m.x, 0.6) - 0.3) > 0.285
    seam_y = np.abs(np.mod(m.y, 0.6) - 0.3) > 0.28
    tone -= 0.13 * (seam_x | seam_y) * fine
    colour = np.array((150.0, 156.0, 160.0), np.float32) * tone[..., None]
    p += (colour - p) * share[..., None]
    # Kerb stones: a light strip, and the dark edge of its upright face on the road side.
    for low, high, grey in ((0.0, 0.22, (182.0, 186.0, 188.0)), (-0.10, 0.0, (84.0, 86.0, 88.0))):
        kerb = band(np.abs(m.x), layout.MAIN_HALF_M + low, layout.MAIN_HALF_M + high, m.soft_x)
        mix(p, grey, kerb * (1.0 - np.clip(road * 1.0, 0, 1) * (low >= 0)))
        for y_kerb, side in ((layout.CROSS_Y_M[0], -1.0), (layout.CROSS_Y_M[1], 1.0)):
            kerb = band((m.y - y_kerb) * side, low, high, m.soft_y)
            mix(p, grey, (kerb * (1.0 - road)).astype(np.float32))


def _asphalt(
    p: Picture, m: _Map, texture: Texture, fine: Plane, coarse: Plane, road: Plane, main: Plane
) -> None:
    tone = 1.0 + 0.035 * texture(m.x, m.y, 5.0, 2) * coarse
    tone += 0.035 * texture(m.x, m.y, 0.55) * np.clip(coarse, 0, 0.8)
    tone += 0.07 * texture(m.x, m.y, 0.06, 0) * fine
    # Wheels polish two tracks per lane; oil darkens the lane's middle and the stop lines.
    lane_x = np.mod(m.x, layout.LANE_WIDTH_M) - layout.LANE_WIDTH_M / 2.0
    tracks = np.exp(-(((np.abs(lane_x) - 0.8) / 0.28) ** 2))
    oil = np.exp(-((lane_x / 0.35) ** 2)) * (0.6 + 0.4 * texture(m.x * 3, m.y, 2.5, 2))
    approach = np.clip(1.0 - np.abs(m.y - 22.0) / 22.0, 0.0, 1.0)
    tone += main * (0.05 * tracks - (0.05 + 0.06 * approach) * oil)
    asphalt = np.array((132.0, 131.0, 128.0), np.float32) * tone[..., None]
    p += (asphalt - p) * road[..., None]
    # Repairs: darker rectangles, sealed cracks, and a manhole.
    for x0, x1, y0, y1, dark in (
        (3.9, 6.6, 6.5, 10.2, 0.86), (-6.2, -4.1, 12.0, 21.0, 0.9), (0.4, 2.3, 40.0, 44.5, 0.84),
        (-3.3, -0.5, -2.0, 1.5, 0.9), (-30.0, -19.0, 38.2, 41.0, 0.88),
    ):  # fmt: skip
        patch = band(m.x, x0, x1, m.soft_x) * band(m.y, y0, y1, m.soft_y)
        p *= 1.0 - (1.0 - dark) * patch[..., None]
    for x0, drift, phase in ((2.6, 0.02, 0.3), (-2.9, -0.015, 1.9), (5.9, 0.012, 4.0)):
        line = x0 + drift * m.y + 0.22 * np.sin(m.y * 0.9 + phase) + 0.1 * np.sin(m.y * 2.7)
        crack = band((m.x - line).astype(np.float32), -0.025, 0.025, m.soft_x)
        crack *= np.clip(0.025 * 2 / m.soft_x, 0, 1) * main
        p *= 1.0 - 0.22 * crack[..., None]
    for cx, cy in ((4.2, 3.4), (-2.2, 25.0), (1.2, 57.0)):
        hole = np.clip((0.36 - np.hypot(m.x - cx, m.y - cy)) / (m.soft_x + m.soft_y) + 0.5, 0, 1)
        p *= 1.0 - 0.42 * hole[..., None].astype(np.float32)


def _markings(
    p: Picture, m: _Map, texture: Texture, fine: Plane, main: Plane, cross: Plane
) -> None:
    wear = np.clip(
        0.86 + 0.16 * texture(m.x, m.y, 0.25) * fine + 0.08 * texture(m.x, m.y, 2.0, 2), 0.25, 1.0
    ).astype(np.float32)
    near, far = layout.NEAR_CROSSWALK_Y_M, layout.FAR_CROSSWALK_Y_M
    outside = (m.y < near[0] - 1.6) | (m.y > far[1] + 1.6)
    paint = np.zeros_like(m.x)
    for x in (-0.14, 0.14):  # double centre line
        paint = np.maximum(paint, band(m.x, x - 0.07, x + 0.07, m.soft_x) * outside)
    approach = (m.y > near[0] - 24.0) & (m.y < near[0])
    approach_in = (m.y > far[1]) & (m.y < far[1] + 24.0)
    for x in (3.5, -3.5):  # lane lines, unbroken before the stop line
        line = band(m.x, x - 0.07, x + 0.07, m.soft_x)
        dash = band(np.mod(m.y, 9.0).astype(np.float32), 0.0, 3.0, m.soft_y)
        solid = approach if x > 0 else approach_in
        paint = np.maximum(paint, line * np.where(solid, 1.0, dash) * outside)
    for x in (-6.75, 6.75):  # edge lines
        paint = np.maximum(paint, band(m.x, x - 0.06, x + 0.06, m.soft_x) * outside)
    stop = band(m.y, near[0] - 1.7, near[0] - 1.3, m.soft_y) * band(m.x, 0.2, 6.7, m.soft_x)
    stop_in = band(m.y, far[1] + 1.3, far[1] + 1.7, m.soft_y) * band(m.x, -6.7, -0.2, m.soft_x)
    paint = np.maximum(paint, np.maximum(stop, stop_in))
    for low, high in (near, far):  # zebra
        bars = band(np.mod(m.x + 0.25, 1.0).astype(np.float32), 0.0, 0.5, m.soft_x)
        paint = np.maximum(
            paint, bars * band(m.y, low, high, m.soft_y) * band(m.x, -6.8, 6.8, m.soft_x)
        )
    line_m = layout.CROSS_LINE_M
    for sign, lane in ((-1.0, (36.9, 41.3)), (1.0, (41.7, 46.1))):
        mark = band(m.x * sign, line_m + 0.1, line_m + 0.5, m.soft_x) * band(m.y, *lane, m.soft_y)
        paint = np.maximum(paint, mark)
    centre = band(m.y, 41.42, 41.58, m.soft_y) * (np.abs(m.x) > line_m + 0.5)
    paint = np.maximum(paint, centre * band(np.mod(m.x, 6.0).astype(np.float32), 0, 3, m.soft_x))
    paint = np.maximum(paint, _arrows(m))
    share = paint * wear * np.maximum(main, cross)
    mix(p, (226.0, 230.0, 230.0), (share * 0.92).astype(np.float32))


def _arrows(m: _Map) -> Plane:
    """Straight-on arrows in both outbound lanes."""
    result = np.zeros_like(m.x)
    for x, y in ((1.75, 14.0), (5.25, 14.0), (1.75, -6.0), (5.25, -6.0)):
        stem = band(m.x, x - 0.09, x + 0.09, m.soft_x) * band(m.y, y, y + 2.6, m.soft_y)
        reach = np.clip((y + 4.4 - m.y) / 1.8 * 0.42, -1.0, 1.0)
        head = np.clip((reach - np.abs(m.x - x)) / m.soft_x + 0.5, 0.0, 1.0)
        head = head * band(m.y, y + 2.6, y + 4.4, m.soft_y)
        result = np.maximum(result, np.maximum(stem, head))
    return result.astype(np.float32)


def _haze(p: Picture, m: _Map, light: Light) -> None:
    share = (1.0 - np.exp(-m.range_m / light.haze_m)).astype(np.float32)
    mix(p, (float(light.haze[0]), float(light.haze[1]), float(light.haze[2])), share)
