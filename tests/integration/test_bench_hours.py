"""The long benchmark in little: rendered, watched by the real code, kept, and gone on with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from workers import exits
from workers.bench._hours_segment import result_path
from workers.bench.hours import main


def test_seconds_of_traffic_are_watched_once_and_told_by_condition(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*, fresh: bool = False) -> dict[str, object]:
        status = main(
            json_out=True, condition=("day",), hours=10 / 3600, dir=str(tmp_path), segment=10.0,
            jobs=1, fresh=fresh,
        )  # fmt: skip
        assert status == exits.OK
        made: dict[str, object] = json.loads(capsys.readouterr().out)
        return made

    first = run()
    assert first["origin"] == "rendered"
    assert first["segments"] == 1
    conditions = first["conditions"]
    assert isinstance(conditions, dict)
    assert 0.001 < conditions["day"]["hours"] < 10 / 3600
    assert conditions["day"]["alerts_per_camera_hour"]["interval"][1] > 0.0
    assert conditions["day"]["cpu_ms_per_picture"] > 0.0
    kept = next(tmp_path.glob("*.watched.json"))
    written = kept.stat().st_mtime_ns
    again = run()
    assert kept.stat().st_mtime_ns == written
    assert again["conditions"] == conditions
    run(fresh=True)
    assert kept.stat().st_mtime_ns > written
    assert result_path(tmp_path / "a.mp4").name == "a.mp4.watched.json"


def test_a_condition_that_does_not_exist_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(condition=("fog",), dir=str(tmp_path)) == exits.FAILED
    assert "fog" in capsys.readouterr().err
