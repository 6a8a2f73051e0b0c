"""What one camera has learned of its view: out of Redis at the start, back once a minute.

Losing the last minute of it is harmless, so nothing waits for Redis here except the start.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Executor
from typing import Final

from redis.asyncio import Redis

from monitor.buffer.scene_memory import SceneMemoryStore
from monitor.clock import Clock
from monitor.errors import SceneMemoryError, StoreError
from monitor.trigger.normal import SceneMemory
from workers.watching.patience import Patience

log = logging.getLogger(__name__)

SAVE_S: Final = 60.0
_AT_STOP_S: Final = 2.0


class Remembering:
    """Keeps one camera's scene memory in Redis."""

    def __init__(self, camera: str, redis: Redis, threads: Executor, clock: Clock) -> None:
        self._camera = camera
        self._store = SceneMemoryStore(redis)
        self._threads = threads
        self._clock = clock
        self._patience = Patience(camera, clock)
        self._saved_s = clock.monotonic_s()

    async def load(self) -> SceneMemory | None:
        """What was learned before; what cannot be read is discarded, and the log says so."""
        data = await self._patience.do(lambda: self._store.get(self._camera))
        self._saved_s = self._clock.monotonic_s()
        if data is None:
            return None
        try:
            return SceneMemory.from_bytes(data)
        except SceneMemoryError as error:
            log.warning(
                "camera %s: what was learned of its view is discarded: %s", self._camera, error
            )
            return None

    async def save_now_and_then(self, memory: SceneMemory) -> None:
        """Called after every batch; most calls do nothing."""
        if self._clock.monotonic_s() - self._saved_s < SAVE_S:
            return
        self._saved_s = self._clock.monotonic_s()
        loop = asyncio.get_running_loop()
        data = await loop.run_in_executor(self._threads, memory.to_bytes)
        try:
            await self._store.put(self._camera, data)
        except StoreError as error:
            log.warning("camera %s: its scene memory was not saved: %s", self._camera, error)

    async def save_at_stop(self, memory: SceneMemory) -> None:
        """Once more, without waiting for a Redis that is away."""
        try:
            async with asyncio.timeout(_AT_STOP_S):
                await self._store.put(self._camera, memory.to_bytes())
        except (StoreError, TimeoutError) as error:
            log.warning("camera %s: its scene memory was not saved: %s", self._camera, error)
