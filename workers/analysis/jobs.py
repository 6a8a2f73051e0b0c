"""Jobs: taken, kept, finished. Acting twice is harmless; nothing is lost.

A job is acknowledged after its alert is in the outbox. Work that died with its worker comes
again; the last attempt leaves the video and the model aside, because one of them may be what
kills it, sends an explanation from the measurements, and puts the job with the dead letters.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar
from weakref import WeakValueDictionary

from pydantic import ValidationError
from redis.asyncio import Redis

from monitor import wire
from monitor.alert.build import TAKEN_BACK, revision_of
from monitor.backoff import Backoff
from monitor.buffer.cameras import CameraStore
from monitor.buffer.evidence_log import EvidenceLog
from monitor.buffer.incidents import IncidentStore
from monitor.buffer.keys import OUTBOX
from monitor.buffer.ring import RingReader
from monitor.buffer.tally import TallyStore
from monitor.buffer.work import Delivery, WorkQueue, put_work
from monitor.domain import Alert, Incident, IncidentStatus, Job, Stage
from monitor.errors import StoreError
from monitor.logs import camera as camera_logged
from workers.analysis.incident import ASKING, Desk, Stores, analyse, without_video

logger = logging.getLogger(__name__)
T = TypeVar("T")

ATTEMPTS: Final = 3
MIN_IDLE_MS: Final = 20_000
TAKEN_AT_ONCE: Final = 1024
"""Jobs in hand, most of them only waiting: so no camera's flood keeps another's job in Redis."""

_TOUCH_S: Final = MIN_IDLE_MS / 1000 / 4
_TAKE_BLOCK_MS: Final = 1000


class Jobs:
    """Takes jobs and sees each to its end."""

    def __init__(self, queue: WorkQueue, redis: Redis, desk: Desk) -> None:
        self._queue = queue
        self._redis = redis
        self._desk = desk
        self._incidents = IncidentStore(redis)
        self._tally = TallyStore(redis)
        self._free = asyncio.Semaphore(TAKEN_AT_ONCE)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.active = 0

    async def run(self) -> None:
        """Take jobs for ever; at most ``TAKEN_AT_ONCE`` are in hand."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._free.acquire()
                deliveries = await self._patiently(lambda: self._queue.take(1, _TAKE_BLOCK_MS))
                if not deliveries:
                    self._free.release()
                for delivery in deliveries:
                    tasks.create_task(self._see_to(delivery), name=f"job-{delivery.id}")

    async def _see_to(self, delivery: Delivery) -> None:
        self.active += 1
        work = asyncio.create_task(self._work(delivery), name=f"work-{delivery.id}")
        try:
            while not (await asyncio.wait({work}, timeout=_TOUCH_S))[0]:
                if not await self._still_ours(delivery):
                    logger.warning("job %s was taken over by another worker", delivery.id)
                    return
            work.result()
        except Exception:
            self._desk.counted["failures"] += 1
            logger.exception("job %s failed, attempt %d", delivery.id, delivery.attempts)
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            self.active -= 1
            self._free.release()

    async def _still_ours(self, delivery: Delivery) -> bool:
        try:
            return await self._queue.touch(delivery)
        except StoreError:
            return True  # Redis is away for everybody

    async def _work(self, delivery: Delivery) -> None:
        try:
            job = wire.from_json(Job, delivery.payload)
        except ValidationError:
            await self._bury(delivery, "the payload is not a job")
            return
        lock = self._locks.setdefault(job.incident, asyncio.Lock())
        with camera_logged(job.camera):
            async with lock:  # the job of an extension waits, and finds its work done
                await self._explain(delivery, job)

    async def _explain(self, delivery: Delivery, job: Job) -> None:
        found = await self._patiently(lambda: self._incidents.get(job.camera, job.incident))
        if found is None:
            await self._bury(delivery, f"incident {job.incident} is not known any more")
            return
        known = await self._patiently(lambda: self._incidents.explained(job.camera, job.incident))
        dismissed = found.status is IncidentStatus.DISMISSED
        if known >= revision_of(found, TAKEN_BACK if dismissed else ASKING):
            self._desk.counted["repeated"] += 1
        elif delivery.attempts >= ATTEMPTS:
            await self._last_attempt(delivery, found)
            return
        else:
            incident, alert = await self._patiently(
                lambda: analyse(found, self._stores(job.camera), self._desk)
            )
            if alert is not None:
                await self._send(incident, alert)
                if incident.status is IncidentStatus.CANDIDATE and alert.stage is Stage.EXPLAINED:
                    await self._note_confirmed(incident)
        await self._patiently(lambda: self._queue.ack(delivery))

    async def _last_attempt(self, delivery: Delivery, incident: Incident) -> None:
        reason = f"the analysis of {incident.id} did not end in {delivery.attempts - 1} attempts"
        try:
            alert = await self._patiently(
                lambda: without_video(incident, self._stores(incident.camera), self._desk, "failed")
            )
            if alert is not None:
                await self._send(incident, alert)
        finally:  # whatever became of it, this job never comes again
            await self._bury(delivery, reason)

    async def _send(self, incident: Incident, alert: Alert) -> None:
        payload = wire.to_json(alert)
        await self._patiently(lambda: put_work(self._redis, OUTBOX, payload))
        await self._patiently(
            lambda: self._incidents.put_explained(incident.camera, incident.id, alert.revision)
        )
        logger.info(
            "%s revision %d: %s by %s", alert.id, alert.revision, alert.stage.value,
            alert.explainer.value if alert.explainer else "nobody",
        )  # fmt: skip

    async def _note_confirmed(self, candidate: Incident) -> None:
        """A model made an alert of it: that counts as a second look's word does."""
        at_ms = candidate.triggers[0].decided_ms
        await self._patiently(
            lambda: self._tally.note(candidate.camera, "confirmed", candidate.id, at_ms)
        )

    async def _bury(self, delivery: Delivery, reason: str) -> None:
        self._desk.counted["dead"] += 1
        logger.error("job %s goes to the dead letters: %s", delivery.id, reason)
        await self._patiently(lambda: self._queue.give_up(delivery, reason))

    def _stores(self, camera: str) -> Stores:
        return Stores(
            self._incidents,
            EvidenceLog(self._redis),
            CameraStore(self._redis),
            RingReader(self._redis, camera),
        )

    async def _patiently(self, act: Callable[[], Awaitable[T]]) -> T:
        """Do it until Redis lets us: its absence is no fault of the job."""
        backoff = Backoff()
        while True:
            try:
                return await act()
            except StoreError as error:
                logger.warning("analysis waits: %s", error)
                await backoff.wait(self._desk.clock)
