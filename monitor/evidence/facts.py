"""Of everything measured, what bears on one event: who braked, who followed, what was in the way.

Called by ``causes``. Each field answers one question about the event; ``None`` means that
nothing was measured which answers it, not that nothing happened.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from monitor.domain import Evidence, EvidenceKind
from monitor.evidence.parties import BRAKING, Parties, Pivot
from monitor.evidence.prelude import Prelude, prelude
from monitor.evidence.timeline import (
    BY_TIME,
    BY_TRACK,
    Finding,
    Party,
    Place,
    Timeline,
    gap,
    size,
    time_uncertainty_s,
    tracks_of,
)

BY_PATH = 0.8
"""Link of something in a vehicle's way: ahead of where it braked, just before it braked."""

BRAKED_BEFORE_S = 8.0  # braking longer ago than this did not lead to the event
REASON_BEFORE_S = 3.0  # what a driver brakes for: the longest design reaction (2.5 s), and some
IMPACT_S = 0.15  # deceleration this close to a contact may be the impact itself
_LASTS_S = 60.0  # a standing vehicle or a queue is still there this long after it was measured
_SAME_BRAKING_S = 3.0  # lamps and deceleration this close are one act of braking
_SLACK_S = 0.3  # two measured times this close may be in either order
_WAY_AHEAD = 6.0  # in sizes of the vehicle's box: how far ahead the reason may be
_WAY_AHEAD_MAX = 0.45  # of the picture
_BEST_NOTICE_S = 1.0  # of several reasons, the one nearest to a usual reaction time is taken

_HARD = (EvidenceKind.BRAKE_LIGHT_ONSET, EvidenceKind.HARD_BRAKE)
_OBSTACLES = (
    EvidenceKind.PEDESTRIAN_IN_ROAD,
    EvidenceKind.STOPPED_IN_LANE,
    EvidenceKind.WRONG_WAY,
    EvidenceKind.SWERVE,
    EvidenceKind.QUEUE,
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What was measured around one event. For an event of one body, it is the ``lead``."""

    pivot: Pivot
    parties: Parties
    disturbance: Finding | None = None  # what was in the way before anyone braked
    lead_brake: Finding | None = None  # the first sign of the front (or only) vehicle's braking
    lead_brake_2: Finding | None = None  # the second sign of the same braking
    lead_stop: Finding | None = None  # the front vehicle standing or coming to stand
    headway: Finding | None = None  # of the one behind, before the front one braked
    follow_brake: Finding | None = None  # the one behind: its first sign of braking
    swerve: Finding | None = None  # by either party
    wrong_way: Finding | None = None  # by either party
    prelude: Prelude = field(default_factory=Prelude)  # the two ways to their meeting

    @property
    def itself(self) -> Finding | None:
        """The event as a fact."""
        return self.pivot.finding

    def named(self, name: str) -> Finding | None:
        """A fact by its name here or in the prelude."""
        owner = self if hasattr(self, name) else self.prelude
        fact: Finding | None = getattr(owner, name)
        return fact


def gather(pivot: Pivot, parties: Parties, timeline: Timeline) -> Facts:
    """Answer every question that the window's measurements answer."""
    pair = pivot.kind in (EvidenceKind.CONTACT, EvidenceKind.NEAR_MISS)
    lead = parties.struck if pair else parties.striker
    behind = parties.striker if pair else Party()
    if parties.on_foot or parties.cycling:
        lead, behind = Party(parties.struck.tracks), parties.striker
    end_s = pivot.t_s if not pair else pivot.t_s - IMPACT_S

    first, second = _braking(lead, behind.tracks, timeline, pivot, end_s)
    follow = _follow_brake(behind, lead.tracks, timeline, pivot, first) if pair else None
    headway = _headway(parties, pair, timeline, pivot, first)
    stop = _latest(
        _linked(
            lead,
            behind.tracks,
            timeline,
            timeline.of(EvidenceKind.SUDDEN_STOP, EvidenceKind.STOPPED_IN_LANE, until_s=end_s),
        )
    )
    own = [
        _latest(
            f
            for party in (parties.striker, parties.struck)
            for f in _linked(
                party,
                (),
                timeline,
                timeline.of(kind, since_s=pivot.t_s - BRAKED_BEFORE_S, until_s=pivot.t_s),
            )
            if f.link == BY_TRACK and f.evidence is not _event(pivot)
        )
        for kind in (EvidenceKind.SWERVE, EvidenceKind.WRONG_WAY)
    ]
    begin = first or stop or follow
    return Facts(
        pivot=pivot,
        parties=parties,
        disturbance=_disturbance(pivot, begin, lead, behind, parties, timeline),
        lead_brake=first,
        lead_brake_2=second,
        lead_stop=stop if stop is None or stop.evidence is not _event(pivot) else None,
        headway=headway,
        follow_brake=follow,
        swerve=own[0],
        wrong_way=own[1],
        prelude=prelude(pivot, parties, timeline, (first, second, follow)),
    )


def _event(pivot: Pivot) -> Evidence | None:
    return pivot.finding.evidence if pivot.finding is not None else None


def _linked(
    party: Party, others: Iterable[int], timeline: Timeline, items: Iterable[Evidence]
) -> list[Finding]:
    """Measurements about a body; those of its track where there are any, else by place or time."""
    strangers = frozenset(others)
    if not party.tracks and not party.places:
        return []
    found = [timeline.finding(e, party.link(timeline.finding(e), strangers)) for e in items]
    best = max((f.link for f in found), default=0.0)
    return [f for f in found if f.link == best and best > 0.0]


def _latest(findings: Iterable[Finding]) -> Finding | None:
    return max(findings, key=lambda f: (f.link, f.t_s, f.evidence.id), default=None)


def _braking(
    lead: Party, others: Iterable[int], timeline: Timeline, pivot: Pivot, end_s: float
) -> tuple[Finding | None, Finding | None]:
    """The last act of braking before the event: its first sign, and its second if there is one."""
    event = _event(pivot)
    items = timeline.of(*_HARD, since_s=pivot.t_s - BRAKED_BEFORE_S, until_s=end_s + _SLACK_S)
    found = [
        f
        for f in _linked(lead, others, timeline, items)
        if f.evidence is not event and (f.t_s <= end_s or pivot.kind in BRAKING)
    ]
    last = _latest(f for f in found if f.evidence.kind is EvidenceKind.HARD_BRAKE)
    anchor = last or _latest(found)
    if anchor is None:
        return None, None
    lamp = _latest(
        f
        for f in found
        if f.evidence.kind is EvidenceKind.BRAKE_LIGHT_ONSET
        and anchor.t_s - _SAME_BRAKING_S <= f.t_s <= anchor.t_s + 2 * _SLACK_S
    )
    if lamp is None or lamp.evidence is anchor.evidence:
        return anchor, None
    return (lamp, anchor) if lamp.t_s <= anchor.t_s else (anchor, lamp)


def _follow_brake(
    behind: Party,
    others: Iterable[int],
    timeline: Timeline,
    pivot: Pivot,
    lead_brake: Finding | None,
) -> Finding | None:
    """The first braking of the one behind since the one in front braked."""
    since_s = pivot.t_s - BRAKED_BEFORE_S if lead_brake is None else lead_brake.t_s - 2 * _SLACK_S
    items = timeline.of(*_HARD, since_s=since_s, until_s=pivot.t_s - IMPACT_S)
    found = _linked(behind, others, timeline, items)
    found = [f for f in found if lead_brake is None or f.evidence is not lead_brake.evidence]
    return min(found, key=lambda f: (f.t_s, f.evidence.id), default=None)


def _headway(
    parties: Parties, pair: bool, timeline: Timeline, pivot: Pivot, lead_brake: Finding | None
) -> Finding | None:
    """The last headway before the braking, when it was still stable; else the first after it."""
    if pair and parties.followed is None:
        return None
    link = parties.followed.link if parties.followed is not None else BY_TRACK
    ahead = parties.struck.tracks if pair else parties.striker.tracks
    behind = parties.striker.tracks
    found = [
        timeline.finding(e, link)
        for e in timeline.of(EvidenceKind.HEADWAY, until_s=pivot.t_s)
        if e.value is not None and e.other in ahead and (not pair or e.track in behind)
    ]
    before_s = (pivot if lead_brake is None else lead_brake).t_s + _SLACK_S
    stable = [f for f in found if f.t_s <= before_s]
    if stable:
        return max(stable, key=lambda f: (f.t_s, f.evidence.id))
    return min(found, key=lambda f: (f.t_s, f.evidence.id), default=None)


def _disturbance(
    pivot: Pivot,
    begin: Finding | None,
    lead: Party,
    behind: Party,
    parties: Parties,
    timeline: Timeline,
) -> Finding | None:
    """What came into the way before the braking began, from somebody who is not a party to it."""
    known = parties.tracks
    start_s = begin.t_s if begin is not None else pivot.t_s
    places = list(lead.places or behind.places)
    if begin is not None and begin.evidence.box is not None:
        places = [Place(begin.evidence.box, begin.t_s)]
    found: list[tuple[Finding, float]] = []
    for evidence in timeline.of(*_OBSTACLES):
        if timeline.t_s(evidence) > start_s + max(_SLACK_S, time_uncertainty_s(evidence) * 1.5):
            continue
        walked = evidence.kind is EvidenceKind.PEDESTRIAN_IN_ROAD and not parties.cycling
        party = walked and evidence.track in known
        if evidence is _event(pivot) or (tracks_of(evidence) & known and not party):
            continue
        if not _still_there(evidence, timeline, start_s):
            continue
        link, away = (BY_TRACK, 0.0) if party else _in_the_way(evidence, places)
        if link > 0.0:
            found.append((timeline.finding(evidence, link), away))

    def fit(candidate: tuple[Finding, float]) -> tuple[float, float, str]:
        """The surest, at a usual reaction time before the braking, and nearest to the vehicle."""
        f, away = candidate
        notice_s = start_s - f.t_s
        off = math.log2((notice_s + 1.5) / (_BEST_NOTICE_S + 1.5)) if notice_s > -1.0 else math.inf
        return (-f.weight / ((1.0 + abs(off)) * (1.0 + away)), -f.t_s, f.evidence.id)

    return min(found, key=fit)[0] if found else None


def _still_there(evidence: Evidence, timeline: Timeline, start_s: float) -> bool:
    """Whether it can still have been in the way: a standing vehicle stays, an act passes."""
    age_s = start_s - timeline.t_s(evidence)
    lasting = evidence.kind in (EvidenceKind.STOPPED_IN_LANE, EvidenceKind.QUEUE)
    return age_s <= (_LASTS_S if lasting else REASON_BEFORE_S)


def _in_the_way(evidence: Evidence, places: list[Place]) -> tuple[float, float]:
    """Whether it lay ahead of a vehicle, as far as boxes tell, and how far off in its reach."""
    if evidence.box is None or not places:
        return BY_TIME, 1.0
    away = min(
        gap(evidence.box, p.box) / max(1e-6, min(_WAY_AHEAD_MAX, _WAY_AHEAD * size(p.box)))
        for p in places
    )
    return (BY_PATH, 3.0 * away) if away <= 1.0 else (0.0, 0.0)
