"""The dashboard as a process: it ends cleanly, frees its viewers, and says why it cannot start."""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path

import httpx
import pytest

from tests import servers, video
from tests.control_room import Room
from tests.dashboards import CameraFeed, dashboard, playing, settings

pytestmark = pytest.mark.timeout(150)


async def test_it_ends_cleanly_after_serving_a_page(tmp_path: Path) -> None:
    with servers.redis_server(tmp_path) as redis, servers.mosquitto(tmp_path) as broker:
        values = settings(tmp_path, ["cam"], redis_port=redis.port, mqtt_port=broker.port,
                          port=servers.free_port())  # fmt: skip
        async with dashboard(values) as process, httpx.AsyncClient() as client:
            page = await client.get(f"http://127.0.0.1:{values['dashboard']['port']}/")
            assert "Harbour Road" in page.text
            began = time.monotonic()
            process.terminate()
            _, errors = await asyncio.wait_for(process.communicate(), 10)
        assert process.returncode == 0, errors.decode()
        assert time.monotonic() - began < 8
        assert b"Traceback" not in errors
        assert b"hunter2" not in errors


async def test_a_port_in_use_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        values = settings(tmp_path, ["cam"], redis_port=1, mqtt_port=1, port=port)
        with pytest.raises((RuntimeError, TimeoutError), match=r"dashboard\.port"):
            async with dashboard(values):
                pass


async def test_leaving_the_page_frees_the_viewer(own_room: Room) -> None:
    units, params = video.encode(video.even(50), gop=25)

    async def viewers() -> float:
        async with httpx.AsyncClient() as client:
            text = (await client.get(f"{own_room.url}/metrics")).text
        line = next(one for one in text.splitlines() if one.startswith("causeway_live_viewers "))
        return float(line.split()[1])

    async with playing(CameraFeed(own_room.redis, "north", units, params)):
        page = await own_room.page()
        await page.wait_for_selector('[data-camera="north"] [data-phase="live"]', timeout=40_000)
        assert await viewers() == 1
        await page.goto(f"{own_room.url}/system")
        async with asyncio.timeout(20):
            while await viewers():  # noqa: ASYNC110 - the metric tells nobody
                await asyncio.sleep(0.1)
