"""Waiting between attempts: exponential with full jitter, capped.

Full jitter (Brooker, "Exponential Backoff and Jitter", 2015): a site's cameras that went away
together with their switch do not come back together as a storm of connections.
"""

from __future__ import annotations

import random
from typing import Final

FIRST_S: Final = 1.0
SHORTEST_S: Final = 0.1


class Backoff:
    """The waits of one camera; a session that delivered resets them."""

    def __init__(self, longest_s: float, random_source: random.Random | None = None) -> None:
        self._longest_s = longest_s
        self._random = random_source or random.Random()
        self._failures = 0

    def next_s(self) -> float:
        """How long to wait now; the bound doubles with every failure."""
        bound = min(self._longest_s, FIRST_S * 2.0 ** min(self._failures, 32))
        self._failures += 1
        return max(SHORTEST_S, self._random.uniform(0, bound))

    def reset(self) -> None:
        """The camera delivered: the next failure is a first one."""
        self._failures = 0
