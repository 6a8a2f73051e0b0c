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
UNLIKE: Final = 0.1
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
        return max((*self._others, self._present), key=lambda one: one.looks)

    @property
    def is_overlaid(self) -> bool:
        """Whether a good part of the present view is drawn on it."""
        return self._present.overlay_share() >= OVERLAY_SHARE

    def settle(self, empty: npt.NDArray[np.uint8], *, changed: bool) -> SceneMemory:
        """The memory of the view whose empty scene (luma, any size) this is; a new one if none.

        Without a change having been seen the camera most likely stands as it stood, in whatever
        light and traffic: less likeness is enough.
        """
        seen = thumbnail_of(empty)
        if self._present.thumbnail is None:
            self._present.thumbnail = seen  # it knows no view yet
            return self._present
        if not changed and likeness(self._present.thumbnail, seen) >= UNLIKE:
            return self._present
        known = max(self._all(), key=lambda one: likeness(one.thumbnail, seen))
        if likeness(known.thumbnail, seen) < ALIKE:
            known = SceneMemory()
            known.thumbnail = seen
        return self._choose(known)

    def refresh(self, empty: npt.NDArray[np.uint8]) -> SceneMemory:
        """The present view in the present light, when the empty scene is surely empty.

        If it turns out to be another known view, or none, that one's memory holds from now on.
        """
        seen = thumbnail_of(empty)
        known = max(self._all(), key=lambda one: likeness(one.thumbnail, seen))
        if likeness(known.thumbnail, seen) < UNLIKE:
            known = SceneMemory()
        elif likeness(known.thumbnail, seen) < ALIKE:
            known = self._present
        known.see(seen)
        return self._choose(known)

    def _all(self) -> list[SceneMemory]:
        return [self._present, *self._others]

    def _choose(self, chosen: SceneMemory) -> SceneMemory:
        self._others = [one for one in self._all() if one is not chosen][:KEPT_VIEWS]
        self._present = chosen
        return chosen


def thumbnail_of(empty: npt.NDArray[np.uint8]) -> Thumbnail:
    """(ROWS, COLUMNS) luma."""
    return cast(Thumbnail, cv2.resize(empty, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA))


def likeness(a: Thumbnail | None, b: Thumbnail) -> float:
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
