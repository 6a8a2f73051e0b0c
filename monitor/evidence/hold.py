"""One antecedent held against the measurements: kind, time, body, order, physical quantities.

Called by ``verify``. docs/verification.md tells people the same. A claim is supported only by a
measurement of exactly its kind, near its time, of the body it names where that can be told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

from monitor.domain import Actor, Antecedent, Evidence, EvidenceKind, Verdict
from monitor.evidence.causes import Weakness, headway_against_rule
from monitor.evidence.claims import (
    THEME_OF,
    Body,
    Number,
    Theme,
    body_of,
    deceleration_of,
    headway_of,
    speed_of,
    themes,
)
from monitor.evidence.facts import Facts
from monitor.evidence.timeline import Timeline, time_uncertainty_s, tracks_of
from monitor.evidence.verdicts import Check

TOLERANCE_S = 0.5
"""A claimed time may be this far from a perfectly timed measurement: frames are this far apart."""
TOLERANCE_MAX_S = 1.5

ROUNDING_S = 0.05  # times are claimed to a tenth of a second
GENTLE_MPS2 = 3.0  # deceleration that passengers find comfortable
_NUMBER_SHARE = 0.3  # a claimed quantity may be off by this share of the measured one
_HEADWAY_OFF_S = 0.3  # ... and a headway by this much in any case
_SURE = 0.5  # strength from which a single contact excludes another time for it

_MOMENTS = (EvidenceKind.CONTACT, EvidenceKind.NEAR_MISS, EvidenceKind.HARD_BRAKE)
_PAIRED = (
    EvidenceKind.CONTACT,
    EvidenceKind.NEAR_MISS,
    EvidenceKind.HEADWAY,
    EvidenceKind.CLOSING,
)


def tolerance_s(evidence: Evidence) -> float:
    """``0.5 + 2 x time uncertainty`` seconds, at most 1.5."""
    return min(TOLERANCE_MAX_S, TOLERANCE_S + 2 * time_uncertainty_s(evidence))


def off_s(t_s: float, evidence: Evidence, timeline: Timeline) -> float:
    """How far a time is from a measurement; a standing vehicle lasts as long as it stood."""
    begin = timeline.t_s(evidence)
    lasts = evidence.kind is EvidenceKind.STOPPED_IN_LANE and evidence.unit == "s"
    end = begin + (max(0.0, evidence.value or 0.0) if lasts else 0.0)
    return max(begin - t_s, t_s - end, 0.0)


@dataclass(frozen=True, slots=True)
class Named:
    """The body a claim names: its tracks where they can be told, and who else is known."""

    body: Body | None
    tracks: frozenset[int]
    others: frozenset[int]
    by_number: bool


def named(claim: Antecedent, facts: Facts | None) -> Named:
    """Turn 'the following vehicle' into tracks, through the parties of the event."""
    body, track = body_of(claim.actor)
    if track is not None:
        return Named(body, frozenset({track}), frozenset(), True)
    if facts is None or not facts.parties.struck.tracks or facts.parties.on_foot:
        return Named(body, frozenset(), frozenset(), False)
    front, rear = facts.parties.struck.tracks, facts.parties.striker.tracks
    if body is Body.LEADER:
        return Named(body, front, rear, False)
    if body is Body.FOLLOWER:
        return Named(body, rear, front, False)
    return Named(body, frozenset(), frozenset(), False)


_SORTS: MappingProxyType[Actor, frozenset[Body]] = MappingProxyType(
    {
        Actor.PEDESTRIAN: frozenset({Body.WALKER}),
        Actor.CYCLIST: frozenset({Body.RIDER, Body.VEHICLE}),
        # A cyclist comes out as a vehicle where only speed was seen.
        Actor.VEHICLE: frozenset({Body.VEHICLE, Body.LEADER, Body.FOLLOWER, Body.RIDER}),
    }
)
"""Whom a text may call a body of each sort."""


def same_body(evidence: Evidence, who: Named) -> bool | None:
    """Whether a measurement is about the body named; None where that cannot be told."""
    if evidence.kind not in _PAIRED and who.body is not None:
        if who.body not in _SORTS.get(evidence.actor, frozenset(Body)):
            return False
    elif evidence.kind is EvidenceKind.HEADWAY and who.body is Body.WALKER:
        return False
    if not who.tracks:
        return True
    about = tracks_of(evidence) if evidence.kind in _PAIRED else {evidence.track} - {None}
    if not about:
        return None
    if about & who.tracks:
        return True
    return False if who.by_number or about & who.others else None


def hold(
    claim: Antecedent,
    who: Named,
    taken: Sequence[Evidence],
    timeline: Timeline,
    facts: Facts | None,
) -> Check:
    """The finding on one antecedent, before the order among them is looked at."""
    if claim.kind == "not_seen" or claim.t_s is None:
        return Check(Verdict.UNVERIFIED, "nothing_claimed")
    window = timeline.window
    end_s = window.t_s(window.end_ms)
    if not -ROUNDING_S <= claim.t_s <= end_s + ROUNDING_S:
        return Check(Verdict.CONTRADICTED, "outside", fields={"t": claim.t_s, "end": end_s})
    late = _after_the_event(claim.t_s, facts, timeline)
    if late is not None:
        return late
    if claim.kind == "other":
        return _unbraked(claim, who, timeline) or Check(Verdict.UNVERIFIED, "no_instrument")
    kind = EvidenceKind(claim.kind)
    check = _matched(claim.t_s, kind, who, taken, timeline)
    if check.key != "matched":
        return check
    said = themes(claim.text) - {Theme.UNMEASURED}
    if said and not said & THEME_OF[kind]:
        return Check(Verdict.UNVERIFIED, "other_text", kind, evidence=check.evidence)
    return _quantities(claim, check) or _unbraked(claim, who, timeline) or check


def _after_the_event(t_s: float, facts: Facts | None, timeline: Timeline) -> Check | None:
    """A cause does not come after its effect. Of several contacts the last one counts."""
    if facts is None or facts.pivot.kind not in _MOMENTS:
        return None
    event = timeline.of(facts.pivot.kind)[-1]
    event_s = timeline.t_s(event)
    if t_s <= event_s + tolerance_s(event):
        return None
    fields: dict[str, float | str] = {"t": t_s, "event": event_s}
    return Check(Verdict.CONTRADICTED, "after_event", evidence=(event,), fields=fields)


def _matched(
    t_s: float, kind: EvidenceKind, who: Named, taken: Sequence[Evidence], timeline: Timeline
) -> Check:
    """The nearest measurement of the kind and the body, or what stands against it."""
    every = sorted(timeline.of(kind), key=lambda e: (off_s(t_s, e, timeline), e.id))
    if not every:
        return Check(Verdict.UNVERIFIED, "none", kind)
    near = [e for e in every if off_s(t_s, e, timeline) <= tolerance_s(e)]
    free = [e for e in near if e not in taken]
    found = next((e for e in free if same_body(e, who)), None)
    if found is not None:
        return _check(Verdict.SUPPORTED, "matched", kind, found, timeline, t_s)
    used = next((e for e in near if e in taken and same_body(e, who)), None)
    if used is not None:
        return _check(Verdict.UNVERIFIED, "taken", kind, used, timeline, t_s)
    unsure = next((e for e in free if same_body(e, who) is None), None)
    if unsure is not None:
        return _check(Verdict.UNVERIFIED, "unsure_body", kind, unsure, timeline, t_s)
    if near:
        return _check(Verdict.CONTRADICTED, "other_body", kind, near[0], timeline, t_s)
    own = [e for e in every if who.tracks and same_body(e, who)]
    only = kind is EvidenceKind.CONTACT and len(every) == 1 and every[0].strength >= _SURE
    elsewhere = own[0] if own else every[0] if only else None
    if elsewhere is not None and kind is not EvidenceKind.HEADWAY:
        return _check(Verdict.CONTRADICTED, "elsewhere", kind, elsewhere, timeline, t_s)
    return Check(
        Verdict.UNVERIFIED, "none_near", kind, fields={"t": t_s, "tolerance": tolerance_s(every[0])}
    )


def _check(
    verdict: Verdict,
    key: str,
    kind: EvidenceKind,
    evidence: Evidence,
    timeline: Timeline,
    t_s: float,
) -> Check:
    fields: dict[str, float | str] = {"at": timeline.t_s(evidence), "t": t_s}
    return Check(verdict, key, kind, evidence=(evidence,), fields=fields)


def _quantities(claim: Antecedent, check: Check) -> Check | None:
    """A headway, a deceleration or a speed that the text gives, against the one measured."""
    evidence = check.evidence[0]
    if evidence.kind is EvidenceKind.HEADWAY:
        return headway_differs(claim.text, evidence)
    if evidence.kind is EvidenceKind.HARD_BRAKE:
        return brake_differs(claim.text, evidence)
    if evidence.kind is EvidenceKind.SPEED:
        return speed_differs(claim.text, evidence)
    return None


def headway_differs(text: str, evidence: Evidence) -> Check | None:
    """What a text says of a headway, where the measured one excludes it or leaves it open."""
    if evidence.value is None:
        return None
    value, spread = evidence.value, evidence.uncertainty or 0.0
    fields: dict[str, float | str] = {"value": value}
    claimed = headway_of(text)
    slack = max(2 * spread, _NUMBER_SHARE * value, _HEADWAY_OFF_S)
    if claimed is not None and _excluded(claimed, value, slack, spread):
        fields["claimed"] = f"{claimed.value:.1f} s"
        return Check(Verdict.CONTRADICTED, "headway_number", evidence=(evidence,), fields=fields)
    if Theme.SHORT_HEADWAY in themes(text):
        side = headway_against_rule(value, spread)
        if side is Weakness.ENOUGH_HEADWAY:
            key = "headway_enough"
            return Check(Verdict.CONTRADICTED, key, evidence=(evidence,), fields=fields)
        if side is Weakness.UNCLEAR_HEADWAY:
            key = "headway_unclear"
            return Check(Verdict.UNVERIFIED, key, evidence=(evidence,), fields=fields)
    return None


def _excluded(claimed: Number, value: float, slack: float, spread: float) -> bool:
    if claimed.op == "under":
        return value - 2 * spread > claimed.value
    if claimed.op == "over":
        return value + 2 * spread < claimed.value
    return abs(claimed.value - value) > slack


def brake_differs(text: str, evidence: Evidence) -> Check | None:
    """A deceleration that a text gives, or 'hard' itself, excluded by the one measured."""
    if evidence.value is None or evidence.unit not in ("m/s2", "1/s"):
        return None
    value, spread = abs(evidence.value), evidence.uncertainty or 0.0
    shown = _amount(value, evidence.unit)
    claimed = deceleration_of(text)
    fields: dict[str, float | str] = {"value": shown}
    if claimed is not None and claimed[1] == evidence.unit:
        off = abs(claimed[0].value - value)
        if off > max(2 * spread, _NUMBER_SHARE * value):
            fields["claimed"] = _amount(claimed[0].value, evidence.unit)
            return Check(Verdict.CONTRADICTED, "brake_number", evidence=(evidence,), fields=fields)
    if evidence.unit == "m/s2" and value + 2 * spread < GENTLE_MPS2:
        return Check(Verdict.CONTRADICTED, "brake_gentle", evidence=(evidence,), fields=fields)
    return None


def speed_differs(text: str, evidence: Evidence) -> Check | None:
    """A speed that a text gives, excluded by the one measured, or what no measurement says of it:
    a number where no metres are known, and that it was too fast.
    """
    value, spread = evidence.value or 0.0, evidence.uncertainty or 0.0
    claimed = speed_of(text)
    if claimed is not None and evidence.unit == "m/s":
        if _excluded(claimed, value, max(2 * spread, _NUMBER_SHARE * value), spread):
            fields: dict[str, float | str] = {"value": value, "claimed": claimed.value}
            return Check(Verdict.CONTRADICTED, "speed_number", evidence=(evidence,), fields=fields)
    elif claimed is not None:
        return Check(Verdict.UNVERIFIED, "speed_unscaled", evidence=(evidence,))
    if Theme.UNMEASURED in themes(text):
        return Check(Verdict.UNVERIFIED, "speed_judged", evidence=(evidence,))
    return None


def _amount(value: float, unit: str) -> str:
    return f"{value:.1f} m/s²" if unit == "m/s2" else f"{100 * value:.0f} %/s"


def _unbraked(claim: Antecedent, who: Named, timeline: Timeline) -> Check | None:
    """'It did not brake' of a body whose braking was measured before that."""
    if Theme.NO_BRAKING not in themes(claim.text) or not who.tracks or claim.t_s is None:
        return None
    for evidence in timeline.of(EvidenceKind.HARD_BRAKE, EvidenceKind.BRAKE_LIGHT_ONSET):
        if evidence.track in who.tracks and timeline.t_s(evidence) <= claim.t_s + TOLERANCE_S:
            fields: dict[str, float | str] = {"at": timeline.t_s(evidence)}
            return Check(Verdict.CONTRADICTED, "did_brake", evidence=(evidence,), fields=fields)
    return None
