"""What one viewer still has to be sent: a bounded queue of access units that starts on a key one.

Filled by ``ring_feed``, drained by ``track``. A viewer too slow for its camera loses whole GOPs,
never single pictures, because what follows a lost picture cannot be decoded.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from monitor.domain import AccessUnit

QUEUE_UNITS: Final = 900
"""A long GOP, joined at its end: 30 s of 30 fps. About 12 MB at 3 Mb/s."""


class ViewerEnded(Exception):
    """No more pictures come; ``reason`` is a tag for the page, empty where the viewer left."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A unit to send; ``behind`` others wait after it, the newest of ``newest_capture_ms``."""

    unit: AccessUnit
    behind: int
    newest_capture_ms: int


class Viewer:
    """One viewer's queue."""

    def __init__(self, limit: int = QUEUE_UNITS) -> None:
        self._units: deque[AccessUnit] = deque()
        self._limit = limit
        self._filled = asyncio.Event()
        self._wants_key = True
        self._end: str | None = None
        self.dropped = 0

    def replay(self, gop: Sequence[AccessUnit]) -> None:
        """Begin with the GOP under way, so that the picture is there at once."""
        for unit in gop:
            self.offer(unit)

    def offer(self, unit: AccessUnit) -> None:
        """Queue it; a full queue is emptied and goes on with the next key unit."""
        if self._end is not None:
            return
        if len(self._units) >= self._limit:
            self.dropped += len(self._units)
            self._units.clear()
            self._wants_key = True
        if self._wants_key and not unit.is_key:
            self.dropped += 1
            return
        self._wants_key = False
        self._units.append(unit)
        self._filled.set()

    def end(self, reason: str = "") -> None:
        """Nothing more comes; what is queued is thrown away."""
        if self._end is None:
            self._end = reason
        self._units.clear()
        self._filled.set()

    async def next(self) -> Outgoing:
        """The next unit; waits without limit, since a camera may be away for long."""
        while not self._units:
            if self._end is not None:
                raise ViewerEnded(self._end)
            self._filled.clear()
            await self._filled.wait()
        if self._end is not None:
            raise ViewerEnded(self._end)
        newest = self._units[-1]
        return Outgoing(self._units.popleft(), len(self._units), newest.capture_ms)
