"""Candidates and their second looks, up to what goes out; Redis and video are real."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from monitor.buffer.cameras import CameraStore
from monitor.buffer.evidence_log import EvidenceLog
from monitor.buffer.incidents import IncidentStore
from monitor.buffer.keys import ring_key
from monitor.buffer.ring import RingWriter
from monitor.buffer.tally import Tally, TallyStore
from monitor.clock import SystemClock
from monitor.config.models import Camera, Config
from monitor.domain import EvidenceKind, Incident, IncidentStatus, Level, Severity, Stage, Trigger
from monitor.media.decode import Planes
from monitor.trigger.forensic.verdict import Verdict
from monitor.trigger.incident import due
from monitor.trigger.normal import SceneMemory
from tests.street import START_MS
from tests.watching import (
    END_S,
    FIRST_S,
    alerts,
    config_of,
    confirm,
    film,
    jobs,
    judged,
    part,
    redis_at,
    reject,
    until,
    watching,
)
from workers.watching.desk import Desk
from workers.watching.look_back import AFTER_MS, BEFORE_MS, Examine
from workers.watching.second_look import WAITING, SecondLooks

K = EvidenceKind


def undecided(
    pictures: Iterable[tuple[int, Planes]],
    trigger: Trigger,
    camera: Camera,
    memory: SceneMemory | None = None,
) -> Verdict:
    return judged(pictures, trigger, confirmed=None)


def trigger(
    at_s: float = 12.0, score: float = 1.2, level: Level = Level.CANDIDATE, kind: K = K.CONTACT
) -> Trigger:
    at_ms = START_MS + round(at_s * 1000)
    return Trigger(kind, at_ms, at_ms + 300, score, "for a test", (0.4, 0.4, 0.2, 0.2), (1,),
                   level=level)  # fmt: skip


STRONG = trigger(score=2.0, level=Level.ALERT)


class Room:
    """One camera's desk and second looks over a ring, without a watch."""

    def __init__(self, redis: Redis, config: Config, looks: SecondLooks) -> None:
        self.redis = redis
        self.config = config
        self.camera = config.cameras[0].id
        self.looks = looks
        self.desk = Desk(config, config.cameras[0], redis, SystemClock(), looks)

    async def write(self, start_s: float = 0.0, end_s: float = END_S) -> None:
        writer = RingWriter(self.redis, self.camera, 600.0)
        await writer.put_codec(film()[1])
        await writer.append(part(start_s, end_s))

    async def incidents(self) -> list[Incident]:
        return await IncidentStore(self.redis).all(self.camera)

    async def settled(self) -> Incident:
        """The one incident, once all looks are over."""

        async def over() -> bool:
            found = await self.incidents()
            return bool(found) and all(
                due(one) is None and all(look.followed for look in one.looks) for one in found
            )

        await until(over)
        (incident,) = await self.incidents()
        return incident

    async def tally(self) -> Tally:
        return await TallyStore(self.redis).last_day(self.camera, START_MS + 60_000)


@asynccontextmanager
async def room(
    redis_url: str, camera: str, examine: Examine, *, begin: bool = True, model: bool = False
) -> AsyncIterator[Room]:
    config = config_of(redis_url, camera, merge_s=30.0)
    if model:
        query = config.query.model_copy(update={"endpoint": "http://127.0.0.1:1/v1"})
        config = config.model_copy(update={"query": query})
    with ThreadPoolExecutor(1) as threads:
        async with redis_at(redis_url) as redis:
            looks = SecondLooks(redis, examine, threads, SystemClock())
            task = asyncio.create_task(looks.run()) if begin else None
            try:
                yield Room(redis, config, looks)
            finally:
                if task is not None:
                    task.cancel()
                    await asyncio.wait([task])


async def test_confirmed_it_is_published_with_what_the_look_measured(
    redis_url: str, camera_id: str
) -> None:
    async with room(redis_url, camera_id, confirm) as here:
        await here.write()
        assert await here.desk.file((), [trigger()]) == 1
        incident = await here.settled()
        assert incident.status is IncidentStatus.ALERTED
        (alert,) = await alerts(here.redis, camera_id)
        assert (alert.id, alert.stage, alert.revision) == (incident.id, Stage.PROVISIONAL, 2)
        seconds = (BEFORE_MS + AFTER_MS) / 1000
        assert alert.trigger.reason == f"{20 * seconds + 1:.0f} pictures, {seconds:.1f} s"
        assert await jobs(here.redis, camera_id) == [incident.id]
        (item,) = await EvidenceLog(here.redis).range(camera_id, START_MS, START_MS + 60_000)
        assert item.id == f"contact-{incident.id}-look-0"
        assert await here.tally() == Tally(opened=1, confirmed=1)


async def test_rejected_nobody_hears_of_it(redis_url: str, camera_id: str) -> None:
    async with room(redis_url, camera_id, reject) as here:
        await here.write()
        await here.desk.file((), [trigger()])
        incident = await here.settled()
        assert incident.status is IncidentStatus.DISMISSED
        assert await alerts(here.redis, camera_id) == []
        assert await jobs(here.redis, camera_id) == []
        assert await here.tally() == Tally(opened=1, dismissed=1)
        assert await here.desk.file((), [trigger()]) == 0, "the same again opens nothing"


async def test_a_strong_one_alerts_before_it_is_looked_at(redis_url: str, camera_id: str) -> None:
    async with room(redis_url, camera_id, confirm, begin=False) as here:
        await here.desk.file((), [STRONG])
        assert [one.revision for one in await alerts(here.redis, camera_id)] == [1]
        assert here.looks.waiting == 1


async def test_an_alert_that_is_rejected_is_left_to_analyse_to_take_back(
    redis_url: str, camera_id: str
) -> None:
    async with room(redis_url, camera_id, reject) as here:
        await here.write()
        await here.desk.file((), [STRONG])
        incident = await here.settled()
        assert incident.status is IncidentStatus.DISMISSED
        assert len(await alerts(here.redis, camera_id)) == 1
        assert await jobs(here.redis, camera_id) == [incident.id] * 2


@pytest.mark.parametrize("model", [True, False])
async def test_what_nobody_can_tell_is_asked_of_a_model_if_there_is_one(
    redis_url: str, camera_id: str, model: bool
) -> None:
    async with room(redis_url, camera_id, undecided, model=model) as here:
        await here.write()
        await here.desk.file((), [trigger()])
        incident = await here.settled()
        assert incident.status is IncidentStatus.CANDIDATE
        assert await alerts(here.redis, camera_id) == []
        assert await jobs(here.redis, camera_id) == [incident.id] * model
        assert await here.tally() == Tally(opened=1, undecided=1)


async def test_a_ring_that_no_longer_shows_it_cannot_tell(redis_url: str, camera_id: str) -> None:
    async with room(redis_url, camera_id, confirm) as here:
        await here.write()
        await here.redis.xtrim(ring_key(camera_id), minid=START_MS + 13_000, approximate=False)
        await here.desk.file((), [trigger()])
        incident = await here.settled()
        assert incident.status is IncidentStatus.CANDIDATE
        assert incident.looks[0].reason == "the video before the moment is gone"


async def test_what_half_of_the_window_confirms_need_not_wait_for_the_rest(
    redis_url: str, camera_id: str
) -> None:
    seen: list[str] = []

    def patient(
        pictures: Iterable[tuple[int, Planes]],
        trigger: Trigger,
        camera: Camera,
        memory: SceneMemory | None = None,
    ) -> Verdict:
        verdict = judged(pictures, trigger, confirmed=len(seen) >= 1)
        seen.append(verdict.reason)
        return verdict

    async with room(redis_url, camera_id, patient) as here:
        await here.write(end_s=14.5)
        await here.desk.file((), [trigger()])
        await until(lambda: _has(seen, 1))
        assert seen == ["201 pictures, 10.0 s"]
        assert (await here.incidents())[0].looks == (), "not confirmed: the whole may show it"
        await here.write(start_s=14.5)
        incident = await here.settled()
        assert incident.status is IncidentStatus.ALERTED
        assert seen[1:] == ["241 pictures, 12.0 s"]


async def _has(seen: list[str], count: int) -> bool:
    return len(seen) == count


async def test_it_waits_for_the_end_of_its_window_or_of_the_ring(
    redis_url: str, camera_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.watching.second_look._STILL_S", 0.6)
    async with room(redis_url, camera_id, confirm) as here:
        await here.write(end_s=14.0)
        await here.desk.file((), [trigger()])
        incident = await here.settled()
        assert incident.looks[0].reason == "200 pictures, 9.9 s", "the ring ends at 14 s"


async def test_a_look_that_breaks_is_no_verdict_and_ends_nothing(
    redis_url: str, camera_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(
        pictures: Iterable[tuple[int, Planes]],
        trigger: Trigger,
        camera: Camera,
        memory: SceneMemory | None = None,
    ) -> Verdict:
        raise ValueError("an array of another shape")

    async with room(redis_url, camera_id, broken) as here:
        await here.write()
        with caplog.at_level(logging.ERROR):
            await here.desk.file((), [trigger()])
            incident = await here.settled()
        assert incident.looks[0].confirmed is None
        assert "another shape" in caplog.text
        assert here.looks.counted.failed == 1
        await here.desk.file((), [trigger(20.0)])
        await until(lambda: _counts(here, 2))


async def _counts(here: Room, looks: int) -> bool:
    return here.looks.counted.looks == looks


async def test_the_strongest_is_looked_at_first_and_the_weakest_given_up(
    redis_url: str, camera_id: str
) -> None:
    seen: list[float] = []

    def noting(
        pictures: Iterable[tuple[int, Planes]],
        trigger: Trigger,
        camera: Camera,
        memory: SceneMemory | None = None,
    ) -> Verdict:
        seen.append(trigger.score)
        return judged(pictures, trigger, confirmed=False)

    async with room(redis_url, camera_id, noting, begin=False) as here:
        await here.write()
        await until(lambda: _offer(here, WAITING + 2))
        task = asyncio.create_task(here.looks.run())
        await until(lambda: _counts(here, WAITING + 2))
        task.cancel()
        await asyncio.wait([task])
        assert seen == sorted(seen, reverse=True)
        assert len(seen) == WAITING
        assert min(seen) > 1.02, "the two weakest were not looked at"
        assert here.looks.counted.given_up == 2
        assert (await here.tally()).undecided == 2


async def _offer(here: Room, count: int) -> bool:
    """Candidates that do not belong together; later ones score less."""
    for number in range(count):
        one = trigger(12.0 + 0.001 * number, 1.01 + 0.01 * (count - number))
        incident = Incident(
            f"{here.camera}-{number}", here.camera, Severity.LOW, one.time_ms, one.time_ms,
            one.time_ms, (one,), IncidentStatus.CANDIDATE,
        )  # fmt: skip
        await IncidentStore(here.redis).put(incident)
        here.looks.offer(here.desk, incident)
    return True


async def test_a_strong_trigger_during_the_look_keeps_both(redis_url: str, camera_id: str) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(
        pictures: Iterable[tuple[int, Planes]],
        trigger: Trigger,
        camera: Camera,
        memory: SceneMemory | None = None,
    ) -> Verdict:
        begun.set()
        assert go_on.wait(10)
        return judged(pictures, trigger, confirmed=trigger.level is Level.ALERT)

    async with room(redis_url, camera_id, slow) as here:
        await here.write()
        await here.desk.file((), [trigger()])
        await asyncio.to_thread(begun.wait, 10)
        later = replace(STRONG, time_ms=STRONG.time_ms + 2_500, kind=K.NEAR_MISS)
        await here.desk.file((), [later])
        go_on.set()
        incident = await here.settled()
        assert incident.status is IncidentStatus.ALERTED
        assert [look.confirmed for look in incident.looks] == [False, True]
        revisions = [one.revision for one in await alerts(here.redis, camera_id)]
        assert revisions == sorted(revisions) == [2, 3]


async def test_a_crash_between_candidate_and_look_loses_nothing(
    redis_url: str, camera_id: str
) -> None:
    asked = threading.Event()
    async with redis_at(redis_url) as redis:
        config = config_of(redis_url, camera_id)
        units = part(0.0, 13.0)
        writer = RingWriter(redis, camera_id, 600.0)
        await writer.put_codec(film()[1])
        await writer.append(units)
        await CameraStore(redis).put_cursor(camera_id, units[0].entry_ms)
        async with watching(config, held(asked)):
            await asyncio.to_thread(asked.wait, 20)
        (before,) = await IncidentStore(redis).all(camera_id)
        assert before.status is IncidentStatus.CANDIDATE
        assert await alerts(redis, camera_id) == []
        async with watching(config, confirm):
            await until(lambda: _alerted(redis, camera_id))
        (alert,) = await alerts(redis, camera_id)
        assert alert.id == before.id
        assert abs((alert.peak.timestamp() * 1000 - START_MS) / 1000 - FIRST_S) < 0.5


def held(asked: threading.Event) -> Examine:
    """A look that goes on until watch is gone."""

    def examine(
        pictures: Iterable[tuple[int, Planes]],
        trigger: Trigger,
        camera: Camera,
        memory: SceneMemory | None = None,
    ) -> Verdict:
        asked.set()
        for _ in pictures:
            threading.Event().wait(0.2)
        return judged((), trigger, confirmed=None)

    return examine


async def _alerted(redis: Redis, camera: str) -> bool:
    return bool(await alerts(redis, camera))


async def test_a_crash_between_verdict_and_sending_sends_after_the_restart(
    redis_url: str, camera_id: str
) -> None:
    async with room(redis_url, camera_id, confirm) as here:
        await here.write()
        await here.desk.file((), [trigger()])
        incident = await here.settled()
        before = await alerts(here.redis, camera_id)
        unsent = tuple(replace(look, followed=False) for look in incident.looks)
        await IncidentStore(here.redis).put(replace(incident, looks=unsent))
        await here.desk.resume(START_MS + 25_000)
        after = await alerts(here.redis, camera_id)
        assert [(one.id, one.revision) for one in after] == [
            (one.id, one.revision) for one in (*before, *before)
        ]
        await here.desk.resume(START_MS + 25_000)
        assert await alerts(here.redis, camera_id) == after, "once is enough"
        assert await here.tally() == Tally(opened=1, confirmed=1)
