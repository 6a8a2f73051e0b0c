"""When the comparison of sampling counts as won."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from monitor.domain import Window
from tests.unit.evidence.timelines import START_MS, WINDOW, incident, rear_end
from workers import exits
from workers.bench._crash_questions import question
from workers.bench.sampling import BUDGETS, PICKERS, reached
from workers.commands.bench import bench
from workers.evaluation.answers_cases import Case
from workers.evaluation.catalogue import Antecedent, Entry, Label


def shares(ours: tuple[float, ...], others: tuple[float, ...]) -> dict[str, dict[str, float]]:
    """Per picker and budget; all the others alike."""
    names = [str(budget) for budget in BUDGETS]
    return {
        picker: dict(zip(names, ours if picker == "ours" else others, strict=True))
        for picker in PICKERS
    }


@pytest.mark.parametrize(
    ("ours", "others", "won"),
    [
        ((0.9, 1.0, 1.0, 1.0), (0.7, 0.9, 1.0, 1.0), True),
        ((0.9, 1.0, 1.0, 1.0), (0.7, 1.0, 1.0, 1.0), True),  # nobody can be ahead of all
        ((0.9, 0.9, 1.0, 1.0), (0.7, 0.9, 1.0, 1.0), False),  # level at 16 short of all
        ((0.7, 1.0, 1.0, 1.0), (0.7, 0.9, 1.0, 1.0), False),  # level at 8
        ((0.9, 1.0, 1.0, 0.99), (0.7, 0.9, 1.0, 1.0), False),  # behind at 64
        ((0.9, 0.9, 0.94, 1.0), (0.7, 0.8, 0.9, 0.9), False),  # under 95 % at 32
        ((0.9, 0.96, 0.96, 0.96), (0.7, 0.9, 0.96, 0.96), True),  # level at 32 will do
    ],
)
def test_ahead_where_few_pictures_are_sent_and_never_behind(
    ours: tuple[float, ...], others: tuple[float, ...], won: bool
) -> None:
    assert reached(shares(ours, others)) is won


def test_behind_a_single_one_of_them_is_behind() -> None:
    found = shares((0.9, 1.0, 1.0, 1.0), (0.7, 0.9, 1.0, 1.0))
    found["uniform"]["8"] = 0.95
    assert not reached(found)


def test_a_crash_is_asked_about_in_its_incidents_window_in_the_films_own_time() -> None:
    steps = (Antecedent(12.3), Antecedent(11.2), Antecedent(12.3), Antecedent(15.0))
    label = Label("collision", 14.1, 14.3, 15.0, "scored", antecedents=steps)
    entry = Entry("a.mp4", Path("a.mp4"), "f", (label,), "rendered")
    late = Window(WINDOW.start_ms + 10_000, WINDOW.end_ms)
    case = Case(entry, label, incident("contact", 14.0, 7, 3), late, tuple(rear_end()))
    found = question(case, [START_MS + 14_000, START_MS + 9_960, START_MS + 10_000])
    assert found is not None
    assert found.antecedents_s == (11.2, 12.3), "what is labelled after the contact led to nothing"
    assert (found.window.start_ms, found.times_ms) == (10_000, [10_000, 14_000])
    assert found.important_ms[0] == 14_000
    assert question(replace(case, incident=None), [START_MS]) is None, "nobody asks"


def test_nothing_to_compare_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--footage", str(tmp_path / "none"), "--scenes", str(tmp_path), "--seeds", "0"]
    assert bench("sampling", asked, json_out=False) == exits.USAGE
    said = capsys.readouterr()
    assert "nothing to compare: " in said.err
    assert said.out == ""


@pytest.mark.parametrize(
    ("name", "option", "value", "says"),
    [
        ("sampling", "--seeds", "-1", "greater than or equal to 0, got '-1'"),
        ("query-load", "--cameras", "0", "greater than or equal to 1, got '0'"),
        ("query-load", "--deadline-s", "1", "greater than or equal to 5, got '1'"),
        ("query-load", "--at-once", "0", "greater than or equal to 1, got '0'"),
    ],
)
def test_a_bench_refuses_the_option_that_cannot_be(
    capsys: pytest.CaptureFixture[str], name: str, option: str, value: str, says: str
) -> None:
    assert bench(name, [option, value], json_out=False) == exits.USAGE
    said = capsys.readouterr().err
    assert f"{option}: " in said
    assert says in said
    assert "streams.yaml" not in said
