"""A street of a few rectangles, drawn: cheap pictures in which everything is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from monitor.media.decode import Planes

WIDTH_PX, HEIGHT_PX = 320, 180
START_MS = 1_760_000_000_000

Image = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Car:
    """A textured rectangle at ``x``, ``y`` (its top left) that moves by ``speed`` px/s along x."""

    x: float
    y: float
    speed: float
    width: int = 48
    height: int = 26
    seed: int = 7
    from_s: float = 0.0

    def left(self, time_s: float) -> float:
        return self.x + self.speed * max(0.0, time_s - self.from_s)


def texture(seed: int, width: int, height: int, low: int, high: int, grain: int = 4) -> Image:
    """Blocks of random brightness, smoothed: it has corners to follow."""
    random = np.random.default_rng(seed)
    shape = (height // grain + 2, width // grain + 2)
    blocks = random.integers(low, high, shape).astype(np.uint8)
    return np.asarray(
        cv2.resize(blocks, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.uint8
    )


@dataclass(frozen=True)
class Street:
    """Draws; ``noise`` is the sensor's, in levels; 0 is a picture that never changes."""

    cars: Sequence[Car] = ()
    seed: int = 3
    noise: float = 1.5
    post: tuple[int, int] | None = None  # columns that something in front hides

    def luma(self, time_s: float, shift: tuple[float, float] = (0.0, 0.0)) -> Image:
        luma = texture(self.seed, WIDTH_PX, HEIGHT_PX, 80, 130, grain=10)
        empty = luma.copy()
        for car in self.cars:
            _draw(luma, car, time_s)
        if self.post is not None:
            luma[:, slice(*self.post)] = empty[:, slice(*self.post)]
        if shift != (0.0, 0.0):
            matrix = np.array([[1.0, 0.0, shift[0]], [0.0, 1.0, shift[1]]])
            luma = np.asarray(
                cv2.warpAffine(
                    luma, matrix, (WIDTH_PX, HEIGHT_PX), borderMode=cv2.BORDER_REPLICATE
                ),
                dtype=np.uint8,
            )
        if not self.noise:
            return luma
        random = np.random.default_rng(round(time_s * 1000) + 1)
        noisy = luma + random.normal(0.0, self.noise, luma.shape)
        return np.clip(noisy, 0, 255).astype(np.uint8)

    def picture(
        self, time_s: float, *, gain: float = 1.0, shift: tuple[float, float] = (0.0, 0.0)
    ) -> Planes:
        luma = self.luma(time_s, shift)
        if gain != 1.0:
            luma = np.clip(luma * gain, 0, 255).astype(np.uint8)
        return grey(luma)


def grey(luma: Image) -> Planes:
    """A picture without colour."""
    half: Image = np.full((luma.shape[0] // 2, luma.shape[1] // 2), 128, np.uint8)
    return Planes(luma, half, half.copy())


def _draw(luma: Image, car: Car, time_s: float) -> None:
    """With its place between pixels kept: flow is measured in fractions of them."""
    left = car.left(time_s)
    if left <= -car.width or left >= WIDTH_PX:
        return
    body = texture(car.seed, car.width, car.height, 150, 250)
    whole = int(np.floor(left))
    matrix = np.array([[1.0, 0.0, left - whole], [0.0, 1.0, 0.0]])
    moved = np.asarray(
        cv2.warpAffine(body, matrix, (car.width + 1, car.height), borderMode=cv2.BORDER_REPLICATE),
        dtype=np.uint8,
    )
    top = round(car.y)
    first, last = max(0, whole), min(WIDTH_PX, whole + car.width + 1)
    luma[top : top + car.height, first:last] = moved[:, first - whole : last - whole]
