"""The explainer's words and single facts in English; nothing is added."""

from __future__ import annotations

from monitor.domain import Evidence, EvidenceKind
from monitor.evidence import meetings
from monitor.evidence.causes import Case, Weakness, headway_against_rule
from monitor.evidence.roles import Role, front, front_role, opposite, rear_role, role_of
from monitor.evidence.timeline import Finding

NOBODY = "nobody seen"
COLUMN = 0

_NAMES = {
    Role.LEADER: "the leading vehicle",
    Role.FOLLOWER: "the following vehicle",
    Role.ONE: "one road user",
    Role.OTHER: "the other road user",
    Role.SUBJECT: "the vehicle",
    Role.WALKER: "a pedestrian",
    Role.RIDER: "the cyclist",
    Role.THIRD: "another vehicle",
    Role.TRAFFIC: "the traffic",
}
EVENTS = {
    EvidenceKind.CONTACT: "a contact of two bodies",
    EvidenceKind.NEAR_MISS: "a near miss",
    EvidenceKind.HARD_BRAKE: "hard braking",
    EvidenceKind.SUDDEN_STOP: "a sudden stop",
    EvidenceKind.STOPPED_IN_LANE: "a vehicle stopped in the lane",
    EvidenceKind.WRONG_WAY: "a vehicle going the wrong way",
    EvidenceKind.SWERVE: "a swerve",
    EvidenceKind.IMPULSE: "a sudden loss or turn of momentum",
    EvidenceKind.PEDESTRIAN_IN_ROAD: "a pedestrian on the roadway",
    EvidenceKind.QUEUE: "a queue",
}


def name(role: Role, track: int | None) -> str:
    """A role in words, with its track."""
    return _NAMES[role] if track is None else f"{_NAMES[role]} (track {track})"


def front_name(case: Case) -> str:
    """The one in front, or struck."""
    return name(front_role(case), front(case).track)


def rear_name(case: Case) -> str:
    """The one behind, or striking."""
    return name(rear_role(case), case.facts.parties.striker.track)


def capital(text: str) -> str:
    """With a capital first letter."""
    return text[:1].upper() + text[1:]


def at(finding: Finding) -> str:
    """When, with its uncertainty."""
    spread = finding.evidence.time_uncertainty_s
    return f"at {finding.t_s:.1f} s" + ("" if not spread else f" (±{max(0.1, spread):.1f} s)")


def measured(evidence: Evidence, digits: int = 1) -> str:
    """A quantity in seconds, with its uncertainty."""
    spread = evidence.uncertainty
    suffix = "" if not spread else f" (±{spread:.{digits}f} s)"
    return f"{evidence.value or 0.0:.{digits}f} s{suffix}"


def rate(evidence: Evidence) -> str:
    """How hard it braked."""
    if evidence.value is None:
        return ""
    if evidence.unit == "m/s2":
        return f", at {abs(evidence.value):.1f} m/s²"
    if abs(evidence.value) > 1.0:  # a share above 100 % reads as a mistake
        return f", hard enough to stop it within {1 / abs(evidence.value):.2g} s"
    return f", losing {100 * abs(evidence.value):.0f} % of its speed per second"


def actor(case: Case, finding: Finding) -> str:
    """Who a fact is about."""
    role, track = role_of(case, finding)
    return name(role, track).removeprefix("the ").removeprefix("a ")


def did(case: Case, finding: Finding) -> str:
    """What happened, without its time."""
    who, evidence = name(*role_of(case, finding)), finding.evidence
    match evidence.kind:
        case EvidenceKind.PEDESTRIAN_IN_ROAD:
            return f"{who} stepped onto the roadway"
        case EvidenceKind.BRAKE_LIGHT_ONSET:
            return f"the brake lamps of {who} came on"
        case EvidenceKind.HARD_BRAKE:
            return f"{who} began to brake hard"
        case EvidenceKind.SUDDEN_STOP:
            return f"{who} came to a sudden standstill"
        case EvidenceKind.STOPPED_IN_LANE:
            return f"{who} came to rest in the lane"
        case EvidenceKind.WRONG_WAY:
            return f"{who} was seen going against the traffic"
        case EvidenceKind.SWERVE:
            return f"{who} swerved"
        case EvidenceKind.IMPULSE:
            return f"{who} suddenly lost or turned its momentum"
        case EvidenceKind.QUEUE:
            return "a queue was seen on the lane"
        case EvidenceKind.HEADWAY:
            ahead = front_name(case)
            return f"{who} was {measured(evidence)} behind {ahead}"
        case EvidenceKind.NEAR_MISS:
            return f"{who} came close to {front_name(case)}"
        case EvidenceKind.CONTACT:
            return f"{who} touched {front_name(case)}"
        case _:
            return meetings.did(finding, *both_names(case, finding), COLUMN)


def both_names(case: Case, finding: Finding) -> tuple[str, str]:
    """Whom a fact is about, and the other party."""
    return name(*role_of(case, finding)), name(*opposite(case, finding))


def antecedent(case: Case, finding: Finding) -> str:
    """One fact as a sentence of its own, with its uncertainty."""
    evidence = finding.evidence
    if evidence.kind in meetings.KINDS:
        who, other = both_names(case, finding)
        return meetings.sentence(finding, who, other, COLUMN)
    text = f"{capital(did(case, finding))} {at(finding)}"
    if evidence.kind is EvidenceKind.HARD_BRAKE:
        text += rate(evidence)
        if finding == case.facts.follow_brake and case.reaction_s is not None:
            text += f", {_after_front(case.reaction_s)}"
    elif evidence.kind is EvidenceKind.HEADWAY:
        text += {
            Weakness.SHORT_HEADWAY: ", under the two-second rule",
            Weakness.UNCLEAR_HEADWAY: ", too near two seconds to tell which side of the rule",
            Weakness.ENOUGH_HEADWAY: ", more than the two-second rule asks",
        }.get(headway_against_rule(evidence.value, evidence.uncertainty), "")
    elif evidence.kind is EvidenceKind.STOPPED_IN_LANE and evidence.value:
        text += f" and stood for {evidence.value:.0f} s"
    elif evidence.kind is EvidenceKind.SUDDEN_STOP and evidence.value:
        text += f", {evidence.value:.1f} s after cruising"
    return text + "."


def _after_front(reaction_s: float) -> str:
    if reaction_s < 0:
        return f"{-reaction_s:.1f} s before the vehicle in front"
    return f"{reaction_s:.1f} s after the vehicle in front"


NOT_SEEN = {
    "disturbance": "What was in the way before the braking was not seen.",
    "lead_brake": "No braking of the vehicle in front was measured.",
    "headway": "How closely the one behind followed was not measured.",
    "follow_brake": "No braking before the contact was measured.",
    "other": "No further event before it was measured.",
}
"""Sentences for what would have answered a question, by the question's name in Facts."""
