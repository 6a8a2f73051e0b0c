"""What ``CameraTrigger`` says of one picture."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.domain import Evidence, Trigger, ViewCondition


@dataclass(frozen=True, slots=True)
class StepResult:
    """What one picture brought."""

    evidence: tuple[Evidence, ...]
    triggers: tuple[Trigger, ...]
    view: ViewCondition
    scores: tuple[tuple[int, float], ...] = ()  # moment and raw score of all that was judged


@dataclass(frozen=True, slots=True)
class Glance:
    """What a picture showed while the camera rests."""

    empty: bool  # nothing is there that the empty scene has not
    view: ViewCondition
