"""docs/detector.md names every setting and kind, and the parameters as they are in the code."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from monitor.config.models import DetectorSettings
from monitor.trigger.detector.outputs import Kind
from tests.unit.trigger.test_trigger_docs import ROW, stated

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "detector.md").read_text()
ROWS = ROW.findall(PAGE)


def test_every_setting_and_kind_is_described() -> None:
    described = set(re.findall(r"`(\w+)`", "\n".join(re.findall(r"^\| (`.*?) \|", PAGE, re.M))))
    assert set(DetectorSettings.model_fields) <= described
    assert {kind.value for kind in Kind} <= described


def test_the_table_of_parameters_is_read() -> None:
    assert len(ROWS) >= 10


@pytest.mark.parametrize(("module", "names", "values"), ROWS, ids=[row[1] for row in ROWS])
def test_parameters_are_documented_as_they_are(module: str, names: str, values: str) -> None:
    code = importlib.import_module(f"monitor.trigger.detector.{module}")
    in_code = [getattr(code, name) for name in re.findall(r"\w+", names)]
    assert in_code == pytest.approx(stated(values))
