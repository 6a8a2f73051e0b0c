"""The picture as the trigger works on it: luma noise and the camera's shake taken out."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, cast

import cv2
import numpy as np
import numpy.typing as npt

from monitor.media.decode import Planes
from monitor.trigger.flow import Steady

Image = npt.NDArray[np.uint8]

_REFER_S: Final = 20.0
_MIN_SHIFT_PX: Final = 0.4
_CALM_S: Final = 0.4  # between looks for a shake while there is none


class Steadying:
    """Smooths every picture and moves it back to where the empty scene is."""

    def __init__(self, now_s: float) -> None:
        self._steady = Steady()
        self._refer_s = self._look_s = now_s
        self.shift: tuple[float, float] | None = None  # pixels; None while calm

    def wants_reference(self, now_s: float) -> bool:
        """Whether the empty scene should be shown to it again."""
        return now_s >= self._refer_s

    def refer_to(self, now_s: float, empty: Image, owned: Image) -> None:
        """Shifts are told against this; ``owned`` is 255 where bodies are."""
        self._steady.refer_to(empty, cast(Image, cv2.bitwise_not(owned)))
        self._refer_s = now_s + _REFER_S

    def steadied(self, now_s: float, planes: Planes) -> Planes:
        picture = replace(planes, y=cast(Image, cv2.GaussianBlur(planes.y, (3, 3), 0)))
        if now_s >= self._look_s:
            shift = self._steady.shift(picture.y) or (0.0, 0.0)
            calm = max(abs(shift[0]), abs(shift[1])) < _MIN_SHIFT_PX
            self.shift = None if calm else shift
            self._look_s = now_s + (_CALM_S if calm else 0.0)
        if self.shift is None:
            return picture
        dx, dy = self.shift
        return Planes(
            _shifted(picture.y, dx, dy),
            _shifted(picture.u, dx / 2, dy / 2),
            _shifted(picture.v, dx / 2, dy / 2),
        )


def _shifted(picture: Image, dx: float, dy: float) -> Image:
    """The picture moved back by a shift."""
    height, width = picture.shape
    matrix = np.array([[1.0, 0.0, -dx], [0.0, 1.0, -dy]])
    moved = cv2.warpAffine(
        picture, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return cast(Image, moved)
