"""Vehicles and people onto the picture: shaded polygons, twice supersampled, in a small patch.

Everything works on a ``Canvas`` (the frame in 8-bit BGR and the depth of what stands in the
backdrop, so that a car goes behind a lamp post) and draws the farthest first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from monitor.scene.bodies import Body, Paint, body_of
from monitor.scene.camera import Array, PinholeCamera
from monitor.scene.light import Light
from monitor.scene.record import VehicleState, world_vertices
from monitor.scene.vehicles import VehicleSpec

Image = npt.NDArray[np.uint8]
Depth = npt.NDArray[np.float32]
Fixed = npt.NDArray[np.int32]

SUPERSAMPLE = 2
_SHIFT = 4  # cv2's fixed-point bits
_MARGIN = 3


@dataclass(slots=True)
class Canvas:
    """The frame being drawn."""

    image: Image
    occluders: Depth  # metres to what stands in the backdrop, infinite over bare ground

    @property
    def size(self) -> tuple[int, int]:
        return self.image.shape[1], self.image.shape[0]


class Patch:
    """A supersampled cut-out of the frame with its own coverage mask."""

    def __init__(self, size: tuple[int, int], points: Array) -> None:
        """``points``: (n, 2) pixels that must fit in, cut to a frame of ``size``."""
        width, height = size
        low, high = points.min(axis=0), points.max(axis=0)
        self.x0 = max(math.floor(low[0]) - _MARGIN, 0)
        self.y0 = max(math.floor(low[1]) - _MARGIN, 0)
        self.x1 = min(math.ceil(high[0]) + _MARGIN, width)
        self.y1 = min(math.ceil(high[1]) + _MARGIN, height)
        self.empty = self.x1 <= self.x0 or self.y1 <= self.y0
        rows, columns = max(self.y1 - self.y0, 0), max(self.x1 - self.x0, 0)
        self.colour = np.zeros((rows * SUPERSAMPLE, columns * SUPERSAMPLE, 3), np.uint8)
        self.mask = np.zeros(self.colour.shape[:2], np.uint8)

    def fixed(self, points: Array) -> Fixed:
        """Pixels as the patch's fixed-point coordinates."""
        scale = SUPERSAMPLE << _SHIFT
        shift = np.array((self.x0 * scale, self.y0 * scale)) + (1 << _SHIFT) / 2.0 - 0.5
        return (points * scale - shift).astype(np.int32)

    def fill(self, polygon: Fixed, colour: Sequence[float]) -> None:
        """A convex polygon, inside what is already covered."""
        cv2.fillConvexPoly(self.colour, polygon, colour, cv2.LINE_8, _SHIFT)

    def cover(self, points: Fixed, colour: Sequence[float]) -> None:
        """The convex hull of points, adding to the coverage."""
        hull = cv2.convexHull(points)
        cv2.fillConvexPoly(self.mask, hull, 255, cv2.LINE_8, _SHIFT)
        cv2.fillConvexPoly(self.colour, hull, colour, cv2.LINE_8, _SHIFT)

    def limb(self, a: Array, b: Array, thickness: float, colour: Sequence[float]) -> None:
        """A thick line between two pixels, adding to the coverage."""
        ends = self.fixed(np.stack([a, b])).tolist()
        wide = max(1, round(thickness * SUPERSAMPLE))
        cv2.line(self.colour, ends[0], ends[1], colour, wide, cv2.LINE_8, _SHIFT)
        cv2.line(self.mask, ends[0], ends[1], 255, wide, cv2.LINE_8, _SHIFT)

    def sprite(self, depth_m: float) -> Sprite:
        """The finished cut-out at the frame's own resolution."""
        size = (self.x1 - self.x0, self.y1 - self.y0)
        colour = as_image(cv2.resize(self.colour, size, interpolation=cv2.INTER_AREA))
        alpha = as_image(cv2.resize(self.mask, size, interpolation=cv2.INTER_AREA))
        return Sprite(self.x0, self.y0, colour, alpha, depth_m)


@dataclass(frozen=True, slots=True)
class Sprite:
    """Something drawn, ready to be put into a frame. Its colour is weighted by its coverage."""

    x: int
    y: int
    colour: Image
    alpha: Image
    depth_m: float

    def paste(self, canvas: Canvas) -> None:
        """Blend into the frame where nothing in the backdrop stands nearer."""
        rows, columns = self.alpha.shape
        here = (slice(self.y, self.y + rows), slice(self.x, self.x + columns))
        hidden = canvas.occluders[here] < self.depth_m
        alpha, colour = self.alpha, self.colour
        if hidden.any():
            alpha, colour = alpha.copy(), colour.copy()
            alpha[hidden], colour[hidden] = 0, 0
        rest = cv2.bitwise_not(alpha)
        kept = cv2.multiply(canvas.image[here], cv2.merge([rest, rest, rest]), scale=1.0 / 255.0)
        canvas.image[here] = cv2.add(kept, colour)


def as_image(array: object) -> Image:
    """OpenCV's stubs do not say that 8-bit in is 8-bit out."""
    assert isinstance(array, np.ndarray)
    assert array.dtype == np.uint8
    return array


_FIXED: dict[Paint, tuple[int, int, int]] = {
    Paint.TRIM: (46, 45, 44),
    Paint.GLASS: (92, 80, 68),
    Paint.GLASS_LOW: (52, 46, 41),
    Paint.PLATE: (206, 214, 214),
    Paint.WHEEL: (26, 26, 27),
    Paint.RIM: (120, 118, 116),
    Paint.HEAD_LAMP: (232, 236, 236),
}
_TAIL_DARK, _TAIL_LIT = (36, 26, 116), (64, 58, 255)
_HIGH_DARK, _HIGH_LIT = (34, 28, 70), (70, 60, 255)
_AMBER_DARK, _AMBER_LIT = (52, 92, 150), (40, 190, 255)
_TOO_SMALL_PX = 20.0  # a vehicle this small shows no details
_DETAILS = frozenset({Paint.TRIM, Paint.PLATE, Paint.RIM, Paint.HIGH_LAMP, Paint.GLASS_LOW})


def _colour(paint: Paint, spec: VehicleSpec, brake: bool, hazard: bool) -> tuple[int, int, int]:
    """A face's colour in white light; lamps by whether they are lit."""
    if paint is Paint.TAIL_LAMP:
        return _TAIL_LIT if brake else _TAIL_DARK
    if paint is Paint.HIGH_LAMP:
        return _HIGH_LIT if brake else _HIGH_DARK
    if paint is Paint.INDICATOR:
        return _AMBER_LIT if hazard else _AMBER_DARK
    if paint in _FIXED:
        return _FIXED[paint]
    b, g, r = spec.paint
    scale = {Paint.BODY_HIGH: 1.08, Paint.BODY_LOW: 0.74}.get(paint, 1.0)
    return (int(b * scale), int(g * scale), int(r * scale))


def _shines(paint: Paint, brake: bool, hazard: bool) -> bool:
    if paint is Paint.INDICATOR:
        return hazard
    return brake and paint in (Paint.TAIL_LAMP, Paint.HIGH_LAMP)


@lru_cache(maxsize=512)
def _palette(
    body: Body, spec: VehicleSpec, brake: bool, hazard: bool
) -> tuple[Array, Array, Array]:
    """Per face: colour (n, 3), whether it is glass (n,), whether it shines (n,)."""
    return (
        np.array([_colour(f.paint, spec, brake, hazard) for f in body.faces], np.float64),
        np.array([f.paint in (Paint.GLASS, Paint.GLASS_LOW) for f in body.faces], np.float64),
        np.array([_shines(f.paint, brake, hazard) for f in body.faces], np.float64),
    )


def vehicle_sprite(
    size: tuple[int, int], camera: PinholeCamera, light: Light, spec: VehicleSpec,
    state: VehicleState,
) -> Sprite | None:  # fmt: skip
    """One vehicle, with glass, lamps and wheels; None where it is out of the picture."""
    body = body_of(spec.shape, spec.length_m, spec.width_m, spec.height_m)
    vertices = world_vertices(spec, state)
    depths = camera.depth(vertices)
    if depths.min() < 1.0:
        return None
    pixels = camera.project(vertices) * size
    patch = Patch(size, pixels)
    if patch.empty:
        return None
    fixed = patch.fixed(pixels)
    colours, facing = _face_colours(body, camera, light, spec, state, vertices, depths)
    under = [0.35 * light.exposure * c for c in spec.paint]
    wide = float(np.ptp(pixels[:, 0]))
    for face in body.faces:
        if face.paint is Paint.WHEEL:
            patch.cover(fixed[face.start : face.stop], (20.0, 20.0, 21.0))
    patch.cover(fixed[body.lower], under)
    patch.cover(fixed[body.upper], under)
    for number in facing:
        face = body.faces[number]
        if wide < _TOO_SMALL_PX and face.paint in _DETAILS:
            continue
        patch.fill(fixed[face.start : face.stop], colours[number])
    return patch.sprite(float(depths.min()))


def _face_colours(
    body: Body, camera: PinholeCamera, light: Light, spec: VehicleSpec, state: VehicleState,
    vertices: Array, depths: Array,
) -> tuple[list[list[float]], list[int]]:  # fmt: skip
    """Every face's lit colour, and which faces are turned to the camera, in drawing order."""
    cos, sin = math.cos(state.heading), math.sin(state.heading)
    normals = body.normals @ np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]])
    towards = np.array(camera.position) - vertices[body.firsts]
    facing = np.flatnonzero(np.einsum("ij,ij->i", normals, towards) > 0.0)
    base, glass, shines = _palette(body, spec, state.brake_lamp, state.hazard_lit)
    # Glass mirrors the sky: the more it leans back, the brighter.
    mirror = (0.62 + 0.75 * np.clip(normals[:, 2], 0.0, None)) * light.exposure
    tone = np.where(shines > 0, 1.0, np.where(glass > 0, mirror, light.shade(normals)))
    haze = light.haze_share(float(depths.mean()))
    colours = np.minimum(base * tone[:, None], 255.0) * (1.0 - haze)
    colours += np.array(light.haze) * haze
    return colours.tolist(), facing.tolist()


def glow_of_lamps(
    canvas: Canvas, camera: PinholeCamera, spec: VehicleSpec, state: VehicleState
) -> None:
    """The halo that lit lamps leave on a sensor."""
    if not (state.brake_lamp or state.hazard_lit):
        return
    body = body_of(spec.shape, spec.length_m, spec.width_m, spec.height_m)
    ahead = np.array([math.cos(state.heading), math.sin(state.heading)])
    seen = np.array(camera.position[:2]) - (state.x, state.y)
    if ahead @ seen > 0.0:
        return  # it comes towards the camera: its tail is on the other side
    vertices = world_vertices(spec, state)
    if camera.depth(vertices).min() < 1.0:
        return
    pixels = camera.project(vertices) * canvas.size
    for face in body.faces:
        if not _shines(face.paint, state.brake_lamp, state.hazard_lit):
            continue
        points = pixels[face.start : face.stop]
        centre, spread = points.mean(axis=0), np.ptp(points, axis=0)
        colour = _colour(face.paint, spec, state.brake_lamp, state.hazard_lit)
        radius = float(max(spread.max() * 1.1, 2.0))
        add_glow(canvas, float(centre[0]), float(centre[1]), radius, colour, 0.36)


def add_glow(
    canvas: Canvas, x: float, y: float, radius: float, colour: tuple[int, int, int], gain: float
) -> None:
    """Add a soft spot of light."""
    width, height = canvas.size
    reach = int(radius * 2.2) + 1
    x0, x1 = max(int(x) - reach, 0), min(int(x) + reach + 1, width)
    y0, y1 = max(int(y) - reach, 0), min(int(y) + reach + 1, height)
    if x1 <= x0 or y1 <= y0:
        return
    gx = np.exp(-(((np.arange(x0, x1) - x) / radius) ** 2))
    gy = np.exp(-(((np.arange(y0, y1) - y) / radius) ** 2))
    spot = (gy[:, None] * gx[None, :] * gain)[..., None] * np.array(colour, np.float64)
    region = canvas.image[y0:y1, x0:x1]
    canvas.image[y0:y1, x0:x1] = cv2.add(region, spot.astype(np.uint8))
