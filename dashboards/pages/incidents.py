"""``/incidents``: the archive, page by page."""

from __future__ import annotations

from urllib.parse import urlencode

from nicegui import ui

from dashboards.board import Board
from dashboards.pages.frame import frame
from dashboards.pages.html import box, icon, link, text
from dashboards.pages.wording import LocalTime, headline, incident_url
from monitor.archive import cursor_after
from monitor.domain import Alert, Severity, Stage
from monitor.errors import ArchiveError

PER_PAGE = 25


def register(board: Board) -> None:
    """Make the page known to NiceGUI."""

    @ui.page("/incidents")
    async def incidents(
        camera: str = "", severity: str = "", text: str = "", cursor: str = ""
    ) -> None:
        worst = Severity(severity) if severity in set(Severity) else None
        try:
            found = await board.archive.alerts(
                camera=camera or None,
                min_severity=worst,
                text=text or None,
                cursor=cursor or None,
                limit=PER_PAGE + 1,
            )
        except (ArchiveError, ValueError):  # away: the strip says so; a broken cursor: no page
            found = []
        chosen = {"camera": camera, "severity": severity, "text": text}
        with frame(board, "incidents", board.words("incidents.title")):
            _filters(board, chosen)
            _table(board, found[:PER_PAGE])
            _paging(board, chosen, found, cursor)


def _filters(board: Board, chosen: dict[str, str]) -> None:
    words = board.words
    with box("form", "cw-filters", action="/incidents", method="get", role="search"):
        text(words("incidents.title"), "cw-page-title", "h1")
        box(classes="cw-head__gap")
        box("input", "cw-input", type="search", name="text", value=chosen["text"],
            placeholder=words("incidents.search"), aria_label=words("incidents.search"),
            maxlength="200")  # fmt: skip
        cameras = [("", words("incidents.all_cameras"))]
        cameras += [(camera.camera, camera.name) for camera in board.cameras.all()]
        _select("camera", words("incidents.camera"), cameras, chosen["camera"])
        levels = [("", words("incidents.any_severity"))]
        levels += [
            (level.value, words("incidents.or_worse", severity=words(f"severity.{level.value}")))
            for level in Severity
        ]
        _select("severity", words("incidents.severity"), levels, chosen["severity"])
        text(words("incidents.apply"), "cw-button", "button", type="submit")


def _select(name: str, label: str, options: list[tuple[str, str]], chosen: str) -> None:
    with box("select", "cw-input", name=name, aria_label=label):
        for value, said in options:
            here = {"selected": "selected"} if value == chosen else {}
            text(said, "", "option", value=value, **here)


def _table(board: Board, alerts: list[Alert]) -> None:
    words, times = board.words, LocalTime.of(board.config.site.timezone)
    if not alerts:
        with box(classes="cw-empty cw-empty--page"):
            icon("inbox")
            text(words("incidents.empty"), "cw-empty__title")
            text(words("incidents.empty_more"), "cw-empty__more", "p")
        return
    with box("ol", "cw-rows"):
        for alert in alerts:
            with (
                box("li"),
                box(
                    "a",
                    "cw-row",
                    href=incident_url(alert.id),
                    data_severity=alert.severity.value,
                    data_stage=alert.stage.value,
                ),
            ):
                with box(classes="cw-row__when"):
                    text(times.clock(alert.peak), "cw-row__clock")
                    text(times.date(alert.peak), "cw-row__date")
                text(words(f"severity.{alert.severity.value}"), "cw-severity")
                with box(classes="cw-row__what"):
                    text(headline(alert, words), "cw-row__title")
                    text(board.cameras.name(alert.camera), "cw-row__camera")
                cause = alert.answer.root_cause if alert.answer else alert.trigger.reason
                text(cause, "cw-row__cause")
                if alert.stage is not Stage.EXPLAINED:
                    text(words(f"stage.{alert.stage.value}"), "cw-chip")


def _paging(board: Board, chosen: dict[str, str], found: list[Alert], cursor: str) -> None:
    words = board.words
    kept = {name: value for name, value in chosen.items() if value}
    with box("nav", "cw-paging", aria_label=words("incidents.title")):
        if cursor:
            link(f"/incidents?{urlencode(kept)}", "cw-button", words("incidents.newest"))
        if len(found) > PER_PAGE:
            after = {**kept, "cursor": cursor_after(found[PER_PAGE - 1])}
            link(f"/incidents?{urlencode(after)}", "cw-button", words("incidents.older"))
