"""A lease: of several processes that could do a piece of work, one at a time does it.

Publishers use it, so that alerts of a camera leave in order while a second publisher stands by.
"""

from __future__ import annotations

from typing import Final

from redis.asyncio import Redis

from monitor.buffer.connection import translated
from monitor.buffer.keys import lease_key
from monitor.clock import Clock, SystemClock

_TAKE: Final = """
local holder = redis.call('GET', KEYS[1])
if not holder or holder == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return 1
end
return 0
"""
_RELEASE: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""


class Lease:
    """One process's claim. ``holder`` must be unlike every other process's, past ones too."""

    def __init__(
        self, redis: Redis, name: str, holder: str, *, ttl_s: float, clock: Clock | None = None
    ) -> None:
        self._redis = redis
        self._key = lease_key(name)
        self._holder = holder
        self._ttl_ms = round(ttl_s * 1000)
        self._clock = clock or SystemClock()
        self._until_s = float("-inf")

    @property
    def held(self) -> bool:
        """Whether it is ours for certain, also where Redis cannot be asked or we were stopped."""
        return self._clock.monotonic_s() < self._until_s

    async def take(self) -> bool:
        """Take it, or keep it for another term; False while another process holds it."""
        asked_s = self._clock.monotonic_s()
        async with translated():
            taken = await self._redis.eval(_TAKE, 1, self._key, self._holder, self._ttl_ms)
        # Counted from before the question: Redis starts the term later, so ours ends earlier.
        self._until_s = asked_s + self._ttl_ms / 1000 if taken else float("-inf")
        return bool(taken)

    async def release(self) -> None:
        """Let another process have it at once."""
        self._until_s = float("-inf")
        async with translated():
            await self._redis.eval(_RELEASE, 1, self._key, self._holder)
