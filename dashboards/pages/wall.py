"""``/``: all cameras at a glance, and the alerts as they come."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from nicegui import Client, ui
from nicegui.element import Element

from dashboards.board import Board
from dashboards.pages.alert_card import AlertCard
from dashboards.pages.frame import frame
from dashboards.pages.html import box, icon, link, set_attribute, set_text, text
from dashboards.pages.tile import CameraTile
from monitor.clock import utc
from monitor.domain import Alert, Severity, Stage

CARDS: Final = 40
TILE_ALERT_FOR: Final = timedelta(minutes=2)
_RANK: Final = {severity: rank for rank, severity in enumerate(Severity)}


def register(board: Board) -> None:
    """Make the page known to NiceGUI."""

    @ui.page("/")
    async def wall(client: Client) -> None:
        with frame(board, "wall", board.words("wall.title")), box(classes="cw-wall"):
            tiles = _cameras(board)
            feed = _Feed(board)
        board.intake.refresh()
        client.on_delete(board.feed.listen(feed.wait))

        def every_second() -> None:
            hot = _hot(board)
            for now in board.cameras.all():
                tiles[now.camera].show(now, hot.get(now.camera))
            feed.tick()

        every_second()
        ui.timer(1.0, every_second)
        ui.timer(0.2, feed.show_waiting)


def _cameras(board: Board) -> dict[str, CameraTile]:
    cameras = board.cameras.all()
    with box("section", "cw-cameras", aria_label=board.words("wall.cameras")) as grid:
        grid.props["data-count"] = str(min(len(cameras), 10))
        return {camera.camera: CameraTile(camera, board.words) for camera in cameras}


def _hot(board: Board) -> dict[str, Severity]:
    """The worst severity of each camera's incidents of the last minutes."""
    since = utc(board.clock.wall_ms()) - TILE_ALERT_FOR
    hot: dict[str, Severity] = {}
    for alert in board.feed.recent(CARDS):
        if alert.peak < since or alert.stage is Stage.DISMISSED:
            continue
        known = hot.get(alert.camera)
        if known is None or _RANK[alert.severity] > _RANK[known]:
            hot[alert.camera] = alert.severity
    return hot


class _Feed:
    """The alerts beside the cameras, the latest on top."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._cards: dict[str, AlertCard] = {}
        self._waiting: dict[str, Alert] = {}
        words = board.words
        with box("aside", "cw-feed", aria_label=words("feed.title")):
            with box(classes="cw-feed__head"):
                text(words("feed.title"), "cw-feed__title", "h2")
                with box("span", "cw-feed__source") as self._source:
                    box("span", "cw-badge__dot")
                    self._source_text = text("")
                link("/incidents", "cw-feed__all", words("feed.all"))
            self._list = box(classes="cw-feed__list", role="log", aria_live="polite", tabindex="0")
            with self._list:
                self._empty = self._nothing()
        for alert in reversed(board.feed.recent(CARDS)):
            self._show(alert)

    def wait(self, alert: Alert) -> None:
        """Take a newer alert; the page's own timer shows it, so a closing page disturbs nobody."""
        self._waiting[alert.id] = alert

    def show_waiting(self) -> None:
        """Show what came since the last time."""
        while self._waiting:
            self._show(self._waiting.pop(next(iter(self._waiting))))

    def tick(self) -> None:
        """What changes by itself."""
        live = self._board.intake.mqtt_problem is None
        words = self._board.words
        set_attribute(self._source, "data-tone", "live" if live else "wait")
        set_text(self._source_text, words("feed.live" if live else "feed.catching_up"))
        for card in self._cards.values():
            card.tick()

    def _show(self, alert: Alert) -> None:
        known = self._cards.get(alert.id)
        if known is not None:
            if alert.revision > known.alert.revision:
                known.show(alert)
            return
        with self._list:
            card = AlertCard(alert, self._board)
        later = sum(
            (other.alert.peak, other.alert.id) > (alert.peak, alert.id)
            for other in self._cards.values()
        )
        card.root.move(self._list, target_index=later)
        self._cards[alert.id] = card
        self._empty.set_visibility(False)
        if len(self._cards) > CARDS:
            oldest = min(self._cards.values(), key=lambda one: (one.alert.peak, one.alert.id))
            oldest.root.delete()
            del self._cards[oldest.alert.id]

    def _nothing(self) -> Element:
        words = self._board.words
        with box(classes="cw-empty") as empty:
            icon("verified_user")
            text(words("feed.empty"), "cw-empty__title")
            text(words("feed.empty_more"), "cw-empty__more", "p")
        return empty
