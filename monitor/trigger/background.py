"""What the empty scene looks like, and what differs from it now.

A running mean per pixel in luma and chroma, and a running mean deviation in luma. A pixel is
foreground when it differs by more than the picture's noise and its own usual flicker (leaves,
rain, a sign), unless it is only a moderately darker shade of the same colour: a cast shadow.
Where the sun casts none, at night and in rain, smooth light and shade are left out instead.
What belongs to a tracked body is never learned, so a vehicle that stops stays foreground; what
stands still and was never seen to move (the place a parked car left, a reflection) is learned
after about three seconds. Called by ``CameraTrigger`` once per picture.
"""

from __future__ import annotations

from typing import Any, Final, cast

import cv2
import numpy as np
import numpy.typing as npt

from monitor.media.decode import Planes
from monitor.trigger import light_pools

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
_UPRIGHT: Final = 1.1  # height over width
_UPRIGHT_HEIGHT: Final = 0.15  # of the picture; taller is no person
_STILL_DIFFERENCE: Final = 9.0
_LIMIT_EVERY: Final = 8  # pictures; flicker and noise change slowly
_STILL_PICTURES: Final = 13  # learned pictures without change before unowned foreground is
_MOST_AT_ONCE: Final = 6.0  # learned pictures that one may stand for: more would be its noise
_GRID: Final = 6  # every nth pixel is enough for the statistics of the whole picture
_COARSE: Final = 12
_GAIN_STEP: Final = 0.04
_LEVEL_STEP: Final = 0.015  # share of the mean brightness
_CLOSE: Final = np.ones((5, 5), np.uint8)


class Background:
    """The learned empty scene of one camera; starts from its first picture."""

    def __init__(self, first: Planes) -> None:
        self._mean = first.y.astype(np.float32)
        self._chroma = [first.u.astype(np.float32), first.v.astype(np.float32)]
        self._empty = first.y.copy()  # the mean in whole levels
        self._empty_chroma = [first.u.copy(), first.v.copy()]
        self._ones: Image = np.ones(first.y.shape, np.uint8)
        self._level = float(first.y[::_COARSE, ::_COARSE].mean())
        self._deviation: Floats = np.full(first.y.shape, 2.0, np.float32)
        self._still: Image = np.zeros(first.y.shape, np.uint8)
        self._previous = first.y
        self._limit: Image = np.full(first.y.shape, 12, np.uint8)
        self._pictures = 0
        self._learn_now = False
        self._noise = 2.0
        self.raining = False  # as the view is; set by whoever watches it
        self._dark = False
        self._smooth: Image = np.zeros(first.y.shape, np.uint8)  # light and shade left out
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
        self._empty_chroma = [cast(Image, cv2.convertScaleAbs(one)) for one in self._chroma]
        self._collected = []

    def follow_exposure(self, luma: Image) -> float:
        """Scale the background to a common change of brightness; returns the ratio, usually 1.

        The median over the picture is not moved by what moves in it. It is only asked for when
        the mean has changed, or now and then.
        """
        coarse = luma[::_COARSE, ::_COARSE]
        level = float(coarse.mean())
        changed = abs(level - self._level) > _LEVEL_STEP * (self._level + 8.0)
        self._level = level
        if not changed and self._pictures % _LIMIT_EVERY:
            return 1.0
        ratios = (coarse + np.float32(8.0)) / (self._empty[::_COARSE, ::_COARSE] + np.float32(8.0))
        ratio = float(np.median(ratios))
        if abs(ratio - 1.0) < _GAIN_STEP:
            return 1.0
        self._mean = np.clip((self._mean + 8.0) * np.float32(ratio) - 8.0, 0.0, 255.0)
        self._empty = cast(Image, cv2.convertScaleAbs(self._mean))
        return ratio

    def foreground(self, picture: Planes) -> Image:
        """255 where the picture differs from the empty scene, else 0."""
        difference = cast(Image, cv2.absdiff(picture.y, self._empty))
        if self._pictures % _LIMIT_EVERY == 0:
            self._set_limit(difference)
        self._pictures += 1
        differs = cv2.compare(difference, self._limit, cv2.CMP_GT)
        mask = cast(Image, cv2.medianBlur(differs, 3))
        if self._dark or self.raining:
            found = light_pools.bodies(mask, picture.y, self._empty, drops=self.raining)
            self._smooth = cast(Image, cv2.subtract(mask, found))
            mask = found
        else:
            self._smooth[:] = 0
            shade = _lying(cv2.bitwise_and(mask, self._shadow(picture)))
            mask = cast(Image, cv2.subtract(mask, shade))
        return cast(Image, cv2.morphologyEx(mask, cv2.MORPH_CLOSE, _CLOSE))

    def _set_limit(self, difference: Image) -> None:
        self._dark = light_pools.is_dark(self._empty[::_COARSE, ::_COARSE])
        sample = difference[::_GRID, ::_GRID]
        # Never much more at once: another view is no noise, and must not be taken for it.
        most = 2.0 * max(1.0, self._noise)
        self._noise += 0.3 * (min(most, 1.25 * float(np.median(sample))) - self._noise)
        floor = max(_MIN_DIFFERENCE, _NOISE_FACTOR * self._noise)
        limit = np.maximum(self._deviation * _FLICKER_FACTOR, floor)
        self._limit = cast(Image, cv2.convertScaleAbs(limit))

    def _shadow(self, picture: Planes) -> Image:
        """255 where it is moderately darker than the empty scene and of the same colour."""
        least = cv2.convertScaleAbs(self._empty, alpha=_SHADOW_SHADE)
        darker = cv2.bitwise_and(
            cv2.compare(picture.y, self._empty, cv2.CMP_LT),
            cv2.compare(picture.y, least, cv2.CMP_GT),
        )
        u, v = (
            cv2.absdiff(now, empty)
            for now, empty in zip((picture.u, picture.v), self._empty_chroma, strict=True)
        )
        _, same = cv2.threshold(cv2.max(u, v), _SHADOW_CHROMA, 255, cv2.THRESH_BINARY_INV)
        height, width = picture.y.shape
        same = cv2.resize(same, (width, height), interpolation=cv2.INTER_NEAREST)
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
        if self._learn_now:
            self._take_over(picture, foreground, owned, 1.0)

    def learn_after(self, pictures: float, picture: Planes, foreground: Image) -> None:
        """The same from one picture that stands for many, of a scene where nobody is.

        So a change of light is followed as fast as if each of them had been learned.
        """
        learned = min(_MOST_AT_ONCE, max(1.0, pictures / 2))
        self._pictures = -(-self._pictures // _LIMIT_EVERY) * _LIMIT_EVERY  # the limit is set anew
        self._take_over(picture, foreground, np.zeros_like(foreground), learned)

    def _take_over(self, picture: Planes, foreground: Image, owned: Image, pictures: float) -> None:
        rate = 1.0 - (1.0 - _RATE) ** pictures
        deviation_rate = 1.0 - (1.0 - _DEVIATION_RATE) ** pictures
        luma = picture.y
        smooth = cv2.subtract(self._smooth, owned)
        empty = cv2.bitwise_not(cv2.bitwise_or(cv2.bitwise_or(foreground, owned), smooth))
        difference = cv2.absdiff(luma, self._empty)
        cv2.accumulateWeighted(luma, self._mean, rate, empty)
        half = (picture.u.shape[1], picture.u.shape[0])
        empty_half = cv2.resize(empty, half, interpolation=cv2.INTER_NEAREST)
        for now, mean in zip((picture.u, picture.v), self._chroma, strict=True):
            cv2.accumulateWeighted(now, mean, rate, empty_half)
        cv2.accumulateWeighted(difference, self._deviation, deviation_rate, empty)
        self._learn_strays(luma, difference, cv2.subtract(foreground, owned), smooth)
        self._previous = luma
        self._empty = cast(Image, cv2.convertScaleAbs(self._mean))
        self._empty_chroma = [cast(Image, cv2.convertScaleAbs(one)) for one in self._chroma]

    def _learn_strays(self, luma: Image, difference: Any, stray: Any, smooth: Any) -> None:
        """What is foreground and nobody's: flicker raises its limit, stillness is learned.

        So is that of smooth light; where it comes and goes, a body must be seen all the same.
        """
        _, capped = cv2.threshold(difference, _MAX_FLICKER, 0, cv2.THRESH_TRUNC)
        cv2.accumulateWeighted(capped, self._deviation, _DEVIATION_RATE / 4, stray)
        moved = cv2.absdiff(luma, self._previous)
        _, unchanged = cv2.threshold(moved, _STILL_DIFFERENCE, 255, cv2.THRESH_BINARY_INV)
        keep = cv2.bitwise_and(cv2.bitwise_or(stray, smooth), unchanged)
        still = cv2.bitwise_and(cv2.add(self._still, self._ones), keep)
        _, learned = cv2.threshold(still, _STILL_PICTURES - 1, 255, cv2.THRESH_BINARY)
        if cv2.countNonZero(learned):
            cv2.copyTo(luma.astype(np.float32), learned, self._mean)
            still = cv2.subtract(still, learned)
        self._still = cast(Image, still)


def _lying(shade: Any) -> Image:
    """Without what stands upright: a shadow lies on the road, dark trousers do not."""
    contours, _ = cv2.findContours(shade, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    tallest = _UPRIGHT_HEIGHT * shade.shape[0]
    for contour in contours:
        _, _, width, height = cv2.boundingRect(contour)
        if _UPRIGHT * width < height < tallest:
            cv2.drawContours(shade, [contour], -1, 0, cv2.FILLED)
    return cast(Image, shade)


def _median(pictures: list[Image]) -> Floats:
    return cast(Floats, np.median(np.stack(pictures), axis=0).astype(np.float32))
