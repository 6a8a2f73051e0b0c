"""publish: outbox to archive and MQTT, and the cameras' retained states. Wiring only.

Start as many as you like: one holds the lease and works, the others stand by and take over
within its term. Nothing is lost or reordered in between, since the work is under one consumer's
name, whose pending entries the next holder takes up first.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import uuid
from contextlib import suppress
from typing import Final

from redis.asyncio import Redis

from monitor.alert.camera_state import StateNews
from monitor.alert.mqtt import Broker, MqttPublisher
from monitor.alert.topics import Topics
from monitor.archive import Archive
from monitor.backoff import Backoff
from monitor.buffer.cameras import CameraStore
from monitor.buffer.connection import connect
from monitor.buffer.heartbeat import Heartbeat
from monitor.buffer.keys import OUTBOX
from monitor.buffer.lease import Lease
from monitor.buffer.work import WorkQueue
from monitor.clock import Clock, SystemClock
from monitor.config.endpoints import archive_url, media_dir, mqtt_address, redis_url
from monitor.config.models import Config
from monitor.errors import ArchiveError, StoreError
from workers import retention
from workers.outbox import Counters, LeaseLost, OutboxPump

logger = logging.getLogger(__name__)

LEASE_S: Final = 6.0
_CONSUMER: Final = "publisher"  # of whoever holds the lease
_NEVER: Final = 2**31  # nobody else may take its work, and failing servers are not its fault
_STATES_EVERY_S: Final = 1.0
_BEAT_EVERY_S: Final = 3.0


async def run(
    config: Config,
    *,
    stop: asyncio.Event | None = None,
    clock: Clock | None = None,
    lease_s: float = LEASE_S,
) -> None:
    """Publish until ``stop`` is set, or cancelled."""
    redis = connect(redis_url(config))
    archive = Archive(archive_url(config))
    worker = _Publish(config, redis, archive, clock or SystemClock(), lease_s)
    working = asyncio.create_task(worker.work(), name="publish")
    stopping = asyncio.create_task((stop or asyncio.Event()).wait(), name="publish-stop")
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
    finally:
        stopping.cancel()
        working.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)
        await archive.close()
        await redis.aclose()


class _Publish:
    def __init__(
        self, config: Config, redis: Redis, archive: Archive, clock: Clock, lease_s: float
    ) -> None:
        self._config = config
        self._redis = redis
        self._archive = archive
        self._clock = clock
        self._topics = Topics(config.mqtt.topic_prefix, config.site.id)
        self._publisher = MqttPublisher(
            Broker.of(config.mqtt, mqtt_address(config)), self._topics, clock=clock
        )
        self._lease_s = lease_s
        self._name = f"publish-{socket.gethostname()}-{os.getpid()}"
        self._lease = Lease(
            redis, "publish", f"{self._name}-{uuid.uuid4().hex}", ttl_s=lease_s, clock=clock
        )
        self._counters = Counters()

    async def work(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._beat(), name="publish-heartbeat")
            tasks.create_task(self._take_turns(), name="publish-turns")

    async def _take_turns(self) -> None:
        backoff = Backoff(longest_s=self._lease_s / 2)
        try:
            while True:
                try:
                    taken = await self._lease.take()
                except StoreError as error:
                    logger.warning("publishing waits: %s", error)
                    await backoff.wait(self._clock)
                    continue
                backoff.reset()
                if taken:
                    await self._turn()
                else:
                    await self._clock.sleep(self._lease_s / 3)
        finally:
            with suppress(StoreError):
                await self._lease.release()

    async def _turn(self) -> None:
        """Publish for as long as the lease is ours."""
        logger.info("this publisher is the active one")
        pump = OutboxPump(
            self._queue, self._archive, self._publisher, self._topics, self._lease, self._counters,
            self._clock,
        )  # fmt: skip
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._keep_lease(), name="publish-lease")
                tasks.create_task(self._publisher.run(), name="publish-mqtt")
                tasks.create_task(pump.run(), name="publish-outbox")
                tasks.create_task(self._states(), name="publish-states")
                tasks.create_task(self._forget(), name="publish-retention")
        except* LeaseLost:
            logger.warning("another publisher may be active: this one stands by")

    def _queue(self) -> WorkQueue:
        return WorkQueue(
            self._redis, OUTBOX, "publish", _CONSUMER, min_idle_ms=_NEVER, max_attempts=_NEVER
        )

    async def _keep_lease(self) -> None:
        while True:
            await self._clock.sleep(self._lease_s / 3)
            with suppress(StoreError):  # the term runs on; the outbox says that Redis is away
                await self._lease.take()
            if not self._lease.held:
                raise LeaseLost

    async def _states(self) -> None:
        cameras = CameraStore(self._redis)
        news = StateNews()
        session = 0
        while True:
            if session != self._publisher.sessions:
                session = self._publisher.sessions
                news.forget()
            for camera in self._config.cameras:
                try:
                    state, view = await cameras.state(camera.id), await cameras.view(camera.id)
                except StoreError:  # said by the outbox
                    break
                message = news.message(camera.id, state, view, self._clock.monotonic_s())
                if message is not None:
                    topic = self._topics.camera_state(camera.id)
                    await self._publisher.publish(topic, message, retain=True)
            await self._clock.sleep(_STATES_EVERY_S)

    async def _forget(self) -> None:
        keep_days = self._config.archive.keep_days
        await self._clock.sleep(retention.FIRST_S)
        while True:
            try:
                await retention.prune(
                    self._archive, media_dir(self._config), keep_days, self._clock
                )
            except ArchiveError as error:
                logger.warning("old alerts are forgotten later: %s", error)
            await self._clock.sleep(retention.EVERY_S)

    async def _beat(self) -> None:
        heartbeat = Heartbeat(self._redis, self._name, clock=self._clock)
        while True:
            done = self._counters
            with suppress(StoreError):  # the lease says so
                await heartbeat.beat(
                    {
                        "active": int(self._lease.held),
                        "connected": int(self._publisher.connected),
                        "connections": self._publisher.sessions,
                        "published": done.published,
                        "superseded": done.superseded,
                        "dead": done.dead,
                        "failures": done.failures,
                    }
                )
            await self._clock.sleep(_BEAT_EVERY_S)
