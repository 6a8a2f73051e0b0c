"""What watch has learned of each camera's scores; ``monitor.trigger.sensitivity`` reads it."""

from __future__ import annotations

from typing import Final, cast

from redis.asyncio import Redis

from monitor.buffer.connection import translated
from monitor.buffer.keys import scores_key

KEPT_S: Final = 90 * 24 * 3600
"""A camera that was taken away is forgotten after so long."""


class ScoreStore:
    """One value per camera, written by watch about once a minute."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def put(self, camera: str, scores: str) -> None:
        """Replace what was kept."""
        async with translated():
            await self._redis.set(scores_key(camera), scores, ex=KEPT_S)

    async def get(self, camera: str) -> bytes | None:
        """None where nothing was ever learned, or long ago."""
        async with translated():
            return cast(bytes | None, await self._redis.get(scores_key(camera)))
