"""docs/alerts.md shows what the code makes."""

from __future__ import annotations

import re
from pathlib import Path

from tests import alerts

PAGE = Path(__file__).parents[3] / "docs" / "alerts.md"


def test_the_example_is_an_alert_as_it_is_built() -> None:
    shown = re.search(r"```json\n(.*?)\n```", PAGE.read_text(encoding="utf-8"), re.DOTALL)

    assert shown is not None
    assert shown[1] == alerts.example()
