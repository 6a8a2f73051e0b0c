"""Which measurement an incident is about, and who took which part in it.

Called by ``causes`` (for an incident) and by ``verify`` (for a window, no incident known).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from monitor.domain import Actor, Evidence, EvidenceKind, Incident, Trigger
from monitor.evidence.encounter import Encounter, Manner, encounter_of
from monitor.evidence.timeline import (
    BY_PLACE,
    BY_TIME,
    BY_TRACK,
    Finding,
    Party,
    Place,
    Timeline,
    tracks_of,
)

GRAVITY: tuple[EvidenceKind, ...] = (
    EvidenceKind.CONTACT,
    EvidenceKind.NEAR_MISS,
    EvidenceKind.WRONG_WAY,
    EvidenceKind.HARD_BRAKE,
    EvidenceKind.SUDDEN_STOP,
    EvidenceKind.STOPPED_IN_LANE,
    EvidenceKind.SWERVE,
    EvidenceKind.IMPULSE,
    EvidenceKind.PEDESTRIAN_IN_ROAD,
    EvidenceKind.QUEUE,
)
"""What an incident can be about, gravest first. Lamps and headways are only ever causes."""

_OVERRULE = frozenset(GRAVITY[:3])  # found with hindsight, they are the event whatever fired

BRAKING = (EvidenceKind.BRAKE_LIGHT_ONSET, EvidenceKind.HARD_BRAKE, EvidenceKind.SUDDEN_STOP)

_AROUND_S = 3.0  # a measurement this far outside the incident's span may still be the incident
_SAME_EVENT_S = 0.5  # a measurement this near to a trigger of its kind is what the trigger saw
_TRIGGER_ALONE = 0.3  # weight of a trigger that no measurement backs
_FAINT = 0.6  # a contact weaker than this share of the strongest is not taken for the first
_ONE_CRASH_S = 4.0  # contacts this close to the peak are of the crash it is about
_BEFORE_PAIR_S = 6.0  # braking looked at to tell who was in front


@dataclass(frozen=True, slots=True)
class Pivot:
    """The event to be explained."""

    kind: EvidenceKind
    t_s: float
    weight: float  # how surely it happened
    finding: Finding | None  # None: only the trigger says so
    time_uncertainty_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Parties:
    """The bodies in the event. ``striker`` came from behind or did what the event is about."""

    striker: Party = field(default_factory=Party)
    struck: Party = field(default_factory=Party)
    followed: Finding | None = None  # a headway that shows one followed the other
    on_foot: bool = False  # the struck one is a pedestrian
    cycling: bool = False  # ... or a cyclist
    met: Encounter = field(default_factory=Encounter)  # how their ways lay to one another

    @property
    def tracks(self) -> frozenset[int]:
        """All tracks of both."""
        return self.striker.tracks | self.struck.tracks


def pivot_of(incident: Incident, timeline: Timeline) -> Pivot:
    """The gravest measurement tied to one of the incident's triggers, or the best trigger."""
    since_s = timeline.window.t_s(incident.start_ms) - _AROUND_S
    until_s = timeline.window.t_s(incident.last_ms) + _AROUND_S
    peak_s = timeline.window.t_s(incident.peak_ms)
    reported = {t.kind for t in incident.triggers}
    order = [k for k in GRAVITY if k in _OVERRULE or k in reported]
    for kind in (*order, *GRAVITY):
        found: list[Finding] = []
        for evidence in timeline.of(kind, until_s=until_s):
            link = max((_tie(timeline, evidence, t) for t in incident.triggers), default=BY_TIME)
            recent = timeline.t_s(evidence) >= since_s
            if link >= BY_TRACK or (link > 0.0 and recent):
                found.append(timeline.finding(evidence, link))
        if found:
            return _as_pivot(_choose(kind, found, peak_s))
    return _from_trigger(incident, timeline)


def gravest(timeline: Timeline, *kinds: EvidenceKind) -> Pivot | None:
    """The event of these kinds that a window is about, where no incident says so."""
    for kind in GRAVITY:
        found = [timeline.finding(e) for e in timeline.of(kind)] if kind in kinds else []
        if found:
            strongest = max(found, key=lambda f: (f.weight, -f.t_s))
            return _as_pivot(_choose(kind, found, strongest.t_s))
    return None


def _tie(timeline: Timeline, evidence: Evidence, trigger: Trigger) -> float:
    """How surely a measurement is what a trigger saw."""
    if tracks_of(evidence) & set(trigger.tracks):
        return BY_TRACK
    t_s = timeline.window.t_s(trigger.time_ms)
    strangers = evidence.track is not None and trigger.tracks
    same = evidence.kind is trigger.kind and abs(timeline.t_s(evidence) - t_s) <= _SAME_EVENT_S
    if same and not strangers:
        return BY_TRACK
    places = (Place(trigger.box, t_s),) if trigger.box is not None else ()
    party = Party(frozenset(trigger.tracks), places)
    link = party.link(timeline.finding(evidence))
    return link if abs(timeline.t_s(evidence) - t_s) <= _AROUND_S else 0.0


def _choose(kind: EvidenceKind, found: Sequence[Finding], peak_s: float) -> Finding:
    """Of the sure contacts around the peak the first, because it caused the rest; of others the
    one at the peak. An incident may be long: what else happened in it is another story.
    """
    if kind is EvidenceKind.CONTACT:
        found = [f for f in found if abs(f.t_s - peak_s) <= _ONE_CRASH_S] or found
    best_link = max(f.link for f in found)
    tied = [f for f in found if f.link == best_link]
    strongest = max(f.weight for f in tied)
    sure = [f for f in tied if f.weight >= _FAINT * strongest]
    if kind is EvidenceKind.CONTACT:
        return min(sure, key=lambda f: (f.t_s, -f.weight, f.evidence.id))
    return min(sure, key=lambda f: (abs(f.t_s - peak_s), -f.weight, f.evidence.id))


def _as_pivot(finding: Finding) -> Pivot:
    return Pivot(
        finding.evidence.kind, finding.t_s, finding.weight, finding, finding.time_uncertainty_s
    )


def _from_trigger(incident: Incident, timeline: Timeline) -> Pivot:
    best = max(incident.triggers, key=lambda t: (t.score, -t.time_ms), default=None)
    if best is None:
        return Pivot(EvidenceKind.SUDDEN_STOP, timeline.window.t_s(incident.peak_ms), 0.0, None)
    weight = _TRIGGER_ALONE * min(1.0, max(0.0, best.score))
    return Pivot(best.kind, timeline.window.t_s(best.time_ms), weight, None)


def parties_of(pivot: Pivot, timeline: Timeline) -> Parties:
    """Who took part. A headway of the same two decides who followed whom."""
    if pivot.finding is None:
        return Parties()
    evidence = pivot.finding.evidence
    here = (Place(evidence.box, pivot.t_s),) if evidence.box is not None else ()
    striker, struck = _numbers(evidence.track), _numbers(evidence.other)
    walking = frozenset(
        e.track for e in timeline if e.actor is Actor.PEDESTRIAN and e.track is not None
    )
    pair = pivot.kind in (EvidenceKind.CONTACT, EvidenceKind.NEAR_MISS)
    if not pair:
        return Parties(
            _party(striker, here, timeline, pivot), _party(struck, here, timeline, pivot)
        )
    met = encounter_of(timeline, evidence, pivot.t_s)
    striker, struck = _filled(striker, struck, met, timeline, pivot.t_s)
    # What a body was just before its contact, with hindsight, goes before what it looked like.
    walking -= {one.track for one in met.courses if one.actor is not Actor.PEDESTRIAN}
    for weaker in (Actor.PEDESTRIAN, Actor.CYCLIST):
        one = met.who(weaker)
        of_kind = _numbers(one) | (walking if weaker is Actor.PEDESTRIAN else frozenset())
        if not (struck | striker) & of_kind:
            continue
        if not struck & of_kind:
            striker, struck = struck, striker
        vehicle, other = (_party(t, here, timeline, pivot) for t in (striker, struck))
        foot = weaker is Actor.PEDESTRIAN
        return Parties(vehicle, other, on_foot=foot, cycling=not foot, met=met)
    followed = None
    if met.manner in (Manner.SAME_WAY, Manner.OPEN):
        followed = _followed(pivot, timeline, here, frozenset(met.tracks))
    if followed is not None:
        behind, ahead = _numbers(followed.evidence.track), _numbers(followed.evidence.other)
        if striker & ahead or struck & behind:  # the contact names its two the other way round
            striker, struck = struck, striker
        striker, struck = striker | behind, struck | ahead
    elif not striker and not struck and pivot.kind is EvidenceKind.CONTACT:
        striker, struck = _by_braking(pivot, timeline, here)
    return Parties(
        _party(striker, here, timeline, pivot), _party(struck, here, timeline, pivot), followed,
        met=met,
    )  # fmt: skip


def _filled(
    striker: frozenset[int], struck: frozenset[int], met: Encounter, timeline: Timeline, t_s: float
) -> tuple[frozenset[int], frozenset[int]]:
    """The contact's two. Where it does not name both, those whose courses lead into it are they:
    its own track is only the box that was nearest. The faster one came upon the other.
    """
    if len(met.tracks) == 2 and not (striker and struck):
        first, second = met.tracks
        faster = [
            one.track
            for one in timeline.of(EvidenceKind.CLOSING, until_s=t_s)
            if tracks_of(one) == {first, second}
        ]
        if second in striker or first in struck or (
            not striker and not struck and faster and faster[-1] == second
        ):  # fmt: skip
            first, second = second, first
        return frozenset({first}), frozenset({second})
    return striker or frozenset(met.tracks[:1]) - struck, struck


def _numbers(track: int | None) -> frozenset[int]:
    return frozenset() if track is None else frozenset({track})


def _party(
    tracks: frozenset[int], here: tuple[Place, ...], timeline: Timeline, pivot: Pivot
) -> Party:
    """A body with every place its own tracks were measured at, up to the event."""
    own = tuple(
        Place(e.box, timeline.t_s(e))
        for e in timeline.of(*BRAKING, EvidenceKind.SWERVE, until_s=pivot.t_s)
        if e.box is not None and e.track in tracks
    )
    return Party(tracks, here + own)


def _followed(
    pivot: Pivot, timeline: Timeline, here: tuple[Place, ...], met: frozenset[int]
) -> Finding | None:
    """The last headway before the event between its two bodies, by tracks or else by place.

    ``met``: tracks whose courses lead into it.
    """
    if pivot.finding is None:
        return None
    event = pivot.finding.evidence
    named = tracks_of(event) if len(tracks_of(event)) == 2 else tracks_of(event) | met
    found: list[Finding] = []
    for evidence in timeline.of(EvidenceKind.HEADWAY, until_s=pivot.t_s):
        pair = tracks_of(evidence)
        if len(pair) != 2:
            continue
        if named and named <= pair:
            found.append(timeline.finding(evidence))
        elif named:
            # The same follower behind a track that ended before the struck body's began.
            renamed = event.track == evidence.track and event.other is not None
            if renamed and not _known_before(event.other, timeline, timeline.t_s(evidence)):
                found.append(timeline.finding(evidence, BY_PLACE))
        elif here and Party(frozenset(), here).link(timeline.finding(evidence)) == BY_PLACE:
            found.append(timeline.finding(evidence, BY_PLACE))
    return max(found, key=lambda f: (f.link, f.t_s, f.evidence.id), default=None)


def _known_before(track: int | None, timeline: Timeline, t_s: float) -> bool:
    return any(track in tracks_of(e) and timeline.t_s(e) <= t_s for e in timeline)


def _by_braking(
    pivot: Pivot, timeline: Timeline, here: tuple[Place, ...]
) -> tuple[frozenset[int], frozenset[int]]:
    """Of two bodies that braked beside a contact without tracks, the first was in front."""
    order: list[int] = []
    since_s = pivot.t_s - _BEFORE_PAIR_S
    for evidence in timeline.of(*BRAKING, since_s=since_s, until_s=pivot.t_s):
        near = here and Party(frozenset(), here).link(timeline.finding(evidence)) == BY_PLACE
        if near and evidence.track is not None and evidence.track not in order:
            order.append(evidence.track)
    return frozenset(order[1:2]), frozenset(order[:1])
