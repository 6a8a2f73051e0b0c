"""From a job to the alert in the outbox: real Redis, real video, a model with every fault."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from redis.asyncio import Redis

from monitor import wire
from monitor.buffer.cameras import CameraStore
from monitor.buffer.connection import connect
from monitor.buffer.evidence_log import EvidenceLog
from monitor.buffer.incidents import IncidentStore
from monitor.buffer.keys import DEAD, JOBS, OUTBOX
from monitor.buffer.ring import RingWriter
from monitor.buffer.work import dead_letters, put_work
from monitor.clock import Clock, SystemClock
from monitor.config.models import Config
from monitor.domain import (
    AccessUnit,
    Actor,
    Alert,
    Evidence,
    EvidenceKind,
    Explainer,
    Incident,
    Job,
    Severity,
    Stage,
    Trigger,
)
from tests import servers, video
from tests.vllm_fake import FakeVllm, good_answer
from workers import analyse
from workers.analysis import incident as incident_module

START = video.START_MS
PEAK = START + 24_000
LAST = START + 26_000
END = START + 36_000


class FastClock:
    """Waits pass at once; time goes on by what was waited, beside real time."""

    def __init__(self) -> None:
        self.waited_s = 0.0

    def wall_ms(self) -> int:
        return END + 5000

    def monotonic_s(self) -> float:
        return time.monotonic() + self.waited_s

    async def sleep(self, seconds: float) -> None:
        self.waited_s += seconds
        await asyncio.sleep(0.005)


def config(
    private_redis: servers.Server, folder: Path, *, endpoint: str | None = None,
    cameras: tuple[str, ...] = ("cam-1",), lang: str = "en", **query: Any,
) -> Config:  # fmt: skip
    return Config.model_validate(
        {
            "site": {"id": "site-1", "lang": lang},
            "cameras": [{"id": camera, "url": "rtsp://127.0.0.1/x"} for camera in cameras],
            "data_dir": folder / "data",
            "redis": {"url": f"redis://127.0.0.1:{private_redis.port}/0"},
            "query": {"endpoint": endpoint, "frame_width": 320, **query},
        }
    )


def trigger(time_ms: int = PEAK, **changes: Any) -> Trigger:
    made = Trigger(EvidenceKind.CONTACT, time_ms, time_ms + 400, 2.5, "two tracks met")
    return replace(made, **changes)


def an_incident(camera: str = "cam-1", *triggers: Trigger, **changes: Any) -> Incident:
    made = Incident(
        f"{camera}-{PEAK - 1000}", camera, Severity.HIGH, PEAK - 1000, PEAK, LAST,
        triggers or (trigger(),),
    )  # fmt: skip
    return replace(made, **changes)


def some_evidence() -> list[Evidence]:
    def one(kind: EvidenceKind, before_s: float, **more: Any) -> Evidence:
        time_ms = PEAK - round(before_s * 1000)
        return Evidence(f"{kind.value}-{time_ms}", kind, time_ms, Actor.VEHICLE, 0.9,
                        time_uncertainty_s=0.1, **more)  # fmt: skip

    return [
        one(EvidenceKind.HEADWAY, 3.0, track=2, other=1, value=0.8, unit="s", uncertainty=0.1),
        one(EvidenceKind.BRAKE_LIGHT_ONSET, 1.6, track=1, value=2.0),
        one(EvidenceKind.CONTACT, 0.0, track=2, other=1),
    ]


async def prepare(
    redis: Redis, footage: tuple[list[AccessUnit], Any], camera: str = "cam-1",
    incident: Incident | None = None, until_ms: int = END,
) -> Incident:  # fmt: skip
    """A camera with video, evidence, an incident, and its job."""
    units, params = footage
    writer = RingWriter(redis, camera, 120)
    await writer.put_codec(params)
    await writer.append([unit for unit in units if unit.entry_ms <= until_ms])
    await CameraStore(redis).put_cursor(camera, until_ms)
    await EvidenceLog(redis).append(camera, some_evidence())
    incident = incident or an_incident(camera)
    await IncidentStore(redis).put(incident)
    await put_job(redis, incident)
    return incident


async def put_job(redis: Redis, incident: Incident) -> None:
    await put_work(redis, JOBS, wire.to_json(Job(incident.camera, incident.id)))


@asynccontextmanager
async def worker(settings: Config, clock: Clock | None = None) -> AsyncIterator[asyncio.Task[None]]:
    stop = asyncio.Event()
    clock = clock or FastClock()
    task = asyncio.create_task(analyse.run(settings, stop=stop, clock=clock, name="worker-1"))
    try:
        yield task
    finally:
        stop.set()
        await asyncio.wait_for(task, 10)


async def alerts(redis: Redis, count: int, timeout_s: float = 20) -> list[Alert]:
    """Wait for that many alerts in the outbox."""
    found: list[Alert] = []
    after: bytes | str = "0"
    async with asyncio.timeout(timeout_s):
        while len(found) < count:
            answer: Any = await redis.xread({OUTBOX: after}, block=500)
            for entry_id, fields in answer[0][1] if answer else ():
                after = entry_id
                found.append(wire.from_json(Alert, fields[b"p"]))
    return found


async def until(true: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(40):
        while not await true():  # noqa: ASYNC110 - Redis and the log have no events to wait for
            await asyncio.sleep(0.01)


async def jobs_done(redis: Redis) -> None:
    async def none_left() -> bool:
        return await redis.xlen(JOBS) == 0

    await until(none_left)


async def test_without_a_model_the_evidence_explains(
    redis: Redis, private_redis: servers.Server, footage: Any, tmp_path: Path
) -> None:
    incident = await prepare(redis, footage)
    settings = config(private_redis, tmp_path)
    async with worker(settings):
        (alert,) = await alerts(redis, 1)
        await jobs_done(redis)
    assert (alert.id, alert.revision, alert.stage) == (incident.id, 1001, Stage.EXPLAINED)
    assert alert.explainer is Explainer.EVIDENCE
    assert alert.explainer_note == "No model is configured."
    assert alert.answer is not None
    assert "0.8" in alert.answer.root_cause + alert.answer.chain.systemic_weakness
    assert len(alert.verification) == 4
    assert alert.window_start.timestamp() * 1000 == START + 4000, "the key picture at peak - 20 s"
    assert alert.window_end.timestamp() * 1000 == LAST + 8000
    assert alert.media is not None
    folder = tmp_path / "data" / "media"
    assert alert.media.clip == f"cam-1/2025-10-09/{incident.id}/clip.mp4"
    samples = video.samples_of(folder / alert.media.clip)
    assert samples[0] == (0.0, 20)
    assert [round(samples[-1][0]), samples[-1][1]] == [30_000, 170]
    assert alert.media.snapshot is not None
    assert video.number_in_jpeg((folder / alert.media.snapshot).read_bytes()) == 120
    assert alert.media.frame_times_s == (15.0, 17.0, 18.0, 18.4, 20.0, 22.0)
    for frame, t_s in zip(alert.media.frames, alert.media.frame_times_s, strict=True):
        assert video.number_in_jpeg((folder / frame).read_bytes()) == round(t_s * 5) + 20
    assert not list(folder.rglob("*.part"))


async def test_the_model_is_asked_with_true_times(
    redis: Redis, private_redis: servers.Server, footage: Any, tmp_path: Path, fake: FakeVllm
) -> None:
    await prepare(redis, footage)
    async with worker(config(private_redis, tmp_path, endpoint=fake.url, max_frames=32)):
        (alert,) = await alerts(redis, 1)
    assert alert.explainer is Explainer.QWEN3_VL
    assert alert.explainer_note == ""
    assert alert.answer is not None
    assert alert.answer.root_cause == good_answer()["root_cause"]
    assert alert.model is not None
    assert alert.model.prompt_tokens == 7000
    indices = fake.requests[0]["media_io_kwargs"]["video"]["frames_indices"]
    assert len(indices) == 32
    assert indices == sorted(indices)
    assert (indices[0], indices[-1]) == (0, 30_000)
    assert all(index % 200 == 0 for index in indices), "times of pictures that were taken"
    text = fake.requests[0]["messages"][1]["content"][1]["text"]
    assert "17.0 ±0.1 s: headway vehicle track 2 -> track 1 = 0.8 ±0.1 s" in text
    assert "about 20.0 s" in text


async def test_the_place_of_the_incident_is_shown_enlarged_behind_the_video(
    redis: Redis, private_redis: servers.Server, footage: Any, tmp_path: Path, fake: FakeVllm
) -> None:
    await prepare(redis, footage, incident=an_incident("cam-1", trigger(box=(0.4, 0.4, 0.2, 0.2))))
    settings = config(private_redis, tmp_path, endpoint=fake.url, frame_width=128, close_ups=3)
    async with worker(settings):
        (alert,) = await alerts(redis, 1)
    assert alert.explainer is Explainer.QWEN3_VL
    video_part, *closer, _ = fake.requests[0]["messages"][1]["content"]
    assert video_part["type"] == "video_url"
    assert [part["text"].split(" s,")[0].split()[-1] for part in closer[::2]] == [
        "19.0", "20.0", "21.0"
    ]  # fmt: skip
    assert all("from 25 to 75 %" in part["text"] for part in closer[::2])
    sizes = {_size_of(part["image_url"]["url"]) for part in closer[1::2]}
    whole = _size_of(video_part["video_url"]["url"].split(",")[1])
    assert whole[0] == 128
    assert all(width >= 1.25 * whole[0] / 2 for width, _ in sizes)


def _size_of(encoded: str) -> tuple[int, int]:
    jpeg = np.frombuffer(base64.b64decode(encoded.split(",")[-1]), np.uint8)
    picture = cv2.imdecode(jpeg, cv2.IMREAD_COLOR)
    assert picture is not None
    return picture.shape[1], picture.shape[0]


@pytest.mark.parametrize(
    ("fault", "note"),
    [("500", "failed"), ("400", "refused"), ("503", "full"), ("broken_json", "could not be read"),
     ("cut_json", "cut off"), ("wrong_schema", "incomplete"), ("html", "could not be read"),
     ("huge_json", "could not be read"), ("dead_connection", "reached"), ("endless", "read"),
     ("silent", "in time")],
)  # fmt: skip
async def test_whatever_the_model_does_the_alert_goes_out_labelled(
    redis: Redis, private_redis: servers.Server, footage: Any, tmp_path: Path, fake: FakeVllm,
    fault: str, note: str,
) -> None:  # fmt: skip
    fake.fault = fault
    await prepare(redis, footage)
    settings = config(private_redis, tmp_path, endpoint=fake.url, max_frames=8, deadline_s=1)
    if fault != "silent":
        settings = config(private_redis, tmp_path, endpoint=fake.url, max_frames=8)
    async with worker(settings):
        (alert,) = await alerts(redis, 1)
        await jobs_done(redis)
    assert alert.stage is Stage.EXPLAINED
    assert alert.explainer is Explainer.EVIDENCE
    assert note in alert.explainer_note
    assert alert.media is not None
    assert alert.media.clip
    assert await redis.xlen(DEAD) == 0


async def test_no_trust_flag_still_gives_a_model_answer(
    redis: Redis, private_redis: servers.Server, footage: Any, tmp_path: Path, fake: FakeVllm
) -> None:
    fake.fault = "no_trust_flag"
    await prepare(redis, footage)
    async with worker(config(private_redis, tmp_path, endpoint=fake.url, max_frames=8)):
        (alert,) = await alerts(redis, 1)
    assert alert.explainer is Explainer.QWEN3_VL


async def test_a_contradicted_answer_is_shown_with_less_confidence(
    redis: Redis, private_redis: servers.Server, footage: Any, tmp_path: Path, fake: FakeVllm
) -> None:
    events = [
        {"t_s": 2.0, "kind": "contact", "actor": "car", "text": "They collide at two seconds."},
        {"t_s": 3.0, "kind": "wrong_way", "actor": "car", "text": "It drives the wrong way."},
        {"t_s": 4.0, "kind": "queue", "actor": "cars", "text": "A queue forms."},
    ]
    fake.answer = good_answer(antecedents=events, incident_type="head_on_collision",
                              root_cause="A car drove the wrong way.")  # fmt: skip
    await prepare(redis, footage)
    async with worker(config(private_redis, tmp_path, endpoint=fake.url, max_frames=8)):
        (alert,) = await alerts(redis, 1)
    assert alert.answer is not None
    assert alert.answer.root_cause == "A car drove the wrong way."
    assert alert.answer.confidence < 0.8
    assert "supported" not in {one.verdict.value for one in alert.verification}


@pytest.mark.parametrize(("score", "stage"), [(1.2, Stage.DISMISSED), (2.5, Stage.EXPLAINED)])
async def test_a_model_that_sees_no_incident(
    redis: Redis, private_redis: servers.Server, footage: Any, tmp_path: Path, fake: FakeVllm,
    score: float, stage: Stage,
) -> None:  # fmt: skip
    fake.answer = good_answer(is_incident=False, incident_type="none")
    weak = trigger(kind=EvidenceKind.HARD_BRAKE, score=score)
    await prepare(redis, footage, incident=an_incident("cam-1", weak))
    async with worker(config(private_redis, tmp_path, endpoint=fake.url, max_frames=8)):
        (alert,) = await alerts(redis, 1)
    assert alert.stage is stage
    assert alert.model is not None
    if stage is Stage.EXPLAINED:
        assert alert.explainer is Explainer.EVIDENCE
        assert "saw no incident" in alert.explainer_note
    else:
        assert alert.explainer is Explainer.QWEN3_VL


async def test_an_extension_is_explained_again_higher(
    redis: Redis, private_redis: servers.Server, footage: Any, tmp_path: Path, fake: FakeVllm
) -> None:
    incident = await prepare(redis, footage)
    async with worker(config(private_redis, tmp_path, endpoint=fake.url, max_frames=8)):
        await alerts(redis, 1)
        await put_job(redis, incident)  # the same again: nothing to add
        longer = replace(incident, triggers=(trigger(), trigger(PEAK + 1500)), last_ms=LAST)
        await jobs_done(redis)
        await IncidentStore(redis).put(longer)
        await put_job(redis, longer)
        both = await alerts(redis, 2)
        await jobs_done(redis)
    assert [alert.revision for alert in both] == [1001, 1002]
    assert len(fake.requests) == 2


async def test_it_waits_for_the_post_roll_on_the_rings_own_time(
    redis: Redis, private_redis: servers.Server, footage: Any, tmp_path: Path
) -> None:
    units, _ = footage
    await prepare(redis, footage, until_ms=PEAK + 1000)
    async with worker(config(private_redis, tmp_path), SystemClock()):
        writer = RingWriter(redis, "cam-1", 120)
        for unit in units:
            if unit.entry_ms > PEAK + 1000:
                await writer.append([unit])
                await CameraStore(redis).put_cursor("cam-1", unit.entry_ms)
        (alert,) = await alerts(redis, 1)
    assert alert.window_end.timestamp() * 1000 == LAST + 8000


async def test_a_camera_that_died_is_explained_with_what_there_is(
    redis: Redis, private_redis: servers.Server, footage: Any, tmp_path: Path
) -> None:
    await prepare(redis, footage, until_ms=PEAK + 1000)
    async with worker(config(private_redis, tmp_path)):
        (alert,) = await alerts(redis, 1)
    assert alert.window_end.timestamp() * 1000 == PEAK + 1000
    assert alert.media is not None
    assert alert.media.clip


async def test_a_watch_that_stands_still_is_not_waited_for_while_the_camera_runs_on(
    redis: Redis, private_redis: servers.Server, footage: Any, tmp_path: Path
) -> None:
    await prepare(redis, footage)
    await CameraStore(redis).put_cursor("cam-1", PEAK)
    clock = FastClock()
    writer = RingWriter(redis, "cam-1", 120)
    running_on = 0
    async with worker(config(private_redis, tmp_path), clock):
        while not await redis.xlen(OUTBOX):
            running_on += 40
            await writer.append([AccessUnit(END + running_on, END + running_on, False, 1, b"x")])
            assert running_on < 40 * 2000
    assert clock.waited_s < 60


async def test_video_that_was_trimmed_away(
    redis: Redis, private_redis: servers.Server, footage: Any, tmp_path: Path, fake: FakeVllm
) -> None:
    await prepare(redis, footage)
    await redis.xtrim("cw:{cam-1}:au", minid=PEAK + 500, approximate=False)
    async with worker(config(private_redis, tmp_path, endpoint=fake.url, lang="zh")):
        (alert,) = await alerts(redis, 1)
    assert alert.media is None
    assert alert.explainer is Explainer.EVIDENCE
    assert alert.explainer_note == "缓冲区中已没有这段视频：没有录像片段，未询问模型。"
    assert alert.answer is not None
    assert fake.requests == []


async def test_part_of_the_video_is_better_than_none(
    redis: Redis, private_redis: servers.Server, footage: Any, tmp_path: Path
) -> None:
    await prepare(redis, footage)
    await redis.xtrim("cw:{cam-1}:au", minid=PEAK - 5500, approximate=False)
    async with worker(config(private_redis, tmp_path)):
        (alert,) = await alerts(redis, 1)
    assert alert.window_start.timestamp() * 1000 == PEAK - 4000
    assert alert.media is not None
    assert alert.media.clip


async def test_a_camera_that_changed_its_resolution_in_the_window(
    redis: Redis, private_redis: servers.Server, footage: Any, tmp_path: Path, fake: FakeVllm
) -> None:
    units, _ = footage
    change = PEAK - 5000
    later = [time_ms for time_ms in video.even(181, 200) if time_ms >= change]
    wide, params = video.encode(later, width=640, height=352, generation=2)
    await prepare(redis, ([unit for unit in units if unit.entry_ms < change] + wide, params))
    async with worker(config(private_redis, tmp_path, endpoint=fake.url, max_frames=16)):
        (alert,) = await alerts(redis, 1)
    assert alert.explainer is Explainer.QWEN3_VL
    assert alert.window_start.timestamp() * 1000 == change
    assert alert.media is not None
    assert alert.media.clip is not None
    samples = video.samples_of(tmp_path / "data" / "media" / alert.media.clip)
    assert samples[0] == (0.0, 0)
    assert len(samples) == len([ms for ms in later if ms <= LAST + 8000])


async def test_a_disk_that_takes_nothing(
    redis: Redis, private_redis: servers.Server, footage: Any, tmp_path: Path, fake: FakeVllm
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "media").write_text("a file where the folder should be")
    await prepare(redis, footage)
    async with worker(config(private_redis, tmp_path, endpoint=fake.url, max_frames=8)):
        (alert,) = await alerts(redis, 1)
    assert alert.media is None
    assert alert.explainer is Explainer.QWEN3_VL, "the model needs no disk"


async def test_video_that_cannot_be_decoded(
    redis: Redis, private_redis: servers.Server, footage: Any, tmp_path: Path, fake: FakeVllm
) -> None:
    units, params = footage
    garbage = [replace(unit, data=b"\x00\x00\x01\x65garbage") for unit in units]
    await prepare(redis, (garbage, params))
    async with worker(config(private_redis, tmp_path, endpoint=fake.url, max_frames=8)):
        (alert,) = await alerts(redis, 1)
    assert alert.explainer is Explainer.EVIDENCE
    assert "could be decoded" in alert.explainer_note
    assert alert.media is None


async def test_what_is_no_job_goes_to_the_dead_letters(
    redis: Redis, private_redis: servers.Server, tmp_path: Path
) -> None:
    await put_work(redis, JOBS, b"{")
    await put_work(redis, JOBS, wire.to_json(Job("cam-1", "cam-1-5")))
    async with worker(config(private_redis, tmp_path)):
        await jobs_done(redis)
    assert {letter.reason for letter in await dead_letters(redis)} == {
        "the payload is not a job", "incident cam-1-5 is not known any more"
    }  # fmt: skip


async def test_a_job_that_kills_its_worker_is_explained_minimally_and_buried(
    redis: Redis, private_redis: servers.Server, footage: Any, tmp_path: Path
) -> None:
    incident = await prepare(redis, footage)
    for attempt in range(2):  # two workers took it and died
        await redis.xgroup_create(JOBS, "analyse", id="0", mkstream=True) if not attempt else None
        await redis.xreadgroup("analyse", "worker-1", {JOBS: ">" if not attempt else "0"})
    async with worker(config(private_redis, tmp_path)):
        (alert,) = await alerts(redis, 1)
        await jobs_done(redis)
    assert alert.id == incident.id
    assert alert.media is None
    assert "failed several times" in alert.explainer_note
    (letter,) = await dead_letters(redis)
    assert "did not end in 2 attempts" in letter.reason


async def test_an_unforeseen_failure_leaves_the_worker_running(
    redis: Redis, private_redis: servers.Server, footage: Any, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    async def broken(*args: object) -> None:
        monkeypatch.undo()
        raise ZeroDivisionError("a bug")

    async def logged() -> bool:
        return "ZeroDivisionError" in caplog.text

    monkeypatch.setattr(incident_module, "read_footage", broken)
    await prepare(redis, footage, "cam-1")
    async with worker(config(private_redis, tmp_path, cameras=("cam-1", "cam-2"))):
        await until(logged)
        await prepare(redis, footage, "cam-2")
        (alert,) = await alerts(redis, 1)
        assert alert.camera == "cam-2"

        async def acknowledged() -> bool:
            return await redis.xlen(JOBS) == 1

        await until(acknowledged)  # after the alert is filed; the failed one comes again


async def test_a_worker_that_dies_loses_nothing(
    redis: Redis, private_redis: servers.Server, footage: Any, tmp_path: Path, fake: FakeVllm
) -> None:
    fake.fault = "slow"
    await prepare(redis, footage)
    settings = config(private_redis, tmp_path, endpoint=fake.url, max_frames=8)
    async with worker(settings):
        await asyncio.wait_for(fake.asked.wait(), 20)
    await asyncio.wait_for(fake.aborted.wait(), 5)
    assert await redis.xlen(OUTBOX) == 0
    fake.fault = "ok"
    async with worker(settings):
        (alert,) = await alerts(redis, 1)
    assert alert.explainer is Explainer.QWEN3_VL


async def test_redis_away_for_a_while(
    private_redis: servers.Server, footage: Any, tmp_path: Path
) -> None:
    async with worker(config(private_redis, tmp_path)) as task:
        private_redis.kill()
        await asyncio.sleep(0.3)
        assert not task.done()
        private_redis.start()
        client = connect(f"redis://127.0.0.1:{private_redis.port}/0")
        try:
            await prepare(client, footage)
            (alert,) = await alerts(client, 1)
        finally:
            await client.aclose()
    assert alert.stage is Stage.EXPLAINED


async def test_one_query_per_camera_and_none_lost_under_load(
    redis: Redis, private_redis: servers.Server, footage: Any, tmp_path: Path, fake: FakeVllm
) -> None:
    cameras = tuple(f"cam-{number}" for number in range(3))
    fake.delay_s = 0.05
    for camera in cameras:
        await prepare(redis, footage, camera)
        other = an_incident(camera, start_ms=PEAK, id=f"{camera}-{PEAK}")
        await IncidentStore(redis).put(other)
        await put_job(redis, other)
    settings = config(private_redis, tmp_path, endpoint=fake.url, cameras=cameras, max_frames=8)
    async with worker(settings):
        found = await alerts(redis, 6)
        await jobs_done(redis)
    assert len({alert.id for alert in found}) == 6
    assert {alert.explainer for alert in found} == {Explainer.QWEN3_VL}
    assert fake.most_running <= 3
