"""Which evidence is reason enough to look twice, or to call it an incident at once.

Raw scores are the same on every camera: 1.0 is where a camera begins that has no history yet.
``graded`` divides them by the camera's operating score (``sensitivity``), so that a trigger's
score of 1.0 is that camera's threshold for a candidate, and ``STRONG`` the one for an alert.
Supporting evidence (a pedestrian, lamps, headway) never triggers by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from monitor.domain import Box, Evidence, EvidenceKind, Level, Trigger
from monitor.trigger.fast import odds

STRONG: Final = 1.6
"""From this score on, raw and graded, a trigger alerts at once: a standstill that is surely none
of the traffic's, or a contact that is nearly certain (``SURE``); hard braking, impulses and near
misses never do so by themselves."""

SURE: Final = 0.8
"""Strength from which a contact of tracks alerts without a second look: some 4 m/s of closing
speed gone at once, which was felt too. Weaker ones are mostly tracks that join and part."""

FLOOR: Final = 0.25
"""Raw scores below are not worth counting either."""

_RELATED_MS: Final = 3_000
_SUPPORT: Final = 0.25
_BRAKE_CAP: Final = 1.5  # braking alone never outweighs a contact
_BACKING: Final = 0.5
_BACKED_MS: Final = 1_500
_PER_STRENGTH: Final = 3.2
_FELT: Final = frozenset({EvidenceKind.IMPULSE})
_ALONE_CAP: Final = 1.5  # tracks join and part by themselves: a contact must be felt too
_BACKS: Final = frozenset(
    {EvidenceKind.HARD_BRAKE, EvidenceKind.SUDDEN_STOP, EvidenceKind.CONTACT,
     EvidenceKind.NEAR_MISS, EvidenceKind.SWERVE}
)  # fmt: skip
_SUPPORTING: Final = frozenset(
    {EvidenceKind.PEDESTRIAN_IN_ROAD, EvidenceKind.BRAKE_LIGHT_ONSET, EvidenceKind.NEAR_MISS}
)


def judge(fresh: Iterable[Evidence], recent: Sequence[Evidence], decided_ms: int) -> list[Trigger]:
    """What among ``fresh`` evidence has a raw score of at least ``FLOOR``, ungraded.

    ``recent`` is what else was measured lately.
    """
    found = []
    for evidence in fresh:
        scored = _score(evidence, recent)
        if scored is None or scored[0] < FLOOR:
            continue
        score, reason = scored
        tracks = tuple(t for t in (evidence.track, evidence.other) if t is not None)
        found.append(
            Trigger(
                kind=evidence.kind,
                time_ms=evidence.time_ms,
                decided_ms=decided_ms,
                score=score,
                reason=reason,
                box=evidence.box,
                tracks=tracks,
            )
        )
    return found


def graded(raw: Iterable[Trigger], operating: float) -> list[Trigger]:
    """Those that reach a camera's operating score, with the score and level they have there.

    A low operating score makes more candidates, never more alerts at once: for those the raw
    score must be ``STRONG`` too.
    """
    return [
        replace(
            trigger,
            score=round(trigger.score / operating, 3),
            level=_level(trigger, operating),
        )
        for trigger in raw
        if trigger.score >= operating
    ]


def _level(trigger: Trigger, operating: float) -> Level:
    if trigger.kind is EvidenceKind.IMPULSE:
        return Level.CANDIDATE  # a sign, never a measured event
    least = STRONG * max(1.0, operating)
    if trigger.kind is EvidenceKind.CONTACT:
        least = max(least, _PER_STRENGTH * SURE)
    return Level.ALERT if trigger.score >= least else Level.CANDIDATE


def _score(evidence: Evidence, recent: Sequence[Evidence]) -> tuple[float, str] | None:
    value = evidence.value or 0.0
    if evidence.kind is EvidenceKind.CONTACT:
        raw = _PER_STRENGTH * evidence.strength
        if not _backed(evidence, recent, _FELT):
            raw = min(raw, _ALONE_CAP)
        return raw, (
            f"two bodies met and {100 * min(1.0, value):.0f} % of their closing speed"
            " was gone at once"
        )
    if evidence.kind is EvidenceKind.IMPULSE:
        support = _BACKING if _backed(evidence, recent, _BACKS) else 0.0
        return odds(evidence.strength) + support, (
            f"a body lost or turned {100 * min(1.0, value):.0f} % of its momentum at once"
        )
    if evidence.kind is EvidenceKind.HARD_BRAKE:
        support = _SUPPORT if _supported(evidence, recent) else 0.0
        score = min(_BRAKE_CAP, 1.6 * evidence.strength + support)
        return score, f"hard braking, {value:.2g} {evidence.unit}"
    if evidence.kind is EvidenceKind.STOPPED_IN_LANE:
        return 0.5 + 1.2 * evidence.strength, f"standing for {value:.0f} s where traffic flows"
    if evidence.kind is EvidenceKind.WRONG_WAY:
        return 0.6 + evidence.strength, f"for {value:.1f} s against the traffic's only direction"
    if evidence.kind is EvidenceKind.PEDESTRIAN_IN_ROAD and evidence.value is not None:
        return 0.65 + evidence.strength, f"somebody crosses a lane, {value:.1f} s in it so far"
    if evidence.kind is EvidenceKind.SWERVE:
        support = _SUPPORT if _supported(evidence, recent) else 0.0
        aside = f"thrown aside by {value:.1f} {evidence.unit} within a second"
        return min(_BRAKE_CAP, 0.7 + evidence.strength + support), aside
    if evidence.kind is EvidenceKind.NEAR_MISS and _braked(evidence, recent):
        return 1.3 * evidence.strength + _SUPPORT, f"{value:.1f} s from a collision, then braking"
    return None


def _supported(evidence: Evidence, recent: Sequence[Evidence]) -> bool:
    """Whether there is a reason to brake in the picture, or a second sign of it."""
    return any(
        other.kind in _SUPPORTING and abs(other.time_ms - evidence.time_ms) < _RELATED_MS
        for other in recent
    )


def _backed(evidence: Evidence, recent: Sequence[Evidence], kinds: frozenset[EvidenceKind]) -> bool:
    """Whether one of ``kinds`` was measured there and then."""
    return any(
        other.kind in kinds
        and abs(other.time_ms - evidence.time_ms) < _BACKED_MS
        and _overlap(evidence.box, other.box)
        for other in recent
    )


def _overlap(a: Box | None, b: Box | None) -> bool:
    if a is None or b is None:
        return False
    wide = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    high = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return wide > 0 and high > 0


def _braked(evidence: Evidence, recent: Sequence[Evidence]) -> bool:
    return any(
        other.kind is EvidenceKind.HARD_BRAKE
        and other.track in (evidence.track, evidence.other)
        and abs(other.time_ms - evidence.time_ms) < _RELATED_MS
        for other in recent
    )
