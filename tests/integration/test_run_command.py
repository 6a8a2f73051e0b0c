"""`causeway run` as a process: one per data_dir, a clean end, no orphan, nothing secret said."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.servers import free_port
from workers import exits

ROOT = Path(__file__).resolve().parents[2]
ENV = {k: v for k, v in os.environ.items() if not k.startswith("CAUSEWAY")}
PROCESSES = {
    "embedded-redis", "embedded-broker", "ingest", "watch", "analyse", "publish", "dashboard",
}  # fmt: skip


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A camera that refuses, with a password, on ports of the test's own."""
    path = tmp_path / "streams.yaml"
    path.write_text(
        "site: {id: test}\n"
        "cameras:\n"
        f"  - {{id: one, url: 'rtsp://viewer:hunter2@127.0.0.1:{free_port()}/live'}}\n"
        f"mqtt: {{embedded_port: {free_port()}}}\n"
        f"dashboard: {{port: {free_port()}}}\n"
    )
    return path


class Run:
    """A running `causeway run`; its output goes to a file, as a pipe could fill."""

    def __init__(self, config: Path) -> None:
        self.log = config.with_suffix(".log")
        self.status_path = config.parent / "var" / "run" / "supervisor.json"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "workers.cli", "run", "--config", str(config)],
                cwd=ROOT,
                env=ENV,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def status(self) -> dict[str, dict[str, object]]:
        """Of this run; an earlier one may have left its own."""
        try:
            found = json.loads(self.status_path.read_text())
        except FileNotFoundError:
            return {}
        processes: dict[str, dict[str, object]] = found["processes"]
        return processes if found["pid"] == self.process.pid else {}

    def wait_until_all_run(self, timeout_s: float = 40.0) -> None:
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log.read_text()
            if {n for n, p in self.status().items() if p["state"] == "running"} == PROCESSES:
                return
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(0.05)
        raise AssertionError(f"not all run: {self.status()}\n{self.log.read_text()}")

    def family(self) -> list[psutil.Process]:
        children: list[psutil.Process] = psutil.Process(self.process.pid).children(recursive=True)
        return children


@pytest.fixture
def run(config: Path) -> Iterator[Run]:
    running = Run(config)
    try:
        yield running
    finally:
        running.process.kill()
        running.process.wait(10)


def test_everything_runs_and_sigterm_ends_it_all_within_ten_seconds(run: Run, config: Path) -> None:
    run.wait_until_all_run()
    family = run.family()
    assert len(family) >= len(PROCESSES)
    assert "redis-server" in {process.name() for process in family}

    second = subprocess.run(
        [sys.executable, "-m", "workers.cli", "run", "--config", str(config)],
        cwd=ROOT, env=ENV, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert second.returncode == exits.RUNNING
    assert f"Causeway already runs here (process {run.process.pid} holds" in second.stderr

    started = time.monotonic()
    run.process.send_signal(signal.SIGTERM)
    assert run.process.wait(10) == exits.OK
    assert time.monotonic() - started < 10
    _, alive = psutil.wait_procs(family, timeout=1)
    assert alive == []
    text = run.log.read_text()
    assert "everything has ended" in text
    assert "did not end when told to" not in text
    assert "Traceback" not in text
    assert "hunter2" not in text


def test_a_killed_run_leaves_nothing_behind_and_can_be_started_again(
    run: Run, config: Path
) -> None:
    run.wait_until_all_run()
    family = run.family()
    run.process.kill()
    run.process.wait(10)
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
    again = Run(config)
    try:
        again.wait_until_all_run()
    finally:
        again.process.terminate()
        assert again.process.wait(10) == exits.OK


def test_a_port_that_is_taken_is_said_with_its_setting(config: Path) -> None:

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "workers.cli", "run", "--config", str(config)],
            cwd=ROOT,
            env={**ENV, "CAUSEWAY__DASHBOARD__PORT": str(port)},
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
    assert done.returncode == exits.FAILED
    assert f"cannot listen on 127.0.0.1:{port} (it is in use)" in done.stderr
    assert "choose another dashboard.port in streams.yaml" in done.stderr
