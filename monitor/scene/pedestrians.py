"""People: each walks a timed path, so where they are is known to the frame."""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass

from monitor.scene.layout import on_roadway

STRIDE_M = 1.4  # two steps


@dataclass(frozen=True, slots=True)
class Waypoint:
    """Where a person is at a time; straight and even in between."""

    time_s: float
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class PersonState:
    """One person in one frame."""

    id: int
    x: float
    y: float
    speed: float
    heading: float  # radians, direction of walking; kept while standing
    phase: float  # of the stride, radians; 0 while standing
    on_road: bool


@dataclass(frozen=True, slots=True)
class Person:
    """A person, their clothes (BGR) and their path."""

    id: int
    height_m: float
    coat: tuple[int, int, int]
    trousers: tuple[int, int, int]
    path: tuple[Waypoint, ...]
    role: str = ""

    def state(self, time_s: float) -> PersonState:
        """Position, speed and stride at a time."""
        times = [point.time_s for point in self.path]
        index = min(max(bisect.bisect_right(times, time_s) - 1, 0), len(self.path) - 1)
        start = self.path[index]
        end = self.path[min(index + 1, len(self.path) - 1)]
        span = end.time_s - start.time_s
        done = min(max((time_s - start.time_s) / span, 0.0), 1.0) if span > 0 else 0.0
        x, y = start.x + (end.x - start.x) * done, start.y + (end.y - start.y) * done
        length = math.hypot(end.x - start.x, end.y - start.y)
        speed = length / span if span > 0 and 0.0 <= time_s - start.time_s < span else 0.0
        walked = sum(
            math.hypot(b.x - a.x, b.y - a.y)
            for a, b in zip(self.path[:index], self.path[1 : index + 1], strict=True)
        )
        phase = (walked + length * done) / STRIDE_M * 2.0 * math.pi if speed > 0.05 else 0.0
        return PersonState(self.id, x, y, speed, self._heading(index), phase, on_roadway(x, y))

    def _heading(self, index: int) -> float:
        """The direction of the last leg that went anywhere, else of the next one that does."""
        legs = list(zip(self.path, self.path[1:], strict=False))
        for a, b in (*reversed(legs[: index + 1]), *legs[index + 1 :]):
            if math.hypot(b.x - a.x, b.y - a.y) > 1e-6:
                return math.atan2(b.y - a.y, b.x - a.x)
        return 0.0
