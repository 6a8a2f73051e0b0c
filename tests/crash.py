"""Pictures of two textured cars whose motion is known exactly: meeting, passing, braking."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from monitor.media.decode import Planes
from tests.street import grey, texture

WIDTH_PX, HEIGHT_PX = 320, 180
START_MS = 1_760_000_000_000
FPS = 25

Image = npt.NDArray[np.uint8]
Place = Callable[[float], tuple[float, float]]


@dataclass(frozen=True)
class Mover:
    """A textured rectangle; ``at`` gives its left top in pixels at a time in seconds."""

    at: Place
    width: int = 48
    height: int = 30
    seed: int = 7


def steady(x: float, y: float, vx: float, vy: float = 0.0) -> Place:
    """Constant velocity in px/s."""
    return lambda time_s: (x + vx * time_s, y + vy * time_s)


def struck(
    x: float, y: float, before: tuple[float, float], at_s: float, after: tuple[float, float]
) -> Place:
    """One velocity until a moment, another from then on."""

    def place(time_s: float) -> tuple[float, float]:
        first, second = min(time_s, at_s), max(0.0, time_s - at_s)
        return (
            x + before[0] * first + after[0] * second,
            y + before[1] * first + after[1] * second,
        )

    return place


def braking(x: float, y: float, speed: float, at_s: float, decel: float) -> Place:
    """Along x at a constant speed, then slowing down to rest."""

    def place(time_s: float) -> tuple[float, float]:
        slowing = min(max(0.0, time_s - at_s), speed / decel)
        moved = speed * min(time_s, at_s) + speed * slowing - decel * slowing**2 / 2
        return x + moved, y

    return place


def film(
    movers: Sequence[Mover], seconds: float, *, fps: int = FPS, noise: float = 1.5
) -> Iterator[tuple[int, Planes]]:
    """Capture times and pictures, one after another."""
    road = texture(3, WIDTH_PX, HEIGHT_PX, 80, 130, grain=10)
    bodies = [texture(one.seed, one.width, one.height, 130, 250) for one in movers]
    for index in range(round(seconds * fps)):
        time_s = index / fps
        luma = road.copy()
        for one, body in zip(movers, bodies, strict=True):
            _paste(luma, body, *one.at(time_s))
        random = np.random.default_rng(index)
        noisy = np.clip(luma + random.normal(0.0, noise, luma.shape), 0, 255).astype(np.uint8)
        yield START_MS + round(1000 * time_s), grey(noisy)


def _paste(luma: Image, body: Image, x: float, y: float) -> None:
    """With its place between pixels kept."""
    height, width = luma.shape
    matrix = np.array([[1.0, 0.0, x], [0.0, 1.0, y]])
    moved = cv2.warpAffine(body, matrix, (width, height))
    cover = cv2.warpAffine(np.full_like(body, 255), matrix, (width, height))
    luma[cover > 127] = np.asarray(moved)[cover > 127]
