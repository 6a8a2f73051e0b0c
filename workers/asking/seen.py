"""What a question is about, before anybody is asked: the window, and what was measured in it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from monitor.domain import Evidence, Incident, Window
from monitor.media.stills import Still
from monitor.query.close_ups import Wish
from monitor.query.question import Shot
from monitor.query.sampling import Budget

T = TypeVar("T")
Progress = Callable[[float], None]

LONGEST_MS: Final = 180_000
"""A window up to this long is measured by the trigger, every picture of it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A window of a recording or of a camera."""

    name: str
    window: Window
    evidence: tuple[Evidence, ...]
    measured: bool  # whether the trigger looked at it; without that, no claim can be checked
    incident: Incident | None = None  # the gravest
    peak_ms: int | None = None  # the moment asked about, or the incident's
    live: bool = False  # a camera: times are wall times, not a file's
    notes: tuple[str, ...] = ()


class Source(Protocol):
    """A file or a camera."""

    async def look(self, progress: Progress) -> Seen:
        """Find the window and measure in it. ``MediaError``, ``StoreError``."""

    async def size(self) -> tuple[int, int]:
        """Of its pictures; after ``look``."""

    async def shots(
        self, seen: Seen, room: Budget, width: int, progress: Progress
    ) -> tuple[Shot, ...]:
        """The pictures for the model, within the room."""

    async def stills(self, wished: Wish, progress: Progress) -> list[Still | None]:
        """The wished part of the pictures at its times, in its order."""


class Stopped(Exception):
    """Raised in a thread whose result nobody waits for any more."""


async def in_thread(work: Callable[[Progress], T], progress: Progress) -> T:
    """Run it in a thread that ends soon after this is cancelled: at its next word of progress."""
    stopped = threading.Event()

    def tell(share: float) -> None:
        if stopped.is_set():
            raise Stopped
        progress(share)

    try:
        return await asyncio.to_thread(work, tell)
    except asyncio.CancelledError:
        stopped.set()
        raise
