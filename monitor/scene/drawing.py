"""Vehicles and people onto the picture: shaded polygons, twice supersampled, in a small patch.

Everything works on a ``Canvas`` (the frame in 8-bit BGR and the depth of what stands in the
backdrop, so that a car goes behind a lamp post) and draws the farthest first.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from monitor.scene.bodies import Paint, body_of
from monitor.scene.camera import Array, PinholeCamera
from monitor.scene.light import Light
from monitor.scene.record import VehicleState, world_vertices
from monitor.scene.vehicles import VehicleSpec

Image = npt.NDArray[np.uint8]
Depth = npt.NDArray[np.float32]

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

    def __init__(self, canvas: Canvas, points: Array) -> None:
        """``points``: (n, 2) pixels that must fit in, cut to the frame."""
        width, height = canvas.size
        low = np.floor(points.min(axis=0)).astype(int) - _MARGIN
        high = np.ceil(points.max(axis=0)).astype(int) + _MARGIN
        self.x0, self.y0 = max(int(low[0]), 0), max(int(low[1]), 0)
        self.x1, self.y1 = min(int(high[0]), width), min(int(high[1]), height)
        self.empty = self.x1 <= self.x0 or self.y1 <= self.y0
        rows, columns = max(self.y1 - self.y0, 0), max(self.x1 - self.x0, 0)
        self.colour = np.zeros((rows * SUPERSAMPLE, columns * SUPERSAMPLE, 3), np.uint8)
        self.mask = np.zeros(self.colour.shape[:2], np.uint8)

    def _fixed(self, points: Array) -> npt.NDArray[np.int32]:
        local = (points - (self.x0, self.y0)) * SUPERSAMPLE - 0.5
        return np.round(local * (1 << _SHIFT)).astype(np.int32)

    def fill(self, points: Array, colour: tuple[float, ...]) -> None:
        """A convex polygon, inside what is already covered."""
        cv2.fillConvexPoly(self.colour, self._fixed(points), colour, cv2.LINE_8, _SHIFT)

    def cover(self, points: Array, colour: tuple[float, ...]) -> None:
        """The convex hull of points, adding to the coverage."""
        hull = cv2.convexHull(self._fixed(points))
        cv2.fillConvexPoly(self.mask, hull, 255, cv2.LINE_8, _SHIFT)
        cv2.fillConvexPoly(self.colour, hull, colour, cv2.LINE_8, _SHIFT)

    def limb(self, a: Array, b: Array, thickness: float, colour: tuple[float, ...]) -> None:
        """A thick line, adding to the coverage."""
        ends = self._fixed(np.stack([a, b]))
        wide = max(1, round(thickness * SUPERSAMPLE))
        start, end = tuple(map(int, ends[0])), tuple(map(int, ends[1]))
        cv2.line(self.colour, start, end, colour, wide, cv2.LINE_8, _SHIFT)
        cv2.line(self.mask, start, end, 255, wide, cv2.LINE_8, _SHIFT)

    def paste(self, canvas: Canvas, depth_m: float) -> None:
        """Blend into the frame where nothing in the backdrop stands nearer."""
        if self.empty:
            return
        size = (self.x1 - self.x0, self.y1 - self.y0)
        colour = cv2.resize(self.colour, size, interpolation=cv2.INTER_AREA)
        alpha = cv2.resize(self.mask, size, interpolation=cv2.INTER_AREA)
        here = (slice(self.y0, self.y1), slice(self.x0, self.x1))
        alpha[canvas.occluders[here] < depth_m] = 0
        target = canvas.image[here]
        # Colour outside the mask is black, so it is already weighted by its coverage.
        rest = cv2.merge([cv2.bitwise_not(alpha)] * 3)
        kept = cv2.multiply(target, rest, scale=1.0 / 255.0)
        lit = cv2.bitwise_and(colour, colour, mask=alpha)
        canvas.image[here] = cv2.add(kept, lit)


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
_GLOWING = frozenset({Paint.TAIL_LAMP, Paint.HIGH_LAMP, Paint.INDICATOR})


def _colour(
    paint: Paint, spec: VehicleSpec, state: VehicleState
) -> tuple[tuple[int, int, int], bool]:
    """A face's colour in white light, and whether it shines by itself."""
    if paint is Paint.TAIL_LAMP:
        return (_TAIL_LIT, True) if state.brake_lamp else (_TAIL_DARK, False)
    if paint is Paint.HIGH_LAMP:
        return (_HIGH_LIT, True) if state.brake_lamp else (_HIGH_DARK, False)
    if paint is Paint.INDICATOR:
        return (_AMBER_LIT, True) if state.hazard_lit else (_AMBER_DARK, False)
    if paint in _FIXED:
        return _FIXED[paint], False
    b, g, r = spec.paint
    scale = {Paint.BODY_HIGH: 1.08, Paint.BODY_LOW: 0.74, Paint.ROOF: 1.0}.get(paint, 1.0)
    return (int(b * scale), int(g * scale), int(r * scale)), False


def draw_vehicle(
    canvas: Canvas, camera: PinholeCamera, light: Light, spec: VehicleSpec, state: VehicleState
) -> None:
    """One vehicle, with glass, lamps and wheels."""
    body = body_of(spec.shape, spec.length_m, spec.width_m, spec.height_m)
    vertices = world_vertices(spec, state)
    depths = camera.depth(vertices)
    if depths.min() < 1.0:
        return
    pixels = camera.project(vertices) * canvas.size
    patch = Patch(canvas, pixels)
    if patch.empty:
        return
    cos, sin = np.cos(state.heading), np.sin(state.heading)
    normals = body.normals @ np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]])
    shade = light.shade(normals)
    haze = light.haze_share(float(depths.mean()))
    eye = np.array(camera.position)
    firsts = vertices[[face.points[0] for face in body.faces]]
    facing = np.einsum("ij,ij->i", normals, eye - firsts) > 0.0
    under = tuple(0.35 * light.exposure * c for c in spec.paint)
    wheels = [i for f in body.faces if f.paint is Paint.WHEEL for i in f.points]
    patch.cover(pixels[body.lower], under)
    patch.cover(pixels[body.upper], under)
    for start in range(0, len(wheels), 12):
        patch.cover(pixels[wheels[start : start + 12]], (20.0, 20.0, 21.0))
    patch.cover(pixels[body.lower], under)
    for number in np.flatnonzero(facing):
        face = body.faces[int(number)]
        base, shines = _colour(face.paint, spec, state)
        tone = 1.0 if shines else float(shade[number])
        if face.paint in (Paint.GLASS, Paint.GLASS_LOW):
            # Glass mirrors the sky: the more it leans back, the brighter.
            tone = 0.62 + 0.75 * max(0.0, float(normals[number, 2]))
        colour = tuple(
            min(255.0, c * tone) * (1.0 - haze) + h * haze
            for c, h in zip(base, light.haze, strict=True)
        )
        patch.fill(pixels[list(face.points)], colour)
    patch.paste(canvas, float(depths.min()))
    if state.brake_lamp or state.hazard_lit:
        _glow(canvas, body.faces, pixels, facing, spec, state)


def _glow(
    canvas: Canvas,
    faces: tuple[object, ...],
    pixels: Array,
    facing: npt.NDArray[np.bool_],
    spec: VehicleSpec,
    state: VehicleState,
) -> None:
    """The halo that a lit lamp leaves on a sensor."""
    from monitor.scene.bodies import Face

    for number in np.flatnonzero(facing):
        face = faces[int(number)]
        assert isinstance(face, Face)
        if face.paint not in _GLOWING:
            continue
        colour, shines = _colour(face.paint, spec, state)
        if not shines:
            continue
        points = pixels[list(face.points)]
        centre, spread = points.mean(axis=0), np.ptp(points, axis=0)
        radius = float(max(spread.max() * 1.1, 2.0))
        add_glow(canvas, float(centre[0]), float(centre[1]), radius, colour, 0.5)


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
