"""The supervisor with real processes: restarts, an orderly end, and no orphan."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from workers.supervisor import Backoff, ProcessSpec, Supervisor

ROOT = Path(__file__).resolve().parents[2]
PATIENT = "import signal, sys, time; print('up', flush=True); time.sleep(60)"
DEAF = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('up', flush=True); time.sleep(60)"
)
BROODING = (  # leaves a child of its own in its process group, and both ignore SIGTERM
    "import subprocess, signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
    "print('brood', p.pid, flush=True); time.sleep(60)"
)


def python(name: str, code: str, stage: int = 1) -> ProcessSpec:
    return ProcessSpec(name, (sys.executable, "-c", code), stage)


class Output:
    """Collects lines; ``until`` waits for one."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self._news = asyncio.Event()

    def __call__(self, name: str, line: str) -> None:
        self.lines.append((name, line))
        self._news.set()

    async def until(self, wanted: Callable[[list[tuple[str, str]]], bool]) -> None:
        while not wanted(self.lines):
            self._news.clear()
            await asyncio.wait_for(self._news.wait(), 20)

    def count(self, line: str) -> int:
        return sum(1 for _, said in self.lines if said == line)


async def ended(pid: int) -> None:
    """Return once that process is gone; fail if it is not within 10 s."""
    try:
        process = psutil.Process(pid)
        await asyncio.to_thread(process.wait, 10)
    except psutil.NoSuchProcess:
        return


class Heard(logging.Handler):
    """Sets an event once a message holds the words."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self._words = words
        self.event = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if self._words in record.getMessage():
            self.event.set()


async def test_all_run_and_all_end(tmp_path: Path) -> None:
    output, stop, status = Output(), asyncio.Event(), tmp_path / "status.json"
    supervisor = Supervisor([python("a", PATIENT), python("b", PATIENT, 2)], output, status)
    task = asyncio.create_task(supervisor.run(stop))
    await output.until(lambda lines: {("a", "up"), ("b", "up")} <= set(lines))
    written = json.loads(status.read_text())
    assert written["pid"] == os.getpid()
    pids = [written["processes"][name]["pid"] for name in "ab"]
    assert all(written["processes"][name]["state"] == "running" for name in "ab")
    stop.set()
    await asyncio.wait_for(task, 10)
    for pid in pids:
        await ended(pid)
    written = json.loads(status.read_text())
    assert {p["state"] for p in written["processes"].values()} == {"stopped"}


async def test_the_last_stage_ends_first_and_the_servers_last() -> None:
    tell = (
        "import signal, sys, time\n"
        "def end(*_): print('end', flush=True); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end); print('up', flush=True); time.sleep(60)"
    )
    output, stop = Output(), asyncio.Event()
    specs = [python("server", tell, 0), python("watch", tell, 1), python("ingest", tell, 2)]
    task = asyncio.create_task(Supervisor(specs, output).run(stop))
    await output.until(lambda _: output.count("up") == 3)
    stop.set()
    await asyncio.wait_for(task, 10)
    assert [name for name, line in output.lines if line == "end"] == ["ingest", "watch", "server"]


async def test_what_does_not_listen_is_killed_within_the_budget_with_its_children() -> None:
    output, stop = Output(), asyncio.Event()
    specs = [python("deaf", DEAF), python("brooding", BROODING, 2)]
    supervisor = Supervisor(specs, output, stop_budget_s=1.0)
    task = asyncio.create_task(supervisor.run(stop))
    await output.until(lambda lines: len(lines) == 2)
    grandchild = int(next(line for name, line in output.lines if name == "brooding").split()[1])
    started = time.monotonic()
    stop.set()
    await asyncio.wait_for(task, 10)
    assert time.monotonic() - started < 5
    await ended(grandchild)


async def test_a_process_that_ends_is_started_again_with_growing_waits(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    output, stop, status = Output(), asyncio.Event(), tmp_path / "status.json"
    backoff = Backoff(first_s=0.01, longest_s=0.03, healthy_s=60)
    spec = python("crasher", "import sys; print('up', flush=True); sys.exit(7)")
    task = asyncio.create_task(Supervisor([spec], output, status, backoff=backoff).run(stop))
    await output.until(lambda _: output.count("up") >= 4)
    stop.set()
    await asyncio.wait_for(task, 10)
    told = [r.getMessage() for r in caplog.records if r.getMessage().startswith("crasher ended")]
    assert "with status 7" in told[0]
    assert "(1 in a row); starting it again in 0.0 s" in told[0]
    assert "(3 in a row)" in told[2]
    crasher = json.loads(status.read_text())["processes"]["crasher"]
    assert crasher["restarts"] >= 3
    assert crasher["last_exit"] == "ended with status 7"


async def test_a_killed_process_comes_back() -> None:
    output, stop = Output(), asyncio.Event()
    show = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    supervisor = Supervisor([python("a", show)], output, backoff=Backoff(first_s=0.01))
    task = asyncio.create_task(supervisor.run(stop))
    await output.until(lambda lines: len(lines) == 1)
    os.kill(int(output.lines[0][1]), signal.SIGKILL)
    await output.until(lambda lines: len(lines) == 2)
    assert supervisor.summary() == ["a: running, started again 1 times, last was ended by SIGKILL"]
    stop.set()
    await asyncio.wait_for(task, 10)


async def test_a_program_that_is_not_there_is_said_and_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stop, heard = asyncio.Event(), Heard("2 in a row")
    logger = logging.getLogger("workers.supervisor")
    logger.addHandler(heard)
    backoff = Backoff(first_s=0.01, longest_s=0.01)
    spec = ProcessSpec("ghost", ("/no/such/program",), 1)
    supervisor = Supervisor([spec], Output(), backoff=backoff)
    task = asyncio.create_task(supervisor.run(stop))
    await asyncio.wait_for(heard.event.wait(), 10)
    stop.set()
    await task
    logger.removeHandler(heard)
    assert "ghost cannot be started: No such file or directory" in caplog.text


async def test_a_stage_waits_until_the_one_before_is_ready() -> None:
    output, stop, ready = Output(), asyncio.Event(), asyncio.Event()
    asked = asyncio.Event()

    async def is_ready() -> bool:
        asked.set()
        return ready.is_set()

    server = ProcessSpec("server", (sys.executable, "-c", PATIENT), 0, is_ready)
    task = asyncio.create_task(Supervisor([server, python("worker", PATIENT)], output).run(stop))
    await output.until(lambda lines: ("server", "up") in lines)
    await asked.wait()
    assert ("worker", "up") not in output.lines
    ready.set()
    await output.until(lambda lines: ("worker", "up") in lines)
    stop.set()
    await asyncio.wait_for(task, 10)


async def test_output_of_any_shape_is_passed_on() -> None:
    output, stop = Output(), asyncio.Event()
    code = (
        "import sys, time; w = sys.stdout.buffer.write;"
        "w(b'x' * 100_000 + b'\\n'); w(b'\\xff\\xfe\\n'); w(b'no end of line');"
        "sys.stdout.flush(); sys.stderr.write('on stderr'); sys.stderr.flush(); sys.exit(0)"
    )
    supervisor = Supervisor([python("odd", code)], output, backoff=Backoff(first_s=60))
    task = asyncio.create_task(supervisor.run(stop))
    await output.until(lambda lines: any("on stderr" in line for _, line in lines))
    stop.set()
    await asyncio.wait_for(task, 10)
    lines = [line for _, line in output.lines]
    assert lines[0].startswith("x" * 1000)
    assert "\ufffd\ufffd" in lines
    assert lines[-1].startswith("no end of line")


class TestBackoff:
    def test_it_doubles_to_its_cap(self) -> None:
        backoff = Backoff(first_s=0.5, longest_s=30)
        assert [backoff.wait_s(n) for n in (1, 2, 3, 7, 8, 500)] == [0.5, 1, 2, 30, 30, 30]


ORPHANS = """
import asyncio, sys
from workers.supervisor import ProcessSpec, Supervisor
spec = lambda name: ProcessSpec(name, (sys.executable, "-c", {code!r}), 1)
asyncio.run(Supervisor([spec("a"), spec("b")], lambda n, l: print(l, flush=True)).run(
    asyncio.Event()))
"""


def test_no_orphan_is_left_when_the_supervisor_is_killed() -> None:
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", ORPHANS.format(code=code)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as supervisor:
        assert supervisor.stdout is not None
        pids = [int(supervisor.stdout.readline()) for _ in range(2)]
        assert all(psutil.Process(pid).ppid() == supervisor.pid for pid in pids)
        children = [psutil.Process(pid) for pid in pids]
        supervisor.kill()
        gone, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []
    assert len(gone) == 2


async def test_a_process_that_stayed_up_is_started_again_at_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    output, stop = Output(), asyncio.Event()
    backoff = Backoff(first_s=0.01, longest_s=60, healthy_s=0)
    spec = python("a", "print('up', flush=True)")
    task = asyncio.create_task(Supervisor([spec], output, backoff=backoff).run(stop))
    await output.until(lambda _: output.count("up") >= 5)
    stop.set()
    await asyncio.wait_for(task, 10)
    assert "(1 in a row)" in caplog.text
    assert "(2 in a row)" not in caplog.text


IMPATIENT = """
import asyncio, sys
from workers.commands.worker import serve
from workers.supervisor import ProcessSpec, Supervisor
spec = ProcessSpec("deaf", (sys.executable, "-c", {code!r}), 1)
supervisor = Supervisor([spec], lambda n, l: print(l, flush=True), stop_budget_s=30)
asyncio.run(serve(supervisor.run, grace_s=30))
"""


def test_a_second_signal_does_not_wait() -> None:
    code = DEAF.replace("'up'", "__import__('os').getpid()")
    with subprocess.Popen(
        [sys.executable, "-c", IMPATIENT.format(code=code)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as supervisor:
        assert supervisor.stdout is not None
        child = psutil.Process(int(supervisor.stdout.readline()))
        started = time.monotonic()
        supervisor.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            supervisor.wait(0.5)  # still waiting for the deaf one
        supervisor.send_signal(signal.SIGINT)
        supervisor.wait(10)
        gone, _ = psutil.wait_procs([child], timeout=10)
    assert gone
    assert time.monotonic() - started < 8
