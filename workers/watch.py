"""watch: rings to evidence, incidents and provisional alerts. Wiring only.

One task per camera; decoding and the trigger run in threads (``workers.watching``).
"""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final

import cv2
from redis.asyncio import Redis

from monitor.buffer.connection import connect
from monitor.buffer.heartbeat import Heartbeat
from monitor.clock import Clock, SystemClock
from monitor.config.endpoints import redis_url
from monitor.config.models import Config
from monitor.errors import StoreError
from workers.watching.camera import CameraWatch
from workers.watching.desk import Desk

HEARTBEAT_S: Final = 5.0


async def run(
    config: Config,
    *,
    stop: asyncio.Event | None = None,
    name: str = "watch",
    clock: Clock | None = None,
) -> None:
    """Watch all cameras until ``stop`` is set or this is cancelled."""
    clock = clock or SystemClock()
    stop = stop or asyncio.Event()
    cv2.setNumThreads(1)  # one camera, one thread; many cameras fill the cores
    redis = connect(redis_url(config))
    threads = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="watch")
    watches = [
        CameraWatch(camera, redis, Desk(config, camera, redis, clock), threads, clock)
        for camera in config.cameras
        if camera.trigger.enabled
    ]
    try:
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(watch.run(), name=f"watch {index}")
                for index, watch in enumerate(watches)
            ]
            running.append(tasks.create_task(_beat(watches, redis, name, clock), name="watch beat"))
            await stop.wait()
            for task in running:
                task.cancel()
    finally:
        threads.shutdown(wait=True, cancel_futures=True)
        await redis.aclose()


async def _beat(watches: list[CameraWatch], redis: Redis, name: str, clock: Clock) -> None:
    heartbeat = Heartbeat(redis, name, clock=clock)
    while True:
        counted = [watch.counted for watch in watches]
        with suppress(StoreError):  # each camera says so itself
            await heartbeat.beat(
                {
                    "cameras": len(watches),
                    "units": sum(one.units for one in counted),
                    "pictures": sum(one.looked_at for one in counted),
                    "slept": sum(one.slept for one in counted),
                    "broken": sum(one.broken for one in counted),
                    "evidence": sum(one.evidence for one in counted),
                    "triggers": sum(one.triggers for one in counted),
                    "incidents": sum(one.incidents for one in counted),
                    "skipped_s": sum(one.skipped_ms for one in counted) / 1000,
                    "behind_s": max((one.behind_ms for one in counted), default=0) / 1000,
                }
            )
        await clock.sleep(HEARTBEAT_S)
