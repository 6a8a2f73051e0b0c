"""Who is who in a case, so that sentences can name them. Called by the phrase modules."""

from __future__ import annotations

from enum import StrEnum

from monitor.domain import Actor, EvidenceKind
from monitor.evidence.causes import Case, Pattern
from monitor.evidence.timeline import Finding, Party


class Role(StrEnum):
    """A part in the story."""

    LEADER = "leader"
    FOLLOWER = "follower"
    ONE = "one"  # of two whose order is not known: the one the measurement is about
    OTHER = "other"
    SUBJECT = "subject"  # the only vehicle of an event
    WALKER = "walker"
    RIDER = "rider"
    THIRD = "third"  # a vehicle that is no party to the event
    TRAFFIC = "traffic"


_FOLLOWING = (Pattern.REAR_END, Pattern.CLOSE_FOLLOWING)
_PAIRS = (Pattern.COLLISION, Pattern.SIDE, Pattern.HEAD_ON, Pattern.NEAR_MISS)


def front_role(case: Case) -> Role:
    """The part of the one that was struck, followed, or alone."""
    if case.pattern in _FOLLOWING:
        return Role.LEADER
    if case.facts.parties.on_foot:
        return Role.WALKER
    if case.facts.parties.cycling:
        return Role.RIDER
    return Role.OTHER if case.pattern in _PAIRS else Role.SUBJECT


def rear_role(case: Case) -> Role:
    """The part of the one that struck or came from behind."""
    if case.pattern in _FOLLOWING:
        return Role.FOLLOWER
    if case.facts.parties.on_foot or case.facts.parties.cycling:
        return Role.SUBJECT
    return Role.ONE if case.pattern in _PAIRS else Role.SUBJECT


def front(case: Case) -> Party:
    """The body that ``front_role`` names."""
    weak = case.facts.parties.on_foot or case.facts.parties.cycling
    pair = case.pattern in (*_FOLLOWING, *_PAIRS) or weak
    return case.facts.parties.struck if pair else case.facts.parties.striker


def role_of(case: Case, finding: Finding) -> tuple[Role, int | None]:
    """Who a fact is about, and under which track."""
    facts, evidence = case.facts, finding.evidence
    if evidence.actor is Actor.PEDESTRIAN or evidence.kind is EvidenceKind.PEDESTRIAN_IN_ROAD:
        return Role.WALKER, evidence.track
    if evidence.kind is EvidenceKind.QUEUE:
        return Role.TRAFFIC, None
    if finding in (facts.lead_brake, facts.lead_brake_2, facts.lead_stop):
        return front_role(case), _shown(evidence.track, front(case))
    if finding == facts.headway:
        following = case.pattern in _FOLLOWING
        return Role.FOLLOWER if following else Role.THIRD, evidence.track
    if finding == facts.follow_brake:
        return rear_role(case), _shown(evidence.track, facts.parties.striker)
    if finding == facts.itself:
        return rear_role(case), evidence.track
    if evidence.track is not None and evidence.track in facts.parties.striker.tracks:
        return rear_role(case), evidence.track
    if evidence.track is not None and evidence.track in facts.parties.struck.tracks:
        return front_role(case), evidence.track
    return Role.THIRD, evidence.track


def _shown(track: int | None, party: Party) -> int | None:
    """A measurement's own track, else the party's."""
    return party.track if track is None else track


def opposite(case: Case, finding: Finding) -> tuple[Role, int | None]:
    """The party that a fact is not about."""
    parties = case.facts.parties
    if finding.evidence.track in parties.striker.tracks:
        return front_role(case), front(case).track
    return rear_role(case), parties.striker.track
