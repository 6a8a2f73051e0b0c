"""The patrol's question and what is made of its answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain import EvidenceKind, Severity, Window
from monitor.errors import QueryError
from monitor.query.look import SCHEMA, Look, look_pairs, read_look
from monitor.query.prompting import load_prompt
from monitor.query.question import Reply
from monitor.query.sampling import PAIR_MAX_MS

WINDOW = Window(1_760_000_000_000, 1_760_000_012_000)


def read(text: str, finish: str = "stop") -> Look:
    return read_look(Reply(text, "", finish, 2000, 60, "video"), WINDOW)


def said(**changes: Any) -> str:
    return json.dumps(
        {"what": "A van stands.", "abnormal": True, "since_s": 4.2, "kind": "stopped_in_lane",
         "severity": "high", "confidence": 0.8, **changes}
    )  # fmt: skip


def test_a_positive_look() -> None:
    found = read(said())
    assert found.abnormal
    assert found.since_ms == WINDOW.start_ms + 4200
    assert (found.kind, found.severity) == (EvidenceKind.STOPPED_IN_LANE, Severity.HIGH)
    assert (found.what, found.confidence) == ("A van stands.", 0.8)


@pytest.mark.parametrize(("since_s", "at_ms"), [(-3, 0), (99, 12_000), ("5s", 5000), (None, 0)])
def test_a_time_outside_the_pictures_is_their_edge(since_s: object, at_ms: int) -> None:
    assert read(said(since_s=since_s)).since_ms == WINDOW.start_ms + at_ms


def test_what_is_missing_or_nonsense_is_never_sure() -> None:
    found = read(json.dumps({"abnormal": True, "kind": 7, "severity": [], "what": {}}))
    assert (found.confidence, found.severity, found.what) == (0.0, Severity.LOW, "")
    assert read(said(confidence=9)).confidence == 1.0


def test_the_sentence_is_one_line_without_control_characters() -> None:
    found = read(said(what="A\x00 van\n\nstands.\x1b[31m" + "x" * 500))
    assert found.what.startswith("A van stands. [31mxxx")
    assert len(found.what) == 200
    assert found.what.isprintable()


@pytest.mark.parametrize(
    ("text", "finish", "reason"),
    [("all quiet", "stop", "malformed"), ("", "length", "cut"), ('{"what": "x"}', "stop", "schema"),
     ('{"abnormal": "yes"}', "stop", "schema")],
)  # fmt: skip
def test_no_look_in_it(text: str, finish: str, reason: str) -> None:
    with pytest.raises(QueryError) as caught:
        read(text, finish)
    assert caught.value.reason == reason


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_prompt_names_every_field_the_schema_asks_for(lang: str) -> None:
    prompt = load_prompt("patrol", lang)
    for name in ("since_s", "kind", "severity", "what"):
        assert name in prompt.system
    assert prompt.user.substitute(duration_s="12.0", side="x")
    assert set(SCHEMA["required"]) == set(SCHEMA["properties"])


@given(
    gop_ms=st.integers(200, 15_000), frame_ms=st.integers(33, 500),
    frames=st.sampled_from([8, 10, 12, 14, 16]),
)  # fmt: skip
def test_pairs_are_in_order_apart_and_of_pictures_there_are(
    gop_ms: int, frame_ms: int, frames: int
) -> None:
    times = [n * frame_ms / 1000 for n in range(12_000 // frame_ms + 1)]
    per_gop = max(1, gop_ms // frame_ms)
    pairs = look_pairs(times[::per_gop], times, WINDOW, frames)
    assert 1 <= len(pairs) <= frames // 2
    taken = {round(t * 1000) for t in times}
    flat = [ms for pair in pairs for ms in (pair.first_ms, pair.second_ms)]
    assert flat == sorted(flat)
    assert set(flat) <= taken
    assert all(0 <= pair.second_ms - pair.first_ms <= PAIR_MAX_MS for pair in pairs)


def test_decoding_stays_at_the_beginnings_of_gops() -> None:
    times = [n * 0.04 for n in range(301)]
    pairs = look_pairs(times[::50], times, WINDOW, 12)
    assert [pair.first_ms for pair in pairs] == [0, 2000, 4000, 8000, 10_000, 12_000]
    assert {pair.second_ms - pair.first_ms for pair in pairs} <= {0, 120}
