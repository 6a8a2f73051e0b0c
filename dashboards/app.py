"""The dashboard's process: pages, API and live pictures in one web server.

``run`` is what the supervisor and ``causeway dashboard`` call. Only wiring here.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator
from typing import Final

import uvicorn
from fastapi import FastAPI
from nicegui import ui
from starlette.staticfiles import StaticFiles

from dashboards.api.application import create_application
from dashboards.board import Board, open_board
from dashboards.pages import incident, incidents, system, wall
from dashboards.pages.frame import ASSETS
from monitor.clock import Clock, SystemClock
from monitor.config.models import Config
from monitor.errors import ConfigError

logger = logging.getLogger(__name__)

GRACE_S: Final = 3
"""Open pages and downloads get this long to end."""


class _Server(uvicorn.Server):
    """Uvicorn without its signal handlers: whoever runs the process decides when it ends."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def create_dashboard(board: Board) -> FastAPI:
    """The API with the pages mounted on it. NiceGUI allows one per process."""
    app = create_application(board)
    app.mount("/assets", StaticFiles(directory=ASSETS), name="assets")
    for page in (wall, incident, incidents, system):
        page.register(board)
    ui.run_with(
        app,
        title="Causeway",
        favicon=ASSETS / "mark.svg",
        dark=True,
        language="zh-CN" if board.words.lang == "zh" else "en-US",
        tailwind=False,
        reconnect_timeout=10.0,
        show_welcome_message=False,
    )
    return app


async def run(
    config: Config, *, stop: asyncio.Event | None = None, clock: Clock | None = None
) -> None:
    """Serve until ``stop`` is set or the task is cancelled."""
    stop = stop or asyncio.Event()
    host, port = config.dashboard.host, config.dashboard.port
    listener = _listen(host, port)
    async with contextlib.AsyncExitStack() as opened:
        opened.enter_context(listener)
        board = await opened.enter_async_context(open_board(config, clock or SystemClock()))
        server = _Server(
            uvicorn.Config(
                create_dashboard(board),
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=GRACE_S,
            )
        )
        serving = asyncio.create_task(server.serve([listener]), name="web server")
        stopping = asyncio.create_task(stop.wait(), name="dashboard stop")
        logger.info("dashboard on http://%s:%d", host, port)
        try:
            await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            server.should_exit = True
            await serving


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise ConfigError(
            f"The dashboard cannot listen on {host}:{port} ({error.strerror}): "
            "give another dashboard.port, or end what listens there."
        ) from error
