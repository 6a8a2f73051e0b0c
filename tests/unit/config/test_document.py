"""docs/configuration.md describes every setting, and as the models have it."""

from __future__ import annotations

from pathlib import Path

from monitor.config.document import setting_names, settings_markdown
from monitor.config.models import Config

PAGE = Path(__file__).resolve().parents[3] / "docs" / "configuration.md"


def test_the_page_holds_the_tables_made_from_the_models() -> None:
    assert settings_markdown().strip() in PAGE.read_text(), "run `make docs`"


def test_every_setting_stands_in_a_table_with_a_meaning() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    described = {row.split("|")[1].strip(" `"): row.split("|")[4].strip() for row in rows}
    names = setting_names()
    assert len(names) > 50
    assert {"cameras[].trigger.merge_s", "query.deadline_s", "data_dir"} <= set(names)
    assert [name for name in names if not described.get(name)] == []


def test_every_top_level_section_is_a_setting() -> None:
    assert set(Config.model_fields) <= set(setting_names())
