"""All that does not move, painted once: ground, sky, buildings, trees, and the camera's caption."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from functools import partial

import cv2
import numpy as np
import numpy.typing as npt

from monitor.scene import layout
from monitor.scene.camera import Array, PinholeCamera
from monitor.scene.drawing import Depth, Image, as_image
from monitor.scene.ground import Picture, paint_ground
from monitor.scene.light import Light
from monitor.scene.record import VehicleState, vehicle_parts
from monitor.scene.structures import (
    BUILDINGS,
    HEADS,
    HEDGES,
    LAMP_POSTS,
    TREES,
    Building,
    StaticPainter,
    Tree,
)
from monitor.scene.vehicles import VehicleSpec, make_spec

SUPERSAMPLE = 2
CAPTION = "SIM-01  HARBOUR RD / STATION ST"


def paint_backdrop(
    camera: PinholeCamera, light: Light, width: int, height: int, *, caption: bool = True
) -> tuple[Image, Depth]:
    """The picture without anything that moves, and the distance to what stands in it."""
    wide, high = width * SUPERSAMPLE, height * SUPERSAMPLE
    ground, below = paint_ground(camera, light, wide, high)
    _static_shadows(ground, camera, light)
    _sky(ground, below, light)
    image: Image = np.clip(ground, 0, 255).astype(np.uint8)
    depth = np.full((high, wide), np.inf, np.float32)
    painter = StaticPainter(image, depth, camera, light)
    for far, draw in sorted(_things(painter), key=lambda item: -item[0]):
        if far > 0.0:
            draw()
    small = as_image(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA))
    near: Depth = depth.reshape(height, SUPERSAMPLE, width, SUPERSAMPLE).min(axis=(1, 3))
    if caption:
        _caption(small)
    return small, near


def _things(painter: StaticPainter) -> Iterator[tuple[float, Callable[[], None]]]:
    """What stands, with its distance from the camera; negative where it is not in view."""
    eye = np.array(painter.camera.position[:2])

    def far(x: float, y: float) -> float:
        return float(np.hypot(x - eye[0], y - eye[1])) if y > eye[1] + 2 else -1.0

    for b in BUILDINGS:
        x = float(np.clip(eye[0], *b.x))
        yield far(x, b.y[0]), partial(painter.building, b)
    for t in TREES:
        yield far(t.x, t.y), partial(painter.tree, t)
    for x, y in LAMP_POSTS:
        yield far(x, y), partial(painter.lamp_post, x, y)
    for start, end in HEDGES:
        middle = ((start[0] + end[0]) / 2.0, (start[1] + end[1]) / 2.0)
        yield far(*middle), partial(painter.hedge, start, end)
    for spec, state in parked_vehicles():
        yield far(state.x, state.y), partial(painter.parked, spec, state)
    for head in HEADS:
        yield far(head.x, head.y), partial(painter.signal, head)


def parked_vehicles() -> list[tuple[VehicleSpec, VehicleState]]:
    """The car park's customers, who stay all day."""
    rng = random.Random("car park")
    parked = []
    (x0, x1), (y0, y1) = layout.CAR_PARK_X_M, layout.CAR_PARK_Y_M
    for row, y in ((1.0, y0 + 2.6), (-1.0, y1 - 2.6)):
        for bay in range(int((x1 - x0) / layout.BAY_M)):
            if rng.random() < 0.45:
                continue
            heading = row * math.pi / 2.0 * rng.choice((1.0, 1.0, -1.0)) + rng.gauss(0.0, 0.02)
            x = x0 + (bay + 0.5) * layout.BAY_M + rng.gauss(0.0, 0.1)
            spec = make_spec(rng)
            state = VehicleState(
                0, "", 0.0, 0.0, x, y + rng.gauss(0.0, 0.15), heading, 0.0, 0.0, False, False,
                0.0, 0.0,
            )  # fmt: skip
            parked.append((spec, state))
    return parked


def _sky(picture: Picture, below: npt.NDArray[np.bool_], light: Light) -> None:
    height = picture.shape[0]
    rows = np.linspace(0.0, 1.0, height, dtype=np.float32)[:, None]
    top, low = np.array((214.0, 196.0, 176.0)), np.array(light.haze, np.float64) * 1.08
    share = np.clip(rows / 0.13, 0.0, 1.0)[..., None]
    sky = (top * (1 - share) + low * share).astype(np.float32) * light.exposure
    picture[~below] = np.broadcast_to(sky, picture.shape)[~below]


def _static_shadows(picture: Picture, camera: PinholeCamera, light: Light) -> None:
    """What buildings and trees cast on the ground."""
    high, wide = picture.shape[:2]
    mask = np.zeros((high, wide), np.uint8)
    for b in BUILDINGS:
        _cast(mask, camera, light, _corners(b))
    for spec, state in parked_vehicles():
        for part in vehicle_parts(spec, state):
            _cast(mask, camera, light, part)
    soft = cv2.GaussianBlur(mask, (0, 0), 3.0)
    mask[:] = 0
    rng = np.random.default_rng(3)
    for t in TREES:
        for _ in range(26):
            shift = rng.normal(0.0, 0.45, 3) * t.crown
            middle = np.array([t.x, t.y, t.height - t.crown * 0.9]) + shift
            _cast(mask, camera, light, _ball(middle, t.crown * rng.uniform(0.25, 0.5)))
        _cast(mask, camera, light, _post(t))
    dapple = cv2.GaussianBlur(mask, (0, 0), 2.2)
    share = np.maximum(soft, (dapple * 0.85).astype(np.uint8)).astype(np.float32) / 255.0
    picture *= (1.0 - light.shadow * share)[..., None]


def _corners(b: Building) -> Array:
    return np.array([(x, y, z) for x in b.x for y in b.y for z in (0.0, b.height)])


def _post(t: Tree) -> Array:
    return np.array([(t.x + dx, t.y, z) for dx in (-0.1, 0.1) for z in (0.0, t.height * 0.6)])


def _ball(middle: Array, radius: float) -> Array:
    angles = np.linspace(0, 2 * np.pi, 10, endpoint=False)
    ring = np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1) * radius
    return middle + ring


def _cast(mask: Image, camera: PinholeCamera, light: Light, points: Array) -> None:
    fallen = points.copy()
    dx, dy = light.shadow_offset(1.0)
    fallen[:, 0] += dx * points[:, 2]
    fallen[:, 1] += dy * points[:, 2]
    fallen[:, 2] = 0.0
    if camera.depth(fallen).min() < 1.0:
        return
    pixels = camera.project(fallen) * (mask.shape[1], mask.shape[0])
    hull = cv2.convexHull(np.round(pixels * 16).astype(np.int32))
    cv2.fillConvexPoly(mask, hull, 255, cv2.LINE_AA, 4)


def _caption(image: Image) -> None:
    """The label that cameras burn in. No clock: recorded footage would show a wrong one."""
    scale = image.shape[1] / 1280.0
    at = (round(18 * scale), round(28 * scale))
    for colour, shift in (((20, 20, 20), 1), ((245, 245, 245), 0)):
        cv2.putText(
            image, CAPTION, (at[0] + shift, at[1] + shift), cv2.FONT_HERSHEY_SIMPLEX,
            0.62 * scale, colour, max(1, round(1.4 * scale)), cv2.LINE_AA,
        )  # fmt: skip
