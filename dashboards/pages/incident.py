"""``/incident/<id>``: what happened, why, and what that rests on."""

from __future__ import annotations

from nicegui import Client, ui

from dashboards.board import Board
from dashboards.pages.frame import frame
from dashboards.pages.html import box, icon, link, text
from dashboards.pages.incident_parts import (
    antecedents,
    causal_chain,
    cited_rules,
    evidence_table,
    key_frames,
    revision_history,
    root_cause,
    thinking,
)
from dashboards.pages.player import IncidentPlayer
from dashboards.pages.wording import LocalTime, headline, media_url
from monitor.domain import Alert, Stage
from monitor.errors import ArchiveError


def register(board: Board) -> None:
    """Make the page known to NiceGUI."""

    @ui.page("/incident/{alert_id}")
    async def incident(alert_id: str, client: Client) -> None:
        alert, revisions = await _find(board, alert_id)
        title = headline(alert, board.words) if alert else board.words("incident.missing")
        with frame(board, "incidents", title):
            page = _IncidentPage(board, alert_id)
            page.show(alert, revisions)
        client.on_delete(board.feed.listen(page.wait))
        ui.timer(0.25, page.show_waiting)


async def _find(board: Board, alert_id: str) -> tuple[Alert | None, list[Alert]]:
    """The newest revision from wherever it is known, and all that the archive keeps."""
    known = board.feed.get(alert_id)
    try:
        revisions = await board.archive.revisions(alert_id)
    except ArchiveError:  # the strip in the page's head says that it is away
        revisions = []
    newest = max((*revisions, *([known] if known else [])), key=lambda a: a.revision, default=None)
    if newest is not None and all(one.revision != newest.revision for one in revisions):
        revisions = [*revisions, newest]
    return newest, sorted(revisions, key=lambda one: one.revision)


class _IncidentPage:
    """Shows one alert, and each newer revision of it without disturbing the clip."""

    def __init__(self, board: Board, alert_id: str) -> None:
        self._board = board
        self._id = alert_id
        self._times = LocalTime.of(board.config.site.timezone)
        self._waiting: Alert | None = None
        self._revision = 0
        self._player: IncidentPlayer | None = None
        self._root = box("article", "cw-incident", data_alert=alert_id)

    def wait(self, alert: Alert) -> None:
        """Take a newer revision of this alert; the page's own timer shows it."""
        if alert.id == self._id:
            self._waiting = alert

    async def show_waiting(self) -> None:
        """Show what came since the last time."""
        if self._waiting is None:
            return
        self._waiting = None
        alert, revisions = await _find(self._board, self._id)
        if alert is not None and alert.revision > self._revision:
            self.show(alert, revisions)

    def show(self, alert: Alert | None, revisions: list[Alert]) -> None:
        """The page as it is now."""
        if alert is None:
            self._missing()
            return
        self._revision = alert.revision
        self._root.props["data-revision"] = str(alert.revision)
        self._root.props["data-stage"] = alert.stage.value
        self._root.props["data-severity"] = alert.severity.value
        self._root.update()
        if self._player is None:
            self._build(alert)
        assert self._player is not None
        self._player.show(alert)
        self._fill_top(alert)
        self._cause.clear()
        with self._cause:
            root_cause(alert, self._player, self._board.words)
        self._fill_below(alert)
        self._fill_side(alert, revisions)

    def _fill_top(self, alert: Alert) -> None:
        words = self._board.words
        self._top.clear()
        with self._top:
            link(
                "/", "cw-back", "←", aria_label=words("incident.back"), title=words("incident.back")
            )
            with box(classes="cw-incident__heading"):
                with box(classes="cw-incident__line"):
                    text(words(f"severity.{alert.severity.value}"), "cw-severity")
                    text(headline(alert, words), "cw-incident__title", "h1")
                    if alert.stage is not Stage.EXPLAINED:
                        text(words(f"stage.{alert.stage.value}"), "cw-chip")
                with box(classes="cw-incident__facts"):
                    text(self._board.cameras.name(alert.camera))
                    text(self._times.date(alert.peak))
                    text(self._times.clock(alert.peak))
                    text(self._board.config.site.timezone)
                    text(alert.id, "cw-mono")
            box(classes="cw-head__gap")
            if alert.media is not None and alert.media.clip is not None:
                clip = media_url(alert.media.clip)
                link(clip, "cw-button", words("incident.download"), download=f"{alert.id}.mp4")
            link(f"/api/v1/alerts/{alert.id}", "cw-button", words("incident.json"), target="_blank")

    def _fill_below(self, alert: Alert) -> None:
        assert self._player is not None
        self._below.clear()
        with self._below:
            key_frames(alert, self._player, self._board.words)
            evidence_table(alert, self._player, self._board.words)

    def _fill_side(self, alert: Alert, revisions: list[Alert]) -> None:
        assert self._player is not None
        words = self._board.words
        self._side.clear()
        with self._side:
            if alert.answer is not None and alert.stage is not Stage.DISMISSED:
                antecedents(alert, alert.answer, self._player, words)
                causal_chain(alert.answer, words)
                cited_rules(alert.answer, self._board.rules, words)
                thinking(alert.answer, words)
            revision_history(revisions, alert, self._times, words)

    def _build(self, alert: Alert) -> None:
        self._root.clear()
        with self._root:
            self._top = box("header", "cw-incident__top")
            with box(classes="cw-incident__columns"):
                with box(classes="cw-incident__left"):
                    zone = self._board.config.site.timezone
                    self._player = IncidentPlayer(alert, self._board.words, zone)
                    self._below = box(classes="cw-incident__below")
                with box(classes="cw-incident__side"):
                    self._cause = box(classes="cw-incident__cause")
                    self._side = box(classes="cw-incident__below")

    def _missing(self) -> None:
        words = self._board.words
        with self._root, box(classes="cw-empty cw-empty--page"):
            icon("search_off")
            text(words("incident.missing"), "cw-empty__title", "h1")
            text(words("incident.missing_more"), "cw-empty__more", "p")
            link("/", "cw-button", words("incident.back"))
