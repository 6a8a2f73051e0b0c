"""A root cause held against the measurements: the event it names, and every cause it names.

Called by ``verify``. The text is free, so it is read through the lexicon of ``claims``. It is
supported only where the event and every cause it names were measured, in the right order.
"""

from __future__ import annotations

from types import MappingProxyType

from monitor.domain import Actor, Answer, Evidence, EvidenceKind, IncidentType, Verdict
from monitor.evidence.causes import LATE_S, Weakness, headway_against_rule
from monitor.evidence.claims import Theme, themes
from monitor.evidence.encounter import Manner
from monitor.evidence.facts import Facts
from monitor.evidence.hold import headway_differs
from monitor.evidence.parties import Pivot, gravest
from monitor.evidence.timeline import Finding, Timeline, time_uncertainty_s
from monitor.evidence.verdicts import Check

_ON_FOOT = Theme.PEDESTRIAN
_SURE = 0.5  # strength from which a contact speaks against 'nothing happened'
_QUICK_S = 1.0  # a reaction within this is not late

_VEHICLES = frozenset(
    {
        IncidentType.REAR_END_COLLISION,
        IncidentType.SIDE_COLLISION,
        IncidentType.HEAD_ON_COLLISION,
    }
)
_COLLISIONS = _VEHICLES | {
    IncidentType.COLLISION,
    IncidentType.SINGLE_VEHICLE_COLLISION,
    IncidentType.PEDESTRIAN_COLLISION,
    IncidentType.CYCLIST_COLLISION,
}
_KINDS: MappingProxyType[IncidentType, tuple[EvidenceKind, ...]] = MappingProxyType(
    dict.fromkeys(_COLLISIONS, (EvidenceKind.CONTACT,))
    | {
        IncidentType.NEAR_MISS: (EvidenceKind.NEAR_MISS,),
        IncidentType.HARD_BRAKE: (EvidenceKind.HARD_BRAKE, EvidenceKind.SUDDEN_STOP),
        IncidentType.STOPPED_VEHICLE: (EvidenceKind.STOPPED_IN_LANE,),
        IncidentType.WRONG_WAY: (EvidenceKind.WRONG_WAY,),
        IncidentType.PEDESTRIAN_IN_ROAD: (EvidenceKind.PEDESTRIAN_IN_ROAD,),
        IncidentType.CONGESTION: (EvidenceKind.QUEUE,),
    }
)

_EVENT_THEMES = frozenset({Theme.CONTACT, Theme.NEAR_MISS, Theme.HEADWAY, Theme.APPROACH})
_MANNERS: MappingProxyType[IncidentType, Manner] = MappingProxyType(
    {
        IncidentType.REAR_END_COLLISION: Manner.SAME_WAY,
        IncidentType.SIDE_COLLISION: Manner.CROSSING,
        IncidentType.HEAD_ON_COLLISION: Manner.HEAD_ON,
    }
)
_THEME_KINDS: MappingProxyType[Theme, tuple[EvidenceKind, ...]] = MappingProxyType(
    {
        Theme.PEDESTRIAN: (EvidenceKind.PEDESTRIAN_IN_ROAD,),
        Theme.BRAKING: (
            EvidenceKind.BRAKE_LIGHT_ONSET,
            EvidenceKind.HARD_BRAKE,
            EvidenceKind.SUDDEN_STOP,
        ),
        Theme.SLOWING: (
            EvidenceKind.SLOWING,
            EvidenceKind.BRAKE_LIGHT_ONSET,
            EvidenceKind.HARD_BRAKE,
            EvidenceKind.SUDDEN_STOP,
        ),
        Theme.PATH: (EvidenceKind.PATH_ENTERED,),
        Theme.SWERVE: (EvidenceKind.SWERVE,),
        Theme.WRONG_WAY: (EvidenceKind.WRONG_WAY,),
        Theme.STANDING: (EvidenceKind.STOPPED_IN_LANE, EvidenceKind.SUDDEN_STOP),
        Theme.QUEUE: (EvidenceKind.QUEUE,),
    }
)


def event_of(incident_type: IncidentType, timeline: Timeline) -> Pivot | None:
    """The measured event of the type that an answer claims, if there is one."""
    return gravest(timeline, *_KINDS.get(incident_type, ()))


def root_checks(answer: Answer, timeline: Timeline, facts: Facts | None) -> list[Check]:
    """Every finding on an answer's root cause; the event's comes first."""
    contact = max(timeline.of(EvidenceKind.CONTACT), key=lambda e: e.strength, default=None)
    if not answer.is_incident or answer.incident_type is IncidentType.NONE:
        if contact is not None and contact.strength >= _SURE:
            return [_against("denied_contact", contact, timeline)]
        return [Check(Verdict.UNVERIFIED, "nothing_claimed")]
    named = themes(answer.root_cause)
    checks = [_event(answer.incident_type, timeline, facts, contact)]
    checks += [_cause(theme, facts, timeline, answer) for theme in sorted(named - _EVENT_THEMES)]
    if facts is not None and facts.headway is not None:
        differs = headway_differs(answer.root_cause, facts.headway.evidence)
        if differs is not None and Theme.SHORT_HEADWAY not in named:
            checks.append(differs)
    if not named - _EVENT_THEMES:
        checks.append(Check(Verdict.UNVERIFIED, "no_theme"))
    return checks


def _event(
    claimed: IncidentType, timeline: Timeline, facts: Facts | None, contact: Evidence | None
) -> Check:
    """Whether the event claimed is the event measured."""
    if facts is None or facts.itself is None:
        sure = contact is not None and contact.strength >= _SURE
        if claimed is IncidentType.NEAR_MISS and contact is not None and sure:
            return _against("contact_instead", contact, timeline)
        return Check(Verdict.UNVERIFIED, "type_open")
    event, parties = facts.itself.evidence, facts.parties
    if claimed in _VEHICLES and (parties.on_foot or parties.cycling):
        return _against("wrong_party", event, timeline)
    if claimed is IncidentType.CYCLIST_COLLISION and parties.on_foot:
        return _against("wrong_party", event, timeline)
    manner = _MANNERS.get(claimed, Manner.OPEN)
    if parties.met.manner not in (Manner.OPEN, manner) and manner is not Manner.OPEN:
        if claimed is not IncidentType.SIDE_COLLISION:  # a side is struck by who goes along, too
            return _off_course(event, timeline, parties.met.angle_deg or 0.0)
        return Check(Verdict.UNVERIFIED, "type_open", evidence=(event,))
    if claimed is IncidentType.SINGLE_VEHICLE_COLLISION and parties.followed is not None:
        return _against("wrong_party", event, timeline)
    if claimed is IncidentType.PEDESTRIAN_COLLISION and not parties.on_foot:
        if parties.followed is not None:
            return _against("wrong_party", event, timeline)
        return Check(Verdict.UNVERIFIED, "type_open", evidence=(event,))
    shown = claimed not in _COLLISIONS or claimed is IncidentType.COLLISION
    shown = shown or (claimed is IncidentType.REAR_END_COLLISION and _in_front(facts))
    shown = shown or (claimed is IncidentType.PEDESTRIAN_COLLISION and parties.on_foot)
    shown = shown or (claimed is IncidentType.CYCLIST_COLLISION and parties.cycling)
    shown = shown or (manner is not Manner.OPEN and parties.met.manner is manner)
    if not shown:  # what was measured does not tell
        return Check(Verdict.UNVERIFIED, "type_open", evidence=(event,))
    return Check(Verdict.SUPPORTED, "matched", event.kind, evidence=(event,))


def _off_course(evidence: Evidence, timeline: Timeline, angle_deg: float) -> Check:
    fields: dict[str, float | str] = {"at": timeline.t_s(evidence), "angle": angle_deg}
    return Check(Verdict.CONTRADICTED, "wrong_manner", evidence=(evidence,), fields=fields)


def _in_front(facts: Facts) -> bool:
    return bool(facts.parties.followed or facts.lead_brake or facts.lead_stop)


def _against(key: str, evidence: Evidence, timeline: Timeline) -> Check:
    fields: dict[str, float | str] = {"at": timeline.t_s(evidence)}
    return Check(Verdict.CONTRADICTED, key, evidence=(evidence,), fields=fields)


def _cause(theme: Theme, facts: Facts | None, timeline: Timeline, answer: Answer) -> Check:
    """Whether one named cause was measured before the event."""
    missing = Check(Verdict.UNVERIFIED, "theme_open", theme=theme)
    if facts is None:
        return missing
    match theme:
        case Theme.SHORT_HEADWAY:
            return _headway(facts.headway, answer.root_cause, missing)
        case Theme.LATE_REACTION:
            return _reaction(facts, missing)
        case Theme.NO_BRAKING:
            braked = facts.follow_brake or facts.lead_brake
            if facts.follow_brake is None or braked is None:
                return missing
            return _against("did_brake", braked.evidence, timeline)
        case Theme.UNMEASURED:
            return missing
    known = [
        f
        for f in (
            facts.disturbance, facts.lead_brake, facts.lead_brake_2, facts.lead_stop,
            facts.follow_brake, facts.swerve, facts.wrong_way, facts.itself,
            facts.prelude.entered, facts.prelude.lead_slow, facts.prelude.follow_slow,
        )
        if f is not None and (
            f.evidence.kind in _THEME_KINDS.get(theme, ()) or (_walks(f) and theme is _ON_FOOT)
        )
    ]  # fmt: skip
    if known:
        return Check(Verdict.SUPPORTED, "matched", theme=theme, evidence=(known[0].evidence,))
    return _only_after(theme, facts, timeline) or missing


def _walks(fact: Finding) -> bool:
    """Somebody on foot in a vehicle's path is on the road, whether or not the step was seen."""
    kind, actor = fact.evidence.kind, fact.evidence.actor
    return kind is EvidenceKind.PATH_ENTERED and actor is Actor.PEDESTRIAN


def _headway(headway: Finding | None, text: str, missing: Check) -> Check:
    if headway is None:
        return missing
    differs = headway_differs(text, headway.evidence)
    if differs is not None:
        return differs
    side = headway_against_rule(headway.evidence.value, headway.evidence.uncertainty)
    if side is not Weakness.SHORT_HEADWAY:
        return missing
    return Check(
        Verdict.SUPPORTED, "matched", theme=Theme.SHORT_HEADWAY, evidence=(headway.evidence,)
    )


def _reaction(facts: Facts, missing: Check) -> Check:
    if facts.lead_brake is None or facts.follow_brake is None:
        return missing
    reaction_s = facts.follow_brake.t_s - facts.lead_brake.t_s
    both = (facts.follow_brake.evidence, facts.lead_brake.evidence)
    if reaction_s > LATE_S:
        return Check(Verdict.SUPPORTED, "matched", theme=Theme.LATE_REACTION, evidence=both)
    if reaction_s <= _QUICK_S:
        fields: dict[str, float | str] = {"value": max(0.0, reaction_s)}
        return Check(Verdict.CONTRADICTED, "reacted", evidence=both, fields=fields)
    return missing


def _only_after(theme: Theme, facts: Facts, timeline: Timeline) -> Check | None:
    """A cause that was measured, but only after its effect."""
    items = timeline.of(*_THEME_KINDS.get(theme, ()))
    event_s = facts.pivot.t_s + facts.pivot.time_uncertainty_s
    if not items or any(timeline.t_s(e) - time_uncertainty_s(e) <= event_s for e in items):
        return None
    fields: dict[str, float | str] = {"at": timeline.t_s(items[0])}
    return Check(
        Verdict.CONTRADICTED, "theme_after", theme=theme, evidence=(items[0],), fields=fields
    )
