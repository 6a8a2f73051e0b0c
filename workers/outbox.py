"""From the outbox to the archive and the broker, one alert after the other.

Serial on purpose: an alert is archived, published and acknowledged before the next is looked at,
and an alert that cannot go now holds up those behind it. That is what keeps every camera's
revisions in order across crashes of anything. Only publish runs it, and only under its lease.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from pydantic import ValidationError

from monitor.alert.mqtt import MqttPublisher
from monitor.alert.topics import Topics
from monitor.archive import Archive, Stored
from monitor.backoff import Backoff
from monitor.buffer.lease import Lease
from monitor.buffer.work import Delivery, WorkQueue
from monitor.clock import Clock
from monitor.domain import Alert
from monitor.errors import ArchiveError, StoreError
from monitor.wire import from_json, to_json

T = TypeVar("T")
logger = logging.getLogger(__name__)

_AT_ONCE = 16
_BLOCK_MS = 2000


class LeaseLost(Exception):
    """Another publisher has taken over: stop at once, and publish nothing more."""


@dataclass(slots=True)
class Counters:
    """What publish has done since it started; on its heartbeat."""

    published: int = 0
    superseded: int = 0
    dead: int = 0
    failures: int = 0  # attempts that found the archive or Redis away


class OutboxPump:
    """Owns nothing: archive, publisher and lease are opened and closed by publish.

    ``queue`` gives a new hold on the outbox each time, which begins with what was taken before
    and not acknowledged.
    """

    def __init__(
        self,
        queue: Callable[[], WorkQueue],
        archive: Archive,
        publisher: MqttPublisher,
        topics: Topics,
        lease: Lease,
        counters: Counters,
        clock: Clock,
    ) -> None:
        self._new_queue = queue
        self._queue = queue()
        self._archive = archive
        self._publisher = publisher
        self._topics = topics
        self._lease = lease
        self._counters = counters
        self._clock = clock
        self._backoff = Backoff()

    async def run(self) -> None:
        """Until cancelled, or ``LeaseLost``."""
        await self._insist(self._archive.open)
        while True:
            for delivery in await self._insist(self._take):
                await self._deliver(delivery)

    async def _take(self) -> list[Delivery]:
        """The oldest work. What was taken is read back before it is believed: where an answer
        got lost on the way, entries older than those of the next answer are ours already."""
        self._queue = self._new_queue()
        if not await self._queue.take(_AT_ONCE, _BLOCK_MS):
            return []
        self._queue = self._new_queue()
        return await self._queue.take(_AT_ONCE, 1)

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            alert = from_json(Alert, delivery.payload)
            topic = self._topics.alerts(alert.camera)
        except ValueError as error:
            await self._give_up(delivery, _why_not_an_alert(error))
            return
        unfit = ""
        try:
            became = await self._insist(lambda: self._archive.store(alert))
        except ArchiveError as error:  # unfit; whoever waits for the alert still gets it
            became, unfit = Stored.NEW, str(error)
        if became is Stored.SUPERSEDED:
            # A newer revision went out already: after an explanation nothing provisional follows.
            self._counters.superseded += 1
        else:
            if not self._lease.held:
                raise LeaseLost
            await self._publisher.publish(topic, to_json(alert))
            self._counters.published += 1
        if unfit:
            await self._give_up(delivery, unfit)
        else:
            await self._insist(lambda: self._queue.ack(delivery))

    async def _give_up(self, delivery: Delivery, reason: str) -> None:
        logger.error("entry %s of the outbox goes to the dead letters: %s", delivery.id, reason)
        await self._insist(lambda: self._queue.give_up(delivery, reason))
        self._counters.dead += 1

    async def _insist(self, act: Callable[[], Awaitable[T]]) -> T:
        """Do it, however long a server is away; raises only where the alert is unfit."""
        failed = False
        while True:
            try:
                result = await act()
            except (ArchiveError, StoreError) as error:
                if error.reason == "unfit":
                    raise
                self._counters.failures += 1
                if not failed:
                    logger.warning("alerts wait: %s", error)
                failed = True
                await self._backoff.wait(self._clock)
            else:
                if failed:
                    logger.info("alerts go on")
                self._backoff.reset()
                return result


def _why_not_an_alert(error: ValueError) -> str:
    """The first fault, without what was written there."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the payload"
        return f"not an alert: {where}: {first['msg']}"
    return f"not an alert: {error}"
