"""The pictures around a candidate, as the forensic pass needs them: held, checked and thinned.

Repeated pictures (a stalled encoder, a recording of a lower rate) are left out, because between
them everything seems to stop and afterwards everything to jump.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, cast

import cv2
import numpy as np
import numpy.typing as npt

from monitor.media.decode import Planes
from monitor.trigger.flow import Steady

Image = npt.NDArray[np.uint8]
Times = npt.NDArray[np.float64]

WIDTH_PX: Final = 640
MOST_PICTURES: Final = 400  # 13 s at 30 a second: 92 MB of luma at 640 x 360
_SPACING_MS: Final = 30
_SMOOTHING_PX: Final = (3, 3)  # decoding without the loop filter leaves edges of blocks
_SAMPLE_MS: Final = 95
_LEAST_PICTURES: Final = 10
_LEAST_S: Final = 0.8
_LEAST_WIDTH_PX: Final = 96
_LEAST_HEIGHT_PX: Final = 64
_MIN_SHIFT_PX: Final = 0.4  # as in steadying.py
_STEADY_LEVELS: Final = 12
_AROUND: Final = np.ones((9, 9), np.uint8)
_SAME: Final = 0.1  # mean luma levels; a sensor's noise and any motion are above
_GRID: Final = 4
_DARK_LEVEL: Final = 48  # as in view.py
_BRIGHT_SHARE: Final = 0.02
_NOISE_LEVELS: Final = 14.0
_MEDIAN_PICTURES: Final = 25
_LEAST_SIDE_S: Final = 0.6


class Unusable(Exception):
    """The pictures cannot be judged; the message says why, for the verdict's reason."""


@dataclass(frozen=True, slots=True)
class Window:
    """Pictures of one size in order of time. ``times_s`` (n,) counts from ``origin_ms``."""

    origin_ms: int
    times_s: Times
    luma: tuple[Image, ...]
    samples: tuple[tuple[float, Planes], ...] = ()  # about ten a second, with colour

    @property
    def width(self) -> int:
        return int(self.luma[0].shape[1])

    @property
    def height(self) -> int:
        return int(self.luma[0].shape[0])

    def nearest(self, time_s: float) -> int:
        """Index of the picture nearest to a time."""
        return int(np.abs(self.times_s - time_s).argmin())

    def wall_ms(self, time_s: float) -> int:
        return self.origin_ms + round(float(time_s) * 1000)

    def empty(self, time_s: float) -> tuple[Image, Image]:
        """The scene without what moves, (h, w) each: before a time, and after it.

        Temporal medians. What stood before and was pushed away is in the first alone, what came
        to rest only in the second; what is in both is scenery.
        """
        first = min(time_s, float(self.times_s[-1]) - _LEAST_SIDE_S)
        last = max(time_s, float(self.times_s[0]) + _LEAST_SIDE_S)
        before = np.flatnonzero(self.times_s <= last)
        after = np.flatnonzero(self.times_s >= first)
        return self._median(before), self._median(after)

    def _median(self, indices: npt.NDArray[np.intp]) -> Image:
        count = min(len(indices), _MEDIAN_PICTURES)
        chosen = indices[np.linspace(0, len(indices) - 1, count).astype(np.intp)]
        stack = np.stack([self.luma[index] for index in chosen])
        middle = count // 2
        return cast(Image, np.partition(stack, middle, axis=0)[middle])


def gather(pictures: Iterable[tuple[int, Planes]], about_ms: int) -> Window:
    """Take pictures of the size that the one nearest ``about_ms`` has.

    Times that do not rise and repeated pictures are skipped; of wider pictures than 640 a smaller
    smoothed copy is kept. Raises ``Unusable`` where nothing can be judged.
    """
    times: list[int] = []
    luma: list[Image] = []
    noise: list[float] = []
    samples: list[tuple[int, Planes]] = []
    for capture_ms, planes in pictures:
        sharp = _fitted(planes.y)
        picture = cast(Image, cv2.GaussianBlur(sharp, _SMOOTHING_PX, 0))
        if luma and picture.shape != luma[-1].shape:
            if times[-1] >= about_ms:
                break
            times, luma, noise, samples = [], [], [], []
        if times and capture_ms - times[-1] < _SPACING_MS:
            continue
        if luma:
            step = _difference(picture, luma[-1])
            if step < _SAME:
                continue
            noise.append(step)
        times.append(capture_ms)
        luma.append(picture)
        if not samples or capture_ms - samples[-1][0] >= _SAMPLE_MS:
            samples.append((capture_ms, _coloured(sharp, planes)))
        if len(luma) > MOST_PICTURES:
            if times[0] > about_ms - 3_000:
                break
            del times[0], luma[0]
            while samples[0][0] < times[0]:
                del samples[0]
    _check(times, luma, noise)
    seconds = (np.array(times, np.float64) - times[0]) / 1000
    coloured = tuple(((at_ms - times[0]) / 1000, planes) for at_ms, planes in samples)
    return Window(times[0], seconds, tuple(luma), coloured)


def steadied(window: Window) -> Window:
    """With the camera's shake taken out of the luma: a jolt of the mast stops no vehicle.

    The shift of each picture is measured on corners of what is the same in the medians of the
    window's two halves: not on vehicles that came to rest.
    """
    steady = Steady()
    scene, later = window.empty(float(window.times_s[-1]) / 2)
    _, changed = cv2.threshold(cv2.absdiff(scene, later), _STEADY_LEVELS, 255, cv2.THRESH_BINARY)
    steady.refer_to(scene, cast(Image, cv2.bitwise_not(cv2.dilate(changed, _AROUND))))
    pictures = []
    for luma in window.luma:
        dx, dy = steady.shift(luma) or (0.0, 0.0)
        if max(abs(dx), abs(dy)) < _MIN_SHIFT_PX:
            pictures.append(luma)
            continue
        matrix = np.array([[1.0, 0.0, -dx], [0.0, 1.0, -dy]])
        size = (window.width, window.height)
        moved = cv2.warpAffine(luma, matrix, size, borderMode=cv2.BORDER_REPLICATE)
        pictures.append(cast(Image, moved))
    return replace(window, luma=tuple(pictures))


def _check(times: list[int], luma: list[Image], noise: list[float]) -> None:
    if len(luma) < _LEAST_PICTURES or times[-1] - times[0] < 1000 * _LEAST_S:
        raise Unusable(f"only {len(luma)} different pictures")
    height, width = luma[0].shape
    if width < _LEAST_WIDTH_PX or height < _LEAST_HEIGHT_PX:
        raise Unusable(f"the picture is only {width} x {height}")
    middle = luma[len(luma) // 2]
    if float((middle[::_GRID, ::_GRID] > _DARK_LEVEL).mean()) < _BRIGHT_SHARE:
        raise Unusable("the picture is too dark")
    if float(np.median(noise)) > _NOISE_LEVELS:
        raise Unusable("the picture is noise, or moves as a whole")


def _fitted(luma: Image) -> Image:
    height, width = luma.shape
    if width <= WIDTH_PX:
        return np.ascontiguousarray(luma)
    size = (WIDTH_PX, max(2, round(height * WIDTH_PX / width)))
    return cast(Image, cv2.resize(luma, size, interpolation=cv2.INTER_AREA))


def _coloured(luma: Image, planes: Planes) -> Planes:
    """With the colour at half the size of the luma that is kept."""
    half = (max(1, luma.shape[1] // 2), max(1, luma.shape[0] // 2))
    if planes.u.shape == (half[1], half[0]):
        return Planes(luma, planes.u, planes.v)
    u, v = (cv2.resize(one, half, interpolation=cv2.INTER_AREA) for one in (planes.u, planes.v))
    return Planes(luma, cast(Image, u), cast(Image, v))


def _difference(first: Image, second: Image) -> float:
    coarse = cv2.absdiff(first[::_GRID, ::_GRID], second[::_GRID, ::_GRID])
    return float(coarse.mean())
