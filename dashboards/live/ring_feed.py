"""One camera's ring, read once and fanned out to all its viewers.

Called by ``hub``. Runs only while somebody watches. Never decodes; it does look at the codec and
at the order of capture times, because H.265 and B-frames cannot be passed through.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import Final, Protocol

from dashboards.live.viewer import QUEUE_UNITS, Viewer
from monitor.clock import Clock
from monitor.domain import AccessUnit, CodecParameters, VideoCodec
from monitor.errors import RingGapError, StoreError

logger = logging.getLogger(__name__)

BLOCK_MS: Final = 1000
BATCH: Final = 64
RETRY_S: Final = 1.0
STALE_MS: Final = 3000
"""A viewer this far behind the ring's end is taken to the newest GOP instead."""


class Ring(Protocol):
    """What a feed asks of ``buffer.ring.RingReader``."""

    async def tail(self, after_entry_ms: int, *, block_ms: int, count: int) -> list[AccessUnit]: ...
    async def last_entry_ms(self) -> int | None: ...
    async def key_at_or_before(self, ms: int) -> int | None: ...
    async def codec(self, generation: int) -> CodecParameters | None: ...


class RingFeed:
    """Tails a ring for as long as it has viewers; ``run`` belongs to the hub's task."""

    def __init__(self, camera: str, ring: Ring, clock: Clock) -> None:
        self._camera = camera
        self._ring = ring
        self._clock = clock
        self._viewers: set[Viewer] = set()
        self._gop: deque[AccessUnit] = deque(maxlen=QUEUE_UNITS)
        self._generation: int | None = None
        self._last_capture_ms = 0
        self._refusal: str | None = None

    @property
    def viewers(self) -> int:
        return len(self._viewers)

    def refusal(self, generation: int) -> str | None:
        """Why pictures of this generation cannot be passed through, if that was seen."""
        return self._refusal if generation == self._generation else None

    def join(self, viewer: Viewer) -> None:
        """Send it the GOP under way and then whatever comes."""
        if len(self._gop) < QUEUE_UNITS:  # a fuller one has lost its key unit
            viewer.replay(tuple(self._gop))
        self._viewers.add(viewer)

    def leave(self, viewer: Viewer) -> None:
        """Send it no more."""
        self._viewers.discard(viewer)

    def end_all(self, reason: str) -> None:
        """Tell every viewer why there is nothing more."""
        for viewer in tuple(self._viewers):
            viewer.end(reason)
        self._viewers.clear()

    async def run(self) -> None:
        """Until cancelled. Redis being away is waited out; what is too old by then is skipped."""
        after: int | None = None
        self._gop.clear()
        while True:
            try:
                if after is None:
                    after = await self._newest_gop()
                if after is None:
                    await self._clock.sleep(RETRY_S)
                    continue
                units = await self._ring.tail(after, block_ms=BLOCK_MS, count=BATCH)
                if len(units) == BATCH and await self._is_stale(units[-1]):
                    after = None
                    continue
                for unit in units:
                    await self._take(unit)
                    after = unit.entry_ms
            except RingGapError:  # emptied after a clock was set back: begin with what is there
                after = None
            except StoreError as problem:
                logger.info("camera %s: live pictures wait for Redis: %s", self._camera, problem)
                await self._clock.sleep(RETRY_S)

    async def _newest_gop(self) -> int | None:
        last = await self._ring.last_entry_ms()
        key = None if last is None else await self._ring.key_at_or_before(last)
        return None if key is None else key - 1

    async def _is_stale(self, unit: AccessUnit) -> bool:
        last = await self._ring.last_entry_ms()
        if last is None or last - unit.entry_ms <= STALE_MS:
            return False
        key = await self._ring.key_at_or_before(last)
        return key is not None and key > unit.entry_ms

    async def _take(self, unit: AccessUnit) -> None:
        if unit.is_key:
            if unit.generation != self._generation:
                await self._new_generation(unit.generation)
            self._gop.clear()
        elif unit.capture_ms < self._last_capture_ms:
            self._refuse("b_frames")
        self._last_capture_ms = unit.capture_ms
        if unit.is_key or self._gop:
            self._gop.append(unit)
        for viewer in self._viewers:
            viewer.offer(unit)

    async def _new_generation(self, generation: int) -> None:
        params = await self._ring.codec(generation)
        self._generation = generation
        self._refusal = None
        if params is not None and params.codec is not VideoCodec.H264:
            self._refuse("h265")

    def _refuse(self, reason: str) -> None:
        self._refusal = reason
        self.end_all(reason)
