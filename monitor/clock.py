"""Time, injected: nothing else in the project reads a clock directly.

Wall time is integer milliseconds since the Unix epoch (UTC), because that is what a ring
entry's id is. Durations and deadlines come from the monotonic clock, in seconds.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What a collaborator may ask of time."""

    def wall_ms(self) -> int:
        """Milliseconds since the Unix epoch, UTC."""

    def monotonic_s(self) -> float:
        """Seconds on a clock that never goes back; only differences mean anything."""

    async def sleep(self, seconds: float) -> None:
        """Wait; returns at once for zero or less."""


class SystemClock:
    """The machine's clock."""

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic_s(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))


def utc(wall_ms: int) -> datetime:
    """An aware UTC datetime of a wall time in milliseconds."""
    return datetime.fromtimestamp(wall_ms / 1000, tz=UTC)


def wall_ms_of(moment: datetime) -> int:
    """The inverse of :func:`utc`; ``ValueError`` for a naive datetime."""
    if moment.tzinfo is None:
        raise ValueError("a wall time needs a time zone")
    return round(moment.timestamp() * 1000)
