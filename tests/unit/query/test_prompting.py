"""The prompt says what it must, in both languages, with the window's own times."""

from __future__ import annotations

import json

import jsonschema
import pytest

from monitor.domain import Actor, Evidence, EvidenceKind, Window
from monitor.errors import ConfigError
from monitor.query.prompting import answer_schema, evidence_lines, load_prompt, user_text
from monitor.query.rulebook import rulebook

WINDOW = Window(1_760_000_000_000, 1_760_000_028_000)
HEADWAY = Evidence(
    id="headway-2-1", kind=EvidenceKind.HEADWAY, time_ms=WINDOW.start_ms + 17_240,
    actor=Actor.VEHICLE, strength=0.9, track=2, other=1, value=0.8, unit="s", uncertainty=0.1,
    time_uncertainty_s=0.2,
)  # fmt: skip
CONTACT = Evidence(
    id="contact-2-1", kind=EvidenceKind.CONTACT, time_ms=WINDOW.start_ms + 20_000,
    actor=Actor.VEHICLE, strength=0.8, track=2, other=1,
)  # fmt: skip


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_both_languages_have_every_part(lang: str) -> None:
    prompt = load_prompt("incident", lang)
    assert prompt.version == load_prompt("incident", "en").version
    assert len(prompt.step_names) == 4
    for name in ("environment", "direct_trigger", "systemic_weakness", "is_incident", "JSON"):
        assert name in prompt.system
    text = user_text(
        prompt, window=WINDOW, peak_ms=WINDOW.start_ms + 20_000, evidence=[CONTACT, HEADWAY],
        rules=rulebook("generic").select([EvidenceKind.HEADWAY], lang=lang), lang=lang,
        traffic_side="left",
    )  # fmt: skip
    assert "$" not in text
    assert "28.0" in text
    assert "20.0" in text
    assert text.index("E1. 17.2 ±0.2 s: headway") < text.index("E2. 20.0 s: contact")
    assert "gen-two-seconds" in text


def test_the_fixed_part_comes_from_the_file_alone() -> None:
    assert "$" not in load_prompt("incident", "en").system
    assert "two-second rule" in load_prompt("incident", "en").system.lower()
    assert "两秒规则" in load_prompt("incident", "zh").system


def test_nothing_measured_is_said() -> None:
    prompt = load_prompt("incident", "en")
    text = user_text(
        prompt, window=WINDOW, peak_ms=WINDOW.start_ms, evidence=[], rules=[], lang="en",
        traffic_side="right",
    )  # fmt: skip
    assert text.count("(none)") == 2


def test_lines_give_value_unit_and_party_and_stay_inside_the_window() -> None:
    early = Evidence("old", EvidenceKind.QUEUE, WINDOW.start_ms - 1, Actor.UNKNOWN, 1.0)
    assert evidence_lines([early, HEADWAY], WINDOW, "en") == [
        "E1. 17.2 ±0.2 s: headway vehicle track 2 -> track 1 = 0.8 ±0.1 s (0.90)"
    ]


def test_a_flood_of_evidence_is_cut_to_the_strongest() -> None:
    many = [
        Evidence(f"e{n}", EvidenceKind.QUEUE, WINDOW.start_ms + n, Actor.VEHICLE, n / 1000)
        for n in range(1000)
    ]
    lines = evidence_lines(many, WINDOW, "en")
    assert len(lines) == 40
    assert "(1.00)" in lines[-1]


def answer(**changes: object) -> dict[str, object]:
    # A time whose tenths are exact in binary: the validator divides floats for multipleOf.
    event = {"t_s": 17.5, "kind": "headway", "actor": "white car", "text": "It follows closely."}
    return {
        "thinking": ["a", "b", "c", "d"], "is_incident": True,
        "incident_type": "rear_end_collision", "severity": "high", "root_cause": "Too close.",
        "antecedents": [event, event, event],
        "chain": {"environment": "Day.", "direct_trigger": "Brake.", "systemic_weakness": "Gap."},
        "rules": ["gen-two-seconds"], "confidence": 0.7, **changes,
    }  # fmt: skip


def test_the_schema_holds_the_model_to_a_complete_answer() -> None:
    schema = answer_schema(["gen-two-seconds"], thinking=False)
    check = jsonschema.Draft202012Validator(schema)
    assert next(iter(schema["properties"])) == "thinking"
    assert check.is_valid(answer())
    not_seen = {"t_s": 1.0, "kind": "not_seen", "actor": "a", "text": "b"}
    no_time = {"t_s": None, "kind": "other", "actor": "a", "text": "b"}
    event = answer()["antecedents"][0]  # type: ignore[index]  # a list
    for wrong in (
        answer(rules=["invented"]), answer(antecedents=[event, event]), answer(confidence=2),
        answer(antecedents=[event, event, event | {"t_s": 17.53125}]),
        answer(antecedents=[event, event, not_seen]), answer(antecedents=[event, event, no_time]),
        answer(incident_type="meteor"), answer(extra=1), answer(thinking=[]),
    ):  # fmt: skip
        assert not check.is_valid(wrong)


def test_thinking_mode_keeps_the_steps_out_of_the_answer() -> None:
    schema = answer_schema([], thinking=True)
    assert "thinking" not in schema["properties"]
    assert schema["properties"]["rules"]["maxItems"] == 0
    assert "uniqueItems" not in json.dumps(schema)  # vLLM refuses it


def test_an_unknown_prompt() -> None:
    with pytest.raises(ConfigError, match="poem"):
        load_prompt("poem", "en")
