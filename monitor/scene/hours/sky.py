"""What hangs in the air or is done to the whole picture: rain, shake, exposure, noise."""

from __future__ import annotations

import math
import random
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from monitor.scene.backdrop import CAPTION
from monitor.scene.drawing import Image, as_image
from monitor.scene.hours.weather import Weather

_TILES: Final = 5
_ROOM: Final = 64
_STREAKS: Final = 260  # in a picture of 640x360


class Sensor:
    """The camera's lens, mount and sensor; the same frame number gives the same picture."""

    def __init__(self, size: tuple[int, int], weather: Weather, rng: random.Random) -> None:
        self._size, self._weather = size, weather
        self._phases = [rng.uniform(0.0, 2.0 * math.pi) for _ in range(6)]
        numbers = np.random.default_rng(rng.randrange(1 << 30))
        self._noise = _noise(size, weather.light.noise, numbers)
        self._rain = _rain(size, weather.rain, numbers) if weather.rain > 0.0 else []

    def expose(self, image: Image, index: int, time_s: float) -> Image:
        """What comes off the sensor, from BGR to I420: (height * 3 / 2, width)."""
        width, height = self._size
        if self._rain:
            image = as_image(cv2.add(image, self._rain[(index * 7) % len(self._rain)]))
        planes = as_image(cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420))
        luma = planes[:height]
        dx, dy = self._shake(time_s)
        if dx or dy:
            luma[:] = _moved(luma, dx, dy)
            half = planes[height:].reshape(2, height // 2, width // 2)
            for plane in half:
                plane[:] = _moved(plane, dx / 2.0, dy / 2.0)
        else:
            luma[:] = cv2.GaussianBlur(luma, (3, 3), 0.55)
        gain = self._gain(time_s)
        if gain != 1.0:
            luma[:] = cv2.convertScaleAbs(luma, alpha=gain)
        if self._noise:
            shift = (index * 2654435761) % (_ROOM * _ROOM)
            x, y = shift % _ROOM, shift // _ROOM
            tile = self._noise[index % len(self._noise)][y : y + height, x : x + width]
            luma[:] = cv2.add(luma, tile, dtype=cv2.CV_8U)
        self._caption(luma)
        return planes

    def _caption(self, luma: Image) -> None:
        """Burned in after the sensor: it neither shakes nor is it noisy."""
        scale = self._size[0] / 1280.0
        at = (round(18 * scale), round(28 * scale))
        for level, shift in ((20, 1), (240, 0)):
            cv2.putText(
                luma, CAPTION, (at[0] + shift, at[1] + shift), cv2.FONT_HERSHEY_SIMPLEX,
                0.62 * scale, level, max(1, round(1.4 * scale)), cv2.LINE_AA,
            )  # fmt: skip

    def _shake(self, time_s: float) -> tuple[float, float]:
        """A pole in the wind: slow sway, and a quiver that gusts bring and take."""
        reach = self._weather.shake_px * self._size[0] / 640.0
        if reach <= 0.0:
            return 0.0, 0.0
        a, b, c, d, e, _ = self._phases
        gust = max(0.0, math.sin(time_s * 0.11 + e)) ** 2
        quiver = gust * math.sin(2.0 * math.pi * 2.1 * time_s + c)
        x = 0.45 * math.sin(2.0 * math.pi * 0.31 * time_s + a) + 0.8 * quiver
        y = 0.25 * math.sin(2.0 * math.pi * 0.23 * time_s + b) + 0.5 * gust * math.sin(
            2.0 * math.pi * 2.7 * time_s + d
        )
        return 0.5 + reach * x, 0.5 + reach * y

    def _gain(self, time_s: float) -> float:
        """Automatic exposure that wanders over minutes."""
        wander = math.sin(time_s / 47.0 + self._phases[5]) + 0.5 * math.sin(time_s / 13.0)
        return 1.0 + self._weather.drift * wander / 1.5


def _moved(plane: Image, dx: float, dy: float) -> Image:
    move = np.array([[1.0, 0.0, dx], [0.0, 1.0, dy]], np.float32)
    size = (plane.shape[1], plane.shape[0])
    return as_image(
        cv2.warpAffine(plane, move, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    )


def _noise(
    size: tuple[int, int], sigma: float, rng: np.random.Generator
) -> list[npt.NDArray[np.int8]]:
    if sigma <= 0.0:
        return []
    tiles = []
    for _ in range(_TILES):
        raw = rng.standard_normal((size[1] + _ROOM, size[0] + _ROOM), np.float32)
        grey = np.asarray(cv2.GaussianBlur(raw, (3, 3), 0.6), np.float32)
        grey *= sigma / float(grey.std())
        tiles.append(np.round(grey).astype(np.int8))
    return tiles


def _rain(size: tuple[int, int], amount: float, rng: np.random.Generator) -> list[Image]:
    """Pictures of falling drops: near ones long and bright, far ones short and faint."""
    made = []
    for _ in range(12):
        layer = np.zeros((size[1], size[0]), np.uint8)
        for _ in range(int(_STREAKS * amount)):
            near = rng.uniform(0.0, 1.0) ** 2
            x, y = rng.uniform(0, size[0]), rng.uniform(-20, size[1])
            long = (4.0 + 22.0 * near) * size[0] / 640.0
            slant = rng.normal(0.10, 0.03) * long
            end = (round(x + slant), round(y + long))
            cv2.line(layer, (round(x), round(y)), end, int(14 + 34 * near), 1, cv2.LINE_AA)
        soft = as_image(cv2.GaussianBlur(layer, (3, 3), 0.6))
        made.append(as_image(cv2.merge([soft, soft, soft])))
    return made
