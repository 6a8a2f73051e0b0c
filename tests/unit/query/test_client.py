"""Against a server on the wire: the exact format, and a bounded end whatever it does."""

from __future__ import annotations

import asyncio
import base64
import json
import tracemalloc
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest

from monitor.domain import Actor, Evidence, EvidenceKind, Window
from monitor.errors import QueryError
from monitor.media.stills import Still
from monitor.query.ask import AskSettings, ModelAnswer, ask, picture_budget
from monitor.query.client import VisionClient
from monitor.query.close_ups import CloseUp
from monitor.query.failure import brief
from monitor.query.question import Shot, budget, shots
from monitor.query.rulebook import RuleBook, rulebook
from monitor.query.sampling import Pair
from tests.vllm_fake import FakeVllm, good_answer

WINDOW = Window(1_760_000_000_000, 1_760_000_028_000)
MODEL = "Qwen/Qwen3-VL-2B-Instruct"
HEADWAY = Evidence(
    "headway-2-1", EvidenceKind.HEADWAY, WINDOW.start_ms + 17_200, Actor.VEHICLE, 0.9
)


class ManualClock:
    """Monotonic time as the test sets it."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def wall_ms(self) -> int:
        return WINDOW.end_ms

    def monotonic_s(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.now_s += seconds


def still(ms: int, name: bytes = b"") -> Still:
    return Still(WINDOW.start_ms + ms, 640, 352, b"jpeg-%d" % ms + name)


def shot(first: int, second: int) -> Shot:
    return Shot(Pair(first, second), still(first), still(second))


SHOTS = (shot(0, 200), shot(17_100, 17_300), shot(28_000, 28_000))


@pytest.fixture
async def fake() -> AsyncIterator[FakeVllm]:
    async with FakeVllm() as server:
        yield server


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def client(fake: FakeVllm, clock: ManualClock) -> AsyncIterator[VisionClient]:
    async with VisionClient(fake.url, MODEL, api_key="key-1", clock=clock) as made:
        yield made


@pytest.fixture(scope="module")
def book() -> RuleBook:
    return rulebook("generic")


def settings(mode: str = "standard", lang: str = "en") -> AskSettings:
    return AskSettings(
        lang="zh" if lang == "zh" else "en",
        mode="thinking" if mode == "thinking" else "standard",
        traffic_side="right",
        max_frames=64,
        max_output_tokens=2048,
    )


async def put(
    client: VisionClient, book: RuleBook, clock: ManualClock, *, mode: str = "standard",
    deadline_s: float = 20.0, close_ups: Sequence[CloseUp] = (),
) -> ModelAnswer:  # fmt: skip
    return await ask(
        client, SHOTS, [HEADWAY], WINDOW, peak_ms=WINDOW.start_ms + 20_000, rulebook=book,
        settings=settings(mode), deadline_s=deadline_s, clock=clock, close_ups=close_ups,
    )  # fmt: skip


async def test_the_request_has_true_times_and_the_fixed_part_first(
    fake: FakeVllm, client: VisionClient, book: RuleBook, clock: ManualClock
) -> None:
    found = await put(client, book, clock)
    request = fake.requests[0]
    assert request["media_io_kwargs"] == {
        "video": {
            "fps": 1000, "frames_indices": [0, 200, 17_100, 17_300, 28_000, 28_000],
            "total_num_frames": 28_001, "num_frames": -1, "do_sample_frames": False,
        }
    }  # fmt: skip
    system, user = request["messages"]
    assert system["role"] == "system"
    assert "28.0" not in system["content"]
    pictures, text = user["content"]
    assert pictures["type"] == "video_url"
    prefix, *encoded = pictures["video_url"]["url"].replace("base64,", "base64;,", 1).split(",")
    assert prefix == "data:video/jpeg;base64;"
    assert [base64.b64decode(part) for part in encoded] == [
        part.jpeg for pair in SHOTS for part in (pair.first, pair.second)
    ]
    assert "17.2 s: headway" in text["text"]
    assert request["response_format"]["json_schema"]["schema"]["properties"]["antecedents"]
    assert "num_frames" in request["media_io_kwargs"]["video"]
    assert request["chat_template_kwargs"] == {"enable_thinking": False}
    assert fake.headers[0]["authorization"] == "Bearer key-1"
    assert found.answer.root_cause == good_answer()["root_cause"]
    assert found.answer.rules == ("gen-two-seconds",)
    assert (found.run.prompt_tokens, found.run.mode) == (7000, "standard")
    assert found.frames_as == "video"
    assert found.prompt_version == "incident-3"


async def test_thought_is_kept_apart_from_the_answer(
    fake: FakeVllm, client: VisionClient, book: RuleBook, clock: ManualClock
) -> None:
    fake.reasoning = "First the van.\n\nThen the car."
    plain = {key: value for key, value in good_answer().items() if key != "thinking"}
    fake.answer = plain
    heard: list[tuple[str, str]] = []
    found = await ask(
        client, SHOTS, [HEADWAY], WINDOW, peak_ms=WINDOW.start_ms, rulebook=book,
        settings=settings("thinking"), deadline_s=20, clock=clock,
        on_delta=lambda thought, answer: heard.append((thought, answer)),
    )  # fmt: skip
    assert found.answer.thinking == ("First the van.", "Then the car.")
    assert found.run.mode == "thinking"
    assert "".join(thought for thought, _ in heard) == fake.reasoning
    assert (
        "thinking" not in fake.requests[0]["response_format"]["json_schema"]["schema"]["required"]
    )
    assert fake.requests[0]["max_completion_tokens"] == 4096


async def test_without_the_trust_flag_pictures_go_with_their_times_in_words(
    fake: FakeVllm, client: VisionClient, book: RuleBook, clock: ManualClock
) -> None:
    fake.fault = "no_trust_flag"
    found = await put(client, book, clock)
    assert found.frames_as == "images"
    content = fake.requests[1]["messages"][1]["content"]
    assert [part["text"] for part in content[:-1] if part["type"] == "text"] == [
        "<0.0 seconds>", "<0.2 seconds>", "<17.1 seconds>", "<17.3 seconds>", "<28.0 seconds>"
    ]  # fmt: skip
    assert content[1]["image_url"]["url"].startswith("data:image/jpeg;base64,")
    assert "media_io_kwargs" not in fake.requests[1]

    await put(client, book, clock)
    assert len(fake.requests) == 3, "the refusal is remembered"
    clock.now_s += 901
    await put(client, book, clock)
    assert len(fake.requests) == 5, "and tried again after a quarter of an hour"


PART = (0.25, 0.5, 0.2, 0.125)


def close_up(ms: int, size: tuple[int, int] = (256, 160)) -> CloseUp:
    return CloseUp(PART, Still(WINDOW.start_ms + ms, *size, b"close-%d" % ms))


async def test_close_ups_come_behind_the_pictures_each_after_its_time_and_place(
    fake: FakeVllm, client: VisionClient, book: RuleBook, clock: ManualClock
) -> None:
    await put(client, book, clock, close_ups=[close_up(20_000), close_up(19_000)])
    video, *parts, text = fake.requests[0]["messages"][1]["content"]
    assert video["type"] == "video_url"
    assert [part.get("text") for part in parts[::2]] == [
        f"Enlarged part of the picture at {t_s} s, from 25 to 45 % of its width and 50 to 62 % "
        "of its height:"
        for t_s in ("19.0", "20.0")
    ]
    assert [base64.b64decode(p["image_url"]["url"].split(",")[1]) for p in parts[1::2]] == [
        b"close-19000", b"close-20000"
    ]  # fmt: skip
    assert "17.2 s: headway" in text["text"]


@pytest.mark.parametrize(("room", "fit"), [(0, 0), (1, 1), (2, 2), (9, 2)])
async def test_close_ups_take_only_the_room_that_the_pictures_leave_most_telling_first(
    fake: FakeVllm, book: RuleBook, clock: ManualClock, room: int, fit: int
) -> None:
    most = [close_up(20_000), close_up(19_000)]
    one = 11 * 7 + 2 + 8 + 48  # enlarged by the server to 64 patches or more
    fake.context = 2048 + 4500 + len(SHOTS) * (220 + 8) + room * one + 1
    async with VisionClient(fake.url, MODEL, clock=clock) as client:
        await put(client, book, clock, close_ups=most)
    sent = json.dumps(fake.requests[0])
    there = [base64.b64encode(each.still.jpeg).decode() in sent for each in most]
    assert there == [number < fit for number in range(2)]


async def test_a_server_that_takes_no_images_is_asked_without_close_ups_and_that_is_remembered(
    fake: FakeVllm, client: VisionClient, book: RuleBook, clock: ManualClock
) -> None:
    fake.fault = "no_images"
    for asked in (2, 3):
        found = await put(client, book, clock, close_ups=[close_up(20_000)])
        assert found.frames_as == "video"
        assert len(fake.requests) == asked
    clock.now_s += 901
    await put(client, book, clock, close_ups=[close_up(20_000)])
    assert len(fake.requests) == 5


async def test_a_blind_question_has_no_close_ups(
    fake: FakeVllm, client: VisionClient, book: RuleBook, clock: ManualClock
) -> None:
    await ask(
        client, SHOTS, [HEADWAY], WINDOW, peak_ms=WINDOW.start_ms, rulebook=book,
        settings=replace(settings(), blind=True), deadline_s=20, clock=clock,
        close_ups=[close_up(20_000)],
    )  # fmt: skip
    assert [part["type"] for part in fake.requests[0]["messages"][1]["content"]] == ["text"]


async def test_images_that_do_not_fit_the_context_are_thinned(
    fake: FakeVllm, book: RuleBook, clock: ManualClock
) -> None:
    fake.fault, fake.context = "no_trust_flag", 2048 + 4500 + 240 * 3
    async with VisionClient(fake.url, MODEL, clock=clock) as client:
        await put(client, book, clock)
    texts = [part.get("text") for part in fake.requests[1]["messages"][1]["content"][:-1]]
    assert [text for text in texts if text] == ["<0.0 seconds>", "<17.1 seconds>", "<28.0 seconds>"]


@pytest.mark.parametrize(
    ("fault", "reason", "requests"),
    [("400", "rejected", 1), ("401", "rejected", 1), ("404", "rejected", 1),
     ("500", "server_error", 2), ("503", "busy", 1), ("dead_connection", "unreachable", 2),
     ("broken_json", "malformed", 1), ("cut_json", "cut", 1), ("wrong_schema", "schema", 1),
     ("html", "malformed", 1), ("huge_json", "malformed", 1), ("endless", "malformed", 1),
     ("error_event", "server_error", 2), ("gzip", "malformed", 1), ("huge_error", "rejected", 1),
     ("endless_line", "malformed", 1), ("stops_in_the_middle", "unreachable", 2),
     ("deep_event", "malformed", 1), ("no_charset", "rejected", 1)],
)  # fmt: skip
async def test_every_fault_ends_in_a_reason(
    fake: FakeVllm, client: VisionClient, book: RuleBook, clock: ManualClock, fault: str,
    reason: str, requests: int,
) -> None:  # fmt: skip
    fake.fault = fault
    with pytest.raises(QueryError) as caught:
        await put(client, book, clock)
    assert caught.value.reason == reason
    assert len(fake.requests) == requests
    assert len(str(caught.value)) < 300
    assert "AAAA" not in str(caught.value)
    fake.fault = "ok"
    assert (await put(client, book, clock)).answer.is_incident, "the next question is answered"


@pytest.mark.parametrize("fault", ["500_then_ok", "dead_then_ok", "garbage_events"])
async def test_what_passes_by_is_survived(
    fake: FakeVllm, client: VisionClient, book: RuleBook, clock: ManualClock, fault: str
) -> None:
    fake.fault = fault
    assert (await put(client, book, clock)).answer.is_incident


@pytest.mark.parametrize("fault", ["silent", "slow"])
async def test_a_deadline_ends_the_wait_and_the_work(
    fake: FakeVllm, client: VisionClient, book: RuleBook, clock: ManualClock, fault: str
) -> None:
    fake.fault = fault
    with pytest.raises(QueryError) as caught:
        await put(client, book, clock, deadline_s=0.2)
    assert caught.value.reason == "timeout"
    await asyncio.wait_for(fake.aborted.wait(), 5)


async def test_cancelling_closes_the_connection(
    fake: FakeVllm, client: VisionClient, book: RuleBook, clock: ManualClock
) -> None:
    fake.fault = "slow"
    task = asyncio.ensure_future(put(client, book, clock))
    await asyncio.wait_for(fake.asked.wait(), 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(fake.aborted.wait(), 5)


async def test_nobody_listens(book: RuleBook, clock: ManualClock) -> None:
    async with FakeVllm() as gone:
        url = gone.url
    async with VisionClient(url, MODEL, clock=clock) as client:
        with pytest.raises(QueryError) as caught:
            await put(client, book, clock)
        assert caught.value.reason == "unreachable"
        assert await client.context_length(32_768) == 32_768


async def test_thirty_megabytes_are_not_taken_into_memory(
    fake: FakeVllm, book: RuleBook, clock: ManualClock
) -> None:
    fake.fault = "endless_line"
    async with VisionClient(fake.url, MODEL, clock=clock, max_response_bytes=4_000_000) as client:
        tracemalloc.start()
        try:
            with pytest.raises(QueryError):
                await put(client, book, clock)
            _, peak_bytes = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak_bytes < 24_000_000


async def test_no_picture_no_question(
    fake: FakeVllm, client: VisionClient, book: RuleBook, clock: ManualClock
) -> None:
    with pytest.raises(QueryError) as caught:
        await ask(
            client, [], [], WINDOW, peak_ms=WINDOW.start_ms, rulebook=book, settings=settings(),
            deadline_s=5, clock=clock,
        )  # fmt: skip
    assert caught.value.reason == "no_frames"
    assert fake.requests == []


async def test_the_budget_follows_the_server(fake: FakeVllm, clock: ManualClock) -> None:
    async with VisionClient(fake.url, MODEL, clock=clock) as client:
        assert (await picture_budget(client, (640, 352), settings())).pairs == 32
    fake.context = 8192
    async with VisionClient(fake.url, MODEL, clock=clock) as client:
        assert (await picture_budget(client, (640, 352), settings())).pairs == (8192 - 6548) // 228


def test_the_videos_pixel_budget_is_kept() -> None:
    for size in [(640, 352), (1280, 704), (1920, 1088)]:
        room = budget(
            size, frames_as="video", max_frames=128, context_length=10**6, max_output_tokens=2048
        )
        assert room.pairs * 2 * size[0] * size[1] <= 25_165_824
        assert (room.pairs + 1) * 2 * size[0] * size[1] > 25_165_824 or room.pairs == 64


def test_pairs_that_lost_a_picture() -> None:
    odd = Still(WINDOW.start_ms + 900, 320, 192, b"")
    pairs = [Pair(0, 200), Pair(400, 600), Pair(800, 900), Pair(1000, 1200)]
    found = shots(
        pairs,
        [still(0), still(200), None, still(600), still(800), odd, None, None],
        WINDOW,
    )
    assert [one.pair for one in found] == [Pair(0, 200), Pair(600, 600), Pair(800, 800)]
    assert found[1].first is found[1].second
    assert shots([], [], WINDOW) == ()


def test_long_errors_are_cut_for_the_log() -> None:
    assert brief("bad\nimage data:image/jpeg;base64,AAAA here") == "bad image data:… here"
    assert len(brief("x " * 100_000)) == 200
