"""Whatever the model sends, there is an answer or a QueryError, within bounds."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor import wire
from monitor.domain import Answer, IncidentType, Severity
from monitor.errors import QueryError
from monitor.query.parse import ParsedAnswer, parse, reasoning_steps, seconds

RULES = ["gen-two-seconds", "cn-rtsl-43"]


def event(t_s: Any = 17.2, **changes: Any) -> dict[str, Any]:
    return {"t_s": t_s, "kind": "headway", "actor": "white car", "text": "Follows.", **changes}


def answer(**changes: Any) -> dict[str, Any]:
    return {
        "thinking": ["a", "b", "c", "d"], "is_incident": True,
        "incident_type": "rear_end_collision", "severity": "high", "root_cause": "Too close.",
        "antecedents": [event(17.2), event(18.6, kind="brake_light_onset"), event(20.0)],
        "chain": {"environment": "Day.", "direct_trigger": "Brake.", "systemic_weakness": "Gap."},
        "rules": ["gen-two-seconds"], "confidence": 0.7, **changes,
    }  # fmt: skip


def read(text: Any, finish_reason: str | None = "stop") -> ParsedAnswer:
    raw = text if isinstance(text, str) else json.dumps(text)
    return parse(raw, rule_ids=RULES, lang="en", finish_reason=finish_reason)


def reason(text: Any, finish_reason: str | None = "stop") -> str:
    with pytest.raises(QueryError) as caught:
        read(text, finish_reason)
    return caught.value.reason


def read_or_reason(text: str, finish_reason: str | None) -> ParsedAnswer | str:
    try:
        return read(text, finish_reason)
    except QueryError as error:
        return error.reason


def test_a_good_answer_is_read_as_it_stands() -> None:
    found = read(answer())
    assert found.notes == ()
    assert found.unknown_rules == 0
    assert wire.to_object(found.answer) == {**answer(), "thinking": ["a", "b", "c", "d"]}


@pytest.mark.parametrize(
    "around",
    ["```json\n{}\n```", "Here it is:\n{}\nI hope this helps.", "<think>{{\"a\": 1}}</think>{}",
     "{} {}", "\ufeff{}", "Set {{braces}} aside. {}"],
)  # fmt: skip
def test_what_stands_around_it_is_passed_over(around: str) -> None:
    text = json.dumps(answer())
    assert read(around.replace("{}", text).replace("{{", "{").replace("}}", "}")).answer.confidence


def test_raw_control_characters_in_strings() -> None:
    text = json.dumps(answer()).replace("Too close.", "Too\n\tclose\x00.")
    assert read(text).answer.root_cause == "Too close ."


def test_lone_surrogates_can_still_be_published() -> None:
    found = read(json.dumps(answer(root_cause="Too \ud800close")))
    assert wire.to_json(found.answer)


def test_cut_after_the_events_is_repaired_and_said() -> None:
    text = json.dumps(answer())
    cut = text[: text.index("systemic_weakness") + 25]
    found = read(cut, "length")
    assert found.answer.chain.direct_trigger == "Brake."
    assert "cut" in found.notes[0]


def test_cut_before_it_says_anything() -> None:
    text = json.dumps(answer())
    assert reason(text[: text.index("root_cause")], "length") == "cut"
    assert reason(text[:5], "length") == "cut"
    assert reason("", "length") == "cut"


@pytest.mark.parametrize("length", range(0, len(json.dumps(answer())), 7))
def test_cut_anywhere(length: int) -> None:
    text = json.dumps(answer(root_cause='追尾：\\u8ddf车过近 \\" {[,'))[:length]
    found = read_or_reason(text, "length")
    assert found == "cut" or not isinstance(found, str)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [(87, 87.0), (87.25, 87.25), ("87s", 87.0), ("87.5 seconds", 87.5), ("1:27", 87.0),
     ("00:01:27.5", 87.5), ("<3.2 seconds>", 3.2), ("t=12.4", 12.4), ("约17.2秒", 17.2),
     ("-3", -3.0), (True, None), (None, None), ("soon", None), (math.nan, None),
     (math.inf, None), (10**400, None), ("9" * 65, None), ([1], None), ("1e999", None)],
)  # fmt: skip
def test_times(raw: Any, expected: float | None) -> None:
    assert seconds(raw) == expected


def test_times_as_text_are_coerced_and_said() -> None:
    found = read(answer(antecedents=[event("17.2s"), event("0:18.6"), event("20.0 s")]))
    assert [event.t_s for event in found.answer.antecedents] == [17.2, 18.6, 20.0]
    assert found.notes == ("a time was not a number",)


def test_too_many_and_too_few_events() -> None:
    many = read(answer(antecedents=[event(float(n)) for n in range(5)]))
    assert [event.t_s for event in many.answer.antecedents] == [0, 1, 2]
    assert "first three" in many.notes[0]
    few = read(answer(antecedents=[event(), event(None), event(-1), "no", event(text=" ")]))
    assert [event.kind for event in few.answer.antecedents] == ["headway", "not_seen", "not_seen"]
    assert few.answer.antecedents[1].t_s is None
    assert "fewer than three antecedents" in few.notes
    assert reason(answer(antecedents=[])) == "schema"
    assert reason(answer(antecedents="three of them")) == "schema"


def test_rules_that_were_not_given_are_dropped_and_counted() -> None:
    found = read(answer(rules=["gen-two-seconds", "law-of-the-jungle", 5, "gen-two-seconds"]))
    assert found.answer.rules == ("gen-two-seconds",)
    assert found.unknown_rules == 2
    assert read(answer(rules=None)).answer.rules == ()


def test_words_near_the_vocabulary() -> None:
    found = read(answer(
        incident_type="Rear-end collision", severity="HIGH", is_incident="yes", confidence="85%",
        antecedents=[event(kind="Brake light onset"), event(kind="magic"), event(kind="not_seen")],
    ))  # fmt: skip
    assert found.answer.incident_type is IncidentType.REAR_END_COLLISION
    assert found.answer.severity is Severity.HIGH
    assert found.answer.confidence == 0.85
    assert [e.kind for e in found.answer.antecedents] == ["brake_light_onset", "other", "other"]
    strange = read(answer(incident_type="meteor", severity=4, is_incident=None, confidence="high"))
    assert strange.answer.incident_type is IncidentType.OTHER
    assert strange.answer.severity is Severity.MEDIUM
    assert strange.answer.is_incident
    assert strange.answer.confidence == 0.0
    assert len(strange.notes) == 3
    assert read(answer(confidence=85)).answer.confidence == 0.85
    assert read(answer(confidence=-4)).answer.confidence == 0.0


def test_long_words_are_cut_to_the_schema() -> None:
    long = read(answer(root_cause="x" * 5000, antecedents=[event(actor="y" * 500, text="z" * 999)]))
    assert len(long.answer.root_cause) == 600
    assert len(long.answer.antecedents[0].actor) == 120
    assert len(long.answer.antecedents[0].text) == 600


def test_missing_parts() -> None:
    assert reason(answer(root_cause="")) == "schema"
    assert reason(answer(chain=None)) == "schema"
    half = read(answer(chain={"environment": "Rain."}))
    assert half.answer.chain.systemic_weakness == "Not stated by the model."


@pytest.mark.parametrize(
    "text",
    ["", "no", "[]", "null", "<html><body>502 Bad Gateway</body></html>", "{" * 100_000,
     '{"a":' * 5000, "[" * 100_000, '{"x": ' + "9" * 10_000 + "}", "{}", "{" + "}" * 50,
     "x" * 300_000],
)  # fmt: skip
def test_no_answer_at_all(text: str) -> None:
    assert reason(text) in {"malformed", "schema", "cut"}


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)


@given(st.text())
@settings(max_examples=300)
@example('{"root_cause": "\\ud800", "antecedents": [{"t_s": 1e400, "text": "x"}]}')
def test_any_text(text: str) -> None:
    try:
        found = read(text)
    except QueryError:
        return
    wire.from_json(Answer, wire.to_json(found.answer))


@given(st.dictionaries(st.sampled_from(sorted(answer())), values), st.data())
@settings(max_examples=400)
def test_any_wrong_type_anywhere_and_any_cut(changes: dict[str, Any], data: st.DataObject) -> None:
    text = json.dumps(answer(**changes), ensure_ascii=data.draw(st.booleans()))
    text = text[: data.draw(st.integers(0, len(text)))]
    found = read_or_reason(text, data.draw(st.sampled_from(["stop", "length", None])))
    if isinstance(found, str):
        assert found in {"cut", "malformed", "schema"}
        return
    assert len(found.answer.antecedents) == 3
    wire.from_json(Answer, wire.to_json(found.answer))


@given(st.fixed_dictionaries({"t_s": values, "kind": values, "actor": values, "text": values}))
@settings(max_examples=300)
def test_any_event(entry: dict[str, Any]) -> None:
    found = read(answer(antecedents=[event(), entry]))
    second = found.answer.antecedents[1]
    assert (second.t_s is None) == (second.kind == "not_seen")


def test_reasoning_is_bounded() -> None:
    assert reasoning_steps("First.\n\nThen\nthis.\n\n\n") == ("First.", "Then this.")
    steps = reasoning_steps("\n\n".join(f"step {n} " + "x" * 3000 for n in range(80)))
    assert len(steps) == 64
    assert max(map(len, steps)) == 2000
    assert steps[-1].startswith("step 79")
