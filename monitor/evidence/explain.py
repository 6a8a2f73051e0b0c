"""Why it happened, from measurements alone: the answer when no model is at hand.

Called by analyse and publish. Pure: the same evidence in any order gives the same answer. It
states what was measured, says ``not seen`` for the rest, and never says who is to blame.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import Literal, Protocol

from monitor.domain import Answer, Antecedent, Chain, Evidence, Incident, Window
from monitor.evidence import phrases_en, phrases_zh
from monitor.evidence.causes import Case, Pattern, Weakness, diagnose
from monitor.evidence.facts import gather
from monitor.evidence.parties import parties_of, pivot_of
from monitor.evidence.timeline import Finding, Timeline

Lang = Literal["en", "zh"]

_LONGEST = 600  # of domain.Sentence


class Phrases(Protocol):
    """What a language must be able to say; ``phrases_en`` and ``phrases_zh`` are modules of it."""

    NOBODY: str
    NOT_SEEN: dict[str, str]

    def actor(self, case: Case, finding: Finding) -> str: ...
    def antecedent(self, case: Case, finding: Finding) -> str: ...
    def root_cause(self, case: Case) -> str: ...
    def environment(self, case: Case) -> str: ...
    def direct_trigger(self, case: Case) -> str: ...
    def systemic_weakness(self, case: Case) -> str: ...


PHRASES: MappingProxyType[str, Phrases] = MappingProxyType({"en": phrases_en, "zh": phrases_zh})

_QUESTIONS: MappingProxyType[Pattern, tuple[str, ...]] = MappingProxyType(
    {
        Pattern.REAR_END: ("headway", "disturbance", "lead_brake"),
        Pattern.CLOSE_FOLLOWING: ("headway", "disturbance", "lead_brake"),
        Pattern.PEDESTRIAN_HIT: ("follow_brake",),
        Pattern.HARD_BRAKE: ("disturbance",),
        Pattern.STOPPED: ("disturbance",),
    }
)
"""What a gap among the antecedents is said to be about, the most telling question first."""


def explain(
    incident: Incident,
    evidence: Sequence[Evidence],
    window: Window,
    *,
    lang: Lang,
    headway_rules: Sequence[str] = (),
) -> Answer:
    """Explain an incident from its window's evidence.

    ``headway_rules`` are ids of the site's rules on following distance; they are cited when a
    headway under two seconds was measured, and only then.
    """
    timeline = Timeline(evidence, window)
    pivot = pivot_of(incident, timeline)
    case = diagnose(gather(pivot, parties_of(pivot, timeline), timeline))
    phrases = PHRASES[lang]
    cited = tuple(headway_rules)[:8] if case.weakness is Weakness.SHORT_HEADWAY else ()
    return Answer(
        is_incident=True,
        incident_type=case.incident_type,
        severity=incident.severity,
        root_cause=phrases.root_cause(case)[:_LONGEST],
        antecedents=_antecedents(case, phrases),
        chain=Chain(
            environment=phrases.environment(case)[:_LONGEST],
            direct_trigger=phrases.direct_trigger(case)[:_LONGEST],
            systemic_weakness=phrases.systemic_weakness(case)[:_LONGEST],
        ),
        rules=cited,
        confidence=case.confidence,
    )


def _antecedents(case: Case, phrases: Phrases) -> tuple[Antecedent, ...]:
    """Three: what was measured in the order of time, then what was not seen."""
    seen = [
        Antecedent(
            t_s=round(fact.t_s, 3),
            kind=fact.evidence.kind.value,
            actor=phrases.actor(case, fact),
            text=phrases.antecedent(case, fact)[:_LONGEST],
        )
        for fact in case.antecedents
    ]
    open_questions = [
        name for name in _QUESTIONS.get(case.pattern, ()) if getattr(case.facts, name) is None
    ]
    if case.facts.lead_stop is not None and "lead_brake" in open_questions:
        open_questions.remove("lead_brake")
    missing = [*open_questions, "other", "other", "other"][: 3 - len(seen)]
    gaps = [Antecedent(None, "not_seen", phrases.NOBODY, phrases.NOT_SEEN[m]) for m in missing]
    return (*seen, *gaps)
