"""``/system``: servers, workers, queues, and the work that was given up."""

from __future__ import annotations

from nicegui import ui

from dashboards.board import Board
from dashboards.health import Health
from dashboards.pages.frame import frame
from dashboards.pages.html import box, link, text

_ROWS = ("redis", "mqtt", "archive")


def register(board: Board) -> None:
    """Make the page known to NiceGUI."""

    @ui.page("/system")
    async def system() -> None:
        with frame(board, "system", board.words("system.title")):
            with box(classes="cw-page-head"):
                text(board.words("system.title"), "cw-page-title", "h1")
                box(classes="cw-head__gap")
                for href, said in (("/docs", "API"), ("/metrics", "Metrics"), ("/healthz", "JSON")):
                    link(href, "cw-button", said, target="_blank")
            root = box(classes="cw-system")
        shown_ms = 0

        def refresh() -> None:
            nonlocal shown_ms
            health = board.health.last
            if health is None or health.at_ms == shown_ms:
                return
            shown_ms = health.at_ms
            root.clear()
            with root:
                _servers(board, health)
                _queues(board, health)
                _workers(board, health)
                _dead(board, health)

        refresh()
        ui.timer(1.0, refresh)


def _servers(board: Board, health: Health) -> None:
    words = board.words
    with box("section", "cw-panel", aria_label=words("system.servers")):
        text(words("system.servers"), "cw-panel__title", "h2")
        for name in _ROWS:
            problem: str | None = getattr(health, name)
            with box(classes="cw-line", data_tone="live" if problem is None else "bad"):
                box("span", "cw-badge__dot")
                text(words(f"system.{name}"), "cw-line__name")
                text(words("system.up" if problem is None else "system.down"), "cw-line__state")
                if problem is not None:
                    text(problem, "cw-line__more", "p")


def _queues(board: Board, health: Health) -> None:
    words = board.words
    with box("section", "cw-panel", aria_label=words("system.queues")):
        text(words("system.queues"), "cw-panel__title", "h2")
        for name, depth in health.queues.items():
            with box(classes="cw-line"):
                text(words(f"system.queue.{name}"), "cw-line__name")
                left = words("system.queue.depth", waiting=depth.waiting, pending=depth.pending)
                text(left, "cw-line__state")
        with box(classes="cw-line"):
            text(words("system.viewers", count=board.live.viewers), "cw-line__name")


def _workers(board: Board, health: Health) -> None:
    words = board.words
    with box("section", "cw-panel cw-panel--wide", aria_label=words("system.workers")):
        text(words("system.workers"), "cw-panel__title", "h2")
        if not health.workers:
            text(words("system.workers_empty"), "cw-panel__empty", "p")
        for beat in health.workers:
            age_s = (board.clock.wall_ms() - beat.at_ms) / 1000
            with box(classes="cw-line", data_tone="live"):
                box("span", "cw-badge__dot")
                text(beat.name, "cw-line__name cw-mono")
                text(words("system.beat", age=words.age(age_s)), "cw-line__state")
                with box("dl", "cw-counters"):
                    for name, value in beat.counters.items():
                        with box():
                            text(name.replace("_", " "), "", "dt")
                            text(f"{value:,.6g}", "cw-mono", "dd")


def _dead(board: Board, health: Health) -> None:
    words = board.words
    with box("section", "cw-panel cw-panel--wide", aria_label=words("system.dead")):
        text(f"{words('system.dead')} ({health.dead_count})", "cw-panel__title", "h2")
        if not health.dead:
            text(words("system.dead_empty"), "cw-panel__empty", "p")
        for letter in health.dead:
            with box(classes="cw-line", data_tone="bad"):
                box("span", "cw-badge__dot")
                text(f"{letter.source} {letter.source_id}", "cw-line__name cw-mono")
                text(letter.reason, "cw-line__more", "p")
