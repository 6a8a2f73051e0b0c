"""A camera's ring: its encoded access units of the last ``keep_s`` seconds, in Redis.

Written by ingest, read by watch, analyse and the dashboard. One stream entry per access unit,
its id is ``entry_ms``; beside it a small stream of the key access units' ids, so that the start
of a GOP is found without reading video. It never decodes and never looks into the data.
"""

from __future__ import annotations

from redis.asyncio import Redis

from monitor.buffer.connection import block_ms as within_deadline
from monitor.buffer.connection import entries_of, entries_read, translated
from monitor.buffer.keys import codec_key, ring_key, ring_keys_key
from monitor.buffer.ring_entries import codec_of, edge_ms, unit_of
from monitor.buffer.ring_writer import RingWriter, append_all
from monitor.domain import AccessUnit, CodecParameters
from monitor.errors import RingGapError

__all__ = ["RingReader", "RingWriter", "append_all"]


class RingReader:
    """Reads a ring; any number of readers, they change nothing."""

    def __init__(self, redis: Redis, camera: str) -> None:
        self._redis = redis
        self._camera = camera
        self._key = ring_key(camera)
        self._keys_key = ring_keys_key(camera)

    async def range(
        self, start_ms: int, end_ms: int, *, limit: int | None = None
    ) -> list[AccessUnit]:
        """Units by ``entry_ms``, both ends included; what is no longer there is just absent."""
        async with translated():
            answer = await self._redis.xrange(
                self._key, max(0, start_ms), max(0, end_ms), count=limit
            )
        return [unit_of(entry_id, fields) for entry_id, fields in entries_of(answer)]

    async def tail(self, after_entry_ms: int, *, block_ms: int, count: int) -> list[AccessUnit]:
        """Units after an entry, waiting for the first up to ``block_ms`` (at most some seconds).

        ``RingGapError`` where the ring now ends before ``after_entry_ms``: it was emptied after
        a clock was set back, and following it means beginning at its start.
        """
        async with translated():
            answer = await self._redis.xread(
                {self._key: f"{max(0, after_entry_ms)}-0"},
                count=count,
                block=within_deadline(block_ms),
            )
        if entries := entries_read(answer):
            return [unit_of(entry_id, fields) for entry_id, fields in entries]
        last_ms = await self.last_entry_ms()
        if last_ms is not None and last_ms < after_entry_ms:
            raise RingGapError(
                f"the ring of {self._camera} ends {after_entry_ms - last_ms} ms before the cursor"
            )
        return []

    async def first_entry_ms(self) -> int | None:
        """The oldest entry; None where the ring is empty."""
        async with translated():
            return await edge_ms(self._redis.xrange(self._key, count=1))

    async def last_entry_ms(self) -> int | None:
        """The newest entry; None where the ring is empty."""
        async with translated():
            return await edge_ms(self._redis.xrevrange(self._key, count=1))

    async def key_at_or_before(self, ms: int) -> int | None:
        """``entry_ms`` of the newest key access unit at or before a time."""
        async with translated():
            return await edge_ms(self._redis.xrevrange(self._keys_key, max(0, ms), 0, count=1))

    async def codec(self, generation: int) -> CodecParameters | None:
        """The parameters of a generation; None where it is unknown."""
        async with translated():
            text = await self._redis.hget(codec_key(self._camera), str(generation))
        return None if text is None else codec_of(text)

    async def latest_codec(self) -> CodecParameters | None:
        """The parameters of the newest generation."""
        async with translated():
            found = await self._redis.hgetall(codec_key(self._camera))
        if not found:
            return None
        return codec_of(found[max(found, key=int)])
