"""From triggers to incidents: pure, so that a replay gives the same ids."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from typing import Final

from monitor.domain import (
    EvidenceKind,
    Incident,
    IncidentStatus,
    Level,
    SecondLook,
    Severity,
    Trigger,
)
from monitor.trigger.forensic.verdict import Verdict
from monitor.trigger.judge import STRONG

_ORDER: Final = tuple(Severity)
_MAX_TRIGGERS: Final = 32
_SAME_MS: Final = 1_000
_SAME_PLACE: Final = 0.3  # of the smaller box
_COVERED_MS: Final = 2_000  # a second look answers for triggers this close to the one it was for
_MOST_LOOKS: Final = 4
_WEIGHT: Final = {
    EvidenceKind.CONTACT: 3,
    EvidenceKind.NEAR_MISS: 1,
    EvidenceKind.STOPPED_IN_LANE: 1,
}
"""What kind an incident is about; a kind not named weighs 0."""


@dataclass(frozen=True, slots=True)
class Change:
    """What triggers did: an incident as it is now, and whether subscribers should hear of it."""

    incident: Incident
    opened: bool
    grew: bool  # its severity or its kind rose, it became an alert, or it was opened


def absorb(
    current: Incident | None,
    triggers: Sequence[Trigger],
    camera: str,
    merge_s: float,
    closed: Sequence[Incident] = (),
) -> tuple[Change, ...]:
    """Triggers of one moment extend ``current`` or open the next; in order of time.

    A candidate opens an incident of which nobody hears yet; a strong trigger alerts, and makes an
    alert of the candidate it belongs to. Of ``closed`` incidents (``is_closed``) nothing is news
    that was said of them before, and any other candidate near them opens the next incident, which
    gets looks of its own.

    One that is already part of an incident (same kind, place and time) changes nothing unless it
    makes the incident graver, so that replaying after a crash is harmless. What changes an
    incident always adds a trigger to it, because their number is the alert's revision. The last
    change's incident is the current one.
    """
    if current is not None and current.status is IncidentStatus.DISMISSED:
        closed, current = (*closed, current), None
    changes: list[Change] = []
    for trigger in sorted(triggers, key=lambda one: (one.time_ms, one.kind)):
        if any(_known(one, trigger) for one in closed):
            continue
        if current is not None and _takes(current, trigger, merge_s):
            extended = _extend(current, trigger)
            if extended != current:
                grew = (
                    _rank(extended.severity) > _rank(current.severity)
                    or chief(extended).kind is not chief(current).kind
                    or extended.status is not current.status
                )
                changes.append(Change(extended, opened=False, grew=grew))
            current = extended
        else:
            taken = {one.id for one in closed} | ({current.id} if current is not None else set())
            current = _open(trigger, camera, taken)
            changes.append(Change(current, opened=True, grew=True))
    return tuple(changes)


def is_closed(incident: Incident) -> bool:
    """Whether no further candidate belongs to it: dismissed, or looked at without a verdict."""
    return incident.status is IncidentStatus.DISMISSED or (
        incident.status is IncidentStatus.CANDIDATE
        and bool(incident.looks)
        and due(incident) is None
    )


def due(incident: Incident) -> Trigger | None:
    """The trigger to look at again next, the highest score first; None where all is said."""
    return max(
        (trigger for trigger in incident.triggers if is_due(incident, trigger)),
        key=lambda trigger: (trigger.score, -trigger.time_ms),
        default=None,
    )


def is_due(incident: Incident, trigger: Trigger) -> bool:
    """Whether a second look at this trigger still says something new of the incident."""
    return (
        incident.status is not IncidentStatus.DISMISSED
        and len(incident.looks) < _MOST_LOOKS
        and not any(one.verified for one in incident.triggers)
        and trigger in incident.triggers
        and trigger.source == "measured"
        and all(abs(look.time_ms - trigger.time_ms) > _COVERED_MS for look in incident.looks)
    )


def was_alerted(incident: Incident) -> bool:
    """Whether subscribers have heard of it from watch, dismissed or not."""
    return any(trigger.level is Level.ALERT for trigger in incident.triggers)


def settled(incident: Incident, trigger: Trigger, verdict: Verdict, at_ms: int) -> Incident:
    """The incident once a trigger of it was looked at again.

    Confirmed, it is an alert about what the second look saw. It is dismissed when every trigger
    was rejected and none is left to look at; one look that could not tell keeps it as it is, and
    so does a model's look (a patrol's), for pictures do not answer it.
    """
    look = SecondLook(
        trigger.time_ms, verdict.confirmed, round(verdict.score, 3), verdict.reason, at_ms
    )
    if verdict.confirmed:
        seen = Trigger(
            kind=verdict.kind,
            time_ms=verdict.time_ms,
            decided_ms=at_ms,
            score=round(STRONG * verdict.score, 3),
            reason=verdict.reason,
            box=verdict.box,
            tracks=_parties(verdict) or trigger.tracks,
            verified=True,
        )
        return replace(_with(incident, seen), looks=(*incident.looks, look))
    looked = replace(incident, looks=(*incident.looks, look))
    seen_by_model = any(one.source == "patrol" for one in looked.triggers)
    rejected = all(one.confirmed is False for one in looked.looks)
    if due(looked) is None and rejected and not seen_by_model:
        return replace(looked, status=IncidentStatus.DISMISSED)
    return looked


def _parties(verdict: Verdict) -> tuple[int, ...]:
    """The tracks of the evidence that the verdict is about."""
    about = min(
        (item for item in verdict.evidence if item.kind is verdict.kind),
        key=lambda item: abs(item.time_ms - verdict.time_ms),
        default=None,
    )
    if about is None:
        return ()
    return tuple(track for track in (about.track, about.other) if track is not None)


def rejection(incident: Incident) -> SecondLook | None:
    """The second look that came nearest to confirming a dismissed incident."""
    rejected = [look for look in incident.looks if look.confirmed is False]
    return max(rejected, key=lambda look: (look.score, -look.time_ms), default=None)


def chief(incident: Incident) -> Trigger:
    """The trigger the incident is about: a measured one, verified, then the gravest kind, then
    the highest score."""
    return max(
        incident.triggers,
        key=lambda t: (
            t.source == "measured", t.verified, _WEIGHT.get(t.kind, 0), t.score, -t.time_ms,
        ),
    )  # fmt: skip


def severity_of(trigger: Trigger) -> Severity:
    """By kind, and by how far it is above the threshold."""
    if trigger.kind is EvidenceKind.CONTACT:
        return Severity.CRITICAL if trigger.score >= 2.4 else Severity.HIGH
    if trigger.kind is EvidenceKind.HARD_BRAKE:
        return Severity.MEDIUM if trigger.score >= 1.3 else Severity.LOW
    return Severity.MEDIUM


def _takes(incident: Incident, trigger: Trigger, merge_s: float) -> bool:
    if is_closed(incident) and trigger.level is Level.CANDIDATE and not _known(incident, trigger):
        return False
    margin = merge_s * 1000
    return incident.start_ms - margin <= trigger.time_ms <= incident.last_ms + margin


def _known(incident: Incident, trigger: Trigger) -> bool:
    """Whether it was said before, at least as strongly."""
    return any(
        _same(one, trigger) and (one.level is Level.ALERT or trigger.level is Level.CANDIDATE)
        for one in incident.triggers
    )


def _same(a: Trigger, b: Trigger) -> bool:
    """The same thing measured again, perhaps by a process that numbers tracks otherwise."""
    if a.kind is not b.kind or abs(a.time_ms - b.time_ms) > _SAME_MS:
        return False
    if a.box is None or b.box is None:
        return a.tracks == b.tracks
    wide = min(a.box[0] + a.box[2], b.box[0] + b.box[2]) - max(a.box[0], b.box[0])
    high = min(a.box[1] + a.box[3], b.box[1] + b.box[3]) - max(a.box[1], b.box[1])
    smaller = min(a.box[2] * a.box[3], b.box[2] * b.box[3])
    return min(wide, high) > 0.0 and wide * high > _SAME_PLACE * smaller


def _open(trigger: Trigger, camera: str, taken: Set[str]) -> Incident:
    """Named by its moment, or the next free name after it where another one has that."""
    named_ms = trigger.time_ms
    while f"{camera}-{named_ms}" in taken:
        named_ms += 1
    return Incident(
        id=f"{camera}-{named_ms}",
        camera=camera,
        severity=severity_of(trigger),
        start_ms=trigger.time_ms,
        peak_ms=trigger.time_ms,
        last_ms=trigger.time_ms,
        triggers=(trigger,),
        status=_status(trigger),
    )


def _status(trigger: Trigger) -> IncidentStatus:
    strong = trigger.level is Level.ALERT
    return IncidentStatus.ALERTED if strong else IncidentStatus.CANDIDATE


def _extend(incident: Incident, trigger: Trigger) -> Incident:
    news = _rank(severity_of(trigger)) > _rank(incident.severity) or (
        incident.status is IncidentStatus.CANDIDATE and trigger.level is Level.ALERT
    )
    full = len(incident.triggers) >= _MAX_TRIGGERS
    if (_known(incident, trigger) or full) and not news:
        return incident
    return _with(incident, trigger)


def _with(incident: Incident, trigger: Trigger) -> Incident:
    alerted = IncidentStatus.ALERTED in (incident.status, _status(trigger))
    extended = replace(incident, triggers=(*incident.triggers, trigger))
    return replace(
        extended,
        severity=max(incident.severity, severity_of(trigger), key=_rank),
        start_ms=min(incident.start_ms, trigger.time_ms),
        peak_ms=chief(extended).time_ms,
        last_ms=max(incident.last_ms, trigger.time_ms),
        status=IncidentStatus.ALERTED if alerted else IncidentStatus.CANDIDATE,
    )


def _rank(severity: Severity) -> int:
    return _ORDER.index(severity)
