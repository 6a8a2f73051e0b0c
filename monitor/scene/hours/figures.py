"""People and cyclists as strokes: fewer of them than a close-up needs, drawn in one go.

A figure is a set of named chains of points in the body's own axes (ahead, left, up, metres),
turned and projected together; a stroke is one chain with a thickness and a colour. Farthest
first, as everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from monitor.scene.camera import Array, PinholeCamera
from monitor.scene.drawing import SUPERSAMPLE, Patch, Sprite
from monitor.scene.hours.users import CyclistState
from monitor.scene.light import Light
from monitor.scene.pedestrians import Person, PersonState

_SHIFT: Final = 4
_SKIN: Final = (118, 144, 184)
_HAIR: Final = (34, 40, 52)
_TYRE: Final = (30, 30, 31)
_DARK: Final = (60, 54, 50)
_HELMET: Final = (210, 214, 214)
_WHEEL_M: Final = 0.34

Point = tuple[float, float, float]
Colour = tuple[float, float, float]


class Figure:
    """Collects chains, then draws them."""

    def __init__(self, exposure: float) -> None:
        self._points: list[Point] = []
        self._strokes: list[tuple[int, int, float, Colour]] = []
        self._exposure = 1.05 * exposure

    def chain(
        self, points: Sequence[Point], thick_m: float, colour: tuple[int, int, int],
        shade: float = 1.0,
    ) -> None:  # fmt: skip
        """A line through points; one point is a dot."""
        start = len(self._points)
        self._points.extend(points)
        tone = shade * self._exposure
        b, g, r = (min(255.0, c * tone) for c in colour)
        self._strokes.append((start, len(self._points), thick_m, (b, g, r)))

    def sprite(
        self, size: tuple[int, int], camera: PinholeCamera, place: tuple[float, float, float],
        lying: bool = False,
    ) -> Sprite | None:  # fmt: skip
        """At ``place`` (x, y, heading); None where out of the picture."""
        local = np.array(self._points)
        if lying:  # on the right side: up becomes right, left becomes up
            local = np.stack([local[:, 0], -local[:, 2], 0.2 + 0.4 * local[:, 1]], axis=1)
        x, y, heading = place
        cos, sin = math.cos(heading), math.sin(heading)
        world = np.empty_like(local)
        world[:, 0] = x + cos * local[:, 0] - sin * local[:, 1]
        world[:, 1] = y + sin * local[:, 0] + cos * local[:, 1]
        world[:, 2] = local[:, 2]
        depths = camera.depth(world)
        if depths.min() < 1.0:
            return None
        depth = float(depths.mean())
        metre = camera.focal * size[0] / depth
        pixels = camera.project(world) * size
        margin = 0.2 * metre
        low, high = pixels.min(axis=0) - margin, pixels.max(axis=0) + margin
        patch = Patch(size, np.stack([low, high]))
        if patch.empty:
            return None
        fixed = patch.fixed(pixels)
        for start, stop, thick_m, colour in self._strokes:
            line = fixed[start:stop] if stop - start > 1 else fixed[[start, start]]
            wide = max(1, round(thick_m * metre * SUPERSAMPLE))
            chain = [line]
            cv2.polylines(patch.colour, chain, False, colour, wide, cv2.LINE_8, _SHIFT)
            cv2.polylines(patch.mask, chain, False, 255, wide, cv2.LINE_8, _SHIFT)
        return patch.sprite(depth)


def person_sprite(
    size: tuple[int, int], camera: PinholeCamera, light: Light, person: Person,
    state: PersonState, *, lies: bool = False,
) -> Sprite | None:  # fmt: skip
    """Walking, standing, or lying on the road."""
    high = person.height_m
    swing = math.sin(state.phase) if state.speed > 0.05 and not lies else 0.1
    hip, neck = 0.53 * high, 0.83 * high
    figure = Figure(light.exposure)
    for side, step in ((-1.0, -swing), (1.0, swing)):
        y = 0.09 * side
        shade = 0.8 if side < 0 else 1.0
        knee = (0.22 * step + 0.05, y, hip - 0.26 * high)
        ankle = (0.36 * step, y, 0.06 + 0.07 * max(0.0, -step))
        figure.chain([(0.0, y, hip), knee, ankle], 0.15, person.trousers, shade)
        shoulder = (0.0, 0.2 * side, neck - 0.05)
        hand = (-0.26 * step + 0.06, 0.24 * side, neck - 0.05 - 0.31 * high)
        figure.chain([shoulder, hand], 0.10, person.coat, 0.72 if side < 0 else 0.9)
    figure.chain([(0.0, 0.0, hip + 0.02), (0.03, 0.0, neck - 0.06)], 0.36, person.coat)
    figure.chain([(0.04, 0.0, 0.93 * high)], 0.22, _SKIN)
    figure.chain([(0.03, 0.0, 0.96 * high)], 0.20, _HAIR)
    return figure.sprite(size, camera, (state.x, state.y, state.heading), lying=lies)


def cyclist_sprite(
    size: tuple[int, int], camera: PinholeCamera, light: Light, jacket: tuple[int, int, int],
    state: CyclistState,
) -> Sprite | None:  # fmt: skip
    """Wheels, frame, and a rider who pedals; all of it on its side after a fall."""
    figure = Figure(light.exposure)
    for hub in (-0.52, 0.52):
        angles = np.linspace(0.0, 2.0 * math.pi, 13)
        wheel = [
            (hub + _WHEEL_M * math.cos(a), 0.0, _WHEEL_M + _WHEEL_M * math.sin(a)) for a in angles
        ]
        figure.chain(wheel, 0.05, _TYRE)
    frame = [(-0.52, 0.0, 0.34), (0.0, 0.0, 0.3), (0.42, 0.0, 1.0), (-0.16, 0.0, 0.92)]
    figure.chain([*frame, frame[0]], 0.05, jacket, 0.6)
    figure.chain([(0.52, 0.0, 0.34), (0.42, 0.0, 1.02)], 0.05, jacket, 0.6)
    hip, neck = (-0.16, 0.0, 1.0), (0.16, 0.0, 1.45)
    for side in (-1.0, 1.0):
        angle = state.phase + (0.0 if side > 0 else math.pi)
        pedal = (0.17 * math.cos(angle), 0.1 * side, 0.3 + 0.17 * math.sin(angle))
        knee = ((hip[0] + pedal[0]) / 2.0 + 0.2, 0.1 * side, (hip[2] + pedal[2]) / 2.0)
        shade = 0.8 if side < 0 else 1.0
        figure.chain([(hip[0], 0.09 * side, hip[2]), knee, pedal], 0.14, _DARK, shade)
        figure.chain(
            [(neck[0], 0.19 * side, 1.41), (0.31, 0.2 * side, 1.14), (0.42, 0.22 * side, 1.02)],
            0.10, jacket, 0.75 if side < 0 else 0.9,
        )  # fmt: skip
    figure.chain([hip, neck], 0.36, jacket)
    figure.chain([(0.20, 0.0, 1.62)], 0.22, _SKIN)
    figure.chain([(0.19, 0.0, 1.67)], 0.21, _HELMET)
    return figure.sprite(size, camera, (state.x, state.y, state.heading), lying=state.lies)


def cyclist_parts(state: CyclistState) -> list[Array]:
    """The convex part that casts the shadow, (8, 3)."""
    top = 0.5 if state.lies else 1.7
    cos, sin = math.cos(state.heading), math.sin(state.heading)
    corners = [(a, b, z) for a in (-0.75, 0.75) for b in (-0.2, 0.2) for z in (0.0, top)]
    return [
        np.array(
            [(state.x + a * cos - b * sin, state.y + a * sin + b * cos, z) for a, b, z in corners]
        )
    ]
