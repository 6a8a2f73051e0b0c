"""What is the matter with the picture itself: frozen, too dark, cut to another view.

Judged before anything is tracked, so that none of it is taken for traffic.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from monitor.domain import ViewCondition

Image = npt.NDArray[np.uint8]

WARM_UP_S: Final = 2.5
_FROZEN_S: Final = 4.0
_FROZEN_DIFFERENCE: Final = 0.02  # mean luma levels; a live sensor's noise is far above
_DARK_S: Final = 2.0
_DARK_LEVEL: Final = 48  # luma that all but the brightest pixels stay under
_BRIGHT_SHARE: Final = 0.02
_CHANGED_SHARE: Final = 0.5  # foreground of the picture
_CHANGED_S: Final = 0.5  # shorter is a flash or a burst of broken pictures
_SHOW_CHANGED_S: Final = 3.0
_GRID: Final = 9


class ViewWatch:
    """Keeps the condition of one camera's view."""

    def __init__(self) -> None:
        self._previous: Image | None = None
        self._same_since_s: float | None = None
        self._dark_since_s: float | None = None
        self._covered_since_s: float | None = None
        self._started_s: float | None = None
        self._changed_s: float | None = None

    def start(self, time_s: float, *, changed: bool = False) -> None:
        """The background starts again here, after a change of view or at the beginning."""
        self._started_s = time_s
        self._covered_since_s = None
        if changed:
            self._changed_s = time_s

    def look(self, time_s: float, luma: Image) -> None:
        """Take note of one picture."""
        sample = luma[::_GRID, ::_GRID].copy()
        if self._previous is not None and self._previous.shape == sample.shape:
            same = float(cv2.mean(cv2.absdiff(sample, self._previous))[0]) < _FROZEN_DIFFERENCE
            self._same_since_s = (self._same_since_s or time_s) if same else None
        self._previous = sample
        dark = float((sample > _DARK_LEVEL).mean()) < _BRIGHT_SHARE
        self._dark_since_s = (self._dark_since_s or time_s) if dark else None

    def covered(self, time_s: float, foreground: Image) -> bool:
        """Whether so much differs from the empty scene that nothing can be told."""
        share = cv2.countNonZero(foreground) / foreground.size
        if share < _CHANGED_SHARE:
            self._covered_since_s = None
            return False
        self._covered_since_s = self._covered_since_s or time_s
        return True

    def must_restart(self, time_s: float) -> bool:
        """Whether the change has lasted, so that it is another view and not a flash."""
        since = self._covered_since_s
        return since is not None and time_s - since >= _CHANGED_S

    def condition(self, time_s: float) -> ViewCondition:
        """The worst that holds now."""
        if self._dark_since_s is not None and time_s - self._dark_since_s >= _DARK_S:
            return ViewCondition.TOO_DARK
        if self._same_since_s is not None and time_s - self._same_since_s >= _FROZEN_S:
            return ViewCondition.FROZEN
        if self._covered_since_s is not None:
            return ViewCondition.VIEW_CHANGED
        if self._changed_s is not None and time_s - self._changed_s < _SHOW_CHANGED_S:
            return ViewCondition.VIEW_CHANGED
        if self._started_s is None or time_s - self._started_s < WARM_UP_S:
            return ViewCondition.WARMING_UP
        return ViewCondition.NORMAL
