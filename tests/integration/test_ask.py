"""``causeway ask`` as a person runs it: against files, a ring in Redis and a server of models."""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from monitor.buffer.connection import connect
from monitor.buffer.evidence_log import EvidenceLog
from monitor.buffer.incidents import IncidentStore
from monitor.buffer.ring import RingWriter
from monitor.domain import Actor, Evidence, EvidenceKind, Incident, Severity, Trigger
from tests.files import write_backwards, write_picture, write_video
from tests.video import encode, even
from tests.vllm_fake import FakeVllm, good_answer
from workers.cli import main


@dataclass
class Done:
    code: int
    out: str
    err: str
    took_s: float

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found


async def ask(*arguments: str | Path, stdin: bytes = b"") -> Done:
    """The command in a thread of this process: the server it asks is in our event loop."""

    def run() -> Done:
        out, err = io.StringIO(), io.StringIO()
        began = time.monotonic()
        with (
            redirect_stdout(out), redirect_stderr(err), pytest.MonkeyPatch.context() as patch
        ):  # fmt: skip
            patch.setattr(sys, "argv", ["causeway", "ask", *map(str, arguments)])
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
            with pytest.raises(SystemExit) as ended:
                main()
        code = int(ended.value.code or 0)
        return Done(code, out.getvalue(), err.getvalue(), time.monotonic() - began)

    return await asyncio.to_thread(run)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder without streams.yaml, with no setting from outside."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("CAUSEWAY")]:
        monkeypatch.delenv(name)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return write_video(tmp_path / "clip.mp4", even(250, 40, 0))


async def test_the_models_answer_with_true_times_and_the_question_as_data(
    video: Path, tmp_path: Path
) -> None:
    async with FakeVllm(model="some/model") as fake:
        done = await ask(video, "Why did it stop?", "--endpoint", fake.url, "--json")
        request = fake.requests[0]
    assert (done.code, done.err) == (0, "")
    found = done.json
    assert found["explainer"] == "qwen3-vl"
    assert found["answer"]["root_cause"] == good_answer()["root_cause"]
    assert next(one["claim"] for one in found["verification"]) == "root_cause"
    assert found["prompt_version"] == "why-2"
    assert request["model"] == "some/model", "the only one the server has"
    times = request["media_io_kwargs"]["video"]["frames_indices"]
    assert [round(t * 1000) for pair in found["pictures_s"] for t in pair] == times
    assert (times[0], times[-1]) == (0, 9960)
    text = request["messages"][1]["content"][-1]["text"]
    assert '"Why did it stop?"' in text.splitlines()


async def test_options_reach_the_query(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeVllm() as fake:
        monkeypatch.setenv("CAUSEWAY_API_KEY", "hunter2")
        fake.reasoning = "It brakes.\n\nIt is too close."
        done = await ask(
            video, "为什么?", "--endpoint", fake.url, "--mode", "thinking", "--lang", "zh",
            "--frames", "8", "--last", "4s", "--context", "16384", "--model", "x/y"
        )  # fmt: skip
        request, headers = fake.requests[0], fake.headers[0]
    assert done.code == 0
    assert "It is too close." in done.out
    assert headers["authorization"] == "Bearer hunter2"
    assert request["model"] == "x/y"
    assert request["chat_template_kwargs"] == {"enable_thinking": True}
    assert "回答值班人员的问题" in request["messages"][0]["content"]
    times = request["media_io_kwargs"]["video"]["frames_indices"]
    assert len(times) == 8
    assert times[-1] <= 4_040
    assert "16384" not in done.err


@pytest.mark.parametrize("profile", ["describe", "screen"])
async def test_other_profiles_need_no_question_and_measure_no_traffic(
    video: Path, tmp_path: Path, profile: str
) -> None:
    async with FakeVllm() as fake:
        done = await ask(
            video, "--profile", profile, "--endpoint", fake.url, "--json"
        )  # fmt: skip
        text = fake.requests[0]["messages"][1]["content"][-1]["text"]
    assert done.code == 0
    assert (done.json["measured"], done.json["verification"]) == (False, [])
    assert "?" in text


async def test_blind_sends_no_picture(video: Path, tmp_path: Path) -> None:
    async with FakeVllm() as fake:
        done = await ask(video, "Why?", "--blind", "--endpoint", fake.url, "--json")
        content = fake.requests[0]["messages"][1]["content"]
    assert [part["type"] for part in content] == ["text"]
    assert done.json["blind"] is True
    assert done.json["model"]["frames"] == 0


@pytest.mark.parametrize("name", ["one.mp4", "one.jpg"])
async def test_one_picture_is_a_pair_of_itself(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name.endswith("mp4"):
        write_video(path, [0])
    else:
        write_picture(path, 640, 352)
    async with FakeVllm() as fake:
        done = await ask(path, "Why?", "--endpoint", fake.url, "--json")
        request = fake.requests[0]
    assert done.code == 0
    sent = request["media_io_kwargs"]["video"]
    assert (sent["frames_indices"], sent["total_num_frames"]) == ([0, 0], 2)


async def test_five_hours(tmp_path: Path) -> None:
    path = write_video(tmp_path / "long.mkv", range(0, 18_000_000, 5000), size=(64, 64))
    async with FakeVllm() as fake:
        done = await ask(path, "Why?", "--endpoint", fake.url, "--json")
        times = fake.requests[0]["media_io_kwargs"]["video"]["frames_indices"]
    assert done.code == 0
    assert (times[0], times[-1]) == (0, 17_995_000)
    assert done.json["notes"] == [
        "Nothing was measured: that is done in up to 3 minutes (--last, --at)."
    ]
    assert done.took_s < 20


async def test_a_moment_of_five_hours_is_measured(tmp_path: Path) -> None:
    path = write_video(tmp_path / "long.mkv", range(0, 18_000_000, 5000), size=(64, 64))
    done = await ask(path, "Why?", "--at", "2:30:00", "--json")
    assert done.json["measured"] is True
    assert done.json["window"] == {"start_s": 8980.0, "end_s": 9005.0}
    late = await ask(path, "Why?", "--at", "6:00:00")
    assert late.code == 1
    assert "is after the end" in late.err


async def test_without_an_endpoint_it_is_labelled_and_never_made_up(
    video: Path, tmp_path: Path
) -> None:
    done = await ask(video, "Why?", "--json")
    assert done.code == 1, "nothing was measured on bars: there is no answer"
    assert (done.json["explainer"], done.json["answer"]) == (None, None)
    assert done.json["explainer_note"] == "No model is configured."
    assert "--endpoint" in done.json["hint"]


async def test_times_that_go_back_are_said(tmp_path: Path) -> None:
    done = await ask(write_backwards(tmp_path / "a.ts"), "Why?")
    assert "25 pictures were left out: their times go back or stand still." in done.out


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("html", "The model's answer could not be read."),
        ("huge_json", "The model's answer could not be read."),
        ("silent", "The model did not answer in time."),
        ("endless", "The model's answer could not be read."),
        ("500", "The model failed."),
        ("dead_connection", "The model could not be reached."),
    ],
)
async def test_an_endpoint_that_fails_is_said_in_bounded_time(
    video: Path, tmp_path: Path, fault: str, says: str
) -> None:
    async with FakeVllm() as fake:
        fake.fault = fault
        done = await ask(video, "Why?", "--endpoint", fake.url, "--deadline-s", "8")
    assert done.code == 1
    assert says in done.out
    assert "causeway vllm --check" in " ".join(done.out.split()), "and what to do"
    assert done.took_s < 30


def cut(path: Path, share: float) -> Path:
    """The beginning of a file whose header speaks of all of it."""
    whole = path.read_bytes()
    path.write_bytes(whole[: round(share * len(whole))])
    return path


@pytest.mark.parametrize("seconds", [10, 400])
async def test_a_file_cut_in_half_is_said(tmp_path: Path, seconds: int) -> None:
    times = range(0, 1000 * seconds, 2 * seconds)  # 500 pictures
    path = write_video(tmp_path / "a.mkv", times, size=(64, 64))
    async with FakeVllm() as fake:
        whole = await ask(path, "Why?", "--endpoint", fake.url, "--json")
        half = await ask(cut(path, 0.5), "Why?", "--endpoint", fake.url, "--json")
    assert not [note for note in whole.json["notes"] if "cut short" in note]
    (note,) = [note for note in half.json["notes"] if "cut short" in note]
    assert ("0:10.0" if seconds == 10 else "6:3") in note
    assert half.json["answer"] is not None


@pytest.mark.parametrize("models_fault", ["ok", "silent"])
async def test_a_silent_endpoint_is_not_waited_for_longer_than_the_deadline(
    video: Path, models_fault: str
) -> None:
    measuring = (await ask(video, "Why?")).took_s
    async with FakeVllm() as fake:
        fake.fault, fake.models_fault = "silent", models_fault
        done = await ask(video, "Why?", "--endpoint", fake.url, "--deadline-s", "2")
    assert "The model did not answer in time. (no answer within 2 s)" in " ".join(done.out.split())
    assert done.took_s - measuring < 2 + 3, "less than one wait for the list more"
    assert (fake.models_asked, len(fake.requests)) == (1, 1), "and the question was asked"


async def test_a_server_that_only_does_not_list_its_models_is_asked(video: Path) -> None:
    async with FakeVllm() as fake:
        fake.models_fault = "silent"
        done = await ask(video, "Why?", "--endpoint", fake.url, "--deadline-s", "4", "--json")
    assert (done.code, done.json["explainer"]) == (0, "qwen3-vl")


async def test_a_web_page_at_every_address_is_named_as_what_it_is(video: Path) -> None:
    async with FakeVllm() as fake:
        fake.site()
        done = await ask(video, "Why?", "--endpoint", fake.url)
    assert (done.code, done.err) == (1, "")
    words = " ".join(done.out.split())
    assert "is no OpenAI-compatible server: is the URL's path right (…/v1)?" in words


@pytest.mark.parametrize("fault", ["html", "null", "list", "string", "number_for_data"])
async def test_a_list_of_models_that_is_none_costs_no_answer(video: Path, fault: str) -> None:
    async with FakeVllm() as fake:
        fake.models_fault = fault
        done = await ask(video, "Why?", "--endpoint", fake.url, "--json")
    assert (done.code, done.json["explainer"]) == (0, "qwen3-vl")


async def test_bad_files_and_questions(video: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("no video\n" * 1000)
    megabyte = b"why? " * 200_000
    cases: list[tuple[tuple[str | Path, ...], bytes, int, str]] = [
        (
            (text, "Why?"),
            b"",
            1,
            "is no video or picture that can be read: if a player shows it, convert it",
        ),
        ((write_picture(tmp_path / "b.png", 10_000, 10_000), "?"), b"", 1, "over 50 megapixels"),
        ((video, ""), b"", 2, "the question is empty"),
        ((video,), b"", 2, "say what you want to know"),
        ((video, "-"), megabyte, 2, "a question has at most 1000 characters"),
        (("none.mp4", "Why?"), b"", 2, "neither a file nor a camera"),
        ((video, "Why?", "--frames", "7"), b"", 2, "--frames"),
        ((video, "Why?", "--last", "soon"), b"", 2, "write 90s, 3m"),
        ((video, "Why?", "--profile", "incident"), b"", 2, "asks its own question"),
    ]
    for arguments, stdin, code, says in cases:
        done = await ask(*arguments, stdin=stdin)
        assert (done.code, done.out) == (code, ""), arguments
        assert says in done.err
        assert done.err.count("\n") == 1
        assert done.took_s < 15


def _incident(camera: str, peak_ms: int) -> Incident:
    trigger = Trigger(
        EvidenceKind.HARD_BRAKE, peak_ms, peak_ms + 400, 2.0, "braking", (0.4, 0.4, 0.2, 0.2)
    )
    return Incident(
        f"{camera}-{peak_ms}", camera, Severity.HIGH, peak_ms, peak_ms, peak_ms, (trigger,)
    )


async def test_a_cameras_last_minutes(tmp_path: Path, redis_url: str, camera_id: str) -> None:
    times = even(200)
    units, params = encode(times)
    seen = Evidence("hard_brake-1", EvidenceKind.HARD_BRAKE, times[120], Actor.VEHICLE, 0.9, 1)
    redis = connect(redis_url)
    try:
        writer = RingWriter(redis, camera_id, 120)
        await writer.put_codec(params)
        await writer.append(units)
        await EvidenceLog(redis).append(camera_id, [seen])
        await IncidentStore(redis).put(_incident(camera_id, times[120]))
    finally:
        await redis.aclose()
    (tmp_path / "streams.yaml").write_text(
        "site: {id: a}\nquery: {frame_width: 96, close_ups: 1}\n"
        f"redis: {{url: '{redis_url}'}}\n"
        f"cameras:\n  - {{id: {camera_id}, url: 'rtsp://127.0.0.1:1/x'}}\n"
        "  - {id: empty, url: 'rtsp://127.0.0.1:1/x'}\n"
    )
    async with FakeVllm() as fake:
        done = await ask(camera_id, "Why?", "--last", "3m", "--endpoint", fake.url, "--json")
        content = fake.requests[0]["messages"][1]["content"]
        indices = fake.requests[0]["media_io_kwargs"]["video"]["frames_indices"]
    assert done.code == 0, done.err
    assert "E1. 4.8 s: hard_brake" in content[-1]["text"]
    assert [part["type"] for part in content] == ["video_url", "text", "image_url", "text"]
    assert content[1]["text"].startswith("Enlarged part of the picture at 4.8 s, from 25 to 75 %")
    assert (indices[0], indices[-1]) == (0, 199 * 40)
    assert done.json["window"]["start"].startswith("2025-10-09T")
    assert done.json["notes"] == ["The ring holds 8 s of this camera's video."]
    nothing = await ask("empty", "Why?")
    assert nothing.code == 1
    assert "no video of empty in its ring" in nothing.err
    long = await ask(camera_id, "Why?", "--last", "1h")
    assert long.code == 2
    assert "at most the last 3 minutes" in long.err
