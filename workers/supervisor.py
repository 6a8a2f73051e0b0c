"""Keeps a set of processes running: servers first, then workers; ends them in the other order.

A process that ends is started again after a wait that doubles from ``first_s`` to ``longest_s``
and starts anew once the process has stayed up for ``healthy_s``. What runs, and what keeps
ending, stands in a status file that ``causeway doctor`` reads. It never looks into the work.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from monitor.clock import Clock, SystemClock
from workers.child import Child

log = logging.getLogger(__name__)

STOP_BUDGET_S: Final = 8.0
"""For all of them together; what then still runs is killed."""
_READY_POLL_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """A process to keep running. Lower stages start first and end last."""

    name: str
    command: tuple[str, ...]
    stage: int
    ready: Callable[[], Awaitable[bool]] | None = None  # waited for before the next stage


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before starting a process again."""

    first_s: float = 0.5
    longest_s: float = 30.0
    healthy_s: float = 30.0

    def wait_s(self, failures: int) -> float:
        """After that many ends in a row, 1 and up."""
        return min(self.longest_s, self.first_s * 2.0 ** min(failures - 1, 20))


@dataclass(slots=True)
class ProcessStatus:
    """What the status file says of a process."""

    state: str = "waiting"  # waiting, running, restarting or stopped
    pid: int | None = None
    since_ms: int = 0
    restarts: int = 0
    failures_in_a_row: int = 0
    last_exit: str = ""


@dataclass
class Supervisor:
    """``await Supervisor(...).run(stop)`` returns when everything has ended after ``stop``."""

    specs: Sequence[ProcessSpec]
    print_line: Callable[[str, str], None]  # process name, line
    status_path: Path | None = None
    env: Mapping[str, str] | None = None
    backoff: Backoff = Backoff()
    ready_timeout_s: float = 15.0
    stop_budget_s: float = STOP_BUDGET_S
    clock: Clock = field(default_factory=SystemClock)
    _children: dict[str, Child] = field(default_factory=dict)
    _statuses: dict[str, ProcessStatus] = field(default_factory=dict)
    _keepers: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    async def run(self, stop: asyncio.Event) -> None:
        """Start all, keep them running, and on ``stop`` end all."""
        ending = asyncio.Event()
        if self.status_path is not None:
            self.status_path.parent.mkdir(parents=True, exist_ok=True)
        self._statuses.update({spec.name: ProcessStatus() for spec in self.specs})
        try:
            for stage in sorted({spec.stage for spec in self.specs}):
                started = [spec for spec in self.specs if spec.stage == stage]
                for spec in started:
                    self._keepers[spec.name] = asyncio.create_task(
                        self._keep(spec, ending), name=f"keep {spec.name}"
                    )
                await asyncio.gather(*(self._until_ready(spec, stop) for spec in started))
                if stop.is_set():
                    break
            told = asyncio.create_task(stop.wait(), name="told to stop")
            done, _ = await asyncio.wait(
                {told, *self._keepers.values()}, return_when=asyncio.FIRST_COMPLETED
            )
            told.cancel()
            for task in done - {told}:
                task.result()  # a keeper returns only when ending: this raises what broke it
        finally:
            ending.set()
            await self._end_all()

    def summary(self) -> list[str]:
        """One line per process, for a person."""
        return [
            f"{name}: {status.state}"
            + (f", started again {status.restarts} times" if status.restarts else "")
            + (f", last {status.last_exit}" if status.last_exit else "")
            for name, status in self._statuses.items()
        ]

    async def _keep(self, spec: ProcessSpec, ending: asyncio.Event) -> None:
        status = self._statuses[spec.name]
        while not ending.is_set():
            started_s = self.clock.monotonic_s()
            exit_text = await self._session(spec, status)
            if ending.is_set():
                break
            lived_s = self.clock.monotonic_s() - started_s
            healthy = lived_s >= self.backoff.healthy_s
            status.failures_in_a_row = 1 if healthy else status.failures_in_a_row + 1
            status.restarts += 1
            wait_s = self.backoff.wait_s(status.failures_in_a_row)
            self._set(status, "restarting", last_exit=exit_text)
            log.error(
                "%s %s after %.1f s (%d in a row); starting it again in %.1f s",
                spec.name, exit_text, lived_s, status.failures_in_a_row, wait_s,
            )  # fmt: skip
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ending.wait(), wait_s)
        self._set(status, "stopped")

    async def _session(self, spec: ProcessSpec, status: ProcessStatus) -> str:
        """One life of a process; how it ended."""
        try:
            child = await Child.start(
                spec.command, lambda line: self.print_line(spec.name, line), self.env
            )
        except OSError as error:
            return f"cannot be started: {error.strerror}"
        self._children[spec.name] = child
        self._set(status, "running", pid=child.pid)
        try:
            return _ended(await child.wait())
        finally:
            child.kill()
            self._children.pop(spec.name, None)

    async def _until_ready(self, spec: ProcessSpec, stop: asyncio.Event) -> None:
        if spec.ready is None:
            return
        deadline_s = self.clock.monotonic_s() + self.ready_timeout_s
        while not stop.is_set():
            if await spec.ready():
                return
            if self.clock.monotonic_s() >= deadline_s:
                log.error("%s is not up after %.0f s", spec.name, self.ready_timeout_s)
                return
            await self.clock.sleep(_READY_POLL_S)

    async def _end_all(self) -> None:
        """Stage by stage from the last; a slow one leaves the others a little of the budget."""
        stages = sorted({spec.stage for spec in self.specs}, reverse=True)
        least_s = self.stop_budget_s / (2 * len(stages))
        deadline_s = self.clock.monotonic_s() + self.stop_budget_s
        for left, stage in zip(range(len(stages) - 1, -1, -1), stages, strict=True):
            names = [spec.name for spec in self.specs if spec.stage == stage]
            tasks = {self._keepers[name] for name in names if name in self._keepers}
            if not tasks:
                continue
            for name in names:
                if name in self._children:
                    self._children[name].terminate()
            share_s = max(least_s, deadline_s - self.clock.monotonic_s() - left * least_s)
            _, late = await asyncio.wait(tasks, timeout=share_s)
            for name in names:
                if late and name in self._children:
                    log.warning("%s did not end when told to: killed", name)
                    self._children[name].kill()
            if late:
                await asyncio.wait(late)
        self._write()

    def _set(
        self,
        status: ProcessStatus,
        state: str,
        *,
        pid: int | None = None,
        last_exit: str | None = None,
    ) -> None:
        status.state, status.pid, status.since_ms = state, pid, self.clock.wall_ms()
        if last_exit is not None:
            status.last_exit = last_exit
        self._write()

    def _write(self) -> None:
        if self.status_path is None:
            return
        text = json.dumps(
            {
                "pid": os.getpid(),
                "processes": {name: asdict(status) for name, status in self._statuses.items()},
            }
        )
        new = self.status_path.with_suffix(".new")
        try:
            new.write_text(text)
            new.replace(self.status_path)
        except OSError as error:  # a full disk must not end the workers
            log.warning("the status file cannot be written: %s", error.strerror)


def _ended(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"
