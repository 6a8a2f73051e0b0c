"""The answer of an alert that a second look at the pictures took back. Pure; no I/O."""

from __future__ import annotations

from typing import Final, Literal

from monitor.domain import (
    Answer,
    Antecedent,
    Chain,
    IncidentType,
    SecondLook,
    Severity,
)

_LONGEST: Final = 600  # of domain.Sentence
_WORDS: Final = {
    "en": (
        "A second look at the pictures found no incident here: {}",
        "nobody",
        "Nothing that led to an incident was seen.",
        "The surroundings were not judged, since nothing happened.",
        "There was none: what looked like an incident was normal traffic or an error of measuring.",
        "None is concluded from something that did not happen.",
    ),
    "zh": (
        "复核画面后未发现事故：{}",
        "无",
        "未见导致事故的事件。",
        "未发生事故，故未评估环境因素。",
        "无：疑似情况属于正常交通或测量误差。",
        "未发生事故，不作推断。",
    ),
}


def dismissal(look: SecondLook, lang: Literal["en", "zh"]) -> Answer:
    """What is said where ``look`` rejected an incident.

    Its confidence is how far the look stayed below the threshold of an alert.
    """
    found, nobody, nothing, environment, trigger, weakness = _WORDS[lang]
    gap = Antecedent(t_s=None, kind="not_seen", actor=nobody, text=nothing)
    return Answer(
        is_incident=False,
        incident_type=IncidentType.NONE,
        severity=Severity.LOW,
        root_cause=found.format(look.reason)[:_LONGEST],
        antecedents=(gap, gap, gap),
        chain=Chain(environment, trigger, weakness),
        rules=(),
        confidence=round(min(1.0, max(0.0, 1.0 - look.score)), 3),
    )
