"""An answer against its label: times one to one, kinds, completeness, citations."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.domain import Antecedent, Chain, IncidentType, Verdict
from monitor.evidence import explain, verify
from monitor.query.parse import parse
from tests.unit.evidence.timelines import START_MS, WINDOW, incident, rear_end
from tests.vllm_fake import good_answer
from workers.evaluation.answers_cases import Case
from workers.evaluation.answers_given import Given
from workers.evaluation.answers_score import PARTS, Score, counted, pairs, parts, score
from workers.evaluation.catalogue import Antecedent as Step
from workers.evaluation.catalogue import Entry, Label
from workers.evaluation.lead_in import START_MS as CLIP_MS

STEPS = (Step(11.2, "pedestrian_in_road"), Step(12.3, "hard_brake"), Step(13.9, "headway"))


def label(*steps: Step, type_: str = "collision", exact: str = "rear_end_collision") -> Label:
    return Label(type_, 14.1, 14.3, 15.0, "scored", incident_type=exact, antecedents=steps)


def answered(given_label: Label, **changes: object) -> Given:
    assert START_MS == CLIP_MS  # the hand-made timeline is a clip's
    opened = incident("contact", 14.0, 7, 3)
    evidence = rear_end()
    case = Case(Entry("a.mp4", Path("a.mp4"), "f", (given_label,), "rendered"), given_label,
                opened, WINDOW, tuple(evidence))  # fmt: skip
    answer = explain(opened, evidence, WINDOW, lang="en")
    verification = verify(answer, evidence, WINDOW, lang="en")
    return Given("evidence", case, replace(answer, **changes), verification, json="valid")  # type: ignore[arg-type]  # fields of Answer


def test_the_explainer_on_a_measured_rear_end_collision() -> None:
    found = score(answered(label(*STEPS)))
    assert [(one.step.kind, round(one.stated_s, 1)) for one in found.matched] == [
        ("pedestrian_in_road", 11.0), ("hard_brake", 11.8), ("headway", 12.1),
    ]  # fmt: skip
    assert (found.near, found.of) == (2, 3)
    assert (found.type_fits, found.type_exact, found.parts) == (True, True, PARTS)
    assert found.event_error_s == pytest.approx(-0.1)
    assert found.verdicts == (Verdict.SUPPORTED,) * 4


def test_of_no_answer_nothing_matches_and_all_is_still_asked_for() -> None:
    found = score(replace(answered(label(*STEPS)), answer=None, verification=(), reason="timeout"))
    assert (found.near, found.of, found.matched, found.parts) == (0, 3, (), 0)


def test_what_is_labelled_after_the_event_led_to_nothing() -> None:
    steps = (Step(13.0), Step(14.1, what="contact"), Step(15.5, what="it spins"))
    assert counted(label(*steps)) == (steps[0],)
    assert counted(label(*steps[1:])) == (steps[1],)
    assert counted(label()) == ()


def test_more_labels_than_an_answer_has_antecedents() -> None:
    steps = tuple(Step(float(second)) for second in range(8, 14))
    found = score(answered(label(*steps)))
    assert found.of == 3
    assert len({one.step for one in found.matched}) == 3


def test_a_kind_fits_where_it_means_the_same() -> None:
    lamps = Antecedent(12.3, "brake_light_onset", "van", "It brakes.")
    other = Antecedent(13.9, "swerve", "van", "It swerves.")
    unseen = Antecedent(None, "not_seen", "nobody", "Nothing.")
    found = score(answered(label(*STEPS), antecedents=(lamps, other, unseen)))
    assert [(one.step.kind, one.kind_fits) for one in found.matched] == [
        ("hard_brake", True), ("headway", False),
    ]  # fmt: skip
    assert score(answered(label(Step(12.0)))).matched[0].kind_fits is None


@pytest.mark.parametrize(
    ("type_", "said", "fits"),
    [
        ("collision", "side_collision", True),
        ("collision", "near_miss", False),
        ("sudden_stop", "hard_brake", True),
        ("stopped_in_lane", "stopped_vehicle", True),
        ("collision", "none", False),
    ],
)
def test_types(type_: str, said: str, fits: bool) -> None:
    given_answer = answered(label(type_=type_, exact=""), incident_type=IncidentType(said))
    found = score(given_answer)
    assert (found.type_fits, found.type_exact) == (fits, None)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_is_not_seen_is_not_said(lang: str) -> None:
    alone = explain(incident("contact", 14.0), [], WINDOW, lang=lang)  # type: ignore[arg-type]  # en or zh
    assert 0 < parts(alone) <= 3
    made = good_answer(chain={"environment": "Rain."})
    short = parse(json.dumps(made), rule_ids=["gen-two-seconds"], lang=lang).answer
    assert parts(short) == PARTS - 2
    assert parts(replace(short, chain=Chain("Rain.", "It braked.", "Too close."))) == PARTS


def test_numbers_of_measurements_are_looked_up() -> None:
    chain = Chain("Dry (E1).", "It braked (E3, E6).", "As E7 and E99 show.")
    found = score(answered(label(), chain=chain))
    assert found.measurements == (3, 5)


def test_rules_that_were_never_given_count() -> None:
    made = replace(answered(label(), rules=("gen-two-seconds",)), unknown_rules=2)
    assert score(made).rules == (1, 3)


TIMES = st.lists(st.integers(0, 60).map(lambda n: n / 2), max_size=5).map(sorted)


def least(first: Sequence[float], second: Sequence[float]) -> float:
    few, many = sorted((first, second), key=len)
    return min(
        sum(abs(a - b) for a, b in zip(few, order, strict=True))
        for order in permutations(many, len(few))
    )


@settings(deadline=None, max_examples=300)
@given(TIMES, TIMES)
def test_pairs_are_one_to_one_and_cost_least(first: list[float], second: list[float]) -> None:
    found = pairs(first, second)
    assert len(found) == min(len(first), len(second))
    assert len({i for i, _ in found}) == len({j for _, j in found}) == len(found)
    assert sum(abs(first[i] - second[j]) for i, j in found) == least(first, second)


def test_pairs_of_hundreds_of_labels_come_at_once() -> None:
    many = [float(n) for n in range(500)]
    assert pairs([3.2, 9.9, 480.0], many) == [(0, 3), (1, 10), (2, 480)]


def test_a_score_without_labels_has_nothing_to_match() -> None:
    found: Score = score(answered(label()))
    assert (found.of, found.near, found.matched) == (0, 0, ())
