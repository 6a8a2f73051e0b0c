"""Waiting for one's turn where not all can go at once, in the order of a fair line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from monitor.domain import Severity
from monitor.query.fair_line import FairLine, Ticket


class Turns:
    """At most ``at_once`` holders, and at most ``per_camera`` of each camera."""

    def __init__(self, at_once: int, per_camera: int = 1) -> None:
        self._at_once = at_once
        self._line = FairLine(per_camera)
        self._go: dict[Ticket, asyncio.Future[None]] = {}

    @property
    def running(self) -> int:
        """How many have their turn now."""
        return self._line.running

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._line)

    @asynccontextmanager
    async def turn(self, camera: str, severity: Severity) -> AsyncIterator[None]:
        """Wait for a turn and hold it."""
        ticket = self._line.join(camera, severity)
        go = self._go[ticket] = asyncio.get_running_loop().create_future()
        self._call()
        try:
            await go
            yield
        finally:
            del self._go[ticket]
            self._line.leave(ticket)
            self._call()

    def _call(self) -> None:
        while self._line.running < self._at_once:
            ticket = self._line.next()
            if ticket is None:
                return
            go = self._go[ticket]
            if not go.done():  # done: cancelled in this moment; it leaves by itself
                go.set_result(None)
