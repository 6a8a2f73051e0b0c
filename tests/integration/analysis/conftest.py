"""What every test of analyse needs: a Redis of its own, a film in its ring, a server of models."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from monitor.buffer.connection import connect
from monitor.domain import AccessUnit
from tests import servers, video
from tests.vllm_fake import FakeVllm


@pytest.fixture
def private_redis(tmp_path: Path) -> Iterator[servers.Server]:
    """Its own server: the work queues are shared by all cameras of a Redis."""
    with servers.redis_server(tmp_path) as server:
        yield server


@pytest.fixture
async def redis(private_redis: servers.Server) -> AsyncIterator[Redis]:
    made = connect(f"redis://127.0.0.1:{private_redis.port}/0")
    yield made
    await made.aclose()


@pytest.fixture(scope="package")
def footage() -> tuple[list[AccessUnit], Any]:
    """36 s at 5 pictures a second, a key picture every 2 s."""
    return video.encode(video.even(181, 200), gop=10)


@pytest.fixture
async def fake() -> AsyncIterator[FakeVllm]:
    async with FakeVllm() as server:
        yield server
