"""One answer against its label: times one to one, kinds, completeness, what was borne out. Pure.

Labelled antecedents count where they lie before their event: what a label tells of the contact
itself and of its aftermath led to nothing. An event that has no such step keeps those up to its
peak (hard braking is labelled with itself).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from monitor.domain import Answer, Antecedent, Verdict
from monitor.evidence.parties import pivot_of
from monitor.evidence.timeline import Timeline
from monitor.query.prompting import evidence_lines
from workers.evaluation.answers_given import Given
from workers.evaluation.catalogue import Antecedent as Step
from workers.evaluation.catalogue import Label

NEAR_S: Final = 1.0
CONTACT_S: Final = 0.3
THREE: Final = 3
_CLEAR_S: Final = 0.05
_COLLISIONS: Final = frozenset(
    {"collision", "rear_end_collision", "side_collision", "head_on_collision",
     "single_vehicle_collision", "pedestrian_collision", "cyclist_collision"}
)  # fmt: skip
_TYPES: Final = {
    "collision": _COLLISIONS,
    "near_miss": frozenset({"near_miss"}),
    "hard_brake": frozenset({"hard_brake"}),
    "sudden_stop": frozenset({"hard_brake"}),
    "stopped_vehicle": frozenset({"stopped_vehicle"}),
    "stopped_in_lane": frozenset({"stopped_vehicle"}),
    "wrong_way": frozenset({"wrong_way"}),
    "swerve": frozenset({"other", "near_miss"}),
}
"""The answers' words for a label's type."""
_FAMILIES: Final = {
    "brake_light_onset": "braking",
    "hard_brake": "braking",
    "sudden_stop": "standing",
    "stopped_in_lane": "standing",
    "impulse": "contact",
}
_UNSAID: Final = ("Not seen", "Not stated by the model", "未观测到", "模型未说明")
_CITED: Final = re.compile(r"\bE(\d{1,3})\b")
PARTS: Final = 7
"""Of a whole answer: its root cause, three antecedents, three layers."""


@dataclass(frozen=True, slots=True)
class Matched:
    """A stated antecedent beside the labelled one it was matched with; seconds of the clip."""

    stated: int  # which of the three, from 0
    step: Step
    stated_s: float
    kind_fits: bool | None  # None where the label names no kind

    @property
    def error_s(self) -> float:
        """Positive: stated too late."""
        return self.stated_s - self.step.t_s


@dataclass(frozen=True, slots=True)
class Score:
    """Of one answer; nothing matches and nothing is said where there is none."""

    given: Given
    steps: tuple[Step, ...]  # the labelled antecedents that count
    matched: tuple[Matched, ...] = ()
    type_fits: bool = False
    type_exact: bool | None = None  # None where the label does not say which collision
    event_error_s: float | None = None  # the measured event against the label's start
    parts: int = 0
    verdicts: tuple[Verdict, ...] = ()
    rules: tuple[int, int] = (0, 0)  # known, cited
    measurements: tuple[int, int] = (0, 0)  # numbers of measurements: existing, cited

    @property
    def of(self) -> int:
        """How many antecedents can be matched: an answer has three."""
        return min(THREE, len(self.steps))

    @property
    def near(self) -> int:
        """How many of them are within a second."""
        return sum(abs(one.error_s) <= NEAR_S for one in self.matched)


def score(given: Given) -> Score:
    """Hold an answer against its label."""
    case, answer = given.case, given.answer
    steps = counted(case.label)
    if answer is None or case.incident is None:
        return Score(given, steps)
    wanted = case.label.incident_type
    event_s = pivot_of(case.incident, Timeline(case.evidence, case.window)).t_s
    lines = len(evidence_lines(case.evidence, case.window, "en"))
    numbers = [int(one) for text in _texts(answer) for one in _CITED.findall(text)]
    return Score(
        given, steps, match(answer, steps, case.clip_s(0.0)),
        type_fits=answer.incident_type.value in _TYPES.get(case.label.type, frozenset()),
        type_exact=answer.incident_type.value == wanted if wanted else None,
        event_error_s=case.clip_s(event_s) - case.label.start_s,
        parts=parts(answer),
        verdicts=tuple(one.verdict for one in given.verification),
        rules=(len(answer.rules), len(answer.rules) + given.unknown_rules),
        measurements=(sum(1 <= one <= lines for one in numbers), len(numbers)),
    )  # fmt: skip


def counted(label: Label) -> tuple[Step, ...]:
    """The labelled antecedents that are before the event, by time."""
    ordered = sorted(label.antecedents, key=lambda one: (one.t_s, one.what))
    before = [one for one in ordered if one.t_s < label.start_s - _CLEAR_S]
    return tuple(before or [one for one in ordered if one.t_s <= label.peak_s])


def match(answer: Answer, steps: Sequence[Step], start_s: float) -> tuple[Matched, ...]:
    """One to one, with the least sum of errors; ``start_s``: where the answer's clock begins."""
    stated = sorted(
        (
            (start_s + one.t_s, number, one)
            for number, one in enumerate(answer.antecedents)
            if one.t_s is not None
        ),
        key=lambda found: found[:2],
    )
    ordered = sorted(steps, key=lambda one: one.t_s)
    found = pairs([at_s for at_s, _, _ in stated], [step.t_s for step in ordered])
    return tuple(
        sorted(
            (
                Matched(stated[i][1], ordered[j], stated[i][0], _fits(stated[i][2], ordered[j]))
                for i, j in found
            ),
            key=lambda one: one.stated,
        )
    )


def pairs(first: Sequence[float], second: Sequence[float]) -> list[tuple[int, int]]:
    """As many pairs as there can be, with the least sum of distances. Both must be sorted: then
    a best matching without crossings exists, and a table over both finds it.
    """
    if len(first) > len(second):
        return [(i, j) for j, i in pairs(second, first)]
    best = [[0.0] * (len(second) + 1)]
    for i, value in enumerate(first):
        row = [float("inf")]
        for j, other in enumerate(second):
            row.append(min(row[j], best[i][j] + abs(value - other)))
        best.append(row)
    found, j = [], len(second)
    for i in range(len(first), 0, -1):
        while best[i][j] == best[i][j - 1]:
            j -= 1
        found.append((i - 1, j - 1))
        j -= 1
    return found[::-1]


def parts(answer: Answer) -> int:
    """How much of it is said: root cause, antecedents, layers; 'not seen' is not."""
    chain = answer.chain
    layers = (chain.environment, chain.direct_trigger, chain.systemic_weakness)
    return (
        _is_said(answer.root_cause)
        + sum(one.t_s is not None for one in answer.antecedents)
        + sum(map(_is_said, layers))
    )


def _is_said(text: str) -> bool:
    return bool(text.strip()) and not text.startswith(_UNSAID)


def _fits(one: Antecedent, step: Step) -> bool | None:
    return _family(one.kind) == _family(step.kind) if step.kind else None


def _family(kind: str) -> str:
    return _FAMILIES.get(kind, kind)


def _texts(answer: Answer) -> list[str]:
    chain = answer.chain
    return [
        answer.root_cause, chain.environment, chain.direct_trigger, chain.systemic_weakness,
        *(one.text for one in answer.antecedents),
    ]  # fmt: skip
