"""An alert in the feed: provisional, then explained, in the same place."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from dashboards.board import Board
from dashboards.pages.html import box, icon, set_text, text
from dashboards.pages.wording import (
    LocalTime,
    headline,
    incident_url,
    media_url,
    typeset,
    verdict_counts,
)
from monitor.clock import utc
from monitor.domain import Alert, Stage

NEW_FOR: Final = timedelta(minutes=2)

OVERDUE: Final = timedelta(minutes=10)
"""An explanation this late does not come any more: its job was lost with an embedded Redis."""


class AlertCard:
    """Built where the caller's slot is; ``show`` rebuilds its inside for a newer revision."""

    def __init__(self, alert: Alert, board: Board) -> None:
        self._board = board
        self._times = LocalTime.of(board.config.site.timezone)
        self.alert = alert
        self.root = box("a", "cw-card", href=incident_url(alert.id), data_alert=alert.id)
        self.show(alert)

    def show(self, alert: Alert) -> None:
        """The alert as it is now."""
        self.alert = alert
        self._overdue = self._is_overdue()
        self.root.props["data-stage"] = "overdue" if self._overdue else alert.stage.value
        self.root.props["data-severity"] = alert.severity.value
        self.root.props["data-revision"] = str(alert.revision)
        self.root.update()
        self.root.clear()
        with self.root:
            self._picture()
            with box(classes="cw-card__body"):
                self._top()
                self._cause()
                self._foot()

    def tick(self) -> None:
        """How long ago it was changes by itself."""
        now = utc(self._board.clock.wall_ms())
        set_text(self._ago, self._board.words.ago((now - self.alert.peak).total_seconds()))
        if self._is_overdue() and not self._overdue:
            self.show(self.alert)

    def _is_overdue(self) -> bool:
        waited = utc(self._board.clock.wall_ms()) - self.alert.created
        return self.alert.stage is Stage.PROVISIONAL and waited > OVERDUE

    def _picture(self) -> None:
        media = self.alert.media
        if media is None or media.snapshot is None:
            with box(classes="cw-card__picture cw-card__picture--none"):
                icon("car_crash")
            return
        with box(classes="cw-card__picture"):
            box("img", src=media_url(media.snapshot), alt="", loading="lazy")

    def _top(self) -> None:
        words = self._board.words
        with box(classes="cw-card__top"):
            text(words(f"severity.{self.alert.severity.value}"), "cw-severity")
            text(headline(self.alert, words), "cw-card__title", "h3")
        with box(classes="cw-card__where"):
            text(self._board.cameras.name(self.alert.camera), "cw-card__camera")
            text(self._times.clock(self.alert.peak), "cw-card__time")
            self._ago = text("", "cw-card__ago")
        self.tick()

    def _cause(self) -> None:
        alert, words = self.alert, self._board.words
        if alert.stage is Stage.PROVISIONAL:
            text(typeset(alert.trigger.reason), "cw-card__cause", "p")
            with box(classes="cw-card__pending"):
                if not self._overdue:
                    box("span", "cw-spinner")
                text(words("card.overdue" if self._overdue else "card.explaining"))
        elif alert.answer is not None:
            text(typeset(alert.answer.root_cause), "cw-card__cause", "p")
        else:
            text(typeset(alert.trigger.reason), "cw-card__cause", "p")

    def _foot(self) -> None:
        alert, words = self.alert, self._board.words
        if alert.stage is Stage.PROVISIONAL:
            return
        with box(classes="cw-card__foot"):
            if alert.stage is Stage.DISMISSED:
                text(words("card.dismissed"), "cw-chip")
            for verdict, count in verdict_counts(alert):
                with box("span", "cw-count", data_verdict=verdict.value):
                    text(str(count), "cw-count__n")
                    text(words(f"verdict.{verdict.value}"))
            if alert.explainer is not None:
                text(
                    words(f"incident.explainer.{alert.explainer.value}"),
                    "cw-card__explainer",
                )
