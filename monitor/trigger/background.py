"""What the empty scene looks like, and what differs from it now.

A running mean per pixel in luma and chroma, and a running mean deviation in luma. A pixel is
foreground when it differs by more than the picture's noise and its own usual flicker (leaves,
rain, a sign), unless it is only a moderately darker shade of the same colour: a cast shadow.
What belongs to a tracked body is never learned, so a vehicle that stops stays foreground; what
stands still and was never seen to move (the place a parked car left, a reflection) is learned
after about three seconds. Called by ``CameraTrigger`` once per picture.
"""

from __future__ import annotations

from typing import Final, cast

import cv2
import numpy as np
import numpy.typing as npt

from monitor.media.decode import Planes

Image = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

_RATE: Final = 0.08  # per picture learned: 63 % of a change of light in 25 pictures, 3 s
_DEVIATION_RATE: Final = 0.06
_MIN_DIFFERENCE: Final = 11.0  # luma levels
_NOISE_FACTOR: Final = 5.0
_FLICKER_FACTOR: Final = 3.5
_MAX_FLICKER: Final = 40.0
_SHADOW_SHADE: Final = 0.48  # a shadow keeps at least this share of the light
_SHADOW_CHROMA: Final = 5.0  # and is of the same colour, within so many levels
_STILL_DIFFERENCE: Final = 9.0
_LIMIT_EVERY: Final = 8  # pictures; flicker and noise change slowly
_STILL_PICTURES: Final = 13  # learned pictures without change before unowned foreground is
_GRID: Final = 6  # every nth pixel is enough for the statistics of the whole picture
_GAIN_STEP: Final = 0.04
_CLOSE: Final = np.ones((5, 5), np.uint8)


class Background:
    """The learned empty scene of one camera; starts from its first picture."""

    def __init__(self, first: Planes) -> None:
        self._mean = first.y.astype(np.float32)
        self._chroma = [first.u.astype(np.float32), first.v.astype(np.float32)]
        self._empty = first.y.copy()  # the mean in whole levels
        self._deviation: Floats = np.full(first.y.shape, 2.0, np.float32)
        self._still: Image = np.zeros(first.y.shape, np.uint8)
        self._previous = first.y
        self._limit: Image = np.full(first.y.shape, 12, np.uint8)
        self._pictures = 0
        self._learn_now = False
        self._noise = 2.0
        self._collected = [first]

    @property
    def picture(self) -> Image:
        """The luma of the empty scene."""
        return self._empty

    def collect(self, picture: Planes) -> None:
        """Keep a picture of the first seconds for ``settle``."""
        self._collected.append(picture)

    def settle(self) -> None:
        """Take the median of the collected pictures: what moved through is not in it."""
        self._mean = _median([one.y for one in self._collected])
        self._chroma = [
            _median([one.u for one in self._collected]),
            _median([one.v for one in self._collected]),
        ]
        self._empty = cast(Image, cv2.convertScaleAbs(self._mean))
        self._collected = []

    def follow_exposure(self, luma: Image) -> float:
        """Scale the background to a common change of brightness; returns the ratio, usually 1.

        The median over the picture is not moved by what moves in it.
        """
        coarse = slice(None, None, 2 * _GRID)
        now = luma[coarse, coarse].astype(np.float32) + 8.0
        ratio = float(np.median(now / (self._mean[coarse, coarse] + 8.0)))
        if abs(ratio - 1.0) < _GAIN_STEP:
            return 1.0
        self._mean = np.clip((self._mean + 8.0) * np.float32(ratio) - 8.0, 0.0, 255.0)
        self._empty = cast(Image, cv2.convertScaleAbs(self._mean))
        return ratio

    def foreground(self, picture: Planes) -> Image:
        """255 where the picture differs from the empty scene, else 0."""
        difference = cast(Image, cv2.absdiff(picture.y, self._empty))
        sample = difference[::_GRID, ::_GRID]
        self._noise += 0.05 * (1.25 * float(np.median(sample)) - self._noise)
        floor = max(_MIN_DIFFERENCE, _NOISE_FACTOR * self._noise)
        if self._pictures % _LIMIT_EVERY == 0:
            limit = np.maximum(self._deviation * _FLICKER_FACTOR, floor)
            self._limit = cast(Image, cv2.convertScaleAbs(limit))
        self._pictures += 1
        mask = _where(difference > self._limit)
        mask = cast(Image, cv2.medianBlur(mask, 3))
        mask = cast(Image, cv2.bitwise_and(mask, cv2.bitwise_not(self._shadow(picture))))
        return cast(Image, cv2.morphologyEx(mask, cv2.MORPH_CLOSE, _CLOSE))

    def _shadow(self, picture: Planes) -> Image:
        """255 where it is moderately darker than the empty scene and of the same colour."""
        least = cv2.convertScaleAbs(self._empty, alpha=_SHADOW_SHADE)
        darker = _where((picture.y < self._empty) & (picture.y > least))
        u, v = (
            cv2.absdiff(now, cv2.convertScaleAbs(mean))
            for now, mean in zip((picture.u, picture.v), self._chroma, strict=True)
        )
        same = _where(np.maximum(u, v) <= _SHADOW_CHROMA)
        height, width = picture.y.shape
        same = cast(Image, cv2.resize(same, (width, height), interpolation=cv2.INTER_NEAREST))
        return cast(Image, cv2.bitwise_and(darker, same))

    def learn_place(self, picture: Planes, x: int, y: int, width: int, height: int) -> None:
        """Take over a rectangle at once: what stood there has left."""
        self._mean[y : y + height, x : x + width] = picture.y[y : y + height, x : x + width]
        rows, columns = slice(y // 2, (y + height) // 2), slice(x // 2, (x + width) // 2)
        for now, mean in zip((picture.u, picture.v), self._chroma, strict=True):
            mean[rows, columns] = now[rows, columns]

    def learn(self, picture: Planes, foreground: Image, owned: Image) -> None:
        """Take over what is empty now. ``owned``: 255 where tracked bodies are.

        Every other picture is enough.
        """
        self._learn_now = not self._learn_now
        if not self._learn_now:
            return
        luma = picture.y
        current = luma.astype(np.float32)
        taken = cv2.bitwise_or(foreground, owned)
        empty = cv2.bitwise_not(taken)
        difference = cv2.absdiff(current, self._mean)
        cv2.accumulateWeighted(luma, self._mean, _RATE, empty)
        half = (picture.u.shape[1], picture.u.shape[0])
        empty_half = cv2.resize(empty, half, interpolation=cv2.INTER_NEAREST)
        for now, mean in zip((picture.u, picture.v), self._chroma, strict=True):
            cv2.accumulateWeighted(now, mean, _RATE, empty_half)
        cv2.accumulateWeighted(difference, self._deviation, _DEVIATION_RATE, empty)
        stray = cv2.bitwise_and(foreground, cv2.bitwise_not(owned))
        capped = np.minimum(difference, _MAX_FLICKER)
        cv2.accumulateWeighted(capped, self._deviation, _DEVIATION_RATE / 4, stray)
        unchanged = _where(cv2.absdiff(luma, self._previous) <= _STILL_DIFFERENCE)
        keep = cv2.bitwise_and(stray, unchanged)
        still = cast(Image, cv2.bitwise_and(np.minimum(self._still, 254) + 1, keep))
        learned = _where(still >= _STILL_PICTURES)
        cv2.copyTo(current, learned, self._mean)
        self._still = cast(Image, cv2.bitwise_and(still, cv2.bitwise_not(learned)))
        self._previous = luma
        self._empty = cast(Image, cv2.convertScaleAbs(self._mean))


def _median(pictures: list[Image]) -> Floats:
    return cast(Floats, np.median(np.stack(pictures), axis=0).astype(np.float32))


def _where(condition: npt.NDArray[np.bool_]) -> Image:
    """255 where it holds, else 0."""
    return condition.view(np.uint8) * np.uint8(255)
