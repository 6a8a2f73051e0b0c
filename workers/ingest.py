"""Ingest: every camera's video into its ring. Wiring only; no picture is ever decoded here.

Reading threads (``monitor.capture``) fill backlogs, this process's loop writes them to Redis
(``monitor.buffer``) in rounds, so that a unit waits at most a round's length.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from collections.abc import Sequence
from typing import Final

from redis.asyncio import Redis

from monitor.buffer.connection import connect
from monitor.buffer.heartbeat import Heartbeat
from monitor.buffer.keys import substream_ring
from monitor.buffer.ring import RingReader, RingWriter
from monitor.buffer.ring_pipe import RingPipe
from monitor.capture.camera_reader import CameraReader
from monitor.capture.rtsp import RtspSession
from monitor.clock import Clock, SystemClock
from monitor.config.endpoints import redis_url
from monitor.config.models import Config
from monitor.errors import StoreError
from workers.ring_feed import Feed, RingFeed

log = logging.getLogger(__name__)

ROUND_S: Final = 0.08
HEARTBEAT_S: Final = 5.0
STOP_S: Final = 6.0
_REDIS_RETRY_S: Final = 1.0


async def run(
    config: Config,
    *,
    stop: asyncio.Event | None = None,
    name: str = "ingest",
    clock: Clock | None = None,
) -> None:
    """Read all cameras until ``stop`` is set or this is cancelled."""
    clock = clock or SystemClock()
    stop = stop or asyncio.Event()
    redis = connect(redis_url(config))
    pipe = RingPipe(redis_url(config))
    feeds: list[Feed] = []
    try:
        for ring, url in rings_of(config):
            feed = await _feed(redis, config, ring, url, stop, clock)
            if feed is None:
                return
            feeds.append(feed)
            feed.reader.start()
        log.info("ingest: reading %d cameras into %d rings", len(config.cameras), len(feeds))
        work = RingFeed(redis, pipe, feeds, clock)
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(_write(work, clock), name="ingest rings"),
                tasks.create_task(_tell(work, clock), name="ingest states"),
                tasks.create_task(_beat(work, Heartbeat(redis, name), clock), name="ingest beat"),
            ]
            await stop.wait()
            for task in running:
                task.cancel()
    finally:
        await _end(feeds)
        with contextlib.suppress(StoreError):
            await RingFeed(redis, pipe, feeds, clock).round()
        pipe.close()
        await redis.aclose()


def rings_of(config: Config) -> list[tuple[str, str]]:
    """The rings to fill and their addresses; a substream has a ring of its own."""
    rings = []
    for camera in config.cameras:
        rings.append((camera.id, camera.url.get_secret_value()))
        if camera.substream_url is not None:
            rings.append((substream_ring(camera.id), camera.substream_url.get_secret_value()))
    return rings


async def _feed(
    redis: Redis, config: Config, ring: str, url: str, stop: asyncio.Event, clock: Clock
) -> Feed | None:
    """A ring and its reader, going on where the ring ends; waits for Redis, None when stopped."""
    writer = RingWriter(redis, ring, config.ingest.keep_s, clock=clock)
    said = False
    while not stop.is_set():
        try:
            last_ms = await writer.last_entry_ms()
            latest = await RingReader(redis, ring).latest_codec()
            break
        except StoreError as error:
            if not said:
                log.warning("ingest: waiting for Redis: %s", error)
                said = True
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _REDIS_RETRY_S)
    else:
        return None
    session = functools.partial(
        RtspSession,
        url,
        connect_timeout_s=config.ingest.connect_timeout_s,
        read_timeout_s=config.ingest.read_timeout_s,
        clock=clock,
    )
    reader = CameraReader(
        ring,
        session,
        clock=clock,
        backoff_max_s=config.ingest.backoff_max_s,
        key_frame_timeout_s=config.ingest.key_frame_timeout_s,
        last_entry_ms=last_ms or 0,
        latest=latest,
    )
    return Feed(reader, writer)


async def _write(work: RingFeed, clock: Clock) -> None:
    while True:
        began_s = clock.monotonic_s()
        if not await work.round():
            await clock.sleep(ROUND_S - (clock.monotonic_s() - began_s))


async def _tell(work: RingFeed, clock: Clock) -> None:
    while True:
        await work.tell_states()
        await clock.sleep(2 * ROUND_S)


async def _beat(work: RingFeed, heartbeat: Heartbeat, clock: Clock) -> None:
    while True:
        with contextlib.suppress(StoreError):  # the cameras' states say that Redis is away
            await heartbeat.beat(work.counters())
        await clock.sleep(HEARTBEAT_S)


async def _end(feeds: Sequence[Feed]) -> None:
    """Let the reading threads end; one that hangs on its camera is left to its timeout."""
    for feed in feeds:
        feed.reader.stop()
    until_s = asyncio.get_running_loop().time() + STOP_S
    for feed in feeds:
        left_s = max(0.0, until_s - asyncio.get_running_loop().time())
        if not await asyncio.to_thread(feed.reader.join, left_s):
            log.warning("camera %s: its reader still waits for the camera", feed.name)
