"""From triggers to incidents: pure, so that a replay gives the same ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from monitor.domain import EvidenceKind, Incident, Severity, Trigger

_ORDER: Final = tuple(Severity)
_MAX_TRIGGERS: Final = 32
_SAME_MS: Final = 1_000
_SAME_PLACE: Final = 0.3  # of the smaller box
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

    One that is already part of an incident (same kind, place and time) changes nothing unless it
    makes the incident graver, so that replaying after a crash is harmless. What changes an
    incident always adds a trigger to it, because their number is the alert's revision. The last
    change's incident is the current one.
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
    """The trigger the incident is about: a measured one, the gravest kind, the highest score."""
    return max(
        incident.triggers,
        key=lambda t: (t.source == "measured", _WEIGHT.get(t.kind, 0), t.score, -t.time_ms),
    )


def severity_of(trigger: Trigger) -> Severity:
    """By kind, and by how far it is above the threshold."""
    if trigger.kind is EvidenceKind.CONTACT:
        return Severity.CRITICAL if trigger.score >= 2.4 else Severity.HIGH
    if trigger.kind is EvidenceKind.HARD_BRAKE:
        return Severity.MEDIUM if trigger.score >= 1.3 else Severity.LOW
    return Severity.MEDIUM


def _belongs(incident: Incident, trigger: Trigger, merge_s: float) -> bool:
    margin = merge_s * 1000
    return incident.start_ms - margin <= trigger.time_ms <= incident.last_ms + margin


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
    graver = max(incident.severity, severity_of(trigger), key=_rank)
    known = any(_same(one, trigger) for one in incident.triggers)
    full = len(incident.triggers) >= _MAX_TRIGGERS
    if (known or full) and graver is incident.severity:
        return incident
    extended = replace(incident, triggers=(*incident.triggers, trigger))
    return replace(
        extended,
        severity=graver,
        start_ms=min(incident.start_ms, trigger.time_ms),
        peak_ms=chief(extended).time_ms,
        last_ms=max(incident.last_ms, trigger.time_ms),
    )


def _rank(severity: Severity) -> int:
    return _ORDER.index(severity)
