"""Running one worker in this process until it is told to stop."""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, Protocol

from monitor import logs
from monitor.config.loader import load
from monitor.config.models import Config
from monitor.config.secrets import secret_values
from workers import exits

log = logging.getLogger(__name__)

GRACE_S: Final = 5.0
"""From the first signal to cancelling; the supervisor kills a little later."""

SUPERVISED: Final = "CAUSEWAY_SUPERVISED"
"""Set in children of the supervisor, which writes the process's name before each line itself."""

MODULES: Final = {
    "ingest": "workers.ingest",
    "watch": "workers.watch",
    "analyse": "workers.analyse",
    "publish": "workers.publish",
    "dashboard": "dashboards.app",
    "embedded-redis": "workers.embedded_redis",
    "embedded-broker": "workers.embedded_broker",
}


class Run(Protocol):
    """What every worker's module has."""

    def __call__(self, config: Config, *, stop: asyncio.Event) -> Awaitable[Any]:
        """Work until ``stop`` is set."""


def start_logging(name: str, config: Config, level: str) -> None:
    """Log under the worker's name, with this configuration's secrets taken out."""
    shown = "" if os.environ.get(SUPERVISED) else name
    logs.configure(shown, secret_values(config), logging.getLevelNamesMapping()[level.upper()])


def run_worker(name: str, config_path: Path, level: str) -> int:
    """Load, run until SIGTERM or SIGINT, and say how it ended."""
    config = load(config_path)
    start_logging(name, config, level)
    run: Run = importlib.import_module(MODULES[name]).run
    try:
        stopped = asyncio.run(serve(lambda stop: run(config, stop=stop)))
    except Exception:  # a worker's top: say it with the traceback, scrubbed, and end
        log.exception("%s failed", name)
        return exits.FAILED
    if not stopped:
        log.error("%s ended without being told to", name)
    return exits.OK if stopped else exits.FAILED


async def serve(run: Callable[[asyncio.Event], Awaitable[Any]], grace_s: float = GRACE_S) -> bool:
    """Run until a signal; whether one came. A second signal, or the grace's end, cancels."""
    stop = asyncio.Event()
    task = asyncio.ensure_future(run(stop))

    def on_signal() -> None:
        if stop.is_set():
            task.cancel()
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    told = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({task, told}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            await asyncio.wait({task}, timeout=grace_s)
        if not task.done():
            log.warning("not finished %.0f s after being told to stop: cancelled", grace_s)
            task.cancel()
        await asyncio.wait({task})
        if not task.cancelled():
            task.result()
    finally:
        told.cancel()
        task.cancel()
    return stop.is_set()
