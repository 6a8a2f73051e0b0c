"""Evidence against exact truth, and time against modules."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.domain.base import Box
from workers.evaluation.catalogue import Entry, Label
from workers.evaluation.components import attributed, module_of
from workers.evaluation.exact import evidence_errors
from workers.evaluation.figures import Run
from workers.evaluation.found import Measured, Replay

HERE: Box = (0.4, 0.4, 0.2, 0.2)


def true(kind: str, time_s: float, value: float | None = None) -> Label:
    return Label(kind, time_s, time_s, time_s, "scored", box=HERE, value=value, unit="s")


def stated(
    kind: str, time_s: float, value: float | None = None, box: Box = HERE, decided_s: float = 30.0
) -> Measured:
    return Measured(decided_s, time_s, kind, 1.0, 1, value, "s", box)


def errors(truth: tuple[Label, ...], *evidence: Measured) -> dict[str, object]:
    entry = Entry("a", Path("a"), "f", (), "rendered", measurements=truth)
    return evidence_errors([Run(entry, (Replay("a", 0, "none", 0, 2.5, 40, evidence=evidence),))])


def test_the_nearest_measurement_at_the_place_counts() -> None:
    found = errors(
        (true("headway", 20.0, 1.2),),
        stated("headway", 19.9, 1.3),
        stated("headway", 20.05, 9.0, (0.0, 0.0, 0.05, 0.05)),  # elsewhere
        stated("contact", 20.0),  # another kind
    )
    assert found == {
        "headway": {
            "of": 1, "measured": 1,
            "time_error_s": {"p50": pytest.approx(0.1), "p80": pytest.approx(0.1)},
            "value_error": {"p50": pytest.approx(0.1), "p80": pytest.approx(0.1)},
        }
    }  # fmt: skip


def test_what_was_measured_again_counts_as_it_was_last() -> None:
    found = errors(
        (true("headway", 20.0, 1.0),),
        stated("headway", 20.0, 2.0, decided_s=20.0),
        stated("headway", 20.0, 1.1, decided_s=21.0),
    )
    assert found["headway"]["value_error"]["p50"] == pytest.approx(0.1)  # type: ignore[index]  # JSON


def test_what_is_closer_to_another_event_there_is_not_taken_for_this_one() -> None:
    found = errors(
        (true("brake_light_onset", 20.0), true("brake_light_onset", 21.5)),
        stated("brake_light_onset", 21.4),
    )
    assert found["brake_light_onset"]["measured"] == 1  # type: ignore[index]  # JSON
    assert found["brake_light_onset"]["time_error_s"]["p80"] == pytest.approx(0.1)  # type: ignore[index]  # JSON


def test_what_nobody_could_see_does_not_count() -> None:
    found = errors((true("contact", 1.0), true("contact", 20.0)), stated("contact", 23.0))
    assert found["contact"]["of"] == 1  # type: ignore[index]  # JSON
    assert found["contact"]["measured"] == 0  # type: ignore[index]  # JSON


def test_time_outside_goes_to_the_module_that_called() -> None:
    ours = ("/x/monitor/trigger/flow.py", 10, "follow")
    other = ("/x/workers/watching/eye.py", 5, "look")
    numpy = ("/x/.venv/lib/site-packages/numpy/core.py", 3, "mean")
    built_in = ("~", 0, "<built-in reduce>")
    unowned = ("/usr/lib/python3/threading.py", 1, "run")
    stats = {
        ours: (1, 1, 0.5, 2.0, {other: (1, 1, 0.5, 2.0)}),
        other: (1, 1, 0.25, 3.0, {unowned: (1, 1, 0.25, 3.0)}),
        numpy: (2, 2, 0.2, 1.2, {ours: (1, 1, 0.15, 1.0), other: (1, 1, 0.05, 0.2)}),
        built_in: (2, 2, 1.0, 1.0, {numpy: (2, 2, 1.0, 1.0)}),
        unowned: (1, 1, 9.0, 12.0, {}),
    }
    assert attributed(stats) == {
        "monitor.trigger.flow": pytest.approx(0.5 + 0.15 + 1.0),
        "workers.watching.eye": pytest.approx(0.25 + 0.05),
    }


@pytest.mark.parametrize(
    ("file", "module"),
    [
        ("/a/monitor/media/decode.py", "monitor.media.decode"),
        ("/a/.venv/lib/site-packages/monitor/x.py", None),
        ("~", None),
        ("/usr/lib/monitor.py", None),
    ],
)
def test_a_module_is_named_by_its_file(file: str, module: str | None) -> None:
    assert module_of((file, 1, "f")) == module
