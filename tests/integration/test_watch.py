"""Watch from a ring to what it emits, over crashes and without Redis; the rings are real."""

from __future__ import annotations

from pathlib import Path

from redis.asyncio import Redis

from monitor.buffer.cameras import CameraStore
from monitor.buffer.evidence_log import EvidenceLog
from monitor.buffer.incidents import IncidentStore
from monitor.buffer.keys import ring_key
from monitor.buffer.ring import RingWriter
from monitor.domain import AccessUnit, EvidenceKind, Stage, ViewCondition
from monitor.trigger.incident import due
from tests.ingesting import logged
from tests.servers import redis_server
from tests.street import START_MS
from tests.watching import (
    END_S,
    FIRST_S,
    PART_S,
    SECOND_S,
    alerts,
    config_of,
    film,
    jobs,
    part,
    redis_at,
    until,
    watching,
)


async def write(redis: Redis, camera: str, units: list[AccessUnit]) -> None:
    writer = RingWriter(redis, camera, 600.0)
    await writer.put_codec(film()[1])
    await writer.append(units)


async def watched(redis: Redis, camera: str, entry_ms: int) -> None:
    """Until the cursor says that all up to an entry is done, which may be two seconds behind, and
    nothing is left to look at again."""

    async def done() -> bool:
        if (await CameraStore(redis).cursor(camera) or 0) < entry_ms - 2_000:
            return False
        incidents = await IncidentStore(redis).all(camera)
        return all(
            due(one) is None and all(look.followed for look in one.looks) for one in incidents
        )

    await until(done)


def last_ms(units: list[AccessUnit]) -> int:
    return units[-1].entry_ms


def near(incident_id: str, time_s: float, within_s: float = 0.5) -> bool:
    at_ms = int(incident_id.rsplit("-", 1)[1])
    return abs(at_ms - START_MS - time_s * 1000) <= within_s * 1000


async def test_what_it_sees_becomes_evidence_an_incident_an_alert_and_a_job(
    redis_url: str, camera_id: str
) -> None:
    async with redis_at(redis_url) as redis:
        units = part(0.0, PART_S)
        await write(redis, camera_id, units)
        await CameraStore(redis).put_cursor(camera_id, units[0].entry_ms)
        async with watching(config_of(redis_url, camera_id)):
            await watched(redis, camera_id, last_ms(units))
        evidence = await EvidenceLog(redis).range(camera_id, START_MS, last_ms(units))
        assert EvidenceKind.HARD_BRAKE in {one.kind for one in evidence}
        incident = await IncidentStore(redis).latest(camera_id)
        assert incident is not None
        assert near(incident.id, FIRST_S)
        sent = await alerts(redis, camera_id)
        assert {alert.id for alert in sent} == {incident.id}
        assert all(alert.stage is Stage.PROVISIONAL for alert in sent)
        assert set(await jobs(redis, camera_id)) == {incident.id}
        assert await CameraStore(redis).view(camera_id) is ViewCondition.NORMAL


async def test_a_first_start_tells_nothing_of_what_was_before_it(
    redis_url: str, camera_id: str
) -> None:
    async with redis_at(redis_url) as redis:
        await write(redis, camera_id, part(0.0, PART_S))
        later = part(PART_S, PART_S + 3.0)
        store = CameraStore(redis)

        async def has_looked() -> bool:
            return await store.view(camera_id) is not None

        async with watching(config_of(redis_url, camera_id)):
            await until(has_looked)
            await write(redis, camera_id, later)
            await watched(redis, camera_id, last_ms(later))
        assert await alerts(redis, camera_id) == []


async def test_over_a_crash_nothing_is_emitted_twice_and_nothing_missed(
    redis_url: str, camera_id: str
) -> None:
    async with redis_at(redis_url) as redis:
        config = config_of(redis_url, camera_id)
        before, after = part(0.0, PART_S), part(PART_S, END_S)
        await write(redis, camera_id, before)
        await CameraStore(redis).put_cursor(camera_id, before[0].entry_ms)
        async with watching(config):
            await watched(redis, camera_id, last_ms(before))
        first = await alerts(redis, camera_id)
        assert first
        tracks_before = await tracks(redis, camera_id, before)
        await write(redis, camera_id, after)
        async with watching(config):
            await watched(redis, camera_id, last_ms(after))
        found = await alerts(redis, camera_id)
        assert found[: len(first)] == first
        fresh = {alert.id for alert in found[len(first) :]}
        (second,) = fresh
        assert near(second, SECOND_S)
        assert len({(alert.id, alert.revision) for alert in found}) == len(found)
        assert min(await tracks(redis, camera_id, after)) > max(tracks_before), "ids are new"


async def tracks(redis: Redis, camera: str, units: list[AccessUnit]) -> set[int]:
    evidence = await EvidenceLog(redis).range(camera, units[0].entry_ms, last_ms(units))
    return {one.track for one in evidence if one.track is not None}


async def test_a_crash_before_the_cursor_sends_the_same_again(
    redis_url: str, camera_id: str
) -> None:
    async with redis_at(redis_url) as redis:
        config, units = config_of(redis_url, camera_id), part(0.0, PART_S)
        store = CameraStore(redis)
        await write(redis, camera_id, units)
        await store.put_cursor(camera_id, units[0].entry_ms)
        async with watching(config):
            await watched(redis, camera_id, last_ms(units))
        first = await alerts(redis, camera_id)
        # As if it had died between sending and writing the cursor.
        await store.put_cursor(camera_id, units[0].entry_ms)
        async with watching(config):
            await watched(redis, camera_id, last_ms(units))
        again = await alerts(redis, camera_id)
        assert len(again) > len(first), "it may not have gone out"
        assert {(a.id, a.revision) for a in again} == {(a.id, a.revision) for a in first}
        assert set(await jobs(redis, camera_id)) == {alert.id for alert in first}


async def test_a_ring_trimmed_past_the_cursor_is_taken_up_where_it_begins(
    redis_url: str, camera_id: str
) -> None:
    async with redis_at(redis_url) as redis:
        config, units = config_of(redis_url, camera_id), part(0.0, END_S)
        await write(redis, camera_id, units)
        await CameraStore(redis).put_cursor(camera_id, START_MS + 1000)
        await redis.xtrim(ring_key(camera_id), minid=START_MS + 13_000, approximate=False)
        async with watching(config):
            await watched(redis, camera_id, last_ms(units))
        (incident,) = {alert.id for alert in await alerts(redis, camera_id)}
        assert near(incident, SECOND_S)


async def test_without_redis_it_waits_and_then_goes_on(tmp_path: Path, camera_id: str) -> None:
    with redis_server(tmp_path) as server:
        url = f"redis://127.0.0.1:{server.port}/0"
        config, before, after = config_of(url, camera_id), part(0.0, PART_S), part(PART_S, END_S)
        server.kill()
        async with watching(config):
            async with logged("watching waits"):
                pass
            server.start()
            async with redis_at(url) as redis:
                await CameraStore(redis).put_cursor(camera_id, before[0].entry_ms)
                await write(redis, camera_id, before)
                await watched(redis, camera_id, last_ms(before))
            server.kill()
            server.start()  # empty: it keeps nothing on disk
            async with redis_at(url) as redis:
                await write(redis, camera_id, after)
                await watched(redis, camera_id, last_ms(after))
                (incident,) = {alert.id for alert in await alerts(redis, camera_id)}
                assert near(incident, SECOND_S)
