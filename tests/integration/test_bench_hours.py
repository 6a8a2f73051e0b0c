"""The long benchmark in little: rendered, watched by the real code, kept, and gone on with."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from monitor.scene.hours.segments import Plan, render, truth_path
from monitor.trigger.normal import SceneMemory
from workers import exits
from workers.bench._hours_segment import memory_path, result_path
from workers.bench.hours import main, watch_all


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


def test_a_camera_knows_in_every_segment_what_it_learned_in_its_first(tmp_path: Path) -> None:
    first = render(Plan("day", 0, 5 / 3600, segment_s=5.0, size=(192, 108)), 0, tmp_path)
    second = first.with_name("second.mp4")
    shutil.copy(first, second)
    shutil.copy(truth_path(first), truth_path(second))

    def run() -> list[dict[str, Any]]:
        return watch_all([[first, second]], 1)

    results = run()
    learned = memory_path(first).read_bytes()
    assert SceneMemory.from_bytes(learned).looks > 0.0
    assert not memory_path(second).exists()
    assert results[0]["key"].endswith(" nothing")
    assert not results[1]["key"].endswith(" nothing")
    assert results[1]["taught"] != results[0]["taught"]  # it went on from there

    memory_path(first).unlink()  # as if cut off before it was kept
    written = [result_path(one).stat().st_mtime_ns for one in (first, second)]
    again = run()
    assert memory_path(first).read_bytes() == learned
    assert result_path(first).stat().st_mtime_ns > written[0]
    assert again[1] == results[1]

    other = SceneMemory()  # of another run: not what was learned here
    memory_path(first).write_bytes(other.to_bytes())
    assert run()[1] == results[1]
    assert memory_path(first).read_bytes() == learned
