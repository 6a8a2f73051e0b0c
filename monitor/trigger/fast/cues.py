"""The fast cues of one camera: features, bodies, votes, one score."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final, cast

import cv2
import numpy as np
import numpy.typing as npt

from monitor.domain.base import Box
from monitor.trigger.fast.ballot import Ballot, Sum
from monitor.trigger.fast.bodies import Bodies, moving_bodies
from monitor.trigger.fast.features import FeaturePool
from monitor.trigger.fast.momentum import HORIZONS_S, momentum_votes
from monitor.trigger.fast.momentum import NOW_S as MOMENTUM_NOW_S
from monitor.trigger.fast.slowing import HORIZON_S as SLOWING_HORIZON_S
from monitor.trigger.fast.slowing import NOW_S, slowing_votes
from monitor.trigger.fast.trail import Motion, Trail

Luma = npt.NDArray[np.uint8]

WIDTH_PX: Final = 480
THRESHOLD: Final = 3.3
SLOWING_SHARE: Final = 0.5
_BODY_S: Final = NOW_S  # bodies are what moves together for so long
_GAP_S: Final = 0.35
_RHYTHM_S: Final = 0.1  # a vote counts for the time it stands for, in parts of this
_SAME_PICTURE: Final = 0.15  # levels of mean difference; sensors are noisier
_HORIZON_TOLERANCE_S: Final = 0.085  # half the slowest spacing of pictures
_LATENESS_S: Final = 0.2  # votes come after the fact; the median on labelled clips


@dataclass(frozen=True, slots=True)
class Sudden:
    """Something lost or turned its momentum: when (s), where, how much; 1.0 is the threshold."""

    score: float
    at_s: float
    box: Box
    impulse: float


class FastCues:
    """Feed it every picture looked at; at 6 to 10 a second."""

    def __init__(self) -> None:
        self._shape: tuple[int, ...] | None = None
        self._start()

    def _start(self) -> None:
        self._pool = FeaturePool()
        self._trail = Trail()
        self._ballot = Ballot()
        self._past: deque[Bodies] = deque()
        self._last_s: float | None = None

    def step(self, now_s: float, luma: Luma) -> Sudden | None:
        """The strongest sign of the last second, whatever its score; None if there is none.

        ``luma`` (h, w) of any size, of the same one as before; times in seconds, rising.
        """
        small = _at_width(luma)
        if small.shape != self._shape:
            self._start()
            self._shape = small.shape
        spent_s = 0.0 if self._last_s is None else now_s - self._last_s
        self._last_s = now_s
        features = self._pool.step(now_s, small)
        if spent_s > _GAP_S or features.is_cut:
            self._trail.clear()
            self._ballot.clear()
            self._past.clear()
        elif features.camera is not None:
            self._past = deque(bodies.carried(features.camera) for bodies in self._past)
            self._ballot.carry(features.camera)
        self._trail.add(features)
        height, width = small.shape
        lately = self._remember(width)
        if features.change > _SAME_PICTURE:
            self._vote(now_s, lately, spent_s / _RHYTHM_S, width, height)
        best = self._ballot.best(now_s)
        return None if best is None else _sudden(best, width, height)

    def _remember(self, width: int) -> Motion | None:
        """The bodies of now; and the motion over ``_BODY_S`` that made them."""
        motion = self._trail.motion(_BODY_S)
        if motion is not None:
            self._past.append(moving_bodies(motion, width))
            while motion.at_s - self._past[0].motion.at_s > SLOWING_HORIZON_S + _GAP_S:
                self._past.popleft()
        return motion

    def _vote(
        self, now_s: float, lately: Motion | None, share: float, width: int, height: int
    ) -> None:
        now = self._trail.motion(MOMENTUM_NOW_S)
        if now is not None:
            for horizon_s in HORIZONS_S:
                bodies = self._bodies(now_s - horizon_s)
                if bodies is not None:
                    self._ballot.cast(momentum_votes(bodies, now, width, height), share)
        bodies = self._bodies(now_s - SLOWING_HORIZON_S)
        if lately is not None and bodies is not None:
            self._ballot.cast(slowing_votes(bodies, lately, width, height), SLOWING_SHARE * share)

    def _bodies(self, at_s: float) -> Bodies | None:
        nearest = min(self._past, key=lambda one: abs(one.motion.at_s - at_s), default=None)
        if nearest is None or abs(nearest.motion.at_s - at_s) > _HORIZON_TOLERANCE_S:
            return None
        return nearest


def _sudden(best: Sum, width: int, height: int) -> Sudden:
    side = 2 * best.size
    left, top = float(best.place[0]) - side / 2, float(best.place[1]) - side / 2
    x0, y0 = max(0.0, left), max(0.0, top)
    x1, y1 = min(float(width), left + side), min(float(height), top + side)
    box = (x0 / width, y0 / height, (x1 - x0) / width, (y1 - y0) / height)
    return Sudden(best.total / THRESHOLD, best.mean_s - _LATENESS_S, box, best.impulse)


def _at_width(luma: Luma) -> Luma:
    """All limits in pixels mean a picture so wide; a smaller one is enlarged."""
    height, width = luma.shape
    if width == WIDTH_PX:
        return luma
    size = (WIDTH_PX, max(2, round(height * WIDTH_PX / width / 2) * 2))
    how = cv2.INTER_AREA if width > 1.5 * WIDTH_PX else cv2.INTER_LINEAR
    return cast(Luma, cv2.resize(luma, size, interpolation=how))
