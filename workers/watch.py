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
from monitor.trigger.detector import Shelf
from monitor.trigger.forensic import examine
from workers.analysis.background import GIVING_WAY, background_threads
from workers.watching.camera import CameraWatch
from workers.watching.desk import Desk
from workers.watching.look_back import Examine
from workers.watching.second_look import SecondLooks

HEARTBEAT_S: Final = 5.0


async def run(
    config: Config,
    *,
    stop: asyncio.Event | None = None,
    name: str = "watch",
    clock: Clock | None = None,
    examine: Examine = examine,
) -> None:
    """Watch all cameras until ``stop`` is set or this is cancelled.

    ``examine`` takes the second look at candidates.
    """
    clock = clock or SystemClock()
    stop = stop or asyncio.Event()
    cv2.setNumThreads(1)  # one camera, one thread; many cameras fill the cores
    redis = connect(redis_url(config))
    threads = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="watch")
    look_threads = background_threads(1, "second-look", GIVING_WAY)
    looks = SecondLooks(redis, examine, look_threads, clock)
    detectors = Shelf(clock)
    watches = [
        CameraWatch(
            camera,
            redis,
            Desk(config, camera, redis, clock, looks),
            threads,
            clock,
            detectors.of(config.detector_of(camera)),
        )
        for camera in config.cameras
        if camera.trigger.enabled
    ]
    try:
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(watch.run(), name=f"watch {index}")
                for index, watch in enumerate(watches)
            ]
            running.append(tasks.create_task(looks.run(), name="watch second looks"))
            beat = _beat(watches, looks, redis, name, clock)
            running.append(tasks.create_task(beat, name="watch beat"))
            await stop.wait()
            for task in running:
                task.cancel()
    finally:
        threads.shutdown(wait=True, cancel_futures=True)
        look_threads.shutdown(wait=True, cancel_futures=True)
        await redis.aclose()


async def _beat(
    watches: list[CameraWatch], looks: SecondLooks, redis: Redis, name: str, clock: Clock
) -> None:
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
                    "detectors_resting": sum(watch.detector_rests for watch in watches),
                    "broken": sum(one.broken for one in counted),
                    "evidence": sum(one.evidence for one in counted),
                    "triggers": sum(one.triggers for one in counted),
                    "incidents": sum(one.incidents for one in counted),
                    "second_looks": looks.counted.looks,
                    "second_looks_waiting": looks.waiting,
                    "second_looks_given_up": looks.counted.given_up,
                    "second_looks_failed": looks.counted.failed,
                    "confirmed": looks.counted.confirmed,
                    "rejected": looks.counted.rejected,
                    "undecided": looks.counted.undecided,
                    "skipped_s": sum(one.skipped_ms for one in counted) / 1000,
                    "behind_s": max((one.behind_ms for one in counted), default=0) / 1000,
                }
            )
        await clock.sleep(HEARTBEAT_S)
