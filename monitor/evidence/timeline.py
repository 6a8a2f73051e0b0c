"""What was measured inside a window, and the questions that explaining and checking ask of it.

Used by every other module of ``monitor.evidence``. It picks and orders measurements and says how
surely one belongs to a body; it draws no conclusion and writes no sentence.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from monitor.domain import Box, Evidence, EvidenceKind, Window

DEFAULT_TIME_UNCERTAINTY_S = 0.2
"""Taken for a measurement that does not say how well its time is known (two frames at 10 fps)."""

BY_TRACK = 1.0
BY_PLACE = 0.6
BY_TIME = 0.4
"""How surely a measurement belongs to a body: its track, a box beside it, or only its time.

Tracks break where a body is hidden, so a track's number alone is not the whole truth; but what
is tied by place or time alone counts for less in every confidence."""

_REACH = 0.75  # free distance two boxes of one body may have, in mean box sizes ...
_REACH_PER_S = 0.75  # ... and as much again for each second between them
_REACH_MAX = 2.5


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was, and when."""

    box: Box
    t_s: float


@dataclass(frozen=True, slots=True)
class Finding:
    """One measurement, taken as a fact about an incident, and how surely it belongs to it."""

    evidence: Evidence
    t_s: float
    link: float = BY_TRACK

    @property
    def weight(self) -> float:
        """How much the fact can carry: strength of the measurement times the link."""
        return self.evidence.strength * self.link

    @property
    def time_uncertainty_s(self) -> float:
        """One standard deviation of the time."""
        return time_uncertainty_s(self.evidence)


class Timeline:
    """The measurements of one window in the order of time; an id that comes twice counts once."""

    def __init__(self, evidence: Iterable[Evidence], window: Window) -> None:
        inside = {e.id: e for e in evidence if window.start_ms <= e.time_ms <= window.end_ms}
        self.window = window
        self.items: tuple[Evidence, ...] = tuple(
            sorted(inside.values(), key=lambda e: (e.time_ms, e.kind.value, e.id))
        )

    def __iter__(self) -> Iterator[Evidence]:
        return iter(self.items)

    def t_s(self, evidence: Evidence) -> float:
        """Seconds since the window's start."""
        return self.window.t_s(evidence.time_ms)

    def finding(self, evidence: Evidence, link: float = BY_TRACK) -> Finding:
        """A measurement as a fact."""
        return Finding(evidence, self.t_s(evidence), link)

    def of(
        self, *kinds: EvidenceKind, since_s: float = -math.inf, until_s: float = math.inf
    ) -> tuple[Evidence, ...]:
        """Measurements of these kinds within a span, both ends included."""
        return tuple(e for e in self.items if e.kind in kinds and since_s <= self.t_s(e) <= until_s)

    def of_track(self, track: int | None, *kinds: EvidenceKind) -> tuple[Evidence, ...]:
        """Measurements of these kinds that are about this track."""
        if track is None:
            return ()
        return tuple(e for e in self.of(*kinds) if e.track == track)


def time_uncertainty_s(evidence: Evidence) -> float:
    """One standard deviation of its time; a default where it does not say."""
    if evidence.time_uncertainty_s is None:
        return DEFAULT_TIME_UNCERTAINTY_S
    return max(0.0, evidence.time_uncertainty_s)


def tracks_of(evidence: Evidence) -> frozenset[int]:
    """Every track a measurement names."""
    return frozenset(t for t in (evidence.track, evidence.other) if t is not None)


def size(box: Box) -> float:
    """A box's size as one length: the root of its area."""
    return math.sqrt(max(0.0, box[2]) * max(0.0, box[3]))


def gap(a: Box, b: Box) -> float:
    """The free distance between two boxes, in fractions of the picture; 0 where they overlap."""
    across = max(a[0] - (b[0] + b[2]), b[0] - (a[0] + a[2]), 0.0)
    down = max(a[1] - (b[1] + b[3]), b[1] - (a[1] + a[3]), 0.0)
    return math.hypot(across, down)


def beside(box: Box | None, t_s: float, places: Sequence[Place]) -> bool:
    """Whether a body seen at a box then may be the one seen at any of these places."""
    if box is None:
        return False
    for place in places:
        reach = min(_REACH_MAX, _REACH + _REACH_PER_S * abs(t_s - place.t_s))
        if gap(box, place.box) <= reach * (size(box) + size(place.box)) / 2:
            return True
    return False


@dataclass(frozen=True, slots=True)
class Party:
    """One body of an incident, as far as its tracks and places are known."""

    tracks: frozenset[int] = frozenset()
    places: tuple[Place, ...] = ()

    @property
    def track(self) -> int | None:
        """The number it is shown under."""
        return min(self.tracks, default=None)

    def link(self, finding: Finding, others: Collection[int] = ()) -> float:
        """How surely a measurement is about this body; 0 if it is not.

        ``others`` are tracks known to be somebody else. A measurement that has neither track
        nor box, or a body of which neither is known, is tied by time alone.
        """
        evidence = finding.evidence
        if evidence.track is not None and evidence.track in self.tracks:
            return BY_TRACK
        if evidence.track is not None and evidence.track in others:
            return 0.0
        if evidence.box is not None and self.places:
            return BY_PLACE if beside(evidence.box, finding.t_s, self.places) else 0.0
        if evidence.track is not None and self.tracks:
            return 0.0
        return BY_TIME
