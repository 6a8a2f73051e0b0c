"""Which of what is darker than the empty scene, in the same colour, may be a cast shadow.

A shadow takes the same share of the light all over; a vehicle has windows and edges, a person
clothes (Jacques, Jung, Musse, "Background subtraction and shadow detection in grayscale video
sequences", SIBGRAPI 2005). And a shadow lies on the road. Pure functions for ``Background``.
"""

from __future__ import annotations

from typing import Any, Final, cast

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]

ROUGH: Final = 0.25
"""Change of the share of light from one pixel to the next but one."""
_WHOLE: Final = 128.0  # how a share of 1 is written in a picture
_FAINT: Final = 8  # levels, added so that the share of what is dark is not all noise
_UPRIGHT: Final = 1.1  # height over width
_UPRIGHT_HEIGHT: Final = 0.15  # of the picture; taller is no person
_NEXT: Final = np.ones((3, 3), np.uint8)
_BORDER: Final = np.ones((5, 5), np.uint8)
_AROUND: Final = np.ones((7, 7), np.uint8)
_REACH_PX: Final = 6  # half of ``_AROUND``, and of ``_BORDER`` or of ``_NEXT`` and the blur: 5


def cast_shadows(shade: Any, mask: Any, luma: Image, empty: Image) -> Image:
    """255 where ``shade`` may be a shadow: evenly dark, and not upright.

    All (h, w). ``shade``: darker and of the same colour, a part of ``mask``, which is all that
    differs from the empty scene.
    """
    x, y, width, height = cv2.boundingRect(shade)
    if not width:
        return cast(Image, shade)
    # Nothing farther off than this has a say in what is left of the shade.
    rows = slice(max(0, y - _REACH_PX), y + height + _REACH_PX)
    columns = slice(max(0, x - _REACH_PX), x + width + _REACH_PX)
    rough = _rough(mask[rows, columns], luma[rows, columns], empty[rows, columns])
    even = np.zeros_like(shade)
    even[rows, columns] = cv2.subtract(shade[rows, columns], rough)
    return _lying(even)


def _rough(mask: Any, luma: Image, empty: Image) -> Image:
    """255 around where the share of the light changes from pixel to pixel.

    Only where all around is ``mask``: at its border a shadow's share changes too.
    """
    faint = np.full_like(luma, _FAINT)
    now, before = (cv2.add(cv2.blur(one, (3, 3)), faint) for one in (luma, empty))
    share = cv2.divide(now, before, scale=_WHOLE)
    change = cv2.morphologyEx(share, cv2.MORPH_GRADIENT, _NEXT)
    _, rough = cv2.threshold(change, ROUGH * _WHOLE, 255, cv2.THRESH_BINARY)
    return cast(Image, cv2.dilate(cv2.bitwise_and(rough, cv2.erode(mask, _BORDER)), _AROUND))


def _lying(shade: Any) -> Image:
    """Without what stands upright: a shadow lies on the road, dark trousers do not."""
    contours, _ = cv2.findContours(shade, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    tallest = _UPRIGHT_HEIGHT * shade.shape[0]
    for contour in contours:
        _, _, width, height = cv2.boundingRect(contour)
        if _UPRIGHT * width < height < tallest:
            cv2.drawContours(shade, [contour], -1, 0, cv2.FILLED)
    return cast(Image, shade)
