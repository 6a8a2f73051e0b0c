"""Where the features were during the last seconds, as the present picture would show it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from monitor.trigger.fast.features import Features, Ids

Array = npt.NDArray[np.float64]

_KEEP_S: Final = 1.6
_TOLERANCE_S: Final = 0.1


@dataclass(slots=True)
class Snapshot:
    """One picture's features; ``points`` are moved along with the camera."""

    at_s: float
    ids: Ids
    points: Array


@dataclass(frozen=True, slots=True)
class Motion:
    """Features seen at both ends of a span: ids (n,), positions then and now, px and px/s."""

    at_s: float
    span_s: float
    ids: Ids
    before: Array
    points: Array
    velocities: Array
    speeds: Array


def carried(points: Array, camera: Array) -> Array:
    """Where points (n, 2) of the last picture lie in this one, if the camera alone moved."""
    return points @ camera[:, :2].T + camera[:, 2]


class Trail:
    """The snapshots of about the last second and a half."""

    def __init__(self) -> None:
        self._kept: deque[Snapshot] = deque()

    def add(self, features: Features) -> None:
        """The next picture's."""
        if features.camera is not None:
            for snapshot in self._kept:
                snapshot.points = carried(snapshot.points, features.camera)
        self._kept.append(Snapshot(features.at_s, features.ids, features.points.astype(np.float64)))
        while features.at_s - self._kept[0].at_s > _KEEP_S:
            self._kept.popleft()

    def clear(self) -> None:
        """Across a gap nothing is known."""
        self._kept.clear()

    def motion(self, span_s: float) -> Motion | None:
        """From ``span_s`` ago until now; None where there is no picture near that time."""
        if not self._kept:
            return None
        now = self._kept[-1]
        then = min(self._kept, key=lambda one: abs(now.at_s - span_s - one.at_s))
        spent_s = now.at_s - then.at_s
        if abs(spent_s - span_s) > _TOLERANCE_S or spent_s <= 0.5 * span_s:
            return None
        if not len(then.ids) or not len(now.ids):
            first = second = np.zeros(0, np.intp)
        else:  # ids rise
            slot = np.minimum(np.searchsorted(then.ids, now.ids), len(then.ids) - 1)
            second = np.flatnonzero(then.ids[slot] == now.ids)
            first = slot[second]
        ids, before, points = now.ids[second], then.points[first], now.points[second]
        velocities = (points - before) / spent_s
        return Motion(
            now.at_s, spent_s, ids, before, points, velocities,
            np.hypot(velocities[:, 0], velocities[:, 1]),
        )  # fmt: skip
