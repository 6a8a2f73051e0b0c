"""How times, values and alerts are put into words for people, in the site's time zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dashboards.strings import Words
from monitor.domain import Alert, AlertEvidence, IncidentType, Verdict

_BEFORE_UNIT: Final = re.compile(
    r"(?<=\d) (?=(?:s|ms|m|km/h|m/s|%|lengths)(?![a-z]))|(?<=\d) (?=\(±)"
)


@dataclass(frozen=True, slots=True)
class LocalTime:
    """Wall times as the site's clocks show them."""

    zone: ZoneInfo

    @classmethod
    def of(cls, timezone: str) -> LocalTime:
        """UTC where the name is unknown here; ``causeway check`` has complained by then."""
        try:
            return cls(ZoneInfo(timezone))
        except (ZoneInfoNotFoundError, ValueError):
            return cls(ZoneInfo("UTC"))

    def clock(self, moment: datetime) -> str:
        return moment.astimezone(self.zone).strftime("%H:%M:%S")

    def date(self, moment: datetime) -> str:
        return moment.astimezone(self.zone).strftime("%Y-%m-%d")


def typeset(sentence: str) -> str:
    """The sentence with its numbers kept on one line with their units."""
    return _BEFORE_UNIT.sub("\N{NO-BREAK SPACE}", sentence)


def headline(alert: Alert, words: Words) -> str:
    """What happened: the answer's type, or what fired while there is no answer."""
    answer = alert.answer
    if answer is None or answer.incident_type in (IncidentType.OTHER, IncidentType.NONE):
        return words(f"kind.{alert.trigger.kind.value}")
    return words(f"type.{answer.incident_type.value}")


def media_url(path: str) -> str:
    """Where the dashboard serves a path below the media folder."""
    return "/media/" + path.lstrip("/")


def incident_url(alert_id: str) -> str:
    """The incident page of an alert."""
    return f"/incident/{alert_id}"


def window_time(t_s: float) -> str:
    """``0:07.3``: minutes, seconds and tenths since the clip's start."""
    tenths = round(t_s * 10)
    sign = "-" if tenths < 0 else ""
    minutes, rest = divmod(abs(tenths), 600)
    return f"{sign}{minutes}:{rest // 10:02d}.{rest % 10}"


def measured(evidence: AlertEvidence) -> str:
    """``0.8 ± 0.1 s``; empty where the kind of evidence has no value."""
    if evidence.value is None:
        return ""
    spread = "" if not evidence.uncertainty else f" ± {_number(evidence.uncertainty)}"
    unit = evidence.unit.replace("m/s2", "m/s²")
    return f"{_number(evidence.value)}{spread} {unit}".rstrip()


def who(evidence: AlertEvidence, words: Words) -> str:
    """``Vehicle 3 → 7``: the one it is about, then the second party."""
    name = words(f"actor.{evidence.actor.value}")
    if evidence.track is None:
        return name
    other = "" if evidence.other is None else f" → {evidence.other}"
    return f"{name} {evidence.track}{other}"


def verdict_counts(alert: Alert) -> list[tuple[Verdict, int]]:
    """How many claims stand how, the best first, leaving out those with none."""
    counts = [(v, sum(one.verdict is v for one in alert.verification)) for v in Verdict]
    return [(verdict, count) for verdict, count in counts if count]


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if abs(value) < 10 else f"{value:.1f}"
