"""Several servers of models, modes and floods: real Redis, real video, servers on the wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from monitor import wire
from monitor.buffer.cameras import CameraStore
from monitor.buffer.heartbeat import read_heartbeats
from monitor.buffer.incidents import IncidentStore
from monitor.buffer.keys import JOBS, OUTBOX
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
    Trigger,
)
from tests import servers, video
from tests.servers import free_port
from tests.vllm_fake import FakeVllm
from workers import analyse

START = video.START_MS
END = START + 36_000
PEAK = START + 24_000


def config(
    private_redis: servers.Server, folder: Path, cameras: Sequence[str],
    endpoints: Sequence[dict[str, Any]], **query: Any,
) -> Config:  # fmt: skip
    return Config.model_validate(
        {
            "site": {"id": "site-1"},
            "cameras": [{"id": camera, "url": "rtsp://127.0.0.1/x"} for camera in cameras],
            "data_dir": folder / "data",
            "redis": {"url": f"redis://127.0.0.1:{private_redis.port}/0"},
            "query": {"endpoints": list(endpoints), "frame_width": 320, "max_frames": 8, **query},
        }
    )


async def film(redis: Redis, footage: tuple[list[AccessUnit], Any], *cameras: str) -> None:
    units, params = footage
    for camera in cameras:
        writer = RingWriter(redis, camera, 120)
        await writer.put_codec(params)
        await writer.append(units)
        await CameraStore(redis).put_cursor(camera, END)


async def fire(
    redis: Redis, camera: str, severity: Severity = Severity.HIGH, after_ms: int = 0
) -> Incident:
    at_ms = PEAK + after_ms
    trigger = Trigger(EvidenceKind.CONTACT, at_ms, at_ms + 300, 2.0, "two tracks met")
    incident = Incident(f"{camera}-{at_ms}", camera, severity, at_ms, at_ms, at_ms, (trigger,))
    await IncidentStore(redis).put(incident)
    await put_work(redis, JOBS, wire.to_json(Job(camera, incident.id)))
    return incident


@asynccontextmanager
async def worker(settings: Config) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(analyse.run(settings, stop=stop, name="worker-1"))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, 10)


async def alerts(redis: Redis, count: int) -> list[Alert]:
    async with asyncio.timeout(30):
        while await redis.xlen(OUTBOX) < count:  # noqa: ASYNC110 - the outbox has no event
            await asyncio.sleep(0.01)
    entries: Any = await redis.xrange(OUTBOX)
    return [wire.from_json(Alert, fields[b"p"]) for _, fields in entries]


async def test_a_dead_endpoint_costs_no_answer_and_is_left_alone(
    redis: Redis, private_redis: servers.Server, footage: Any, tmp_path: Path
) -> None:
    await film(redis, footage, "cam-1")
    dead = {"url": f"http://127.0.0.1:{free_port()}/v1"}
    async with FakeVllm() as fake:
        settings = config(private_redis, tmp_path, ["cam-1"], [dead, {"url": fake.url}])
        async with worker(settings):
            for number in range(4):
                await fire(redis, "cam-1", after_ms=number)
            found = await alerts(redis, 4)

            async def told() -> float:
                beats = await read_heartbeats(redis)
                return beats[0].counters.get("endpoint_0_opened", 0) if beats else 0

            async with asyncio.timeout(10):
                while not await told():  # noqa: ASYNC110 - heartbeats come by the clock
                    await asyncio.sleep(0.05)
            (beat,) = await read_heartbeats(redis)
    assert {alert.explainer for alert in found} == {Explainer.QWEN3_VL}
    assert (beat.counters["endpoint_0_well"], beat.counters["endpoint_1_well"]) == (0, 1)
    assert beat.counters["asked_elsewhere"] == 3
    assert beat.counters["answers"] == 4
    assert beat.counters["cached_tokens"] == 4 * 768


async def test_grave_ones_are_thought_about_at_their_own_server(
    redis: Redis, private_redis: servers.Server, footage: Any, tmp_path: Path
) -> None:
    await film(redis, footage, "grave", "light")
    async with FakeVllm(model="instruct") as instruct, FakeVllm(model="thinker") as thinker:
        thinker.reasoning = "First the person steps out. Then the van brakes."
        settings = config(
            private_redis, tmp_path, ["grave", "light"],
            [{"url": instruct.url, "model": "instruct", "modes": ["standard"]},
             {"url": thinker.url, "model": "thinker", "modes": ["thinking"]}],
            thinking_from="high",
        )  # fmt: skip
        async with worker(settings):
            await fire(redis, "grave", Severity.CRITICAL)
            await fire(redis, "light", Severity.LOW)
            found = {alert.camera: alert for alert in await alerts(redis, 2)}
    runs = {camera: alert.model for camera, alert in found.items()}
    assert runs["grave"] is not None
    assert runs["light"] is not None
    assert (runs["grave"].name, runs["grave"].mode) == ("thinker", "thinking")
    assert (runs["light"].name, runs["light"].mode) == ("instruct", "standard")
    asked = thinker.requests[0]
    assert asked["chat_template_kwargs"] == {"enable_thinking": True}
    assert asked["thinking_token_budget"] == 4096
    assert asked["max_completion_tokens"] == 2048 + 4096
    assert instruct.requests[0]["max_completion_tokens"] == 2048
    run = runs["light"]
    assert (run.prompt_tokens, run.cached_tokens, run.frames) == (7000, 768, 8)
    assert run.queue_s is not None
    assert run.first_token_s is not None
    assert 0 <= run.first_token_s <= run.latency_s


async def test_a_flood_from_one_camera_delays_another_by_one_query(
    redis: Redis, private_redis: servers.Server, footage: Any, tmp_path: Path
) -> None:
    await film(redis, footage, "loud", "quiet")
    async with FakeVllm(delay_s=0.3) as fake:
        settings = config(
            private_redis, tmp_path, ["loud", "quiet"], [{"url": fake.url, "max_running": 1}]
        )
        async with worker(settings):
            for number in range(10):
                await fire(redis, "loud", Severity.CRITICAL, after_ms=number)
            await asyncio.wait_for(fake.asked.wait(), 10)
            await fire(redis, "quiet", Severity.LOW)
            found = await alerts(redis, 11)
    assert fake.most_running == 1
    assert {alert.explainer for alert in found} == {Explainer.QWEN3_VL}
    (quiet,) = [alert for alert in found if alert.camera == "quiet"]
    assert quiet.model is not None
    assert quiet.model.queue_s is not None
    assert quiet.model.queue_s < 2 * 0.3 + 0.2
    assert [alert.camera for alert in found].index("quiet") <= 4


async def test_a_smaller_context_gets_fewer_pictures_of_the_same_window(
    redis: Redis, private_redis: servers.Server, footage: Any, tmp_path: Path
) -> None:
    await film(redis, footage, "cam-1", "cam-2")
    async with FakeVllm(delay_s=0.5) as big, FakeVllm(context=6144) as small:
        settings = config(
            private_redis, tmp_path, ["cam-1", "cam-2"],
            [{"url": big.url, "max_running": 1}, {"url": small.url, "max_running": 1}],
            max_frames=32,
        )  # fmt: skip
        async with worker(settings):
            await fire(redis, "cam-1")
            await fire(redis, "cam-2")
            found = await alerts(redis, 2)
    frames = sorted(alert.model.frames for alert in found if alert.model and alert.model.frames)
    assert frames == [len(small_frames(small)), 32]
    assert 2 <= len(small_frames(small)) < 32


def small_frames(server: FakeVllm) -> list[int]:
    (request,) = server.requests
    indices: list[int] = request["media_io_kwargs"]["video"]["frames_indices"]
    return indices
