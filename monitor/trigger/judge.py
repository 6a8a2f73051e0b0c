"""Which evidence is reason enough to call it an incident, and how strongly.

A score of 1.0 is the operating threshold. ``sensitivity`` 0.5 leaves scores as they are; 0 halves
them, 1 doubles them. Supporting evidence (a pedestrian, lamps, headway) never triggers by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from monitor.domain import Evidence, EvidenceKind, Trigger

_RELATED_MS: Final = 3_000
_SUPPORT: Final = 0.25
_BRAKE_CAP: Final = 1.5  # braking alone never outweighs a contact
_SUPPORTING: Final = frozenset(
    {EvidenceKind.PEDESTRIAN_IN_ROAD, EvidenceKind.BRAKE_LIGHT_ONSET, EvidenceKind.NEAR_MISS}
)


def gain(sensitivity: float) -> float:
    """What scores are multiplied by: 0.5 at sensitivity 0, 1 at 0.5, 2 at 1."""
    return float(4.0 ** (sensitivity - 0.5))


def judge(
    fresh: Iterable[Evidence], recent: Sequence[Evidence], decided_ms: int, sensitivity: float
) -> list[Trigger]:
    """Triggers among ``fresh`` evidence; ``recent`` is what else was measured lately."""
    found = []
    for evidence in fresh:
        scored = _score(evidence, recent)
        if scored is None:
            continue
        score, reason = scored
        score *= gain(sensitivity)
        if score >= 1.0:
            tracks = tuple(t for t in (evidence.track, evidence.other) if t is not None)
            found.append(
                Trigger(
                    kind=evidence.kind,
                    time_ms=evidence.time_ms,
                    decided_ms=decided_ms,
                    score=round(score, 3),
                    reason=reason,
                    box=evidence.box,
                    tracks=tracks,
                )
            )
    return found


def _score(evidence: Evidence, recent: Sequence[Evidence]) -> tuple[float, str] | None:
    value = evidence.value or 0.0
    if evidence.kind is EvidenceKind.CONTACT:
        return 3.2 * evidence.strength, (
            f"two bodies met and {100 * min(1.0, value):.0f} % of their closing speed"
            " was gone at once"
        )
    if evidence.kind is EvidenceKind.HARD_BRAKE:
        support = _SUPPORT if _supported(evidence, recent) else 0.0
        score = min(_BRAKE_CAP, 1.6 * evidence.strength + support)
        return score, f"hard braking, {value:.2g} {evidence.unit}"
    if evidence.kind is EvidenceKind.STOPPED_IN_LANE:
        return 0.5 + evidence.strength, f"standing for {value:.0f} s where traffic flows"
    if evidence.kind is EvidenceKind.NEAR_MISS and _braked(evidence, recent):
        return 1.3 * evidence.strength + _SUPPORT, f"{value:.1f} s from a collision, then braking"
    return None


def _supported(evidence: Evidence, recent: Sequence[Evidence]) -> bool:
    """Whether there is a reason to brake in the picture, or a second sign of it."""
    return any(
        other.kind in _SUPPORTING and abs(other.time_ms - evidence.time_ms) < _RELATED_MS
        for other in recent
    )


def _braked(evidence: Evidence, recent: Sequence[Evidence]) -> bool:
    return any(
        other.kind is EvidenceKind.HARD_BRAKE
        and other.track in (evidence.track, evidence.other)
        and abs(other.time_ms - evidence.time_ms) < _RELATED_MS
        for other in recent
    )
