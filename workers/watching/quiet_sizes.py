"""How large a camera's encoded pictures are while nothing moves, and when one is surprising.

A picture that is predicted from the last one costs bytes where something moved, so its size,
which is free to read, tells of motion between two key pictures. Sizes are compared as logarithms
with this camera's own quiet ones. The rule is the cumulative sum of what exceeds them (Page,
*Continuous inspection schemes*, Biometrika 41, 1954): it rings for one large surprise or for many
small ones. It never decodes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_MEMORY: Final = 150  # pictures; older ones fade
_KNOWN: Final = 12  # pictures of a kind before its sizes are known
_LEAST_SPREAD: Final = 0.02  # a fiftieth of the bytes
_SLACK: Final = 1.0  # standard deviations that are taken as chance
_ALARM: Final = 8.0  # standard deviations, added up


@dataclass(frozen=True, slots=True)
class Size:
    """One access unit, not decoded. ``disposable`` ones are smaller, by their kind."""

    data_bytes: int
    disposable: bool


@dataclass(slots=True)
class _Level:
    pictures: int = 0
    mean: float = 0.0
    variance: float = 0.0

    def learn(self, value: float) -> None:
        self.pictures = min(self.pictures + 1, _MEMORY)
        rate = 1.0 / self.pictures
        off = value - self.mean
        self.mean += rate * off
        self.variance += rate * ((1.0 - rate) * off * off - self.variance)

    @property
    def spread(self) -> float:
        return max(_LEAST_SPREAD, math.sqrt(self.variance))


class QuietSizes:
    """One camera's; all but key pictures."""

    def __init__(self) -> None:
        self._levels: dict[bool, _Level] = {}
        self._sum = 0.0

    @property
    def known(self) -> bool:
        """Whether enough quiet pictures were seen to be surprised by others."""
        return any(level.pictures >= _KNOWN for level in self._levels.values())

    @property
    def spread(self) -> float:
        """One standard deviation of the quiet sizes, as a share of them; infinite if unknown."""
        levels = [one for one in self._levels.values() if one.pictures >= _KNOWN]
        return max((one.spread for one in levels), default=math.inf)

    def learn(self, sizes: Iterable[Size]) -> None:
        """Pictures of a time in which nothing was seen."""
        for size in sizes:
            self._level(size).learn(math.log(max(1, size.data_bytes)))

    def begin(self) -> None:
        """Another GOP: what came before it was judged."""
        self._sum = 0.0

    def surprised(self, size: Size) -> bool:
        """Whether this picture, with those before it, is more than chance."""
        level = self._level(size)
        if level.pictures < _KNOWN:
            return True
        off = (math.log(max(1, size.data_bytes)) - level.mean) / level.spread
        self._sum = max(0.0, self._sum + off - _SLACK)
        return self._sum > _ALARM

    def _level(self, size: Size) -> _Level:
        return self._levels.setdefault(size.disposable, _Level())
