"""A list of models that is none: never an error, never waited for twice, never a wrong name."""

from __future__ import annotations

import asyncio
import traceback
import tracemalloc
from collections.abc import AsyncIterator

import httpx2
import pytest

from monitor.errors import QueryError
from monitor.query import client as client_module
from monitor.query.client import VisionClient
from monitor.query.plain_http import PlainHttp
from monitor.query.served import ServedModel, ServedModels, served_models
from tests.unit.query.test_client import ManualClock
from tests.vllm_fake import MODELS_FAULTS, FakeVllm

MODEL = "Qwen/Qwen3-VL-2B-Instruct"
IT_IS_NONE = "answers, but is no OpenAI-compatible server: is the URL's path right"


@pytest.fixture
async def fake() -> AsyncIterator[FakeVllm]:
    async with FakeVllm() as server:
        yield server


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def client(fake: FakeVllm, clock: ManualClock) -> AsyncIterator[VisionClient]:
    async with VisionClient(fake.url, MODEL, clock=clock) as made:
        yield made


@pytest.mark.parametrize("fault", MODELS_FAULTS)
async def test_a_body_of_any_shape_tells_nothing_and_breaks_nothing(
    fake: FakeVllm, client: VisionClient, fault: str
) -> None:
    fake.models_fault = fault
    await client.use_only_model(1.0)
    assert client.model == MODEL
    assert await client.context_length(8192) == 8192
    await client.probe()  # its engine is well, whatever its front lists


@pytest.mark.parametrize("fault", sorted(set(MODELS_FAULTS) - {"huge", "not_utf8"}))
async def test_who_checks_a_server_is_told_what_it_is_not(fake: FakeVllm, fault: str) -> None:
    fake.models_fault = fault
    async with PlainHttp(fake.url) as http:
        with pytest.raises(QueryError, match=IT_IS_NONE) as caught:
            await http.models()
    assert caught.value.reason == "malformed"


async def test_a_web_server_is_named_as_what_it_is(fake: FakeVllm, client: VisionClient) -> None:
    fake.site()
    with pytest.raises(QueryError, match=IT_IS_NONE) as caught:
        await client.probe()
    assert caught.value.reason == "malformed"


@pytest.mark.parametrize("fault", ["html", "silent", "500"])
async def test_a_failure_is_waited_for_once_and_looked_at_again_later(
    fake: FakeVllm, client: VisionClient, clock: ManualClock, monkeypatch: pytest.MonkeyPatch,
    fault: str,
) -> None:  # fmt: skip
    monkeypatch.setattr(client_module, "_MODELS_TIMEOUT_S", 0.2)
    fake.models_fault = fault
    for _ in range(3):
        assert await client.context_length(8192) == 8192
    assert fake.models_asked == 1
    fake.models_fault = "ok"
    clock.now_s += 11.0
    assert await client.context_length(8192) == 32_768
    clock.now_s += 3600.0
    assert await client.context_length(8192) == 32_768
    assert fake.models_asked == 2, "what is known stays known"


async def test_who_comes_together_asks_once(fake: FakeVllm, client: VisionClient) -> None:
    found = await asyncio.gather(*(client.context_length(8192) for _ in range(5)))
    assert found == [32_768] * 5
    assert fake.models_asked == 1


async def test_a_model_that_is_not_listed_yet_is_looked_for_again(
    fake: FakeVllm, client: VisionClient, clock: ManualClock
) -> None:
    fake.model = "another/model"
    assert await client.context_length(8192) == 8192
    fake.model = MODEL
    assert await client.context_length(8192) == 8192, "not asked for every question"
    clock.now_s += 11.0
    assert await client.context_length(8192) == 32_768


@pytest.mark.parametrize("length", ["-1", "0", "true", '"8192"', "1e3", "1" + "0" * 30, "null"])
def test_a_context_that_makes_no_sense_is_one_not_given(length: str) -> None:
    body = b'{"data": [{"id": "m", "max_model_len": %s, "root": 5}]}' % length.encode()
    assert served_models(body, "http://h/v1") == [ServedModel(id="m")]


ONE_MODEL = b'{"id": "a"}'


@pytest.mark.parametrize("entry", [b"{}", b"1", b'{"id": 7}', b'{"id": ""}', ONE_MODEL])
def test_a_list_of_a_million_is_refused_in_little_memory(entry: bytes) -> None:
    count = 900_000 // (len(entry) + 1)
    body = b'{"data": [' + b",".join([entry] * count) + b"]}"
    tracemalloc.start()
    try:
        with pytest.raises(QueryError, match=IT_IS_NONE) as caught:
            served_models(body, "http://h/v1")
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert caught.value.__cause__ is caught.value.__context__ is None, "they would hold the body"
    assert peak < 30_000_000, "the list once, as the validator shows it to its error"
    assert kept < 200_000


def test_hundreds_of_models_are_a_list_and_over_a_megabyte_is_none() -> None:
    body = b'{"data": [' + b",".join([ONE_MODEL] * 1000) + b"]}"
    assert len(served_models(body, "http://h/v1")) == 1000
    with pytest.raises(QueryError, match=IT_IS_NONE):
        served_models(body + b" " * 1_000_000, "http://h/v1")


def depth(error: BaseException) -> int:
    return len(traceback.extract_tb(error.__traceback__))


async def test_what_is_kept_of_a_failure_does_not_grow(fake: FakeVllm, clock: ManualClock) -> None:
    fake.models_fault = "html"
    raised = []
    async with httpx2.AsyncClient() as http:
        served = ServedModels(http, fake.url, "key", clock)
        for _ in range(4):
            with pytest.raises(QueryError, match=IT_IS_NONE) as caught:
                await served.get(MODEL, 5.0)
            raised.append(caught.value)
    assert fake.models_asked == 1
    assert len({id(one) for one in raised}) == 4
    assert {depth(one) for one in raised} == {depth(raised[0])}
    assert {one.reason for one in raised} == {"malformed"}


async def test_waiting_for_anothers_answer_has_the_same_limit(
    fake: FakeVllm, clock: ManualClock
) -> None:
    fake.models_fault = "silent"
    async with httpx2.AsyncClient(timeout=None) as http:
        served = ServedModels(http, fake.url, "key", clock)
        patient = asyncio.create_task(served.get(MODEL, 3600.0))
        async with asyncio.timeout(20):  # the second stands behind the first
            await asyncio.sleep(0)
            with pytest.raises(QueryError, match=r"no answer within 0\.2 s") as caught:
                await served.get(MODEL, 0.2)
        assert caught.value.reason == "timeout"
        assert not patient.done()
        patient.cancel()
        with pytest.raises(asyncio.CancelledError):
            await patient
