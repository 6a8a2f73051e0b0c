"""Signs of life of every process, with its counters."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from redis.asyncio import Redis

from monitor.buffer.connection import translated
from monitor.buffer.keys import WORKER_PREFIX, worker_key
from monitor.clock import Clock, SystemClock

TTL_S: Final = 15


@dataclass(frozen=True, slots=True)
class WorkerBeat:
    """A process's last sign of life."""

    name: str
    at_ms: int
    counters: Mapping[str, int | float]


class Heartbeat:
    """One process's own sign of life; it lapses after ``TTL_S``, so beat every few seconds."""

    def __init__(self, redis: Redis, name: str, *, clock: Clock | None = None) -> None:
        self._redis = redis
        self._name = name
        self._clock = clock or SystemClock()

    async def beat(self, counters: Mapping[str, int | float]) -> None:
        """Say that this process lives, and what it has counted."""
        text = json.dumps({"at_ms": self._clock.wall_ms(), "counters": dict(counters)})
        async with translated():
            await self._redis.set(worker_key(self._name), text, ex=TTL_S)


async def read_heartbeats(redis: Redis) -> list[WorkerBeat]:
    """The processes alive now, by name."""
    beats: list[WorkerBeat] = []
    async with translated():
        keys = [key async for key in redis.scan_iter(match=f"{WORKER_PREFIX}*", count=1000)]
        for key in sorted(set(keys)):
            text = await redis.get(key)
            if text is not None:  # it lapsed between the two
                found = json.loads(text)
                name = key.decode().removeprefix(WORKER_PREFIX)
                beats.append(WorkerBeat(name, found["at_ms"], found["counters"]))
    return beats
