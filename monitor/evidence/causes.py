"""The causal rules: which pattern an event has, what led to it, and how sure that is.

``RULES`` is the whole table, read from the top: the first rule whose kind and condition fit
decides. docs/evidence.md explains it for people. No sentence is written here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from monitor.domain import EvidenceKind, IncidentType
from monitor.evidence.encounter import Manner
from monitor.evidence.facts import Facts
from monitor.evidence.timeline import Finding

TWO_SECONDS = 2.0
"""Headway (s) under which a follower has no time to react and stop: the two-second rule."""

LATE_S = 1.5
"""Seconds from the front vehicle's braking to the follower's, above which it counts as late
(an average driver's reaction to something unexpected; design values go up to 2.5 s)."""

GAVE_WAY = 0.8
"""Share of its speed from which somebody who went the same way stood, or as good as stood."""

NO_MORE_THAN = 0.95
"""Measuring on a picture is never certain."""


class Pattern(StrEnum):
    """What kind of story the measurements tell."""

    REAR_END = "rear_end"
    PEDESTRIAN_HIT = "pedestrian_hit"
    CYCLIST_HIT = "cyclist_hit"
    SIDE = "side"  # their courses crossed
    HEAD_ON = "head_on"
    COLLISION = "collision"
    CLOSE_FOLLOWING = "close_following"  # a near miss of one behind the other
    NEAR_MISS = "near_miss"
    WRONG_WAY = "wrong_way"
    HARD_BRAKE = "hard_brake"
    STOPPED = "stopped"
    SWERVE = "swerve"
    IMPULSE = "impulse"
    PEDESTRIAN = "pedestrian"
    QUEUE = "queue"
    UNKNOWN = "unknown"


class Weakness(StrEnum):
    """Why the one behind could not stop, as far as that was measured."""

    SHORT_HEADWAY = "short_headway"
    UNCLEAR_HEADWAY = "unclear_headway"  # two seconds lie within its uncertainty
    LATE_BRAKING = "late_braking"
    ENOUGH_HEADWAY = "enough_headway"  # measured, and not the reason
    NOT_SEEN = "not_seen"


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table. ``antecedents`` name fields of Facts, the most telling first."""

    pattern: Pattern
    incident_type: IncidentType
    kinds: frozenset[EvidenceKind]
    antecedents: tuple[str, ...]
    when: Callable[[Facts], bool] = lambda facts: True


@dataclass(frozen=True, slots=True)
class Case:
    """An event with its pattern and its causes; all that a sentence needs."""

    pattern: Pattern
    incident_type: IncidentType
    facts: Facts
    antecedents: tuple[Finding, ...]  # at most three, in the order of time
    weakness: Weakness
    reaction_s: float | None  # from the front vehicle's braking to the follower's
    inferred: bool  # a rear-end collision told from braking alone, no headway measured
    confidence: float


def _met(facts: Facts, manner: Manner) -> bool:
    return facts.parties.met.manner is manner


def _front_gave_way(facts: Facts) -> bool:
    """The struck vehicle braked or stood, before any sign that it was not simply in front."""
    if facts.parties.met.parted:
        return False
    slow = facts.prelude.lead_slow if _met(facts, Manner.SAME_WAY) else None
    gave_way = slow is not None and (slow.evidence.value or 0.0) >= GAVE_WAY
    return bool(facts.parties.followed or facts.lead_brake or facts.lead_stop or gave_way) and not (
        facts.wrong_way and not facts.parties.followed
    )


_BEHIND = ("disturbance", "lead_brake", "headway", "follow_brake", "follow_slow", "lead_brake_2",
           "lead_stop",
           "swerve", "wrong_way", "lead_slow", "closing", "came_last",
           "came_first")  # fmt: skip
_PATHS = ("wrong_way", "swerve", "entered", "disturbance", "lead_brake", "follow_brake", "headway",
          "lead_stop", "lead_brake_2", "closing", "lead_slow", "follow_slow", "came_last",
          "came_first")  # fmt: skip
_ALONE = ("disturbance", "lead_brake", "itself", "lead_brake_2", "swerve", "headway")
_K, _T, _P = EvidenceKind, IncidentType, Pattern
_CONTACT, _NEAR = frozenset({_K.CONTACT}), frozenset({_K.NEAR_MISS})

RULES: tuple[Rule, ...] = (
    Rule(_P.PEDESTRIAN_HIT, _T.PEDESTRIAN_COLLISION, _CONTACT,
         ("disturbance", "entered", "follow_brake", "swerve", "wrong_way", "closing",
          "follow_slow", "came_last", "came_first"), lambda f: f.parties.on_foot),
    Rule(_P.CYCLIST_HIT, _T.CYCLIST_COLLISION, _CONTACT, _PATHS, lambda f: f.parties.cycling),
    Rule(_P.REAR_END, _T.REAR_END_COLLISION, _CONTACT, _BEHIND, _front_gave_way),
    Rule(_P.SIDE, _T.SIDE_COLLISION, _CONTACT, _PATHS, lambda f: _met(f, Manner.CROSSING)),
    Rule(_P.HEAD_ON, _T.HEAD_ON_COLLISION, _CONTACT, _PATHS, lambda f: _met(f, Manner.HEAD_ON)),
    Rule(_P.COLLISION, _T.COLLISION, _CONTACT, _PATHS),
    Rule(_P.CLOSE_FOLLOWING, _T.NEAR_MISS, _NEAR, _BEHIND, lambda f: bool(f.parties.followed)),
    Rule(_P.NEAR_MISS, _T.NEAR_MISS, _NEAR, _PATHS),
    Rule(_P.WRONG_WAY, _T.WRONG_WAY, frozenset({_K.WRONG_WAY}), ("itself", *_ALONE)),
    Rule(_P.HARD_BRAKE, _T.HARD_BRAKE, frozenset({_K.HARD_BRAKE, _K.SUDDEN_STOP}), _ALONE),
    Rule(_P.STOPPED, _T.STOPPED_VEHICLE, frozenset({_K.STOPPED_IN_LANE}), _ALONE),
    Rule(_P.SWERVE, _T.OTHER, frozenset({_K.SWERVE}), _ALONE),
    Rule(_P.IMPULSE, _T.OTHER, frozenset({_K.IMPULSE}), _ALONE),
    Rule(_P.PEDESTRIAN, _T.PEDESTRIAN_IN_ROAD, frozenset({_K.PEDESTRIAN_IN_ROAD}), ("itself",)),
    Rule(_P.QUEUE, _T.CONGESTION, frozenset({_K.QUEUE}), ("disturbance", "itself")),
)  # fmt: skip

_TYPE_OF_TRIGGER = {
    EvidenceKind.CONTACT: IncidentType.COLLISION,
    EvidenceKind.NEAR_MISS: IncidentType.NEAR_MISS,
    EvidenceKind.WRONG_WAY: IncidentType.WRONG_WAY,
    EvidenceKind.HARD_BRAKE: IncidentType.HARD_BRAKE,
    EvidenceKind.SUDDEN_STOP: IncidentType.HARD_BRAKE,
    EvidenceKind.STOPPED_IN_LANE: IncidentType.STOPPED_VEHICLE,
    EvidenceKind.PEDESTRIAN_IN_ROAD: IncidentType.PEDESTRIAN_IN_ROAD,
    EvidenceKind.QUEUE: IncidentType.CONGESTION,
}


def diagnose(facts: Facts) -> Case:
    """Apply the table."""
    if facts.itself is None:
        kind = facts.pivot.kind
        incident_type = _TYPE_OF_TRIGGER.get(kind, IncidentType.OTHER)
        return Case(
            Pattern.UNKNOWN, incident_type, facts, (), Weakness.NOT_SEEN, None, False,
            confidence(facts.pivot.weight, (), inferred=False),
        )  # fmt: skip
    rule = next(r for r in RULES if facts.pivot.kind in r.kinds and r.when(facts))
    weakness, reaction_s = weakness_of(facts)
    chosen = _antecedents(rule, facts, weakness)
    inferred = rule.pattern is Pattern.REAR_END and facts.parties.followed is None
    return Case(
        rule.pattern, rule.incident_type, facts, chosen, weakness, reaction_s, inferred,
        confidence(facts.pivot.weight, chosen, inferred=inferred),
    )  # fmt: skip


def _antecedents(rule: Rule, facts: Facts, weakness: Weakness) -> tuple[Finding, ...]:
    """The three most telling facts no later than the event, in the order of time."""
    names = list(rule.antecedents)
    if weakness is Weakness.LATE_BRAKING and {"headway", "follow_brake"} <= set(names):
        names.remove("headway")
        names.insert(names.index("follow_brake") + 1, "headway")
    chosen: list[Finding] = []
    for name in names:
        fact = facts.named(name)
        late = fact is not None and fact.t_s > facts.pivot.t_s
        if fact is None or late or any(c.evidence.id == fact.evidence.id for c in chosen):
            continue
        chosen.append(fact)
    return tuple(sorted(chosen[:3], key=lambda f: (f.t_s, f.evidence.id)))


def headway_against_rule(value_s: float | None, spread_s: float | None) -> Weakness:
    """Under, over, or within its uncertainty of two seconds."""
    if value_s is None:
        return Weakness.NOT_SEEN
    spread_s = spread_s or 0.0
    if value_s + spread_s < TWO_SECONDS:
        return Weakness.SHORT_HEADWAY
    if value_s - spread_s >= TWO_SECONDS:
        return Weakness.ENOUGH_HEADWAY
    return Weakness.UNCLEAR_HEADWAY


def weakness_of(facts: Facts) -> tuple[Weakness, float | None]:
    """The headway decides; only where it was long enough or unknown, a late reaction does."""
    reaction_s = None
    if facts.lead_brake is not None and facts.follow_brake is not None:
        reaction_s = facts.follow_brake.t_s - facts.lead_brake.t_s
    by_headway = Weakness.NOT_SEEN
    if facts.headway is not None:
        measured = facts.headway.evidence
        by_headway = headway_against_rule(measured.value, measured.uncertainty)
    late = reaction_s is not None and reaction_s > LATE_S
    if late and by_headway is not Weakness.SHORT_HEADWAY:
        return Weakness.LATE_BRAKING, reaction_s
    return by_headway, reaction_s


def confidence(event: float, antecedents: tuple[Finding, ...], *, inferred: bool) -> float:
    """``event x (0.4 + 0.6 x mean of three weights)``, 0.7 of it if inferred, at most 0.95.

    A weight is a measurement's strength times how surely it belongs to the event; an antecedent
    that was not seen weighs nothing. With nothing but the event, 0.4 of the event is left.
    """
    coverage = sum(f.weight for f in antecedents[:3]) / 3
    value = event * (0.4 + 0.6 * coverage) * (0.7 if inferred else 1.0)
    return round(min(NO_MORE_THAN, max(0.0, value)), 3)
