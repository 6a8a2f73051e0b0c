"""How long a question waits for its server: for all that it asks there, together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from monitor.clock import Clock
from monitor.errors import QueryError


class Patience:
    """``async with patience.waiting()`` around every wait for the server.

    What we do ourselves in between, measuring above all, takes nothing from it.
    """

    def __init__(self, limit_s: float, clock: Clock) -> None:
        self.limit_s = limit_s
        self._clock = clock
        self._spent_s = 0.0

    @asynccontextmanager
    async def waiting(self) -> AsyncIterator[None]:
        """``QueryError`` (timeout) once all waits together have been too long."""
        began_s = self._clock.monotonic_s()
        try:
            async with asyncio.timeout(self.limit_s - self._spent_s) as scope:
                yield
        except TimeoutError as error:
            if not scope.expired():  # the body's own: a disk's, say
                raise
            raise QueryError("timeout", f"no answer within {self.limit_s:g} s") from error
        finally:
            self._spent_s += self._clock.monotonic_s() - began_s
