"""How many moments of a camera were looked at twice in the last day, and with what outcome.

Incident ids in sorted sets by time: noting the same outcome again, after a crash, counts once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from redis.asyncio import Redis

from monitor.buffer.connection import translated
from monitor.buffer.keys import tally_key

DAY_MS: Final = 86_400_000

Outcome = Literal["opened", "confirmed", "dismissed", "undecided"]
_OUTCOMES: Final[tuple[Outcome, ...]] = ("opened", "confirmed", "dismissed", "undecided")


@dataclass(frozen=True, slots=True)
class Tally:
    """Incidents of the last 24 hours; one may be undecided first and confirmed by a model."""

    opened: int = 0  # candidates and alerts
    confirmed: int = 0
    dismissed: int = 0
    undecided: int = 0  # nothing in the pictures could tell


class TallyStore:
    """Written by watch and analyse, read by watch's heartbeat, publish and the dashboard."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def note(self, camera: str, outcome: Outcome, incident: str, at_ms: int) -> None:
        """An incident of this name had this outcome; ``at_ms`` is when."""
        key = tally_key(camera, outcome)
        async with translated():
            pipe = self._redis.pipeline(transaction=True)
            pipe.zadd(key, {incident: at_ms}, nx=True)
            pipe.zremrangebyscore(key, "-inf", at_ms - DAY_MS)
            pipe.pexpire(key, 2 * DAY_MS)
            await pipe.execute()

    async def last_day(self, camera: str, now_ms: int) -> Tally:
        """The counts of the 24 hours up to ``now_ms``."""
        async with translated():
            pipe = self._redis.pipeline(transaction=False)
            for outcome in _OUTCOMES:
                pipe.zcount(tally_key(camera, outcome), now_ms - DAY_MS, "+inf")
            counts = await pipe.execute()
        return Tally(*(int(count) for count in counts))
