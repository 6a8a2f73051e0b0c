"""The evidence timeline of each camera: what was measured in the last hour.

A sorted set of times beside a hash of values, not a Redis stream: evidence may be back-dated
and measured again, and a stream can neither take an earlier id nor replace an entry.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

from redis.asyncio import Redis

from monitor import wire
from monitor.buffer.connection import translated
from monitor.buffer.keys import evidence_key, evidence_times_key
from monitor.domain import Evidence

KEEP_MS: Final = 3_600_000
_FORGET_AT_ONCE: Final = 1000


class EvidenceLog:
    """Appended to by watch, read by analyse and the dashboard."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def append(self, camera: str, evidence: Sequence[Evidence]) -> None:
        """Add evidence; the same id again replaces what was measured before."""
        if not evidence:
            return
        values, times = evidence_key(camera), evidence_times_key(camera)
        newest_ms = max(one.time_ms for one in evidence)
        async with translated():
            pipe = self._redis.pipeline(transaction=True)
            pipe.hset(values, mapping={one.id: wire.to_json(one) for one in evidence})
            pipe.zadd(times, {one.id: one.time_ms for one in evidence})
            # What lies an hour ahead was written before the machine's clock was set back.
            for low, high in (("-inf", newest_ms - KEEP_MS), (newest_ms + KEEP_MS, "+inf")):
                pipe.zrangebyscore(times, low, high, start=0, num=_FORGET_AT_ONCE)
            *_, old, ahead = await pipe.execute()
            if old or ahead:
                pipe = self._redis.pipeline(transaction=True)
                pipe.zrem(times, *old, *ahead)
                pipe.hdel(values, *old, *ahead)
                await pipe.execute()

    async def range(self, camera: str, start_ms: int, end_ms: int) -> list[Evidence]:
        """Evidence by its own time, both ends included, sorted by time."""
        async with translated():
            answer = await self._redis.zrangebyscore(evidence_times_key(camera), start_ms, end_ms)
            ids = cast(list[bytes], answer)
            found = await self._redis.hmget(evidence_key(camera), ids) if ids else []
        evidence = [wire.from_json(Evidence, text) for text in found if text is not None]
        return sorted(evidence, key=lambda one: (one.time_ms, one.id))
