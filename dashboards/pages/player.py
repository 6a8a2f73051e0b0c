"""The clip of an incident with its events on a bar, and measured boxes over the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from nicegui.element import Element

from dashboards.pages.wording import headline, measured, media_url, typeset, who, window_time
from dashboards.strings import Words
from monitor.clock import wall_ms_of
from monitor.domain import Alert, AlertEvidence, EvidenceKind, Stage

RUN_UP_S: Final = 1.5
"""The clip opens this long before the first antecedent."""

_WORDS: Final = {
    "play": "incident.play",
    "back": "incident.previous_frame",
    "on": "incident.next_frame",
    "slow": "incident.slow",
    "boxes": "incident.boxes",
    "keys": "incident.keys",
    "timeline": "incident.timeline",
    "no_clip": "incident.no_clip",
    "no_clip_final": "incident.no_clip_final",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """A place on the bar. ``sign`` is what stands in it, ``caption`` what the picture says then."""

    id: str
    t_s: float
    kind: str
    sign: str
    title: str
    caption: str = ""

    def props(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "t": self.t_s,
            "kind": self.kind,
            "sign": self.sign,
            "title": self.title,
            "caption": self.caption,
        }


class IncidentPlayer(Element, component="../static/incident_player.js"):
    """``pick`` in its script seeks to a mark; the page's own buttons call it in the browser."""

    def __init__(self, alert: Alert, words: Words, timezone: str) -> None:
        super().__init__()
        self._words_of = words
        self.props["words"] = {name: words(key) for name, key in _WORDS.items()}
        self.props["zone"] = timezone
        self.show(alert)

    def show(self, alert: Alert) -> None:
        """Another revision: the clip stays where it is, only what is said of it changes."""
        media = alert.media
        length_s = (alert.window_end - alert.window_start).total_seconds()
        values: dict[str, Any] = {
            "clip": media_url(media.clip) if media and media.clip else None,
            "poster": media_url(media.snapshot) if media and media.snapshot else None,
            "final": alert.stage is not Stage.PROVISIONAL,
            "length": length_s,
            "from": max(0.0, min(_first_moments(alert)) - RUN_UP_S),
            "start-ms": wall_ms_of(alert.window_start),
            "marks": [mark.props() for mark in marks(alert, self._words_of)],
            "boxes": [_box(one, self._words_of) for one in alert.evidence if one.box],
        }
        for name, value in values.items():
            self.props[name] = value
        self.update()

    def js_pick(self, mark_id: str) -> str:
        """A browser-side handler that seeks to a mark, without asking the server."""
        return f"() => runMethod({self.id}, 'pick', ['{mark_id}'])"

    def js_seek(self, t_s: float) -> str:
        """The same for any time of the window."""
        return f"() => runMethod({self.id}, 'seek', [{t_s:.3f}])"


def marks(alert: Alert, words: Words) -> list[Mark]:
    """The evidence as small marks, contact and the three antecedents as large ones over them."""
    found = [
        Mark(f"evidence_{n}", one.t_s, "evidence", "", _title(one, words))
        for n, one in enumerate(alert.evidence)
    ]
    contact = contact_of(alert.evidence)
    if contact is not None:
        name = words("kind.contact")
        title = f"{window_time(contact.t_s)}  {name}"
        found.append(Mark("contact", contact.t_s, "contact", "✕", title, name))
    else:
        title = f"{window_time(alert.trigger.t_s)}  {headline(alert, words)}"
        found.append(Mark("trigger", alert.trigger.t_s, "trigger", "!", title))
    if alert.answer is not None:
        for n, antecedent in enumerate(alert.answer.antecedents, start=1):
            if antecedent.t_s is not None:
                title = f"{window_time(antecedent.t_s)}  {antecedent.text}"
                name = f"antecedent_{n}"
                found.append(
                    Mark(
                        name, antecedent.t_s, "antecedent", str(n), title, typeset(antecedent.text)
                    )
                )
    return found


def contact_of(evidence: Sequence[AlertEvidence]) -> AlertEvidence | None:
    """The surest contact that was measured."""
    contacts = [one for one in evidence if one.kind is EvidenceKind.CONTACT]
    return max(contacts, key=lambda one: one.strength, default=None)


def _first_moments(alert: Alert) -> list[float]:
    told = [] if alert.answer is None else [one.t_s for one in alert.answer.antecedents]
    return [t_s for t_s in told if t_s is not None] + [alert.trigger.t_s]


def _title(one: AlertEvidence, words: Words) -> str:
    said = [words(f"kind.{one.kind.value}"), who(one, words), measured(one)]
    return f"{window_time(one.t_s)}  " + " · ".join(part for part in said if part)


def _box(one: AlertEvidence, words: Words) -> dict[str, Any]:
    x, y, width, height = one.box or (0.0, 0.0, 0.0, 0.0)
    label = words(f"kind.{one.kind.value}")
    value = measured(one)
    return {
        "id": one.id,
        "t": one.t_s,
        "kind": one.kind.value,
        "label": f"{label} {value}".rstrip(),
        "x": x,
        "y": y,
        "w": width,
        "h": height,
    }
