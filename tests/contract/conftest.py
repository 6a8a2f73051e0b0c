"""The servers of the contract tests: each is started by the first test that needs it
and ended with its module, so that one at a time takes memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from monitor.query.client import VisionClient
from tests.contract.vllm_server import (
    API_KEY,
    COMMON,
    MODEL,
    THINKING,
    TRUSTED,
    VENV,
    VllmServer,
    checkpoint,
)


@pytest.fixture(scope="module")
def vllm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VllmServer]:
    """Instruct, with the flag that lets a request give its pictures' times."""
    if not VENV.is_dir():
        pytest.skip(f"no {VENV.name}/ here: `make test-contract` builds it")
    log = tmp_path_factory.mktemp("vllm") / "instruct.log"
    server = VllmServer(checkpoint(thinking=False), (*COMMON, *TRUSTED), log)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def _untrusting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VllmServer]:
    if not VENV.is_dir():
        pytest.skip(f"no {VENV.name}/ here: `make test-contract` builds it")
    log = tmp_path_factory.mktemp("vllm") / "thinking.log"
    server = VllmServer(checkpoint(thinking=True), (*COMMON, *THINKING), log)
    yield server
    server.stop()


@pytest.fixture
def untrusting(_untrusting: VllmServer) -> VllmServer:
    """Thinking, without that flag; started again if a test has killed it."""
    if not _untrusting.alive:
        _untrusting.start()
    return _untrusting


@pytest.fixture
async def client(vllm: VllmServer) -> AsyncIterator[VisionClient]:
    """The product's own client, connected."""
    async with VisionClient(vllm.endpoint, MODEL, api_key=API_KEY) as opened:
        yield opened
