"""The parts of ``causeway ask`` that need no server: times as people write them, what changes."""

from __future__ import annotations

import io

import numpy as np
import pytest
from rich.console import Console

from workers.asking.changes import Changes
from workers.asking.show import TerminalScreen, plain
from workers.asking.span import seconds, shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3m", 180), ("90s", 90), ("90", 90), ("1h30m", 5400), ("12.5", 12.5), ("1:23.5", 83.5),
        ("1:02:03", 3723), (" 2min ", 120), ("0", 0),
    ],
)  # fmt: skip
def test_lengths_and_moments(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "soon", "-3", "3 m", "1:2:3:4", "nan", "9999999999"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match="write 90s, 3m, 1h30m or 1:23:45"):
        seconds(text)


def test_times_are_shown_as_players_show_them() -> None:
    assert [shown(t) for t in (0, 12.34, 59.96, 3723.4)] == [
        "0:00.0", "0:12.3", "1:00.0", "1:02:03.4",
    ]  # fmt: skip


def test_a_screens_changes_are_found_greatest_first_and_noise_is_none() -> None:
    changes = Changes()
    random = np.random.default_rng(1)
    for time_ms in range(0, 10_000, 200):
        grey = np.full((360, 640), 100, np.uint8)
        if time_ms >= 3_000:
            grey[100:130, 100:200] = 250  # a field is filled in
        if time_ms >= 7_000:
            grey[:, 320:] = 20  # a dialog opens
        noisy = grey.astype(np.int16) + random.integers(-3, 4, grey.shape)
        changes.look(time_ms, np.clip(noisy, 0, 255).astype(np.uint8))
    assert changes.times_ms() == [7_000, 3_000]


def test_what_a_model_writes_cannot_command_the_terminal() -> None:
    assert plain("a\x1b[2Jb\x9b31m\u202ec\nd") == "a [2Jb 31m c\nd"
    out = io.StringIO()
    screen = TerminalScreen(Console(file=out, force_terminal=True, width=100))
    with screen.shown():
        screen.step("asking")(0.5)
        screen.delta(
            "\x1b]0;title\x07thought", '{"root_cause": "[bold]why\x1b[2J[/bold]", "rules": ['
        )
        screen._read_s = -1.0
        screen.delta("", '"gen-1')
    assert "\x1b]0;" not in out.getvalue()
    assert "\x1b[2J[" not in out.getvalue()
    assert "[bold]why" in out.getvalue(), "markup is shown as it is written"


def test_nothing_is_drawn_where_no_person_looks() -> None:
    out = io.StringIO()
    screen = TerminalScreen(Console(file=out, force_terminal=False))
    with screen.shown():
        screen.step("asking")(1.0)
        screen.delta("thought", "answer")
    assert out.getvalue() == ""
