"""The documents name every kind of evidence, and the parameters as they are in the code."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from monitor.domain import EvidenceKind

DOCS = Path(__file__).resolve().parents[3] / "docs"
ROW = re.compile(r"^\| ([\w.]+) \| (`\w+`(?:, `\w+`)*) \| ([^|]*\d[^|]*) \|", re.MULTILINE)
OUTSIDE = {
    "watching": "workers.watching.camera",
    "ladder": "workers.watching.ladder",
    "quiet_sizes": "workers.watching.quiet_sizes",
    "look_back": "workers.watching.look_back",
    "second_look": "workers.watching.second_look",
}
ROWS = ROW.findall((DOCS / "trigger.md").read_text())


@pytest.mark.parametrize("kind", EvidenceKind)
def test_the_glossary_says_what_every_kind_of_evidence_means(kind: EvidenceKind) -> None:
    rows = [one for one in (DOCS / "glossary.md").read_text().splitlines() if one[:1] == "|"]
    assert any(f"`{kind}`" in row.split("|")[1] for row in rows)


def stated(text: str) -> list[float]:
    """``48, 2 %, 2 s`` as 48, 0.02, 2."""
    numbers = []
    for part in text.split(","):
        found = re.search(r"\d+(?:\.\d+)?", part)
        assert found is not None, part
        numbers.append(float(found.group()) / (100 if "%" in part else 1))
    return numbers


def test_the_table_of_parameters_is_read() -> None:
    assert len(ROWS) > 20


@pytest.mark.parametrize(("module", "names", "values"), ROWS, ids=[row[1] for row in ROWS])
def test_parameters_are_documented_as_they_are(module: str, names: str, values: str) -> None:
    path = OUTSIDE.get(module, f"monitor.trigger.{module}")
    code = importlib.import_module(path)
    constants = re.findall(r"\w+", names)
    in_code = [getattr(code, name) / (1000 if name.endswith("_MS") else 1) for name in constants]
    assert in_code == pytest.approx(stated(values))
