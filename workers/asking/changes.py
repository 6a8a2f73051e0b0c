"""Moments at which a screen changes: where to look in a recording that is no road. Pure.

Measured, not guessed: the share of small picture's pixels that differ from the picture before.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, cast

import cv2
import numpy as np
import numpy.typing as npt

SPACING_MS: Final = 200
_SIZE: Final = (320, 180)
_DIFFERENT: Final = 12  # levels of grey; coding noise is below
_LEAST: Final = 0.0005  # of the picture: a field that is filled in, not a blinking cursor
_APART_MS: Final = 600
_MOST: Final = 64

Grey = npt.NDArray[np.uint8]


@dataclass(slots=True)
class Changes:
    """Give it pictures in order of time; ask for the moments afterwards."""

    _last: Grey | None = None
    _last_ms: int = 0
    _found: list[tuple[float, int]] = field(default_factory=list)

    def wants(self, time_ms: int) -> bool:
        """Whether a picture of that time is far enough from the one before."""
        return self._last is None or time_ms - self._last_ms >= SPACING_MS

    def look(self, time_ms: int, grey: Grey) -> None:
        """One picture's luma."""
        small = cast(Grey, cv2.resize(grey, _SIZE, interpolation=cv2.INTER_AREA))
        if self._last is not None:
            share = float(np.mean(cv2.absdiff(small, self._last) > _DIFFERENT))
            if share >= _LEAST:
                self._found.append((share, time_ms))
        self._last, self._last_ms = small, time_ms

    def times_ms(self) -> list[int]:
        """The greatest first, none within 0.6 s of a greater one."""
        chosen: list[int] = []
        for _, time_ms in sorted(self._found, key=lambda one: (-one[0], one[1])):
            if all(abs(time_ms - other) >= _APART_MS for other in chosen):
                chosen.append(time_ms)
            if len(chosen) == _MOST:
                break
        return chosen
