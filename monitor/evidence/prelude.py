"""What the second look measured of two bodies' ways to their meeting, as facts about it.

Called by ``facts``. Each is of one of the parties, no later than the event.
"""

from __future__ import annotations

from dataclasses import dataclass

from monitor.domain import Evidence, EvidenceKind
from monitor.evidence.parties import Parties, Pivot
from monitor.evidence.timeline import Finding, Timeline, tracks_of

_LONGEST_S = 8.0
_JUST_BEFORE_S = 1.0
_ONE_ACT_S = 1.5  # slowing and braking of one body this close are one act


@dataclass(frozen=True, slots=True)
class Prelude:
    """The two ways; ``None`` where nothing was measured."""

    entered: Finding | None = None  # since when one was in the other's path
    closing: Finding | None = None  # since when they were two seconds from a collision, or less
    lead_slow: Finding | None = None  # the struck one lost speed
    follow_slow: Finding | None = None  # the striking one did
    came_first: Finding | None = None  # into view
    came_last: Finding | None = None
    went: Finding | None = None  # how fast the striking one was, just before


def prelude(
    pivot: Pivot, parties: Parties, timeline: Timeline, braking: tuple[Finding | None, ...]
) -> Prelude:
    """Of the event's two parties; ``braking``: known acts of braking, which slowing repeats."""
    if pivot.kind not in (EvidenceKind.CONTACT, EvidenceKind.NEAR_MISS):
        return Prelude()

    def last(kind: EvidenceKind, tracks: frozenset[int]) -> Finding | None:
        found = [
            timeline.finding(one)
            for one in timeline.of(kind, since_s=pivot.t_s - _LONGEST_S, until_s=pivot.t_s)
            if _about(one, tracks, parties.tracks)
        ]
        return max(found, key=lambda f: (f.t_s, f.evidence.id), default=None)

    def slow(tracks: frozenset[int]) -> Finding | None:
        found = last(EvidenceKind.SLOWING, tracks)
        same = found is not None and any(
            one is not None
            and one.evidence.track in tracks
            and abs(one.t_s - found.t_s) <= _ONE_ACT_S
            for one in braking
        )
        return None if same else found

    came = sorted(
        (
            one
            for tracks in (parties.striker.tracks, parties.struck.tracks)
            if (one := last(EvidenceKind.APPEARED, tracks)) is not None
        ),
        key=lambda f: (f.t_s, f.evidence.id),
    )
    went = last(EvidenceKind.SPEED, parties.striker.tracks)
    if went is not None and went.t_s < pivot.t_s - _JUST_BEFORE_S:
        went = None  # it may have braked since
    return Prelude(
        entered=last(EvidenceKind.PATH_ENTERED, parties.tracks),
        closing=last(EvidenceKind.CLOSING, parties.tracks),
        lead_slow=slow(parties.struck.tracks),
        follow_slow=slow(parties.striker.tracks),
        came_first=came[0] if came else None,
        came_last=came[-1] if len(came) > 1 else None,
        went=went,
    )


def _about(evidence: Evidence, tracks: frozenset[int], both: frozenset[int]) -> bool:
    """By track; and the second party, where it is named, is one of the event's as well."""
    return evidence.track in tracks and (not both or tracks_of(evidence) <= both)
