"""What surrounds every page: the head with the site's state, the navigation, the trouble strip."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from nicegui import ui

from dashboards.board import Board
from dashboards.pages.html import box, icon, link, set_text, text
from dashboards.strings import Words

ASSETS: Final = Path(__file__).resolve().parents[1] / "static"


def site_name(board: Board) -> str:
    """For people."""
    return board.config.site.name or board.config.site.id


@contextmanager
def frame(board: Board, page: str, title: str) -> Iterator[None]:
    """Head and main part of a page; ``page`` is the name of its entry in the navigation."""
    words = board.words
    ui.page_title(f"{title} · {site_name(board)}")
    ui.add_head_html(f'<link rel="stylesheet" href="/assets/causeway.css?{_digest()}">')
    with box(classes="cw-page"):
        link("#content", "cw-skip", words("nav.skip"))
        _head(board, page)
        _trouble(board)
        with box(classes="cw-main", id_="content", tabindex="-1"):  # Quasar has the <main>
            yield


def _digest() -> str:
    return hashlib.sha256((ASSETS / "causeway.css").read_bytes()).hexdigest()[:12]


def _head(board: Board, page: str) -> None:
    words = board.words
    with box("header", "cw-head"):
        with link("/", "cw-brand", aria_label="Causeway"):
            box("img", "cw-brand__mark", src="/assets/mark.svg", alt="")
            text("Causeway", "cw-brand__name")
        text(site_name(board), "cw-head__site")
        with box("nav", "cw-nav", aria_label="Causeway"):
            for name, href in (("wall", "/"), ("incidents", "/incidents"), ("system", "/system")):
                here = {"aria_current": "page"} if name == page else {}
                link(href, "cw-nav__link", words(f"nav.{name}"), **here)
        box(classes="cw-head__gap")
        with link("/system", "cw-pulse", role="status"):
            box("span", "cw-pulse__dot")
            online = text("", "cw-pulse__text")
        clock = text("", "cw-clock", "time", data_zone=board.config.site.timezone)
        clock.props["id"] = "cw-clock"
    ui.run_javascript(_CLOCK)

    def refresh() -> None:
        cameras = board.cameras.all()
        live = sum(camera.is_live for camera in cameras)
        set_text(online, words("head.cameras", online=live, total=len(cameras)))

    refresh()
    ui.timer(1.0, refresh)


_CLOCK: Final = """
    const clock = document.getElementById('cw-clock');
    let shown;
    try { shown = new Intl.DateTimeFormat('sv-SE', {dateStyle: 'short', timeStyle: 'medium',
                                                   timeZone: clock.dataset.zone}); }
    catch { shown = new Intl.DateTimeFormat('sv-SE', {dateStyle: 'short', timeStyle: 'medium',
                                                     timeZone: 'UTC'}); }
    const tick = () => { clock.textContent = shown.format(new Date()); };
    tick();
    setInterval(tick, 1000);
"""


def _trouble(board: Board) -> None:
    strip = box(classes="cw-trouble", role="alert")
    shown: list[str] = []

    def refresh() -> None:
        now = troubles(board, board.words)
        if now == shown:
            return
        shown[:] = now
        strip.clear()
        with strip:
            for sentence in now:
                with box(classes="cw-trouble__line"):
                    icon("warning")
                    text(sentence)

    refresh()
    ui.timer(1.0, refresh)


def troubles(board: Board, words: Words) -> list[str]:
    """What an operator must know of the system, one sentence each; nothing in its first moments."""
    health = board.health.last
    found = []
    if board.cameras.problem is not None:
        found.append(words("away.redis"))
    if health is None:
        return found
    if health.mqtt is not None:
        found.append(words("away.mqtt"))
    if health.archive is not None:
        found.append(words("away.archive"))
    if health.redis is None and health.missing_roles:
        found.append(words("away.workers", workers=", ".join(health.missing_roles)))
    return found
