"""Redis away at start, killed, frozen, full: ingest waits, keeps what it can, and goes on."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from monitor.capture import annexb
from monitor.capture.rtsp_server import Route, RtspServer
from monitor.domain import CameraStatus
from tests.ingesting import config_of, film, ingesting, logged
from tests.servers import Server, free_port, redis_server


@pytest.fixture
async def camera() -> AsyncIterator[RtspServer]:
    async with RtspServer([Route("/cam", film())]) as server:
        yield server


def url(server: Server) -> str:
    return f"redis://127.0.0.1:{server.port}/0"


async def test_redis_that_comes_later(
    camera: RtspServer, camera_id: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with redis_server(tmp_path) as server:
        server.stop()
        config = config_of(url(server), {camera_id: camera.url("/cam")})
        async with ingesting(config) as run:
            async with logged("waiting for Redis"):
                pass
            server.start()
            await run.state(camera_id, CameraStatus.ONLINE)
            await run.more_units(camera_id, 20)
    assert caplog.text.count("waiting for Redis") == 1


async def test_it_can_be_stopped_while_redis_is_away(camera: RtspServer, camera_id: str) -> None:
    config = config_of(f"redis://127.0.0.1:{free_port()}/0", {camera_id: camera.url("/cam")})
    async with ingesting(config) as run:
        run.stop.set()
        async with asyncio.timeout(5):
            await run.task


async def test_a_restarted_redis_gets_what_was_read_meanwhile(
    camera: RtspServer, camera_id: str, tmp_path: Path
) -> None:
    with redis_server(tmp_path) as server:
        config = config_of(url(server), {camera_id: camera.url("/cam")})
        async with ingesting(config) as run:
            last = (await run.more_units(camera_id, 30))[-1]
            async with logged("cannot be written"):
                server.kill()
            server.start()
            state = await run.state(camera_id, CameraStatus.ONLINE)
            await run.more_units(camera_id, 30)
            units = await run.units(camera_id)
            params = await run.ring(camera_id).codec(1)
    # The new Redis is empty, and what came while it was away is in it, without a hole.
    assert 0 <= units[0].entry_ms - last.entry_ms < 500
    assert {b.entry_ms - a.entry_ms for a, b in pairwise(units)} <= {39, 40, 41}
    assert params is not None
    assert params.width == 320
    assert state.reconnects == 0  # the camera never noticed


async def test_a_frozen_redis_is_away_and_loses_nothing(
    camera: RtspServer, camera_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.buffer.connection.ANSWER_TIMEOUT_S", 0.5)
    with redis_server(tmp_path) as server:
        config = config_of(url(server), {camera_id: camera.url("/cam")})
        async with ingesting(config) as run:
            await run.more_units(camera_id, 30)
            assert server.process is not None
            server.process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(1.5)  # longer than an answer may take
            server.process.send_signal(signal.SIGCONT)
            await run.more_units(camera_id, 50)
            units = await run.units(camera_id)
    assert {b.entry_ms - a.entry_ms for a, b in pairwise(units)} <= {39, 40, 41}


async def test_a_full_redis_is_waited_for(
    camera: RtspServer, camera_id: str, tmp_path: Path
) -> None:
    with redis_server(tmp_path, "--maxmemory-policy", "noeviction") as server:
        config = config_of(url(server), {camera_id: camera.url("/cam")})
        async with ingesting(config) as run:
            await run.more_units(camera_id, 30)
            async with logged("Redis is full"):
                await run.redis.config_set("maxmemory", "1000")
            await run.redis.config_set("maxmemory", "0")
            # The state while it was full could not be stored; now the camera is online again.
            await run.more_units(camera_id, 30)
            state = await run.state(camera_id, CameraStatus.ONLINE)
            units = await run.units(camera_id)
            assert not run.task.done()
    assert state.reconnects == 0
    assert {b.entry_ms - a.entry_ms for a, b in pairwise(units)} <= {39, 40, 41}


async def test_a_redis_too_small_keeps_the_newest_and_says_so(
    camera_id: str, tmp_path: Path
) -> None:
    filler = annexb.START_CODE + b"\x0c" + b"\xff" * 20_000 + b"\x80"  # 4 Mb/s of nothing
    source = film()
    units = tuple(replace(unit, data=unit.data + filler) for unit in source.units)
    async with RtspServer([Route("/cam", replace(source, units=units))]) as camera:
        with redis_server(tmp_path, "--maxmemory-policy", "noeviction") as server:
            config = config_of(url(server), {camera_id: camera.url("/cam")})
            async with ingesting(config) as run:
                await run.more_units(camera_id, 150)
                used = int((await run.redis.info("memory"))["used_memory"])
                await run.redis.config_set("maxmemory", used)
                state = await run.state(camera_id, CameraStatus.BUFFER_FULL)
                assert re.fullmatch(r"Redis is full: only the last \d+ s .* kept", state.detail)
                await run.more_units(camera_id, 100)
                await run.redis.config_set("maxmemory", 0)
                kept = await run.units(camera_id)
    assert {b.entry_ms - a.entry_ms for a, b in pairwise(kept)} <= {39, 40, 41}


async def test_a_ring_that_cannot_be_written_shows_as_a_state(
    camera: RtspServer, camera_id: str, tmp_path: Path
) -> None:
    """Redis refuses this camera's ring alone: a key of another type stands in its place."""
    with redis_server(tmp_path) as server:
        config = config_of(url(server), {camera_id: camera.url("/cam")})
        async with ingesting(config) as run:
            await run.more_units(camera_id, 20)
            key = f"cw:{{{camera_id}}}:au"
            await run.redis.delete(key)
            await run.redis.set(key, b"in the way")
            state = await run.state(camera_id, CameraStatus.BUFFER_AWAY)
            assert "WRONGTYPE" in state.detail
            await run.redis.delete(key)
            await run.state(camera_id, CameraStatus.ONLINE)
            await run.more_units(camera_id, 20)
