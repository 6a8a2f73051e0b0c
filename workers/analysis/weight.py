"""How much an incident weighs by itself: whether it is told at all, and against a model's word."""

from __future__ import annotations

from typing import Final

from monitor.domain import EvidenceKind, Incident, IncidentStatus, Level
from monitor.trigger.incident import was_alerted

STRONG_SCORE: Final = 2.0
"""A trigger that alerts with this score or more the model's 'no incident' does not overrule."""


def is_heard_of(incident: Incident, *, models: bool) -> bool:
    """Whether there is anything to say of it to anybody.

    There is not of what was dismissed before it was an alert, nor of a candidate where no model
    can be asked.
    """
    if incident.status is IncidentStatus.DISMISSED:
        return was_alerted(incident)
    return incident.status is IncidentStatus.ALERTED or models


def is_strong(incident: Incident) -> bool:
    """Whether a trigger outweighs a model that sees no incident."""
    return any(
        trigger.kind is EvidenceKind.CONTACT or trigger.score >= STRONG_SCORE
        for trigger in incident.triggers
        if trigger.source == "measured" and trigger.level is Level.ALERT
    )
