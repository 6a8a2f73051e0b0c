"""Waiting between attempts: longer each time, up to a limit, never two processes in step."""

from __future__ import annotations

import random
from collections.abc import Callable

from monitor.clock import Clock


class Backoff:
    """Doubles from ``first_s`` to ``most_s``; each wait is 0.5 to 1.5 times its turn."""

    def __init__(
        self,
        clock: Clock,
        *,
        first_s: float = 0.25,
        most_s: float = 10.0,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._clock = clock
        self._first_s = first_s
        self._most_s = most_s
        self._jitter = jitter
        self._next_s = first_s

    def reset(self) -> None:
        """It worked: the next failure waits the shortest time again."""
        self._next_s = self._first_s

    async def wait(self) -> None:
        """Wait its turn."""
        turn_s, self._next_s = self._next_s, min(2 * self._next_s, self._most_s)
        await self._clock.sleep(turn_s * (0.5 + self._jitter()))
