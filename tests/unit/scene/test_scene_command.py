"""``causeway scene``: its help, where hours go, and sizes that no picture can have."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.scene.__main__ import main
from monitor.scene.hours.command import FOLDER


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--help"], ("causeway scene SCENARIO", "rear_end", "--hours N", "--incidents")),
        (["--hours", "--help"], ("causeway scene --hours N", "--per-hour", str(FOLDER))),
        (["--hours", "2", "-h"], ("causeway scene --hours N",)),
    ],
)
def test_help_is_of_the_command_and_names_every_option(
    arguments: list[str], told: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    assert all(one in printed for one in told)
    assert "monitor.scene" not in printed


def test_hours_need_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["--hours", "0.001", "--seed", "1", "--segment", "5", "--jobs", "1"]) == 0
    made = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.mp4"))
    assert made == [FOLDER / "day-normal-s1-000.mp4"]
    assert str(made[0]) in capsys.readouterr().out


@pytest.mark.parametrize("size", [("7", "360"), ("641", "360"), ("640", "9000")])
def test_a_size_that_no_picture_can_have_is_told(
    tmp_path: Path, size: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    film = tmp_path / "a.mp4"
    assert main(["rear_end", "--width", size[0], "--height", size[1], "--out", str(film)]) == 1
    assert capsys.readouterr().err == "width and height must be 64 to 3840 and even\n"
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("jobs", ["0", "-1", "x", "1.5", ""])
def test_no_process_is_no_number_of_processes(
    capsys: pytest.CaptureFixture[str], jobs: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--hours", "1", f"--jobs={jobs}"])
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith("--jobs: a whole number, at least 1\n")
