"""``causeway run``: everything on one machine, supervised."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import socket
import sys
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Final

from monitor.config import endpoints
from monitor.config.loader import load
from monitor.config.models import Config
from monitor.config.secrets import secret_values
from monitor.errors import CausewayError
from monitor.logs import Scrubber
from workers import exits
from workers.commands.worker import SUPERVISED, serve, start_logging
from workers.data_dir_lock import AlreadyRunningError, DataDirLock
from workers.supervisor import STOP_BUDGET_S, ProcessSpec, Supervisor

log = logging.getLogger(__name__)

WORKERS: Final = ("dashboard", "publish", "analyse", "watch", "ingest")
"""In the order they start; they end in the other order, so that nothing new comes in meanwhile."""


def run(config_path: Path, level: str) -> int:
    """Run until SIGTERM or SIGINT; everything has ended when this returns."""
    config = load(config_path)
    start_logging("run", config, level)
    try:
        with DataDirLock(endpoints.run_dir(config)):
            asyncio.run(_run(config, config_path, level))
    except AlreadyRunningError as error:
        print(error, file=sys.stderr)
        return exits.RUNNING
    except CausewayError as error:
        log.error("%s", error)
        return exits.FAILED
    log.info("everything has ended")
    return exits.OK


async def _run(config: Config, config_path: Path, level: str) -> None:
    ensure_ports_are_free(config)
    supervisor = Supervisor(
        specs=specs(config, config_path, level),
        print_line=line_printer(secret_values(config)),
        status_path=endpoints.run_dir(config) / "supervisor.json",
        env={**os.environ, SUPERVISED: "1", "PYTHONUNBUFFERED": "1"},
    )
    log.info("starting site %s with %d cameras", config.site.id, len(config.cameras))
    address = f"http://{config.dashboard.host}:{config.dashboard.port}"
    log.info("the dashboard will be at %s", address)
    await serve(supervisor.run, grace_s=STOP_BUDGET_S + 1.0)


def specs(config: Config, config_path: Path, level: str) -> list[ProcessSpec]:
    """The processes of a configuration: embedded servers it needs, then the workers."""

    def command(name: str) -> tuple[str, ...]:
        options = ("--config", str(config_path.resolve()), "--log-level", level)
        return (sys.executable, "-m", "workers.cli", name, *options)

    found = []
    if config.redis.url is None:
        ready = _connects_to_socket(endpoints.run_dir(config) / "redis.sock")
        found.append(ProcessSpec("embedded-redis", command("embedded-redis"), 0, ready))
    if config.mqtt.host is None:
        ready = connects_to_port(*endpoints.mqtt_address(config))
        found.append(ProcessSpec("embedded-broker", command("embedded-broker"), 0, ready))
    return found + [
        ProcessSpec(name, command(name), stage) for stage, name in enumerate(WORKERS, start=1)
    ]


def line_printer(secrets: Iterable[str]) -> Callable[[str, str], None]:
    """Writes a child's line to standard error behind its name, scrubbed once more.

    The child's own logging is scrubbed already; what native libraries print is not.
    """
    scrub = Scrubber(secrets)

    def print_line(name: str, line: str) -> None:
        with contextlib.suppress(BrokenPipeError):  # whoever read it has gone; the work goes on
            print(f"{name:<15} | {scrub(line)}", file=sys.stderr, flush=True)

    return print_line


def ensure_ports_are_free(config: Config) -> None:
    """Say in time which setting to change, in place of a process that keeps ending."""
    wanted = [("dashboard.port", config.dashboard.host, config.dashboard.port)]
    if config.mqtt.host is None:
        wanted.append(("mqtt.embedded_port", *endpoints.mqtt_address(config)))
    for setting, host, port in wanted:
        taken = _bind_error(host, port)
        if taken is not None:
            raise CausewayError(
                f"cannot listen on {host}:{port} ({taken}): choose another {setting} in "
                "streams.yaml, or end what uses it"
            )


def _bind_error(host: str, port: int) -> str | None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return "it is in use" if error.errno == errno.EADDRINUSE else str(error.strerror)
    return None


def _connects_to_socket(path: Path) -> Callable[[], Awaitable[bool]]:
    return lambda: _connects(asyncio.open_unix_connection(str(path)))


def connects_to_port(host: str, port: int) -> Callable[[], Awaitable[bool]]:
    """Whether something listens there."""
    return lambda: _connects(asyncio.open_connection(host, port))


async def _connects(
    opening: Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]],
) -> bool:
    try:
        _, writer = await asyncio.wait_for(opening, 1.0)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True
