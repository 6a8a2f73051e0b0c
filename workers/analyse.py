"""analyse: jobs to explained alerts. Wiring only; the work is in workers.analysis.

Any number of these, on any machine: they share the jobs by a consumer group. Give each its own
``name``; it must be the same after a restart, so that the worker takes up its own jobs at once.
"""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import AsyncExitStack, suppress
from typing import Final

from redis.asyncio import Redis

from monitor.buffer.connection import connect
from monitor.buffer.heartbeat import Heartbeat
from monitor.buffer.keys import JOBS
from monitor.buffer.work import WorkQueue
from monitor.clock import Clock, SystemClock
from monitor.config.endpoints import media_dir, redis_url
from monitor.config.models import Config
from monitor.errors import StoreError
from monitor.query.rulebook import rulebook
from monitor.query.scheduler import Scheduler
from workers.analysis.background import GIVING_WAY, background_threads
from workers.analysis.incident import Desk
from workers.analysis.jobs import ATTEMPTS, MIN_IDLE_MS, Jobs
from workers.analysis.manner import endpoints_of
from workers.analysis.patrol import Patrol
from workers.analysis.turns import Turns

IN_WORK: Final = 128
"""Incidents whose video is in memory, some megabytes each."""

_BEAT_S: Final = 3.0


async def run(
    config: Config,
    *,
    stop: asyncio.Event | None = None,
    clock: Clock | None = None,
    name: str | None = None,
) -> None:
    """Analyse until ``stop`` is set, or cancelled; jobs in hand are taken up after a restart."""
    consumer = name or socket.gethostname()
    async with AsyncExitStack() as resources:
        redis = connect(redis_url(config))
        resources.push_async_callback(redis.aclose)
        models = await resources.enter_async_context(Scheduler(endpoints_of(config.query)))
        desk = Desk(
            config=config,
            media_dir=media_dir(config),
            rulebook=rulebook(config.site.jurisdiction),
            models=models,
            in_work=Turns(IN_WORK, per_camera=2),
            decoding=Turns(1),  # one decode takes all cores
            threads=resources.enter_context(background_threads(1, "pictures", GIVING_WAY)),
            clock=clock or SystemClock(),
        )
        queue = WorkQueue(
            redis, JOBS, "analyse", consumer, min_idle_ms=MIN_IDLE_MS, max_attempts=ATTEMPTS
        )
        jobs = Jobs(queue, redis, desk)
        patrol = Patrol(redis, desk)
        working = asyncio.create_task(_work(jobs, patrol, desk, redis, consumer), name="analyse")
        stopping = asyncio.create_task((stop or asyncio.Event()).wait(), name="analyse-stop")
        try:
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                working.result()
        finally:
            stopping.cancel()
            working.cancel()
            await asyncio.gather(working, stopping, return_exceptions=True)


async def _work(jobs: Jobs, patrol: Patrol, desk: Desk, redis: Redis, consumer: str) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(jobs.run(), name="analyse-jobs")
        tasks.create_task(patrol.run(), name="analyse-patrol")
        tasks.create_task(_beat(jobs, patrol, desk, redis, consumer), name="analyse-heartbeat")


async def _beat(jobs: Jobs, patrol: Patrol, desk: Desk, redis: Redis, consumer: str) -> None:
    heartbeat = Heartbeat(redis, f"analyse-{consumer}-{os.getpid()}", clock=desk.clock)
    while True:
        with suppress(StoreError):  # said by the jobs
            await heartbeat.beat(
                {
                    "active": jobs.active,
                    "in_work": desk.in_work.running,
                    **desk.models.counters(),
                    **desk.counted,
                    **patrol.counters(),
                }
            )
        await desk.clock.sleep(_BEAT_S)
