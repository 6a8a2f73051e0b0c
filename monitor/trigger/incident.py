"""From triggers to incidents: pure, so that a replay gives the same ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from monitor.domain import EvidenceKind, Incident, Severity, Trigger

_ORDER: Final = tuple(Severity)
_MAX_TRIGGERS: Final = 32
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
    grew: bool  # its severity or its kind rose, or it was opened


def absorb(
    current: Incident | None, triggers: Sequence[Trigger], camera: str, merge_s: float
) -> tuple[Change, ...]:
    """Triggers of one moment extend ``current`` or open the next; in order of time.

    One that is already part of an incident (same kind, tracks and time) changes nothing, so that
    replaying after a crash is harmless. The last change's incident is the current one.
    """
    changes: list[Change] = []
    for trigger in sorted(triggers, key=lambda one: (one.time_ms, one.kind)):
        if current is not None and _belongs(current, trigger, merge_s):
            extended = _extend(current, trigger)
            if extended != current:
                grew = _rank(extended.severity) > _rank(current.severity) or (
                    chief(extended).kind is not chief(current).kind
                )
                changes.append(Change(extended, opened=False, grew=grew))
            current = extended
        else:
            current = _open(trigger, camera)
            changes.append(Change(current, opened=True, grew=True))
    return tuple(changes)


def chief(incident: Incident) -> Trigger:
    """The trigger the incident is about: the gravest kind, then the highest score."""
    return max(incident.triggers, key=lambda t: (_WEIGHT.get(t.kind, 0), t.score, -t.time_ms))


def severity_of(trigger: Trigger) -> Severity:
    """By kind, and by how far it is above the threshold."""
    if trigger.kind is EvidenceKind.CONTACT:
        return Severity.CRITICAL if trigger.score >= 1.8 else Severity.HIGH
    if trigger.kind is EvidenceKind.HARD_BRAKE:
        return Severity.MEDIUM if trigger.score >= 1.3 else Severity.LOW
    return Severity.MEDIUM


def _belongs(incident: Incident, trigger: Trigger, merge_s: float) -> bool:
    margin = merge_s * 1000
    return incident.start_ms - margin <= trigger.time_ms <= incident.last_ms + margin


def _same(a: Trigger, b: Trigger) -> bool:
    return a.kind is b.kind and a.tracks == b.tracks and abs(a.time_ms - b.time_ms) < 1500


def _open(trigger: Trigger, camera: str) -> Incident:
    return Incident(
        id=f"{camera}-{trigger.time_ms}",
        camera=camera,
        severity=severity_of(trigger),
        start_ms=trigger.time_ms,
        peak_ms=trigger.time_ms,
        last_ms=trigger.time_ms,
        triggers=(trigger,),
    )


def _extend(incident: Incident, trigger: Trigger) -> Incident:
    known = [one for one in incident.triggers if _same(one, trigger)]
    if known:
        if known[0].score >= trigger.score:
            return incident
        triggers = tuple(trigger if one is known[0] else one for one in incident.triggers)
    elif len(incident.triggers) >= _MAX_TRIGGERS:
        triggers = incident.triggers
    else:
        triggers = (*incident.triggers, trigger)
    extended = replace(incident, triggers=triggers)
    graver = max(incident.severity, severity_of(trigger), key=_rank)
    return replace(
        extended,
        severity=graver,
        start_ms=min(incident.start_ms, trigger.time_ms),
        peak_ms=chief(extended).time_ms,
        last_ms=max(incident.last_ms, trigger.time_ms),
    )


def _rank(severity: Severity) -> int:
    return _ORDER.index(severity)
