"""Waiting between attempts: exponential with full jitter, capped.

Full jitter (Brooker, "Exponential Backoff and Jitter", 2015): what went away together with one
switch or server does not come back together as a storm of connections.
"""

from __future__ import annotations

import random
from typing import Final

from monitor.clock import Clock

SHORTEST_S: Final = 0.1
SERVER_FIRST_S, SERVER_LONGEST_S = 0.25, 10.0  # of a server of our own


class Backoff:
    """The waits of one connection; a success resets them."""

    def __init__(
        self,
        first_s: float = SERVER_FIRST_S,
        longest_s: float = SERVER_LONGEST_S,
        random_source: random.Random | None = None,
    ) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._random = random_source or random.Random()
        self._failures = 0

    def next_s(self) -> float:
        """How long to wait now, in seconds; the bound doubles with every failure."""
        bound = min(self._longest_s, self._first_s * 2.0 ** min(self._failures, 32))
        self._failures += 1
        return max(min(SHORTEST_S, bound), self._random.uniform(0, bound))

    async def wait(self, clock: Clock) -> None:
        """Wait that long by ``clock``."""
        await clock.sleep(self.next_s())

    def reset(self) -> None:
        """It worked: the next failure is a first one."""
        self._failures = 0
