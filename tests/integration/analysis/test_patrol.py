"""The patrol against real Redis, real video and a model server on the wire."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from monitor import wire
from monitor.buffer.cameras import CameraStore
from monitor.buffer.heartbeat import read_heartbeats
from monitor.buffer.incidents import IncidentStore
from monitor.buffer.keys import JOBS, OUTBOX
from monitor.buffer.patrol import PatrolStore
from monitor.buffer.ring import RingWriter
from monitor.buffer.work import put_work
from monitor.config.models import Config
from monitor.domain import (
    AccessUnit,
    Alert,
    EvidenceKind,
    Explainer,
    Incident,
    Job,
    Severity,
    Stage,
    Trigger,
)
from tests import servers, video
from tests.vllm_fake import FakeVllm, good_answer, quiet_look
from workers import analyse

START = video.START_MS
END = START + 36_000
SEEN = quiet_look(
    what="A van stands across the lane.", abnormal=True, since_s=4.0, kind="stopped_in_lane",
    severity="high", confidence=0.8,
)  # fmt: skip


class LateClock:
    """The video's time: it was taken just now, and stays so. Waits are a hundred times shorter."""

    def wall_ms(self) -> int:
        return END + 500

    def monotonic_s(self) -> float:
        return asyncio.get_running_loop().time() * 100

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds) / 100)


async def film(redis: Redis, footage: tuple[list[AccessUnit], Any], *cameras: str) -> None:
    units, params = footage
    for camera in cameras:
        writer = RingWriter(redis, camera, 120)
        await writer.put_codec(params)
        await writer.append(units)
        await CameraStore(redis).put_cursor(camera, END)


def config(
    private_redis: servers.Server, folder: Path, endpoint: str, *cameras: str,
    patrol_s: float | None = 60.0, **query: Any,
) -> Config:  # fmt: skip
    return Config.model_validate(
        {
            "site": {"id": "site-1"},
            "cameras": [{"id": camera, "url": "rtsp://127.0.0.1/x"} for camera in cameras],
            "data_dir": folder / "data",
            "redis": {"url": f"redis://127.0.0.1:{private_redis.port}/0"},
            "query": {
                "endpoint": endpoint, "frame_width": 320, "max_frames": 8, "patrol_s": patrol_s,
                **query,
            },
        }
    )  # fmt: skip


@asynccontextmanager
async def worker(settings: Config) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(analyse.run(settings, stop=stop, clock=LateClock(), name="worker-1"))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, 10)


def looks(fake: FakeVllm) -> list[dict[str, Any]]:
    return [one for one in fake.requests if _is_look(one)]


def _is_look(request: dict[str, Any]) -> bool:
    schema = request.get("response_format", {}).get("json_schema", {}).get("schema", {})
    return "abnormal" in schema.get("properties", {})


async def until(true: Any) -> None:
    async with asyncio.timeout(15):
        while not await true():  # noqa: ASYNC110 - Redis and the server have no events to wait for
            await asyncio.sleep(0.01)


async def counters(redis: Redis) -> dict[str, float]:
    return {
        name: value
        for beat in await read_heartbeats(redis)
        for name, value in beat.counters.items()
    }


async def alerts(redis: Redis) -> list[Alert]:
    entries: Any = await redis.xrange(OUTBOX)
    return [wire.from_json(Alert, fields[b"p"]) for _, fields in entries]


async def test_a_quiet_road_costs_a_few_tokens_and_no_alert(
    redis: Redis, private_redis: servers.Server, footage: Any, tmp_path: Path, fake: FakeVllm
) -> None:
    await film(redis, footage, "cam-1", "cam-2")

    async def shown() -> bool:
        return (await counters(redis)).get("patrol_looks") == 2

    async with worker(config(private_redis, tmp_path, fake.url, "cam-1", "cam-2")):
        await until(shown)
        seen = await counters(redis)
    output = len(json.dumps(quiet_look())) // 4
    assert seen["patrol_prompt_tokens"] == 14_000
    assert seen["patrol_output_tokens"] == 2 * output
    assert seen["patrol_cached_tokens"] == 2 * 768
    assert seen["patrol_tokens_per_camera_hour"] > 7000
    request = looks(fake)[0]
    assert request["max_completion_tokens"] == 256
    indices = request["media_io_kwargs"]["video"]["frames_indices"]
    assert len(indices) == 12
    assert indices == sorted(indices)
    assert indices[-1] <= 12_000
    assert await redis.xlen(OUTBOX) == 0
    assert await redis.xlen(JOBS) == 0


async def test_what_it_sees_becomes_an_incident_once_and_is_asked_about_in_full(
    redis: Redis, private_redis: servers.Server, footage: Any, tmp_path: Path, fake: FakeVllm
) -> None:
    fake.look_answer = SEEN
    await film(redis, footage, "cam-1")

    async def looked_thrice() -> bool:
        await PatrolStore(redis).put_back("cam-1")  # its term is in Redis's own time
        return len(looks(fake)) >= 3 and await redis.xlen(JOBS) == 0

    async with worker(config(private_redis, tmp_path, fake.url, "cam-1", patrol_s=10)):
        await until(looked_thrice)
    provisional, explained = await alerts(redis)
    assert (provisional.stage, provisional.revision) == (Stage.PROVISIONAL, 1)
    assert provisional.id == f"cam-1-{START + 28_000}", "4 s after the look's first picture"
    assert provisional.severity is Severity.HIGH
    assert provisional.trigger.source == "patrol"
    assert provisional.trigger.reason == (
        "Seen by the model's patrol, not measured: A van stands across the lane."
    )
    assert provisional.trigger.kind is EvidenceKind.STOPPED_IN_LANE
    assert (explained.id, explained.stage) == (provisional.id, Stage.EXPLAINED)
    assert explained.explainer is Explainer.QWEN3_VL
    assert explained.media is not None
    assert await PatrolStore(redis).abnormal("cam-1")
    assert len(fake.requests) - len(looks(fake)) == 1


async def test_the_full_query_may_take_it_back_and_without_it_the_evidence_speaks(
    redis: Redis, private_redis: servers.Server, footage: Any, tmp_path: Path, fake: FakeVllm
) -> None:
    fake.look_answer = SEEN
    fake.answer = good_answer(is_incident=False, incident_type="none")
    await film(redis, footage, "cam-1", "cam-2")

    async def two() -> bool:
        return await redis.xlen(OUTBOX) == 2

    async with worker(config(private_redis, tmp_path, fake.url, "cam-1")):
        await until(two)
    assert [one.stage for one in await alerts(redis)] == [Stage.PROVISIONAL, Stage.DISMISSED]
    await redis.delete(OUTBOX)
    fake.answer = "no JSON at all"
    async with worker(config(private_redis, tmp_path, fake.url, "cam-2")):
        await until(two)
    _, explained = await alerts(redis)
    assert (explained.stage, explained.explainer) == (Stage.EXPLAINED, Explainer.EVIDENCE)
    assert explained.answer is not None
    assert explained.answer.confidence < 0.5


async def test_what_watch_found_already_is_not_found_again(
    redis: Redis, private_redis: servers.Server, footage: Any, tmp_path: Path, fake: FakeVllm
) -> None:
    fake.look_answer = SEEN
    await film(redis, footage, "cam-1")
    at_ms = START + 20_000
    trigger = Trigger(EvidenceKind.CONTACT, at_ms, at_ms + 300, 2.0, "two tracks met")
    known = Incident(f"cam-1-{at_ms}", "cam-1", Severity.HIGH, at_ms, at_ms, at_ms, (trigger,))
    await IncidentStore(redis).put(known)

    async def seen() -> bool:
        return (await counters(redis)).get("patrol_abnormal", 0) >= 1

    async with worker(config(private_redis, tmp_path, fake.url, "cam-1")):
        await until(seen)
    assert await redis.xlen(OUTBOX) == 0
    assert await IncidentStore(redis).latest("cam-1") == known


async def test_a_candidate_that_a_crash_cut_off_is_sent_again(
    redis: Redis, private_redis: servers.Server, footage: Any, tmp_path: Path, fake: FakeVllm
) -> None:
    fake.look_answer = SEEN
    await film(redis, footage, "cam-1")
    at_ms = START + 28_000
    trigger = Trigger(
        EvidenceKind.STOPPED_IN_LANE, at_ms, END, 0.8, "A van stands.", source="patrol"
    )
    cut_off = Incident(f"cam-1-{at_ms}", "cam-1", Severity.LOW, at_ms, at_ms, at_ms, (trigger,))
    await IncidentStore(redis).put(cut_off)

    async def two() -> bool:
        return await redis.xlen(OUTBOX) == 2

    async with worker(config(private_redis, tmp_path, fake.url, "cam-1")):
        await until(two)
    assert {one.id for one in await alerts(redis)} == {cut_off.id}


async def test_an_incident_breaks_a_look_off(
    redis: Redis, private_redis: servers.Server, footage: Any, tmp_path: Path, fake: FakeVllm
) -> None:
    fake.fault = "slow"  # the look never ends by itself
    await film(redis, footage, "cam-1", "cam-2")
    at_ms = START + 24_000
    trigger = Trigger(EvidenceKind.CONTACT, at_ms, at_ms + 300, 2.0, "two tracks met")
    incident = Incident(f"cam-2-{at_ms}", "cam-2", Severity.HIGH, at_ms, at_ms, at_ms, (trigger,))

    async def explained() -> bool:
        return await redis.xlen(OUTBOX) >= 1

    async with worker(config(private_redis, tmp_path, fake.url, "cam-1", "cam-2", patrol_s=3600)):
        await asyncio.wait_for(fake.asked.wait(), 10)
        assert _is_look(fake.requests[0])
        await IncidentStore(redis).put(incident)
        await put_work(redis, JOBS, wire.to_json(Job("cam-2", incident.id)))
        await asyncio.wait_for(fake.aborted.wait(), 10)
        fake.fault = "ok"
        fake.release.set()
        await until(explained)
    (alert,) = await alerts(redis)
    assert alert.explainer is Explainer.QWEN3_VL
    assert alert.model is not None
    assert alert.model.queue_s is not None
    assert alert.model.queue_s < 0.5


async def test_off_by_default_and_no_look_at_a_silent_camera(
    redis: Redis, private_redis: servers.Server, footage: Any, tmp_path: Path, fake: FakeVllm
) -> None:
    async def beats() -> bool:
        return bool(await counters(redis))

    await film(redis, footage, "cam-1")
    async with worker(config(private_redis, tmp_path, fake.url, "cam-1", patrol_s=None)):
        await until(beats)
        assert not any(name.startswith("patrol") for name in await counters(redis))

    async def nothing_new() -> bool:
        return (await counters(redis)).get("patrol_nothing_new", 0) >= 1

    async with worker(config(private_redis, tmp_path, fake.url, "cam-without-video")):
        await until(nothing_new)
    assert fake.requests == []


async def test_two_workers_look_at_a_camera_once(redis: Redis) -> None:
    one, other = PatrolStore(redis), PatrolStore(redis)
    assert await one.begin("cam-1", 30)
    assert not await other.begin("cam-1", 30)
    await one.put_back("cam-1")
    assert await other.begin("cam-1", 30)
