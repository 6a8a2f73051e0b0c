"""Real servers for tests, each on a free port of 127.0.0.1, ended with the test run."""

from __future__ import annotations

import ctypes
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def free_port() -> int:
    """A TCP port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def wait_for_port(port: int, process: subprocess.Popen[bytes], timeout_s: float = 10.0) -> None:
    """Return once something listens; fail if the process ends or the time is up."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        with socket.socket() as probe:
            probe.settimeout(0.2)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError(f"{process.args!r} does not listen on {port}")


def binary(name: str) -> str:
    """A program's path; Debian keeps servers in /usr/sbin."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if path is None:
        raise RuntimeError(f"{name} is not installed: run `make test`, which installs it")
    return path


@dataclass
class Server:
    """A child process that can be killed and started again on the same port and folder."""

    command: list[str]
    port: int
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - only prctl, before exec
        )
        wait_for_port(self.port, self.process)

    def stop(self, sig: int = signal.SIGTERM) -> None:
        if self.process is None:
            return
        self.process.send_signal(sig)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        self.process = None

    def kill(self) -> None:
        self.stop(signal.SIGKILL)


@contextmanager
def redis_server(folder: Path, *extra: str) -> Iterator[Server]:
    """redis-server; ``extra`` are further options, such as ``--maxmemory 20mb``."""
    port = free_port()
    server = Server(
        [binary("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder),
         "--save", "", "--appendonly", "no", *extra],
        port,
    )  # fmt: skip
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def mosquitto(folder: Path, *, password_file: Path | None = None) -> Iterator[Server]:
    """Mosquitto; anonymous unless a password file is given."""
    port = free_port()
    lines = [f"listener {port} 127.0.0.1", "persistence false", "max_queued_messages 100000"]
    if password_file is None:
        lines.append("allow_anonymous true")
    else:
        lines += ["allow_anonymous false", f"password_file {password_file}"]
    config = folder / f"mosquitto-{port}.conf"
    config.write_text("\n".join(lines) + "\n")
    server = Server([binary("mosquitto"), "-c", str(config)], port)
    server.start()
    try:
        yield server
    finally:
        server.stop()
