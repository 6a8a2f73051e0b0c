"""What stands beside the road: buildings, trees, lamp posts, signals."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from monitor.scene.camera import Array, PinholeCamera
from monitor.scene.drawing import Canvas, Depth, Image, add_glow, vehicle_sprite
from monitor.scene.light import Light
from monitor.scene.record import FrameState, VehicleState
from monitor.scene.signals import Aspect
from monitor.scene.vehicles import VehicleSpec

_SHIFT = 4


@dataclass(frozen=True, slots=True)
class Building:
    """A box with windows. ``wall`` is BGR."""

    x: tuple[float, float]
    y: tuple[float, float]
    height: float
    wall: tuple[int, int, int]
    floor_m: float = 3.2
    bay_m: float = 3.0
    shop: bool = False


@dataclass(frozen=True, slots=True)
class Tree:
    """A trunk and a round crown."""

    x: float
    y: float
    height: float
    crown: float


BUILDINGS: tuple[Building, ...] = (
    Building((-30.0, -13.5), (56.0, 74.0), 13.0, (150, 166, 184), shop=True),
    Building((-29.0, -14.0), (76.0, 100.0), 10.0, (176, 182, 186)),
    Building((-34.0, -14.5), (102.0, 140.0), 15.0, (128, 140, 158)),
    Building((-60.0, -36.0), (54.0, 66.0), 9.0, (160, 158, 152)),
    Building((13.0, 27.0), (57.0, 72.0), 9.5, (132, 150, 178), shop=True),
    Building((13.5, 30.0), (75.0, 98.0), 14.0, (172, 176, 176)),
    Building((14.0, 34.0), (102.0, 150.0), 11.0, (146, 152, 164)),
    Building((34.0, 58.0), (60.0, 78.0), 12.0, (158, 168, 174)),
    Building((-34.0, -17.0), (8.0, 27.0), 7.5, (164, 172, 182)),
    Building((-30.0, -13.0), (150.0, 230.0), 17.0, (150, 150, 152)),
    Building((14.0, 34.0), (160.0, 240.0), 18.0, (156, 152, 150)),
    Building((-70.0, 70.0), (300.0, 320.0), 16.0, (168, 164, 160)),
)
TREES: tuple[Tree, ...] = (
    Tree(-12.3, 30.0, 6.5, 2.2), Tree(-12.6, 2.0, 6.0, 2.1), Tree(16.8, 31.5, 6.2, 2.3),
    Tree(18.5, -1.5, 5.0, 1.9), Tree(13.0, 24.8, 5.2, 1.9), Tree(-20.5, -2.0, 6.5, 2.4),
    Tree(-11.6, 63.0, 6.5, 2.0), Tree(-11.6, 78.0, 6.8, 2.2),
    Tree(-11.6, 94.0, 6.5, 2.1), Tree(11.4, 64.0, 6.2, 2.0), Tree(11.4, 80.0, 6.6, 2.2),
    Tree(11.5, 97.0, 6.4, 2.1), Tree(-11.8, 115.0, 7.0, 2.3), Tree(11.6, 118.0, 7.0, 2.3),
    Tree(25.5, 28.5, 7.5, 2.8), Tree(-40.0, 31.0, 7.5, 2.9), Tree(-48.0, 52.0, 8.0, 3.0),
    Tree(44.0, 52.5, 7.0, 2.6), Tree(37.0, 31.0, 6.8, 2.6),
)  # fmt: skip
HEDGES: tuple[tuple[tuple[float, float], tuple[float, float]], ...] = (
    ((12.4, -9.0), (12.4, 9.3)), ((12.4, 15.4), (12.4, 24.0)), ((12.4, 24.0), (36.0, 24.4)),
    ((-13.2, 29.0), (-36.0, 29.0)), ((-12.0, -6.0), (-12.0, 6.5)),
)  # fmt: skip
LAMP_POSTS: tuple[tuple[float, float], ...] = (
    (-9.9, 18.0), (9.9, 60.0), (-9.9, 88.0), (9.9, 112.0), (-9.9, 140.0), (9.9, 165.0),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Head:
    """A signal head: where its amber lamp is, and which group it shows."""

    x: float
    y: float
    z: float
    group: str


HEADS: tuple[Head, ...] = (
    Head(8.05, 28.2, 3.0, "main"),
    Head(7.9, 54.4, 3.1, "main"),
    Head(3.4, 54.4, 5.6, "main"),
)
_LAMP_M = 0.14
_LIT = {Aspect.RED: (60, 50, 250), Aspect.AMBER: (40, 180, 255), Aspect.GREEN: (130, 235, 70)}
_UNLIT = {Aspect.RED: (26, 24, 60), Aspect.AMBER: (24, 44, 60), Aspect.GREEN: (36, 52, 26)}


class StaticPainter:
    """Draws into the backdrop and its depth, farthest first."""

    def __init__(self, image: Image, depth: Depth, camera: PinholeCamera, light: Light) -> None:
        self.image, self.depth = image, depth
        self.camera, self.light = camera, light
        self.size = (image.shape[1], image.shape[0])

    def quad(self, points: Array, colour: tuple[float, ...], depth: float | None = None) -> None:
        """A convex polygon in the world. Nothing is drawn where part of it is behind."""
        if self.camera.depth(points).min() < 0.5:
            return
        far = float(self.camera.depth(points).mean()) if depth is None else depth
        share = self.light.haze_share(far)
        tone = tuple(
            min(255.0, c * self.light.exposure) * (1 - share) + h * share
            for c, h in zip(colour, self.light.haze, strict=True)
        )
        fixed = np.round(self.camera.project(points) * self.size * (1 << _SHIFT))
        fixed = fixed.astype(np.int32)
        cv2.fillConvexPoly(self.image, fixed, tone, cv2.LINE_AA, _SHIFT)
        cv2.fillConvexPoly(self.depth, fixed, far, cv2.LINE_8, _SHIFT)

    def building(self, b: Building) -> None:
        """The walls that face the camera, with windows and a shop front."""
        eye = self.camera.position
        walls = []
        if eye[1] < b.y[0]:
            walls.append((np.array([b.x[0], b.y[0]]), np.array([b.x[1], b.y[0]]), (0.0, -1.0)))
        if eye[0] > b.x[1]:
            walls.append((np.array([b.x[1], b.y[0]]), np.array([b.x[1], b.y[1]]), (1.0, 0.0)))
        if eye[0] < b.x[0]:
            walls.append((np.array([b.x[0], b.y[1]]), np.array([b.x[0], b.y[0]]), (-1.0, 0.0)))
        for start, end, normal in walls:
            tone = float(self.light.shade(np.array([[normal[0], normal[1], 0.0]]))[0])
            self._wall(b, start, end, tone)

    def _wall(self, b: Building, start: Array, end: Array, tone: float) -> None:
        length = float(np.linalg.norm(end - start))

        def at(along: float, z: float) -> tuple[float, float, float]:
            p = start + (end - start) * (along / length)
            return (float(p[0]), float(p[1]), z)

        def rect(a: float, c: float, low: float, high: float) -> Array:
            return np.array([at(a, low), at(c, low), at(c, high), at(a, high)])

        wall = tuple(c * tone for c in b.wall)
        self.quad(rect(0, length, 0, b.height), wall)
        self.quad(rect(0, length, b.height - 0.5, b.height), tuple(c * 0.82 for c in wall))
        self.quad(rect(0, length, 0, 0.6), tuple(c * 0.7 for c in wall))
        rng = np.random.default_rng(int(abs(b.x[0] * 7 + b.y[0] * 13)))
        bays = max(1, int(length / b.bay_m))
        for floor in range(int((b.height - 0.8) / b.floor_m)):
            low = floor * b.floor_m + 1.0
            for bay in range(bays):
                middle = (bay + 0.5) * length / bays
                if b.shop and floor == 0:
                    self.quad(rect(middle - 1.3, middle + 1.3, 0.5, 2.7), (70.0, 62.0, 54.0))
                    continue
                glass = float(rng.uniform(0.7, 1.25))
                pane = (92.0 * glass * tone, 84.0 * glass * tone, 76.0 * glass * tone)
                self.quad(
                    rect(middle - 0.75, middle + 0.75, low - 0.1, low + 1.6),
                    tuple(min(255.0, c * 1.12) for c in wall),
                )
                self.quad(rect(middle - 0.62, middle + 0.62, low, low + 1.5), pane)
        if b.shop:
            colour = tuple(float(c) for c in rng.integers(60, 170, 3))
            self.quad(rect(0.4, length - 0.4, 2.8, 3.3), colour)

    def tree(self, t: Tree) -> None:
        """A trunk and a few hundred leaf blobs, lit from the sun's side."""
        base = np.array([[t.x, t.y, 0.0]])
        if self.camera.depth(base)[0] < 2.0:
            return
        self.pole(t.x, t.y, 0.0, t.height * 0.6, 0.14, (58.0, 72.0, 84.0))
        rng = np.random.default_rng(int(abs(t.x * 31 + t.y * 17)) + 1)
        count = 700
        direction = rng.standard_normal((count, 3))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        radius = t.crown * rng.uniform(0.35, 1.0, count) ** 0.6
        points = np.array([t.x, t.y, t.height - t.crown * 0.9]) + direction * radius[:, None]
        points[:, 2] = np.maximum(points[:, 2], t.height * 0.32)
        self._leaves(points, direction, rng, (0.10, 0.30))

    def hedge(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """A clipped hedge, waist-high."""
        rng = np.random.default_rng(int(abs(start[0] * 13 + start[1] * 7)) + 5)
        length = float(np.hypot(end[0] - start[0], end[1] - start[1]))
        count = int(length * 60)
        along = rng.uniform(0.0, 1.0, count)
        around = rng.uniform(0.0, np.pi, count)
        side = np.array([end[1] - start[1], start[0] - end[0]]) / length
        points = np.empty((count, 3))
        for axis in (0, 1):
            points[:, axis] = start[axis] + along * (end[axis] - start[axis])
            points[:, axis] += 0.42 * np.cos(around) * side[axis]
        points[:, 2] = 0.12 + 0.85 * np.sqrt(np.sin(around)) * rng.uniform(0.5, 1.0, count)
        direction = np.zeros((count, 3))
        direction[:, :2] = np.cos(around)[:, None] * side
        direction[:, 2] = np.sin(around) * np.where(points[:, 2] > 0.5, 1.0, -0.6)
        near = self.camera.depth(points) > 3.0
        self._leaves(points[near], direction[near], rng, (0.06, 0.14))

    def parked(self, spec: VehicleSpec, state: VehicleState) -> None:
        """A vehicle that never moves."""
        sprite = vehicle_sprite(self.size, self.camera, self.light, spec, state)
        if sprite is None:
            return
        sprite.paste(Canvas(self.image, self.depth))
        rows, columns = sprite.alpha.shape
        here = self.depth[sprite.y : sprite.y + rows, sprite.x : sprite.x + columns]
        here[sprite.alpha > 127] = sprite.depth_m

    def _leaves(
        self, points: Array, direction: Array, rng: np.random.Generator, size_m: tuple[float, float]
    ) -> None:
        """Blobs of green, lit by which way they face, the farthest first."""
        order = np.argsort(-self.camera.depth(points))
        sun = direction @ self.light.direction()
        pixels = self.camera.project(points) * self.size
        depths = self.camera.depth(points)
        for i in order:
            tone = 0.66 + 0.30 * sun[i] + 0.12 * direction[i, 2] + rng.normal(0, 0.11)
            share = self.light.haze_share(float(depths[i]))
            colour = tuple(
                float(np.clip(c * tone * self.light.exposure, 0, 255)) * (1 - share) + h * share
                for c, h in zip((58, 118, 92), self.light.haze, strict=True)
            )
            size = rng.uniform(*size_m) * self.camera.focal * self.size[0] / depths[i]
            centre = (round(float(pixels[i, 0]) * 16), round(float(pixels[i, 1]) * 16))
            spot = max(1, round(float(size) * 16))
            cv2.circle(self.image, centre, spot, colour, -1, cv2.LINE_AA, _SHIFT)
            cv2.circle(self.depth, centre, spot, float(depths[i]), -1, cv2.LINE_8, _SHIFT)

    def pole(
        self, x: float, y: float, low: float, high: float, wide: float, colour: tuple[float, ...]
    ) -> None:
        """An upright post that faces the camera."""
        self.bar((x, y, low), (x, y, high), wide, colour)

    def bar(
        self,
        start: tuple[float, float, float],
        end: tuple[float, float, float],
        wide: float,
        colour: tuple[float, ...],
    ) -> None:
        """A straight rod, as a strip across the view."""
        a, b = np.array(start), np.array(end)
        view = (a + b) / 2.0 - np.array(self.camera.position)
        across = np.cross(b - a, view)
        across = across / np.linalg.norm(across) * wide / 2.0
        points = np.array([a - across, a + across, b + across, b - across])
        self.quad(points, colour)
        light_side = np.array([a - across, a - across * 0.2, b - across * 0.2, b - across])
        self.quad(light_side, tuple(min(255.0, c * 1.35) for c in colour))

    def lamp_post(self, x: float, y: float) -> None:
        """Pole, arm over the road, lantern."""
        grey = (108.0, 112.0, 114.0)
        reach = -1.9 if x > 0 else 1.9
        self.pole(x, y, 0.0, 7.6, 0.15, grey)
        self.bar((x, y, 7.6), (x + reach, y, 8.0), 0.11, grey)
        self.bar((x + reach * 0.8, y, 7.95), (x + reach * 1.25, y, 8.02), 0.26, (150.0,) * 3)

    def signal(self, head: Head) -> None:
        """The post or arm and the black housing; the lamps are drawn per frame."""
        grey = (86.0, 92.0, 94.0)
        if head.z > 4.0:
            self.pole(7.9, head.y + 0.05, 0.0, 6.0, 0.17, grey)
            self.bar((7.9, head.y + 0.05, 5.9), (head.x - 0.4, head.y + 0.05, 6.1), 0.13, grey)
        else:
            self.pole(head.x, head.y + 0.1, 0.0, head.z + 0.5, 0.12, grey)
        w, h = 0.21, 0.55
        corners = [(-w, -h), (w, -h), (w, h), (-w, h)]
        points = np.array([(head.x + dx, head.y, head.z + dz) for dx, dz in corners])
        self.quad(points, (34.0, 36.0, 36.0))


def draw_signals(canvas: Canvas, camera: PinholeCamera, state: FrameState) -> None:
    """The lamps of every head, as they are now."""
    for head in HEADS:
        shown = state.main if head.group == "main" else state.side
        for aspect, dz in ((Aspect.RED, 0.34), (Aspect.AMBER, 0.0), (Aspect.GREEN, -0.34)):
            at = np.array([[head.x, head.y - 0.02, head.z + dz]])
            depth = float(camera.depth(at)[0])
            if depth < 1.0:
                continue
            x, y = (camera.project(at) * canvas.size)[0]
            radius = _LAMP_M * camera.focal * canvas.size[0] / depth
            colour = _LIT[aspect] if aspect is shown else _UNLIT[aspect]
            centre, spot = (round(x * 16), round(y * 16)), max(8, round(radius * 16))
            cv2.circle(canvas.image, centre, spot, colour, -1, cv2.LINE_AA, _SHIFT)
            if aspect is shown:
                add_glow(canvas, float(x), float(y), radius * 2.0, _LIT[aspect], 0.35)
