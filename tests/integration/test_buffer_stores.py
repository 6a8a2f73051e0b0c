"""States, evidence, incidents and heartbeats on a real Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from monitor.buffer.cameras import STATE_TTL_S, CameraStore
from monitor.buffer.connection import connect
from monitor.buffer.evidence_log import KEEP_MS, EvidenceLog
from monitor.buffer.heartbeat import TTL_S, Heartbeat, read_heartbeats
from monitor.buffer.incidents import KEEP, IncidentStore
from monitor.buffer.keys import (
    evidence_key,
    evidence_times_key,
    incidents_key,
    state_key,
    tally_key,
    view_key,
    worker_key,
)
from monitor.buffer.tally import Tally, TallyStore
from monitor.domain import (
    Actor,
    CameraState,
    CameraStatus,
    Evidence,
    EvidenceKind,
    Incident,
    IncidentStatus,
    Severity,
    Trigger,
    VideoCodec,
    ViewCondition,
)

T0 = 1_760_000_000_000


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = connect(redis_url)
    yield client
    await client.aclose()


def evidence(name: str, at_ms: int, value: float = 1.0) -> Evidence:
    return Evidence(name, EvidenceKind.HEADWAY, at_ms, Actor.VEHICLE, 0.8, 1, 2, value, "s")


def incident(camera: str, start_ms: int, severity: Severity = Severity.HIGH) -> Incident:
    trigger = Trigger(
        EvidenceKind.CONTACT, start_ms, start_ms + 300, 2.5, "they met", tracks=(1, 2)
    )
    return Incident(
        f"{camera}-{start_ms}", camera, severity, start_ms, start_ms, start_ms, (trigger,)
    )


async def test_a_cameras_state(redis: Redis, camera_id: str) -> None:
    store = CameraStore(redis)
    assert await store.state(camera_id) is None
    state = CameraState(
        camera_id, CameraStatus.ONLINE, T0, "所有都好", VideoCodec.HEVC, 1280, 720, 25.0, 3_000_000,
        T0 + 5, 3, "rtcp", True, 1,
    )  # fmt: skip
    await store.put_state(state)
    assert await store.state(camera_id) == state
    assert 0 < await redis.ttl(state_key(camera_id)) <= STATE_TTL_S


async def test_a_cameras_view_and_cursor(redis: Redis, camera_id: str) -> None:
    store = CameraStore(redis)
    assert await store.view(camera_id) is None
    assert await store.cursor(camera_id) is None
    await store.put_view(camera_id, ViewCondition.FROZEN)
    await store.put_cursor(camera_id, T0)
    assert await store.view(camera_id) is ViewCondition.FROZEN
    assert await store.cursor(camera_id) == T0
    assert 0 < await redis.ttl(view_key(camera_id)) <= STATE_TTL_S


async def test_evidence_may_be_back_dated(redis: Redis, camera_id: str) -> None:
    log = EvidenceLog(redis)
    await log.append(camera_id, [evidence("c", T0 + 3000), evidence("a", T0 + 1000)])
    await log.append(camera_id, [evidence("b", T0 + 2000)])
    found = await log.range(camera_id, T0, T0 + 5000)
    assert [one.id for one in found] == ["a", "b", "c"]
    assert [one.id for one in await log.range(camera_id, T0 + 1000, T0 + 2000)] == ["a", "b"]
    assert await log.range(camera_id, T0, T0 + 999) == []


async def test_the_same_evidence_again_replaces_it(redis: Redis, camera_id: str) -> None:
    log = EvidenceLog(redis)
    await log.append(camera_id, [evidence("a", T0), evidence("b", T0 + 10)])
    await log.append(camera_id, [evidence("a", T0 + 500, value=0.4)])
    found = await log.range(camera_id, T0, T0 + 1000)
    assert [(one.id, one.time_ms, one.value) for one in found] == [
        ("b", T0 + 10, 1.0), ("a", T0 + 500, 0.4),
    ]  # fmt: skip


async def test_evidence_of_an_hour_is_kept(redis: Redis, camera_id: str) -> None:
    log = EvidenceLog(redis)
    await log.append(camera_id, [evidence("old", T0), evidence("edge", T0 + 1001)])
    await log.append(camera_id, [evidence("new", T0 + KEEP_MS + 1000)])
    assert [one.id for one in await log.range(camera_id, 0, T0 * 2)] == ["edge", "new"]
    assert await redis.hlen(evidence_key(camera_id)) == 2
    assert await redis.zcard(evidence_times_key(camera_id)) == 2


async def test_evidence_from_the_future_goes_when_the_clock_is_right_again(
    redis: Redis, camera_id: str
) -> None:
    log = EvidenceLog(redis)
    await log.append(camera_id, [evidence("wrong", T0 + 86_400_000)])
    await log.append(camera_id, [evidence("right", T0)])
    await log.append(camera_id, [evidence("next", T0 + 1)])
    assert [one.id for one in await log.range(camera_id, 0, T0 * 2)] == ["right", "next"]


async def test_incidents_by_id_and_the_latest(redis: Redis, camera_id: str) -> None:
    store = IncidentStore(redis)
    assert await store.latest(camera_id) is None
    first, second = incident(camera_id, T0), incident(camera_id, T0 + 60_000)
    await store.put(second)
    await store.put(first)
    assert await store.latest(camera_id) == second
    assert await store.get(camera_id, first.id) == first
    assert await store.get(camera_id, "unknown") is None
    extended = replace(first, severity=Severity.CRITICAL, last_ms=T0 + 9000)
    await store.put(extended)
    assert await store.get(camera_id, first.id) == extended
    assert await store.latest(camera_id) == second


async def test_the_last_incidents_are_kept(redis: Redis, camera_id: str) -> None:
    store = IncidentStore(redis)
    for n in range(KEEP + 10):
        await store.put(incident(camera_id, T0 + 60_000 * n))
    assert await redis.hlen(incidents_key(camera_id)) == KEEP
    assert await store.get(camera_id, f"{camera_id}-{T0 + 60_000 * 9}") is None
    assert await store.get(camera_id, f"{camera_id}-{T0 + 60_000 * 10}") is not None


async def test_candidates_push_no_alert_out_and_are_not_the_latest(
    redis: Redis, camera_id: str
) -> None:
    store = IncidentStore(redis)
    alert = incident(camera_id, T0)
    await store.put(alert)
    for n in range(1, KEEP + 10):
        later = incident(camera_id, T0 + 60_000 * n)
        await store.put(replace(later, status=IncidentStatus.CANDIDATE))
    assert await store.latest(camera_id) == alert
    assert len(await store.all(camera_id)) == 1 + KEEP


async def test_an_outcome_counts_once_and_for_a_day(redis: Redis, camera_id: str) -> None:
    store = TallyStore(redis)
    hour_ms = 3_600_000
    for at_h, name in ((0, "a"), (0, "a"), (20, "b")):
        await store.note(camera_id, "opened", name, T0 + at_h * hour_ms)
    await store.note(camera_id, "confirmed", "b", T0 + 20 * hour_ms)
    assert await store.last_day(camera_id, T0 + 21 * hour_ms) == Tally(opened=2, confirmed=1)
    assert await store.last_day(camera_id, T0 + 25 * hour_ms) == Tally(opened=1, confirmed=1)
    await store.note(camera_id, "opened", "c", T0 + 100 * hour_ms)
    assert await redis.zcard(tally_key(camera_id, "opened")) == 1, "what is older is forgotten"


async def test_heartbeats(redis: Redis, camera_id: str) -> None:
    names = [f"{camera_id}-b", f"{camera_id}-a"]
    for name in names:
        await Heartbeat(redis, name).beat({"frames": 3, "seconds": 1.5})
    beats = [one for one in await read_heartbeats(redis) if one.name in names]
    assert [one.name for one in beats] == sorted(names)
    assert beats[0].counters == {"frames": 3, "seconds": 1.5}
    assert beats[0].at_ms > T0
    assert 0 < await redis.ttl(worker_key(names[0])) <= TTL_S
