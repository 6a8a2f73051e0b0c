"""The alerts an operator sees now: the newest revision of the most recent ones.

Filled by ``intake`` from MQTT and from the archive, read by the pages. A repeat and an older
revision change nothing, so it does not matter which road an alert came by, or how often.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final

from monitor.domain import Alert

CAPACITY: Final = 200


class AlertFeed:
    """The newest revision of the last ``capacity`` alerts by the time of their peak."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._alerts: dict[str, Alert] = {}
        self._listeners: list[Callable[[Alert], None]] = []

    def offer(self, alert: Alert) -> bool:
        """Take it in; False for a repeat, an older revision, or one too old to be shown."""
        known = self._alerts.get(alert.id)
        if known is not None and known.revision >= alert.revision:
            return False
        self._alerts[alert.id] = alert
        if len(self._alerts) > self._capacity:
            oldest = min(self._alerts.values(), key=lambda one: (one.peak, one.id))
            del self._alerts[oldest.id]
            if oldest.id == alert.id:
                return False
        for listener in tuple(self._listeners):
            listener(alert)
        return True

    def offer_all(self, alerts: Iterable[Alert]) -> int:
        """Take in many; how many of them were news."""
        return sum(self.offer(alert) for alert in alerts)

    def get(self, alert_id: str) -> Alert | None:
        """The newest revision known here."""
        return self._alerts.get(alert_id)

    def recent(self, limit: int) -> list[Alert]:
        """Latest peak first."""
        newest_first = sorted(
            self._alerts.values(), key=lambda one: (one.peak, one.id), reverse=True
        )
        return newest_first[:limit]

    def listen(self, listener: Callable[[Alert], None]) -> Callable[[], None]:
        """Call ``listener`` for each alert that is news; returns what ends that."""
        self._listeners.append(listener)

        def end() -> None:
            with suppress(ValueError):  # ended twice: a page may close and be deleted
                self._listeners.remove(listener)

        return end
