"""What is known of each camera now: ingest's state, watch's view and cursor."""

from __future__ import annotations

from typing import Final

from redis.asyncio import Redis

from monitor import wire
from monitor.buffer.connection import translated
from monitor.buffer.keys import cursor_key, detector_key, state_key, view_key
from monitor.domain import CameraState, ViewCondition

STATE_TTL_S: Final = 60
"""Ingest writes every few seconds; when it is gone, its last word stops being true."""


class CameraStore:
    """Small values per camera, each written by one worker and read by any."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def put_state(self, state: CameraState) -> None:
        """Ingest's word on a camera; it lapses after ``STATE_TTL_S``."""
        async with translated():
            await self._redis.set(state_key(state.camera), wire.to_json(state), ex=STATE_TTL_S)

    async def state(self, camera: str) -> CameraState | None:
        """None where no ingest has spoken of it lately."""
        async with translated():
            text = await self._redis.get(state_key(camera))
        return None if text is None else wire.from_json(CameraState, text)

    async def put_view(self, camera: str, view: ViewCondition) -> None:
        """Watch's word on the picture; it lapses too."""
        async with translated():
            await self._redis.set(view_key(camera), view.value, ex=STATE_TTL_S)

    async def view(self, camera: str) -> ViewCondition | None:
        """None where no watch has spoken of it lately."""
        async with translated():
            text = await self._redis.get(view_key(camera))
        if text is None:
            return None
        return ViewCondition(text if isinstance(text, str) else text.decode())

    async def put_detector(self, camera: str, note: str) -> None:
        """Why the camera's detector rests, empty while it works; it lapses too."""
        async with translated():
            await self._redis.set(detector_key(camera), note, ex=STATE_TTL_S)

    async def detector(self, camera: str) -> str | None:
        """None where no watch has spoken of a detector lately."""
        async with translated():
            text = await self._redis.get(detector_key(camera))
        return text.decode() if isinstance(text, bytes) else text

    async def put_cursor(self, camera: str, entry_ms: int) -> None:
        """The entry that watch has finished with."""
        async with translated():
            await self._redis.set(cursor_key(camera), entry_ms)

    async def cursor(self, camera: str) -> int | None:
        """Where watch goes on after a crash; None where it never was."""
        async with translated():
            text = await self._redis.get(cursor_key(camera))
        return None if text is None else int(text)
