"""Fixtures for tests in a browser: a control room, and the rendered scene."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from monitor.scene import render_to
from tests.control_room import Room, open_room
from tests.staged import Scene


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """The rear-end collision, small, rendered once."""
    film = tmp_path_factory.mktemp("scene") / "rear_end.mp4"
    render_to(film, "rear_end", 0, (640, 360), 25)
    return Scene.load(film)


@pytest.fixture
def more_settings() -> dict[str, Any]:
    """What a test changes of the configuration."""
    return {}


@pytest.fixture
async def room(tmp_path: Path, more_settings: dict[str, Any]) -> AsyncIterator[Room]:
    """A dashboard with a browser on it; afterwards, that it kept to itself and nothing failed."""
    async with open_room(tmp_path, ("north", "east"), **more_settings) as room:
        yield room
        assert room.outside == [], "the dashboard works without the internet"
        assert room.errors == [], "no script fails"
