"""What one picture's coarse sample says of the view: dark, blinded, noise, glare, rain.

Pure functions on a ninth of the pixels each way; together some 0.1 ms. Levels are those of video
luma, 16 to 235.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]

DARK_LEVEL: Final = 48
BRIGHT_SHARE: Final = 0.02
BLIND_LEVEL: Final = 230
BLIND_SHARE: Final = 0.4
GLARE_SHARE: Final = 0.01
GLARE_MEDIAN: Final = 70
NOISE_CORRELATION: Final = 0.4
NOISE_DEVIATION: Final = 12.0
FLAT_DEVIATION: Final = 2.0
RAIN_LEVELS: Final = 8
RAIN_SHARE: Final = 0.004
RAIN_SPREAD: Final = 0.4

_GRID: Final = 9
_BESIDE: Final = 3  # pixels; neighbours in a scene look alike, in noise they do not
RAIN_BRIGHTER: Final = 2.0  # streaks are brighter than what is behind them; bodies are either
_RAIN_CELLS: Final = (6, 4)
_FROZEN_DIFFERENCE: Final = 0.02  # mean levels; a live sensor's noise is far above


@dataclass(frozen=True, slots=True)
class Signs:
    """Of one picture; each is a guess until it lasts."""

    dark: bool
    blinded: bool  # so much is white that nothing can be told
    no_scene: bool  # noise, or one colour
    glare: bool
    rain: bool
    same: bool  # as the picture before
    moved: float  # mean difference in levels from the picture before


def sample_of(luma: Image) -> Image:
    """Every ninth pixel each way, as a copy."""
    return luma[::_GRID, ::_GRID].copy()


def read(
    luma: Image, sample: Image, last: Image | None, before: Image | None, earlier: Image | None
) -> Signs:
    """``sample`` of ``luma``, that of the last picture, those of the last two unlike it."""
    deviation = float(cv2.meanStdDev(sample)[1][0, 0])
    white = _share_above(sample, BLIND_LEVEL - 1)
    moved = 255.0 if last is None else float(cv2.mean(cv2.absdiff(sample, last))[0])
    dark = _share_above(sample, DARK_LEVEL) < BRIGHT_SHARE
    blinded = white >= BLIND_SHARE
    lit = not dark and not blinded
    # Noise differs from picture to picture by as much as from place to place.
    restless = deviation >= NOISE_DEVIATION and moved >= 0.5 * deviation
    return Signs(
        dark=dark,
        blinded=blinded,
        no_scene=lit and (deviation < FLAT_DEVIATION or (restless and _is_noise(luma))),
        glare=GLARE_SHARE <= white < BLIND_SHARE and float(np.median(sample)) < GLARE_MEDIAN,
        rain=before is not None and earlier is not None and _rains(sample, before, earlier),
        same=moved < _FROZEN_DIFFERENCE,
        moved=moved,
    )


def _share_above(sample: Image, level: int) -> float:
    return float(np.count_nonzero(sample > level)) / sample.size


def _is_noise(luma: Image) -> bool:
    if luma.shape[1] < 4 * _BESIDE:
        return False
    here = luma[::_GRID, :-_BESIDE:_GRID].astype(np.float32).ravel()
    beside = luma[::_GRID, _BESIDE::_GRID].astype(np.float32).ravel()[: here.size]
    here = here[: beside.size] - here.mean()
    beside = beside - beside.mean()
    power = float(np.sqrt((here @ here) * (beside @ beside)))
    return power > 0.0 and float(here @ beside) / power < NOISE_CORRELATION


def _rains(now: Image, before: Image, earlier: Image) -> bool:
    """Specks that are brighter in one picture alone, more than darker ones, all over it."""
    if not now.shape == before.shape == earlier.shape:
        return False
    brighter = cv2.subtract(before, cv2.max(now, earlier))
    darker = cv2.subtract(cv2.min(now, earlier), before)
    share = _share_above(np.asarray(brighter, np.uint8), RAIN_LEVELS)
    if share < RAIN_SHARE:
        return False
    if share < RAIN_BRIGHTER * _share_above(np.asarray(darker, np.uint8), RAIN_LEVELS):
        return False
    specks = (brighter > RAIN_LEVELS).astype(np.float32)
    cells = cv2.resize(specks, _RAIN_CELLS, interpolation=cv2.INTER_AREA)
    return float((cells > 0.0).mean()) >= RAIN_SPREAD
