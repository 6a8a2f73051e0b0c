"""Nothing the dashboard says is missing in either language."""

from __future__ import annotations

import re
import string
from pathlib import Path
from typing import get_args

import pytest

import dashboards
from dashboards.health import ROLES
from dashboards.pages.frame import troubles
from dashboards.strings import STRINGS, Words
from monitor.domain import (
    Actor,
    AntecedentKind,
    CameraStatus,
    Claim,
    EvidenceKind,
    Explainer,
    IncidentType,
    Severity,
    Stage,
    Verdict,
    ViewCondition,
)

ROOT = Path(dashboards.__file__).parent
ENUMERATIONS = {
    "status": [*CameraStatus, "unknown"],
    "view": list(ViewCondition),
    "severity": list(Severity),
    "stage": list(Stage),
    "verdict": list(Verdict),
    "actor": list(Actor),
    "kind": [*EvidenceKind, *get_args(AntecedentKind)],
    "type": list(IncidentType),
    "incident.explainer": list(Explainer),
    "incident.claim": list(get_args(Claim)),
}


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("group", ENUMERATIONS)
def test_every_value_has_a_name(group: str) -> None:
    missing = [v for v in ENUMERATIONS[group] if f"{group}.{v}" not in STRINGS]
    assert missing == []


def test_both_languages_say_the_same() -> None:
    for key, (english, chinese) in STRINGS.items():
        assert english.strip(), key
        assert chinese.strip(), key
        assert fields(english) == fields(chinese), key


COMPUTED = (
    *(f"{group}." for group in ENUMERATIONS),
    "age.", "incident.chain.", "incident.mode.", "table.", "system.", "nav.", "tile.why.",
)  # fmt: skip
"""Keys whose last part is worked out; a page test sees each of these words."""


def test_every_key_that_the_pages_ask_for_exists_and_is_used() -> None:
    source = "\n".join(path.read_text() for path in ROOT.rglob("*.py") if path.name != "strings.py")
    groups = {key.split(".")[0] for key in STRINGS}
    quoted = set(re.findall(r'"([a-z]+(?:\.[a-z0-9_]+)+)"', source))
    asked = {key for key in quoted if key.split(".")[0] in groups}
    assert asked - set(STRINGS) == set()
    assert {key for key in STRINGS if key not in asked and not key.startswith(COMPUTED)} == set()


def test_ages_use_the_largest_unit_that_says_enough() -> None:
    words = Words("en")
    assert [words.age(s) for s in (0.25, 1, 119, 120, 7199, 7200, 200_000)] == [
        "250 ms", "1 s", "119 s", "2 min", "120 min", "2 h", "2 d",
    ]  # fmt: skip
    assert words.ago(3) == "just now"
    assert Words("zh").ago(60) == "60 秒前"


def test_an_unknown_key_is_an_error() -> None:
    with pytest.raises(KeyError):
        Words("en")("no.such.key")


def test_roles_and_trouble_are_worded() -> None:
    assert Words("en")("away.workers", workers=", ".join(ROLES)).endswith("publish.")
    assert callable(troubles)
