"""Vehicle bodies as faces: a lower body and a glass house from a side profile, plus details.

Local axes in metres: x forward from the middle of the length, y left, z up. Faces are drawn in
order of ``layer``: within a layer those whose backs are turned are left out and the rest do not
overlap, so the result is right without a depth buffer.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from monitor.scene.camera import Array
from monitor.scene.vehicles import Shape


class Paint(StrEnum):
    """What a face is made of; ``monitor.scene.drawing`` knows the colours."""

    BODY = "body"
    BODY_HIGH = "body_high"
    BODY_LOW = "body_low"
    TRIM = "trim"
    GLASS = "glass"
    GLASS_LOW = "glass_low"
    ROOF = "roof"
    TAIL_LAMP = "tail_lamp"
    HIGH_LAMP = "high_lamp"
    HEAD_LAMP = "head_lamp"
    INDICATOR = "indicator"
    PLATE = "plate"
    WHEEL = "wheel"
    RIM = "rim"


@dataclass(frozen=True, slots=True)
class Profile:
    """A side view in fractions of length (0 rear, 1 front) and height."""

    sill: float
    tail_top: float
    belt: float
    cowl: float
    nose_top: float
    glass_base: tuple[float, float]
    roof: tuple[float, float]
    roof_narrow: float
    wheels: tuple[float, float]
    wheel_radius_m: float
    pillars: tuple[float, ...]  # where the side glass is divided, fractions of its length
    glass_part: tuple[float, float] = (0.0, 1.0)  # of the side that is glass


_PROFILES: dict[Shape, Profile] = {
    Shape.SEDAN: Profile(
        0.17, 0.64, 0.67, 0.64, 0.47, (0.13, 0.74), (0.28, 0.58), 0.80, (0.19, 0.81), 0.33,
        (0.50,),
    ),
    Shape.HATCHBACK: Profile(
        0.17, 0.60, 0.63, 0.62, 0.47, (0.015, 0.77), (0.10, 0.60), 0.80, (0.17, 0.82), 0.32,
        (0.36, 0.70),
    ),
    Shape.SUV: Profile(
        0.19, 0.58, 0.61, 0.60, 0.52, (0.01, 0.76), (0.07, 0.62), 0.84, (0.18, 0.82), 0.37,
        (0.33, 0.68),
    ),
    Shape.VAN: Profile(
        0.13, 0.50, 0.52, 0.52, 0.42, (0.003, 0.90), (0.012, 0.74), 0.88, (0.19, 0.80), 0.35,
        (0.30,), (0.62, 1.0),
    ),
    Shape.BUS: Profile(
        0.10, 0.42, 0.42, 0.42, 0.42, (0.0, 1.0), (0.005, 0.985), 0.95, (0.25, 0.82), 0.5,
        (0.18, 0.36, 0.54, 0.72, 0.88),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Face:
    """A convex polygon of the body's vertices ``start`` to ``stop``."""

    start: int
    stop: int
    paint: Paint
    layer: int


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """Vertices (n, 3), faces sorted by layer, their outward normals (m, 3), and two hulls."""

    vertices: Array
    faces: tuple[Face, ...]
    normals: Array
    firsts: npt.NDArray[np.intp]  # one vertex of every face
    lower: slice  # vertices whose hull is the lower body
    upper: slice  # and the glass house


class _Builder:
    def __init__(self) -> None:
        self.vertices: list[tuple[float, float, float]] = []
        self.faces: list[Face] = []

    def add(self, paint: Paint, layer: int, *points: tuple[float, float, float]) -> None:
        start = len(self.vertices)
        self.vertices.extend(points)
        self.faces.append(Face(start, len(self.vertices), paint, layer))

    def both(self, paint: Paint, layer: int, *points: tuple[float, float, float]) -> None:
        """On the left as given (counter-clockwise from outside), mirrored on the right."""
        self.add(paint, layer, *points)
        self.add(paint, layer, *((x, -y, z) for x, y, z in reversed(points)))


@lru_cache(maxsize=256)
def body_of(shape: Shape, length: float, width: float, height: float) -> Body:
    """The mesh of one vehicle; cached, because a scene draws the same few thousands of times."""
    p, b = _PROFILES[shape], _Builder()
    half = width / 2.0

    def x(fraction: float) -> float:
        return (fraction - 0.5) * length

    sill, belt, cowl = p.sill * height, p.belt * height, p.cowl * height
    tail, nose = p.tail_top * height, p.nose_top * height
    g0, g1 = x(p.glass_base[0]), x(p.glass_base[1])
    r0, r1 = x(p.roof[0]), x(p.roof[1])
    top = half * p.roof_narrow
    back, front = x(0.0), x(1.0)
    _wheels(b, p, x, half)
    lower_start = len(b.vertices)
    _lower(b, back, front, g0, g1, half, sill, (tail, belt, cowl, nose))
    lower_end = len(b.vertices)
    base = half * 0.97
    upper_start = len(b.vertices)
    b.add(
        Paint.GLASS, 4, (g0, base, belt), (g0, -base, belt), (r0, -top, height), (r0, top, height)
    )
    b.add(
        Paint.GLASS, 4, (g1, -base, cowl), (g1, base, cowl), (r1, top, height), (r1, -top, height)
    )
    b.both(Paint.BODY, 4, (g1, base, cowl), (g0, base, belt), (r0, top, height), (r1, top, height))
    b.add(
        Paint.ROOF, 4, (r1, top, height), (r0, top, height), (r0, -top, height), (r1, -top, height)
    )
    upper_end = len(b.vertices)
    _side_glass(b, p, (g0, g1), (r0, r1), (base, top), (belt, cowl, height))
    _rear(b, shape, back, half, sill, tail, (g0, r0, belt, height, base, top))
    _front(b, shape, front, half, sill, nose)
    faces = tuple(sorted(b.faces, key=lambda face: face.layer))
    vertices = np.array(b.vertices, dtype=np.float64)
    middle = np.array([0.0, 0.0, 0.45 * height])
    normals = np.array([_outward(vertices[face.start : face.stop], middle) for face in faces])
    return Body(
        vertices,
        faces,
        normals,
        np.array([face.start for face in faces], np.intp),
        slice(lower_start, lower_end),
        slice(upper_start, upper_end),
    )


def _outward(points: Array, middle: Array) -> Array:
    """The unit normal that points away from the body's middle."""
    normal = np.cross(points[1] - points[0], points[2] - points[0])
    normal = normal / (np.linalg.norm(normal) + 1e-12)
    result: Array = normal if normal @ (points.mean(axis=0) - middle) >= 0.0 else -normal
    return result


def _wheels(b: _Builder, p: Profile, x: object, half: float) -> None:
    assert callable(x)
    radius = p.wheel_radius_m
    for fraction in p.wheels:
        for paint, scale, out in ((Paint.WHEEL, 1.0, 0.01), (Paint.RIM, 0.6, 0.02)):
            angles = np.linspace(0.0, 2.0 * np.pi, 12, endpoint=False)
            b.both(
                paint,
                3,
                *(
                    (
                        float(x(fraction) + scale * radius * np.sin(a)),
                        half + out,
                        float(radius + scale * radius * -np.cos(a)),
                    )
                    for a in angles[::-1]
                ),
            )


def _lower(
    b: _Builder,
    back: float,
    front: float,
    g0: float,
    g1: float,
    half: float,
    sill: float,
    tops: tuple[float, float, float, float],
) -> None:
    tail, belt, cowl, nose = tops
    middle = sill + 0.55 * (min(tail, nose) - sill)
    high = sill + 0.86 * (min(tail, nose) - sill)
    for paint, low_z, high_z in (
        (Paint.BODY_LOW, sill, middle),
        (Paint.BODY, middle, high),
    ):
        b.both(
            paint, 2,
            (front, half, low_z), (back, half, low_z), (back, half, high_z), (front, half, high_z),
        )  # fmt: skip
    b.both(
        Paint.BODY_HIGH, 2,
        (front, half, high), (back, half, high), (back, half, tail), (g0, half, belt),
        (g1, half, cowl), (front, half, nose),
    )  # fmt: skip
    b.add(
        Paint.BODY, 2, (back, half, sill), (back, -half, sill), (back, -half, tail),
        (back, half, tail),
    )  # fmt: skip
    b.add(
        Paint.BODY, 2, (front, -half, sill), (front, half, sill), (front, half, nose),
        (front, -half, nose),
    )  # fmt: skip
    b.add(
        Paint.BODY_HIGH, 2, (g0, half, belt), (back, half, tail), (back, -half, tail),
        (g0, -half, belt),
    )  # fmt: skip
    b.add(
        Paint.BODY_HIGH, 2, (front, half, nose), (g1, half, cowl), (g1, -half, cowl),
        (front, -half, nose),
    )  # fmt: skip


def _side_glass(
    b: _Builder,
    p: Profile,
    base_x: tuple[float, float],
    roof_x: tuple[float, float],
    half: tuple[float, float],
    heights: tuple[float, float, float],
) -> None:
    belt, cowl, height = heights

    def at(along: float, up: float) -> tuple[float, float, float]:
        low_x = base_x[0] + along * (base_x[1] - base_x[0])
        top_x = roof_x[0] + along * (roof_x[1] - roof_x[0])
        low_z = belt + along * (cowl - belt)
        return (
            low_x + up * (top_x - low_x),
            half[0] + up * (half[1] - half[0]) + 0.004,
            low_z + up * (height - low_z),
        )

    cuts = (p.glass_part[0] + 0.03, *p.pillars, p.glass_part[1] - 0.03)
    inside = [c for c in cuts if p.glass_part[0] < c < p.glass_part[1]]
    for start, end in itertools.pairwise(inside):
        a, z = start + 0.018, end - 0.018
        b.both(Paint.GLASS_LOW, 5, at(z, 0.08), at(a, 0.08), at(a, 0.52), at(z, 0.52))
        b.both(Paint.GLASS, 5, at(z, 0.52), at(a, 0.52), at(a, 0.88), at(z, 0.88))


def _rear(
    b: _Builder,
    shape: Shape,
    back: float,
    half: float,
    sill: float,
    tail: float,
    glass: tuple[float, float, float, float, float, float],
) -> None:
    out = back - 0.006
    g0, r0, belt, height, base, top = glass

    def panel(
        paint: Paint, layer: int, y0: float, y1: float, z0: float, z1: float, at: float = out
    ) -> None:
        b.add(paint, layer, (at, y1, z0), (at, y0, z0), (at, y0, z1), (at, y1, z1))

    rise = tail - sill
    panel(Paint.TRIM, 3, -half * 0.98, half * 0.98, sill, sill + 0.22 * rise)
    panel(Paint.PLATE, 4, -0.26, 0.26, sill + 0.34 * rise, sill + 0.34 * rise + 0.13)
    tall = shape in (Shape.VAN, Shape.HATCHBACK, Shape.SUV, Shape.BUS)
    wide = 0.13 if shape in (Shape.VAN, Shape.BUS) else (0.24 if tall else 0.29)
    low = sill + (0.46 if tall else 0.56) * rise
    high = sill + (1.0 if tall else 0.93) * rise
    for side in (-1.0, 1.0):
        edge, inner = side * half * 0.985, side * half * (0.985 - 2.0 * wide)
        panel(Paint.TAIL_LAMP, 4, min(edge, inner), max(edge, inner), low, high)
        z = low - 0.11 * rise
        panel(Paint.INDICATOR, 4, min(edge, inner), max(edge, inner), z, low)
    # The rear window's frame: paint around the glass, and the high-mounted brake lamp.
    share = 0.06

    def on_glass(across: float, up: float) -> tuple[float, float, float]:
        half_here = base + up * (top - base)
        return (g0 + up * (r0 - g0) - 0.012, across * half_here, belt + up * (height - belt))

    for y0, y1, u0, u1 in (
        (-1.0, 1.0, 0.0, share),
        (-1.0, 1.0, 1.0 - 1.6 * share, 1.0),
        (-1.0, -0.86, 0.0, 1.0),
        (0.86, 1.0, 0.0, 1.0),
    ):
        b.add(Paint.BODY, 5, on_glass(y1, u0), on_glass(y0, u0), on_glass(y0, u1), on_glass(y1, u1))
    u0, u1 = (0.02, 0.09) if shape is Shape.SEDAN else (0.90, 0.97)
    b.add(
        Paint.HIGH_LAMP, 6, on_glass(0.2, u0), on_glass(-0.2, u0), on_glass(-0.2, u1),
        on_glass(0.2, u1),
    )  # fmt: skip


def _front(b: _Builder, shape: Shape, front: float, half: float, sill: float, nose: float) -> None:
    out = front + 0.006
    rise = nose - sill

    def panel(paint: Paint, layer: int, y0: float, y1: float, z0: float, z1: float) -> None:
        b.add(paint, layer, (out, y0, z0), (out, y1, z0), (out, y1, z1), (out, y0, z1))

    panel(Paint.TRIM, 3, -half * 0.98, half * 0.98, sill, sill + 0.25 * rise)
    panel(Paint.TRIM, 3, -half * 0.55, half * 0.55, sill + 0.5 * rise, sill + 0.82 * rise)
    panel(Paint.PLATE, 4, -0.26, 0.26, sill + 0.30 * rise, sill + 0.30 * rise + 0.12)
    reach = 0.30 if shape is not Shape.BUS else 0.2
    for side in (-1.0, 1.0):
        edge, inner = side * half * 0.97, side * half * (0.97 - reach * 1.4)
        panel(
            Paint.HEAD_LAMP, 4, min(edge, inner), max(edge, inner), sill + 0.58 * rise,
            sill + 0.92 * rise,
        )  # fmt: skip
