"""Which view's memory holds: a camera that is turned away and back finds what it knew.

A view is known again by the edges of its empty scene, which survive night and weather better
than its brightness. Called by ``CameraTrigger`` whenever the empty scene has been learned anew.
"""

from __future__ import annotations

from typing import Final, cast

import cv2
import numpy as np
import numpy.typing as npt

from monitor.trigger.normal.grid import COLUMNS, ROWS
from monitor.trigger.normal.memory import SceneMemory
from monitor.trigger.normal.record import Thumbnail

ALIKE: Final = 0.35
KEPT_VIEWS: Final = 3
OVERLAY_SHARE: Final = 0.05
VISIT_S: Final = 3600.0

Floats = npt.NDArray[np.float32]


class KnownViews:
    """The memory of the present view, and of those before it (at most ``KEPT_VIEWS``)."""

    def __init__(self, memory: SceneMemory | None = None) -> None:
        self._present = SceneMemory() if memory is None else memory
        self._others: list[SceneMemory] = []

    @property
    def memory(self) -> SceneMemory:
        """Of the present view."""
        return self._present

    @property
    def kept(self) -> SceneMemory:
        """What should outlive the process: the present view's, unless it is only a visit."""
        if self._present.looks >= VISIT_S or not self._others:
            return self._present
        return max((self._present, *self._others), key=lambda one: one.looks)

    @property
    def is_overlaid(self) -> bool:
        """Whether a good part of the present view is drawn on it."""
        return self._present.overlay_share() >= OVERLAY_SHARE

    def settle(self, empty: npt.NDArray[np.uint8]) -> SceneMemory:
        """The memory of the view whose empty scene (luma, any size) this is; a new one if none."""
        seen = thumbnail_of(empty)
        known = [self._present, *self._others]
        likeness = [_likeness(memory.thumbnail, seen) for memory in known]
        best = int(np.argmax(likeness))
        if self._present.thumbnail is None:
            chosen = self._present  # it knows no view yet
        elif likeness[best] >= ALIKE:
            chosen = known[best]
        else:
            chosen = SceneMemory()
        self._others = [one for one in known if one is not chosen][:KEPT_VIEWS]
        self._present = chosen
        chosen.see(seen)
        return chosen

    def refresh(self, empty: npt.NDArray[np.uint8]) -> None:
        """The present view in the present light."""
        self._present.see(thumbnail_of(empty))


def thumbnail_of(empty: npt.NDArray[np.uint8]) -> Thumbnail:
    """(ROWS, COLUMNS) luma."""
    return cast(Thumbnail, cv2.resize(empty, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA))


def _likeness(a: Thumbnail | None, b: Thumbnail) -> float:
    """-1 to 1: the correlation of edges, each limited so that one lamp does not decide."""
    if a is None:
        return -1.0
    one, two = _edges(a), _edges(b)
    power = float(np.sqrt((one * one).sum() * (two * two).sum()))
    return float((one * two).sum()) / power if power > 0.0 else 0.0


def _edges(picture: Thumbnail) -> Floats:
    dx, dy = (cv2.Sobel(picture, cv2.CV_32F, x, y) for x, y in ((1, 0), (0, 1)))
    both = np.stack([dx, dy]).astype(np.float32)
    usual = 2.0 * float(np.abs(both).mean()) + 1e-6
    return np.clip(both, -usual, usual)
