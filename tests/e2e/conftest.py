"""Fixtures for tests in a browser: a control room, and the rendered scene."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from monitor.scene import render_to
from tests.control_room import Room, open_room
from tests.staged import Scene

CAMERAS = ("north", "east", "south", "west")


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """The rear-end collision, small, rendered once."""
    film = tmp_path_factory.mktemp("scene") / "rear_end.mp4"
    render_to(film, "rear_end", 0, (640, 360), 25)
    return Scene.load(film)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def room(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Room]:
    """One dashboard for a module's tests, each of which has a camera to itself."""
    async with checked(tmp_path_factory.mktemp("room")) as room:
        yield room


@pytest.fixture
def more_settings() -> dict[str, Any]:
    """What a test changes of the configuration of its own room."""
    return {}


@pytest.fixture
async def own_room(tmp_path: Path, more_settings: dict[str, Any]) -> AsyncIterator[Room]:
    """A dashboard for a test that breaks or configures it."""
    async with checked(tmp_path, **more_settings) as room:
        yield room


@asynccontextmanager
async def checked(folder: Path, **more: Any) -> AsyncIterator[Room]:
    """A room; afterwards, that it kept to itself and that nothing failed."""
    async with open_room(folder, CAMERAS, **more) as room:
        yield room
        assert room.outside == [], "the dashboard works without the internet"
        assert room.errors == [], "no script fails"
