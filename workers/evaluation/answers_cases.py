"""Which moments are explained: the labelled events of a replay, each with its incident. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from monitor.domain import (
    Evidence,
    EvidenceKind,
    Incident,
    IncidentStatus,
    Severity,
    Trigger,
    Window,
)
from workers.evaluation.catalogue import Entry, Label
from workers.evaluation.figures import Run
from workers.evaluation.found import Replay
from workers.evaluation.lead_in import START_MS

About = Literal["trigger", "label"]
"""Who says that there was something: the trigger, as in the street, or the label itself."""

_BEFORE_S: Final = 2.0
_AFTER_S: Final = 3.0
_KINDS: Final = {
    "collision": EvidenceKind.CONTACT,
    "stopped_vehicle": EvidenceKind.STOPPED_IN_LANE,
}


@dataclass(frozen=True, slots=True)
class Case:
    """One labelled event. Wall times as in the replay; without an incident nobody is asked."""

    entry: Entry
    label: Label
    incident: Incident | None
    window: Window
    evidence: tuple[Evidence, ...]

    def clip_s(self, t_s: float) -> float:
        """Seconds of the clip from an answer's time."""
        return (self.window.start_ms - START_MS) / 1000 + t_s


def cases(
    runs: Sequence[Run], *, about: About, candidates: bool, pre_roll_s: float, post_roll_s: float
) -> list[Case]:
    """Of every scored event, from the first replay of its clip.

    ``candidates``: also incidents that no second look could judge, which a model is asked about
    and of which nobody hears without one.
    """
    found = []
    for run in runs:
        replay = run.replays[0]
        for label in run.entry.scored:
            incident = (
                labelled(label) if about == "label" else incident_of(label, replay, candidates)
            )
            around = incident or labelled(label)
            end_ms = START_MS + round(1000 * replay.end_s)
            window = Window(
                max(START_MS, around.peak_ms - round(1000 * pre_roll_s)),
                min(end_ms, around.last_ms + round(1000 * post_roll_s)),
            )
            evidence = tuple(
                item for item in replay.log if window.start_ms <= item.time_ms <= window.end_ms
            )
            found.append(Case(run.entry, label, incident, window, evidence))
    return found


def incident_of(label: Label, replay: Replay, candidates: bool) -> Incident | None:
    """The incident that subscribers would read about this event, the nearest of several."""
    first_ms = START_MS + round(1000 * (label.start_s - _BEFORE_S))
    last_ms = START_MS + round(1000 * (label.peak_s + _AFTER_S))
    start_ms = START_MS + round(1000 * label.start_s)
    fits = [
        one
        for one in replay.incidents
        if (
            one.status is IncidentStatus.ALERTED
            or (candidates and one.status is IncidentStatus.CANDIDATE)
        )
        and any(first_ms <= trigger.time_ms <= last_ms for trigger in one.triggers)
    ]
    return min(
        fits,
        key=lambda one: (
            one.status is not IncidentStatus.ALERTED,
            abs(one.peak_ms - start_ms),
            one.id,
        ),
        default=None,
    )


def labelled(label: Label) -> Incident:
    """The incident that a faultless trigger would open: it knows when and what, not why."""
    at_ms = START_MS + round(1000 * label.start_s)
    known = {kind.value: kind for kind in EvidenceKind}
    kind = _KINDS.get(label.type) or known[label.type]
    trigger = Trigger(kind, at_ms, at_ms, 1.0, "told by the label", label.box)
    return Incident(
        f"label-{at_ms}", "label", Severity.MEDIUM, at_ms, at_ms, at_ms, (trigger,)
    )  # fmt: skip
