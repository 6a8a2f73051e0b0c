"""Whether a server is well, and whether it has time: asked on the wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from monitor.errors import QueryError
from monitor.query import client as client_module
from monitor.query.client import VisionClient
from tests.vllm_fake import FakeVllm

MODEL = "Qwen/Qwen3-VL-2B-Instruct"


@pytest.fixture
async def fake() -> AsyncIterator[FakeVllm]:
    async with FakeVllm() as server:
        yield server


@pytest.fixture
async def client(fake: FakeVllm) -> AsyncIterator[VisionClient]:
    async with VisionClient(fake.url, MODEL) as made:
        yield made


async def test_a_probe_is_one_word_of_the_engine_and_asks_the_context_again(
    fake: FakeVllm, client: VisionClient
) -> None:
    assert await client.context_length(1) == 32_768
    fake.context = 65_536
    assert await client.context_length(1) == 32_768, "asked once"
    await client.probe()
    assert fake.requests[0]["max_completion_tokens"] == 1
    assert "response_format" not in fake.requests[0]
    assert await client.context_length(1) == 65_536, "it may be another server by now"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("500", "server_error"), ("503", "busy"), ("404", "rejected"), ("html", "malformed"),
     ("dead_connection", "unreachable"), ("silent", "timeout"), ("endless", "malformed")],
)  # fmt: skip
async def test_a_server_that_is_not_well(
    fake: FakeVllm, client: VisionClient, monkeypatch: pytest.MonkeyPatch, fault: str, reason: str
) -> None:
    fake.fault = fault
    if fault == "silent":
        monkeypatch.setattr(client_module, "_PROBE_TIMEOUT_S", 0.2)
    with pytest.raises(QueryError) as caught:
        await client.probe()
    assert caught.value.reason == reason


async def test_how_many_queries_there_are(fake: FakeVllm, client: VisionClient) -> None:
    assert await client.queries_there() == 0
    fake.fault = "slow"
    other = asyncio.create_task(client.probe())
    await fake.asked.wait()
    assert await client.queries_there() == 1
    fake.release.set()
    await other


async def test_a_server_without_metrics_tells_nothing() -> None:
    async with VisionClient("http://127.0.0.1:9/v1", MODEL) as client:
        assert await client.queries_there() is None
