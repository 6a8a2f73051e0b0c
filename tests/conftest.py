"""Fixtures every test may use. Shared servers are never wiped: use unique names."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests import servers

# The same examples every time: a run that fails by chance says nothing of the change under test.
# `--hypothesis-profile=explore` looks for new ones.
settings.register_profile("kept", derandomize=True, deadline=None)
settings.register_profile("explore", max_examples=1_000, deadline=None, print_blob=True)
settings.load_profile("kept")

FOOTAGE = Path(__file__).resolve().parents[2] / "shared" / "footage"


@pytest.fixture(scope="session")
def redis_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """One redis-server for the whole run."""
    with servers.redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server.port


@pytest.fixture(scope="session")
def redis_url(redis_port: int) -> str:
    return f"redis://127.0.0.1:{redis_port}/0"


@pytest.fixture(scope="session")
def mqtt_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """One Mosquitto for the whole run."""
    with servers.mosquitto(tmp_path_factory.mktemp("mosquitto")) as server:
        yield server.port


@pytest.fixture
def camera_id() -> str:
    """A camera name no other test uses."""
    return f"cam-{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="session")
def footage() -> Path:
    """The folder of real clips; the test is skipped where it is absent."""
    if not FOOTAGE.is_dir():
        pytest.skip(f"no real footage beside the checkout ({FOOTAGE.name}/ is absent)")
    return FOOTAGE
