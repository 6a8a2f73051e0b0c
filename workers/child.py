"""One child process: started so that it cannot outlive us, its output passed on line by line."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from monitor.parental import die_with

_CHUNK_BYTES: Final = 1 << 16
_LINE_MAX_BYTES: Final = 1 << 15
_DRAIN_S: Final = 1.0

Sink = Callable[[str], None]
"""Takes one line of output, without its end."""


class Child:
    """A process in a session of its own, so that a Ctrl-C in the terminal is ours to handle."""

    def __init__(self, process: asyncio.subprocess.Process, sink: Sink) -> None:
        self._process = process
        self._pump = asyncio.create_task(self._pass_on(sink), name=f"output of {process.pid}")

    @classmethod
    async def start(
        cls, command: Sequence[str], sink: Sink, env: Mapping[str, str] | None = None
    ) -> Child:
        """Start it; ``OSError`` where the program cannot be started."""
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with(os.getpid()),
            env=None if env is None else dict(env),
        )
        return cls(process, sink)

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    async def wait(self) -> int:
        """Its exit status once it has ended and its last words are passed on."""
        status = await self._process.wait()
        # A grandchild may hold the pipe open: its output is not waited for.
        await asyncio.wait({self._pump}, timeout=_DRAIN_S)
        self._pump.cancel()
        return status

    def terminate(self) -> None:
        """Ask it to end."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()

    def kill(self) -> None:
        """End it and everything it left in its process group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    async def _pass_on(self, sink: Sink) -> None:
        assert self._process.stdout is not None
        rest = b""
        while chunk := await self._process.stdout.read(_CHUNK_BYTES):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > _LINE_MAX_BYTES:
                lines, rest = [*lines, rest], b""
            for line in lines:
                sink(line[:_LINE_MAX_BYTES].decode(errors="replace").rstrip("\r"))
        if rest:
            sink(rest.decode(errors="replace"))
