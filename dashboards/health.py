"""Whether the system does its work: servers, workers, queues, in one report.

Read by ``/healthz``, ``/metrics``, the system page and the strip in every page's head.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from redis.asyncio import Redis

from dashboards.intake import Intake
from monitor.buffer.connection import translated
from monitor.buffer.heartbeat import WorkerBeat, read_heartbeats
from monitor.buffer.keys import DEAD, JOBS, OUTBOX
from monitor.buffer.work import DeadLetter, QueueDepth, WorkQueue, dead_letters
from monitor.clock import Clock
from monitor.errors import StoreError

REFRESH_S: Final = 2.0
ROLES: Final = ("ingest", "watch", "analyse", "publish")
DEAD_SHOWN: Final = 20
_QUEUES: Final = {"jobs": (JOBS, "analyse"), "outbox": (OUTBOX, "publish")}


@dataclass(frozen=True, slots=True)
class Health:
    """One look at everything. The problems are sentences, or None where there is none."""

    at_ms: int
    redis: str | None
    mqtt: str | None
    archive: str | None
    workers: tuple[WorkerBeat, ...]
    missing_roles: tuple[str, ...]
    queues: Mapping[str, QueueDepth]
    dead_count: int
    dead: tuple[DeadLetter, ...]

    @property
    def healthy(self) -> bool:
        """Every server answers and every kind of worker reports in."""
        return not self.reasons()

    def reasons(self) -> list[str]:
        """What is wrong, one sentence each."""
        servers = (("redis", self.redis), ("mqtt", self.mqtt), ("archive", self.archive))
        found = [f"{name}: {problem}" for name, problem in servers if problem is not None]
        if self.redis is None:
            found += [f"{role}: no process reports in" for role in self.missing_roles]
        return found


class HealthBoard:
    """The last look, renewed every few seconds; a request never waits for a server."""

    def __init__(self, redis: Redis, intake: Intake, clock: Clock) -> None:
        self._redis = redis
        self._intake = intake
        self._clock = clock
        self._queues = {
            name: WorkQueue(redis, stream, group, "dashboard", min_idle_ms=60_000, max_attempts=1)
            for name, (stream, group) in _QUEUES.items()
        }
        self._last: Health | None = None

    @property
    def last(self) -> Health | None:
        """None until the first look is done."""
        return self._last

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look()
            await self._clock.sleep(REFRESH_S)

    async def look(self) -> Health:
        """Ask everything once."""
        workers: tuple[WorkerBeat, ...] = ()
        queues: dict[str, QueueDepth] = {}
        dead: tuple[DeadLetter, ...] = ()
        dead_count = 0
        problem: str | None = None
        try:
            workers = tuple(await read_heartbeats(self._redis))
            queues = {name: await queue.depth() for name, queue in self._queues.items()}
            async with translated():
                dead_count = int(await self._redis.xlen(DEAD))
            dead = tuple(await dead_letters(self._redis, DEAD_SHOWN)) if dead_count else ()
        except StoreError as error:
            problem = str(error)
        self._last = Health(
            at_ms=self._clock.wall_ms(),
            redis=problem,
            mqtt=self._intake.mqtt_problem,
            archive=self._intake.archive_problem,
            workers=workers,
            missing_roles=tuple(role for role in ROLES if not _reports(role, workers)),
            queues=queues,
            dead_count=dead_count,
            dead=dead,
        )
        return self._last


def role_of(worker: str) -> str:
    """``watch`` of ``watch``, ``watch-1`` and ``watch:host:7``."""
    for role in ROLES:
        if worker == role or worker.startswith((f"{role}-", f"{role}:", f"{role}.", f"{role}@")):
            return role
    return worker


def _reports(role: str, workers: tuple[WorkerBeat, ...]) -> bool:
    return any(role_of(beat.name) == role for beat in workers)
