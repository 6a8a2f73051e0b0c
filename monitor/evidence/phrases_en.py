"""The explainer's sentences in English: root causes and the layers of the chain.

Facts and numbers come from the case; nothing is added. Single facts are in ``words_en``.
"""

from __future__ import annotations

from monitor.domain import EvidenceKind
from monitor.evidence import meetings
from monitor.evidence.causes import Case, Pattern, Weakness
from monitor.evidence.roles import Role, role_of
from monitor.evidence.timeline import BY_TIME, Finding
from monitor.evidence.words_en import (
    COLUMN,
    EVENTS,
    NOBODY,
    NOT_SEEN,
    actor,
    antecedent,
    at,
    both_names,
    capital,
    did,
    front_name,
    measured,
    name,
    rate,
    rear_name,
)

__all__ = [
    "NOBODY",
    "NOT_SEEN",
    "actor",
    "antecedent",
    "direct_trigger",
    "environment",
    "root_cause",
    "systemic_weakness",
]


def _reason(case: Case, since_s: float) -> str:
    """', 1.1 s after a pedestrian stepped onto the roadway', or that no reason was seen."""
    cause = case.facts.disturbance
    if cause is None:
        return ", for a reason that was not seen"
    lead_s = since_s - cause.t_s
    what = did(case, cause)
    if lead_s < 0.05:
        return f", at about the moment that {what}"
    return f", {lead_s:.1f} s after {what}"


def _front_acted(case: Case) -> str:
    """What the vehicle in front did, as a clause."""
    facts = case.facts
    if facts.lead_brake is not None:
        at_s = facts.lead_brake.t_s
        return f"{front_name(case)} braked at {at_s:.1f} s{_reason(case, at_s)}"
    if facts.lead_stop is not None:
        return f"{did(case, facts.lead_stop)} at {facts.lead_stop.t_s:.1f} s"
    return ""


def _behind(case: Case) -> str:
    """Root cause of one vehicle running into, or close to, the one in front."""
    facts, rear = case.facts, capital(rear_name(case))
    end_s = facts.pivot.t_s
    near = case.pattern is Pattern.CLOSE_FOLLOWING
    end = f"came close to it at {end_s:.1f} s" if near else f"struck it at {end_s:.1f} s"
    acted = _front_acted(case)
    unseen = f"no braking of {front_name(case)} was measured"
    headway = measured(facts.headway.evidence) if facts.headway else ""
    match case.weakness:
        case Weakness.SHORT_HEADWAY:
            first = f"{rear} was only {headway} behind, under the two-second rule"
            middle = f", when {acted}; it did not stop in time and {end}"
            return first + (middle if acted else f", and {end}; {unseen}") + "."
        case Weakness.LATE_BRAKING:
            late = f"{rear} began to brake only {case.reaction_s:.1f} s after the vehicle in front"
            although = f", although it had been {headway} behind" if headway else ""
            return f"{late} and {end}{although}; {acted}."
        case Weakness.UNCLEAR_HEADWAY:
            first = f"{rear} was {headway} behind, which may be under or over two seconds"
            return f"{first}, and {end}; {acted or unseen}. Why it did not stop is not decided."
        case Weakness.ENOUGH_HEADWAY:
            first = f"{rear} had been {headway} behind, and yet {end}; {acted or unseen}"
            return f"{first}. What was measured does not decide why it did not stop in time."
        case Weakness.NOT_SEEN:
            first = f"{capital(acted or unseen)}, and {rear_name(case)} {end}"
            return f"{first}; how closely it followed was not measured, so that why is not decided."


def _of_two(case: Case) -> str:
    """Root cause of two whose paths met."""
    facts = case.facts
    both = _two(case)
    value = facts.itself.evidence.value if facts.itself else None
    if case.pattern is Pattern.COLLISION:
        met = f"touched at {facts.pivot.t_s:.1f} s"
    elif value is None:
        met = f"came close to each other at {facts.pivot.t_s:.1f} s"
    else:
        met = f"came within {value:.1f} s of each other at {facts.pivot.t_s:.1f} s"
    causes = [f for f in (facts.wrong_way, facts.swerve) if f is not None]
    if causes:
        told = " and ".join(f"{did(case, f)} at {f.t_s:.1f} s" for f in causes)
        return f"{both} {met}; before that, {told}."
    seen = [f for f in (facts.disturbance, facts.lead_brake, facts.follow_brake) if f is not None]
    told = " and ".join(f"{did(case, f)} at {f.t_s:.1f} s" for f in seen)
    rest = f"; before that, {told}" if told else ""
    return f"{both} {met}{rest}. Whose path was entered is not decided by what was measured."


def _met(case: Case) -> str:
    """Root cause of two whose courses crossed, went against one another, or one on a bicycle."""
    facts = case.facts
    entered = facts.prelude.entered
    others = (facts.wrong_way, facts.swerve, facts.lead_brake, facts.follow_brake)
    acts = [(did(case, f), f.t_s) for f in others if f is not None]
    return meetings.root_cause(
        case, _two(case), both_names(case, entered) if entered else None, acts, COLUMN
    )


def _two(case: Case) -> str:
    """Both parties as a subject."""
    facts = case.facts
    if facts.parties.cycling:
        return f"{capital(rear_name(case))} and {front_name(case)}"
    both = "Two road users"
    if facts.parties.tracks:
        both += f" (tracks {', '.join(str(t) for t in sorted(facts.parties.tracks))})"
    return both


def _on_foot(case: Case) -> str:
    facts = case.facts
    walker = name(Role.WALKER, facts.parties.struck.track)
    met = "met" if facts.pivot.kind is EvidenceKind.CONTACT else "came close"
    first = f"{capital(rear_name(case))} and {walker} {met} at {facts.pivot.t_s:.1f} s"
    if (cause := facts.disturbance) is not None:
        same = cause.evidence.track in facts.parties.struck.tracks
        what = "the pedestrian stepped onto the roadway" if same else did(case, cause)
        first += f", {facts.pivot.t_s - cause.t_s:.1f} s after {what}"
    elif (entered := facts.prelude.entered) is not None:
        since_s = facts.pivot.t_s - entered.t_s
        first += f", {since_s:.1f} s after {did(case, entered)}"
    if facts.follow_brake is None:
        return f"{first}; no braking of the vehicle before that was measured."
    lead_s = facts.pivot.t_s - facts.follow_brake.t_s
    return f"{first}; the vehicle began to brake {lead_s:.1f} s before they {met}."


def _alone(case: Case, event: Finding) -> str:
    """Root cause of an event of one body."""
    what = f"{did(case, event)} {at(event)}"
    if event.evidence.kind is EvidenceKind.HARD_BRAKE:
        what += rate(event.evidence)
    if case.pattern in (Pattern.PEDESTRIAN, Pattern.WRONG_WAY):
        return f"{capital(what)}; what led to it was not seen."
    begin = case.facts.lead_brake
    if begin is None or begin.t_s >= event.t_s or case.facts.disturbance is None:
        return f"{capital(what)}{_reason(case, event.t_s)}."
    it = what.replace(front_name(case), "it")
    return (
        f"{capital(front_name(case))} braked at {begin.t_s:.1f} s{_reason(case, begin.t_s)}; {it}."
    )


def root_cause(case: Case) -> str:
    """Why it happened, in one or two sentences."""
    measured = case.facts.itself
    match case.pattern:
        case _ if measured is None:
            event = EVENTS.get(case.facts.pivot.kind, "something unusual")
            reported = f"The trigger reported {event} at {case.facts.pivot.t_s:.1f} s"
            return f"{reported}; nothing measured in the window says why."
        case _ if case.facts.parties.on_foot:
            return _on_foot(case)
        case Pattern.REAR_END | Pattern.CLOSE_FOLLOWING:
            return _behind(case)
        case Pattern.SIDE | Pattern.HEAD_ON | Pattern.CYCLIST_HIT:
            return _met(case)
        case Pattern.COLLISION | Pattern.NEAR_MISS:
            return _of_two(case)
        case _:
            return _alone(case, measured)


def environment(case: Case) -> str:
    """The layer around the parties."""
    cause = case.facts.disturbance
    if cause is None:
        return "Not seen: nothing was measured in the way before the event."
    tie = " It is tied to the event by its time alone." if cause.link <= BY_TIME else ""
    return f"{capital(did(case, cause))} {at(cause)}.{tie}"


def direct_trigger(case: Case) -> str:
    """What set the event off."""
    facts = case.facts
    own = case.pattern is Pattern.COLLISION or case.pattern in meetings.PATTERNS
    act = facts.wrong_way or facts.swerve if own else None
    paths = case.pattern in meetings.PATTERNS or facts.parties.on_foot
    act = act or (facts.prelude.entered if paths else None)
    act = act or facts.lead_brake or facts.lead_stop or facts.follow_brake or facts.swerve
    act = act or facts.prelude.lead_slow or facts.prelude.follow_slow
    if act is None and case.facts.itself is not None and case.pattern is Pattern.WRONG_WAY:
        act = facts.itself
    if act is None:
        return "Not seen: no braking, swerve or stop was measured before the event."
    gap_s = facts.pivot.t_s - act.t_s
    before = "" if gap_s < 0.05 else f", {gap_s:.1f} s before the event"
    guess = " That it was struck from behind is inferred from its braking." if case.inferred else ""
    went = facts.prelude.went
    speed = meetings.went(went, name(*role_of(case, went)), COLUMN) if went else ""
    return f"{capital(did(case, act))} {at(act)}{before}.{guess}{speed}"


def systemic_weakness(case: Case) -> str:
    """What made the event likely before it began."""
    headway, entered = case.facts.headway, case.facts.prelude.entered
    if entered is not None and (case.pattern in meetings.PATTERNS or case.facts.parties.on_foot):
        return meetings.weakness(entered, *both_names(case, entered), COLUMN)
    if case.weakness is Weakness.LATE_BRAKING:
        text = f"Late reaction: {case.reaction_s:.1f} s from the front vehicle's braking to its own"
        return text + (f", with a headway of {measured(headway.evidence)}." if headway else ".")
    if headway is None or case.weakness is Weakness.NOT_SEEN:
        return "Not seen: no headway or reaction time was measured."
    text = f"{capital(actor(case, headway))}'s headway {measured(headway.evidence)}"
    match case.weakness:
        case Weakness.SHORT_HEADWAY:
            return f"{text}, under the two-second rule."
        case Weakness.UNCLEAR_HEADWAY:
            return f"{text}: whether that keeps the two-second rule is not decided."
        case _:
            return f"Not seen: {text[0].lower()}{text[1:]} keeps the two-second rule."
