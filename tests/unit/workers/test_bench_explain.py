"""``bench explain``: shares of all contacts, and what counts as reached."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from monitor.domain import Evidence
from tests.unit.evidence.timelines import WINDOW, incident, rear_end
from workers import exits
from workers.bench import explain as bench
from workers.bench._explain_replays import watched
from workers.evaluation.answers_cases import Case
from workers.evaluation.answers_score import Score, score
from workers.evaluation.catalogue import Antecedent, Entry, Label
from workers.evaluation.found import Replay
from workers.evaluation.replay import Settings

STEPS = (Antecedent(11.1, "pedestrian_in_road"), Antecedent(12.0, "hard_brake"))


def answered(start_s: float, *, found: bool = True) -> Score:
    label = Label("collision", start_s, start_s, start_s + 1, "scored",
                  incident_type="rear_end_collision", antecedents=STEPS)  # fmt: skip
    case = Case(
        Entry("a.mp4", Path("a.mp4"), "f", (label,), "rendered"), label,
        incident("contact", 14.0, 7, 3) if found else None, WINDOW, tuple(rear_end()),
    )  # fmt: skip
    return score(bench._answered(case))


def made(about: str, *scores: Score) -> dict[str, Any]:
    return bench.row("rear_end", about, 2, list(scores))  # type: ignore[arg-type]  # an About


def test_a_missing_answer_misses_everything() -> None:
    row = made("trigger", answered(14.1), answered(14.1, found=False))
    assert [row[name] for name in ("contacts", "answered", "contact", "antecedents", "kind_exact",
                                   "root_supported")] == [2, 1, 1, 1, 1, 1]  # fmt: skip
    assert row["time_error_s"] == pytest.approx(0.1)
    assert not bench.reached([row])
    assert bench.reached([made("trigger", answered(14.1))])


def test_a_contact_that_is_late_is_none_and_told_times_count_for_nothing() -> None:
    assert made("trigger", answered(13.6))["contact"] == 0
    by_truth = made("label", answered(14.1))
    assert by_truth["contact"] == 0
    assert not bench.reached([by_truth, made("trigger")])
    (_, _, line) = bench.lines([by_truth])
    assert line.startswith("| rear end | 2, 1 | by the truth | 1 of 1 (0.21 .. 1.00) | - | 1 of 1 ")


def test_a_contact_without_labelled_antecedents_says_nothing_of_them() -> None:
    bare = answered(14.1)
    bare = score(replace(bare.given, case=replace(bare.given.case, label=replace(
        bare.given.case.label, antecedents=()))))  # fmt: skip
    row = made("trigger", bare)
    assert (row["antecedents"], row["antecedents_of"]) == (0, 0)
    assert not bench.reached([row])


def test_only_what_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = bench.main(scenes=str(tmp_path), kinds="rear_end", render_missing=False)
    assert code == exits.FAILED
    assert "rear_end: no scene in" in capsys.readouterr().err
    assert bench.main(kinds="derailment") == exits.USAGE
    assert "staged_rear_end, rear_end" in capsys.readouterr().err


def test_a_finished_scene_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / bench.STAGED
    folder.mkdir()
    for name in ("rear_end_s1.mp4", "rear_end_s1.mp4.truth.json"):
        (folder / name).touch()
    assert bench.rendered(folder, bench.STAGED, range(3), make=False) == ["rear_end_s1.mp4"]


def test_a_replay_is_kept_until_its_film_changes(tmp_path: Path) -> None:
    film = tmp_path / "a.mp4"
    film.write_bytes(b"one")
    label = Label("collision", 14.0, 14.0, 15.0, "scored", incident_type="side_collision")
    entry = Entry("a.mp4", film, "f", (label,), "rendered")
    log = tuple(rear_end())
    played: list[str] = []

    def look(entry: Entry, label: Label) -> tuple[Evidence, ...]:
        return log[-1:]

    def play(entry: Entry, phase_ms: int, settings: Settings) -> Replay:
        played.append(entry.file)
        return Replay(entry.file, phase_ms, "none", 0.0, 0.0, 28.0,
                      incidents=(incident("contact", 14.0, 7, 3),), log=log)  # fmt: skip

    first = watched(entry, play, look)
    assert watched(entry, play, look) == first
    assert played == ["a.mp4"]
    assert first[1] == log[-1:]
    film.write_bytes(b"other")
    assert watched(entry, play, look) == first
    assert played == ["a.mp4", "a.mp4"]
