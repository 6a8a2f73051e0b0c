"""Who goes next when not all can go at once: most severe first, one per camera."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from monitor.domain import Severity

_RANK = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(order=True)
class _Waiting:
    order: tuple[int, int]
    camera: str = field(compare=False)
    go: asyncio.Future[None] = field(compare=False)


class Turns:
    """At most ``at_once`` holders, and at most one of each camera."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._arrivals = 0
        self._running: Counter[str] = Counter()
        self._waiting: list[_Waiting] = []

    @property
    def running(self) -> int:
        """How many have their turn now."""
        return self._running.total()

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    @asynccontextmanager
    async def turn(self, camera: str, severity: Severity) -> AsyncIterator[None]:
        """Wait for a turn and hold it; of equals, who came first."""
        self._arrivals += 1
        order = (-_RANK[severity], self._arrivals)
        me = _Waiting(order, camera, asyncio.get_running_loop().create_future())
        self._waiting.append(me)
        self._call()
        try:
            await me.go
            yield
        finally:
            if me in self._waiting:
                self._waiting.remove(me)
            else:
                self._running[camera] -= 1
            self._call()

    def _call(self) -> None:
        for waiting in sorted(self._waiting):
            if self.running >= self._at_once:
                return
            if not self._running[waiting.camera] and not waiting.go.done():
                self._waiting.remove(waiting)
                self._running[waiting.camera] += 1
                waiting.go.set_result(None)
