"""How large a camera's encoded pictures are while nothing moves, and when one is surprising.

A picture that is predicted from the last one costs bytes where something moved, so its size,
which is free to read, tells of motion between two key pictures. Each is compared with what this
camera's quiet pictures at that place in the GOP were like, so kinds of pictures and the habits
of rate control need no names. The rule is the cumulative sum of what exceeds them (Page,
*Continuous inspection schemes*, Biometrika 41, 1954): it rings for one large surprise or for many
small ones. It never decodes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

_KNOWN_GOPS: Final = 2
_MEMORY_GOPS: Final = 8  # older ones fade
_FLOOR: Final = 0.01  # of the key picture's size: fewer bytes than that are no body
_LEAST_SPREAD: Final = 0.02
_SLACK: Final = 1.0  # standard deviations that are taken as chance
_ALARM: Final = 8.0  # standard deviations, added up


class QuietSizes:
    """One camera's. ``sizes`` are bytes, the key picture's first."""

    def __init__(self) -> None:
        self._means: list[float] = []  # of the logarithm, by place in the GOP
        self._variance = 0.0
        self._gops = 0
        self._sum = 0.0

    @property
    def spread(self) -> float:
        """One standard deviation of quiet sizes, as a share of them; infinite until known."""
        if self._gops < _KNOWN_GOPS:
            return math.inf
        return max(_LEAST_SPREAD, math.sqrt(self._variance))

    def learn(self, sizes: Sequence[int]) -> None:
        """A GOP in which nothing was seen."""
        if len(sizes) < 2:
            return
        values = [_value(sizes[0], size) for size in sizes[1:]]
        known = min(len(self._means), len(values))
        self._gops = min(self._gops + 1, _MEMORY_GOPS)
        rate = 1.0 / self._gops
        if known:
            off = [value - mean for value, mean in zip(values, self._means, strict=False)]
            squared = sum(one * one for one in off) / known
            self._variance += (squared - self._variance) / max(1, self._gops - 1)
            for place in range(known):
                self._means[place] += rate * off[place]
        self._means += values[known:]

    def begin(self) -> None:
        """Another GOP: what came before it was judged by its key picture."""
        self._sum = 0.0

    def surprised(self, sizes: Sequence[int]) -> bool:
        """Whether the newest picture of this GOP, with those before it, is more than chance."""
        place = len(sizes) - 2
        if self._gops < _KNOWN_GOPS or place < 0:
            return True
        mean = self._means[min(place, len(self._means) - 1)]
        off = (_value(sizes[0], sizes[-1]) - mean) / self.spread
        self._sum = max(0.0, self._sum + off - _SLACK)
        return self._sum > _ALARM


def _value(key: int, size: int) -> float:
    return math.log(size / max(1, key) + _FLOOR)
