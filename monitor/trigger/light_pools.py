"""Light on the road is no body, nor is every dark patch a shadow: told apart by steps of the ratio.

Light multiplies what a road gives back, so in the logarithm it adds the same to neighbours: the
ratio of the picture to the empty scene is smooth where headlights throw a pool, whatever is painted
on the road, and where the sky is mirrored less. A body hides the road and has edges, windows and
lamps: there the ratio has steps (after intrinsic images: Weiss, "Deriving intrinsic images from
image sequences", ICCV 2001). Used by ``Background`` at night and in rain. Not in sunshine: the
sun's shadows have sharp edges, and it outshines headlights.
"""

from __future__ import annotations

from typing import Any, Final, cast

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]

DARK_MEDIAN: Final = 70
"""Levels of luma: where half of the empty scene is darker, headlights throw pools."""

STEP: Final = 0.2
"""Of the logarithm of the ratio, within a few pixels: less is smooth."""

UNEVEN: Final = 4.0
"""Times the usual rise in this picture, which noise makes: less is smooth too."""

_FLOOR: Final = 8.0  # levels that are added, so that noise in the black is no step
_SCALE: Final = 60.0  # of the logarithm, in whole numbers
_LOGARITHM: Final = np.round(_SCALE * np.log(np.arange(256) + _FLOOR)).astype(np.int16)
_NEAR: Final = np.ones((5, 5), np.uint8)
_BETWEEN: Final = np.ones((7, 7), np.uint8)  # steps so near are of one body, and what is between
_DROP: Final = np.ones((1, 5), np.uint8)  # wider than a falling drop's streak
_GRID: Final = 9


def is_dark(empty: Image) -> bool:
    """Whether a sample of the empty scene is that of a night."""
    return float(np.median(empty)) < DARK_MEDIAN


def bodies(differs: Image, luma: Image, empty: Image, *, drops: bool) -> Image:
    """What of ``differs`` (h, w; 255 where it does) is no smooth light or shade.

    ``drops``: upright streaks, narrower than any body, are left out too.
    """
    ratio: Any = cv2.blur(cv2.subtract(_logarithm(luma), _logarithm(empty)), (3, 3))
    rise = cv2.morphologyEx(ratio, cv2.MORPH_GRADIENT, _NEAR)
    usual = float(np.median(rise[::_GRID, ::_GRID]))
    least = max(STEP * _SCALE, UNEVEN * usual)
    steps = cv2.compare(rise, least, cv2.CMP_GT)  # type: ignore[call-overload] # stubs: no scalar
    found: Any = cv2.bitwise_and(differs, cv2.morphologyEx(steps, cv2.MORPH_CLOSE, _BETWEEN))
    # What steps enclose belongs to the body, as far as it differs at all.
    outlines, _ = cv2.findContours(found, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    cv2.drawContours(found, outlines, -1, 255, cv2.FILLED)
    found = cv2.bitwise_and(found, differs)
    if drops:
        found = cv2.morphologyEx(found, cv2.MORPH_OPEN, _DROP)
    return cast(Image, cv2.medianBlur(found, 3))


def _logarithm(picture: Image) -> Any:
    return cv2.LUT(picture, _LOGARITHM)
