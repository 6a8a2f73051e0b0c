"""Whose turn it is to be looked at by the patrol, shared by all analyse workers."""

from __future__ import annotations

from typing import Final

from redis.asyncio import Redis

from monitor.buffer.connection import translated
from monitor.buffer.keys import patrol_abnormal_key, patrol_key

ABNORMAL_KEPT_S: Final = 3600


class PatrolStore:
    """One worker at a time looks at a camera, and not sooner than agreed."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def begin(self, camera: str, every_s: float) -> bool:
        """Take the camera's turn; False where somebody had it less than ``every_s`` ago."""
        async with translated():
            taken = await self._redis.set(patrol_key(camera), 1, nx=True, px=round(every_s * 1000))
        return bool(taken)

    async def put_back(self, camera: str) -> None:
        """The look did not happen: the turn is free again."""
        async with translated():
            await self._redis.delete(patrol_key(camera))

    async def abnormal(self, camera: str) -> bool:
        """Whether the last look found it abnormal: the same is not reported twice."""
        async with translated():
            return bool(await self._redis.exists(patrol_abnormal_key(camera)))

    async def note(self, camera: str, abnormal: bool) -> None:
        """What the last look found."""
        key = patrol_abnormal_key(camera)
        async with translated():
            if abnormal:
                await self._redis.set(key, 1, ex=ABNORMAL_KEPT_S)
            else:
                await self._redis.delete(key)
