"""A family is judged by a threshold that never saw it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.evaluation.catalogue import Entry, Label
from workers.evaluation.figures import Run
from workers.evaluation.found import Found, Replay
from workers.evaluation.thresholds import (
    NEVER,
    Point,
    candidates_for,
    choose,
    leave_one_out,
    table,
)


def run(family: str, hits: tuple[float, ...], nuisances: tuple[float, ...]) -> Run:
    """Half an hour with one event; scores of what is found at it and before it."""
    file = f"{family}.mp4"
    event = Label("collision", 1795.0, 1795.0, 1796.0, "scored")
    candidates = tuple(
        [Found(10.0 + 20.0 * n, 10.0 + 20.0 * n, score, "contact")
         for n, score in enumerate(nuisances)]
        + [Found(1795.5, 1795.5, score, "contact") for score in hits]
    )  # fmt: skip
    return Run(
        Entry(file, Path(file), family, (event,), "real"),
        (Replay(file, 0, "none", 0.0, 0.0, 1800.0, candidates),),
    )


RUNS = [
    run("a", (3.0,), (1.0, 1.5)),
    run("b", (2.0,), (1.2,)),
    run("c", (1.1,), (1.8, 2.5)),
]


def test_every_score_is_a_threshold_and_never_too() -> None:
    assert candidates_for(RUNS, alerts=False) == [1.0, 1.1, 1.2, 1.5, 1.8, 2.0, 2.5, 3.0, NEVER]


def test_the_threshold_for_a_family_comes_from_the_others() -> None:
    """Allowed 1.1 an hour is one nuisance in the hour that two families make."""
    found = leave_one_out(table(RUNS), 1.1)
    assert found["thresholds"]["c"] == 1.5  # a's 1.5 is the one
    assert found["thresholds"]["a"] == 2.0  # c's 2.5 is the one; its 1.8 would be another
    assert found["thresholds"]["b"] == 2.0
    assert (found["hits"], found["of"]) == (2.0, 3.0)  # c is missed: 1.1 is below 1.5
    assert found["nuisance_per_camera_hour"] == pytest.approx(2 / 1.5, rel=0.01)  # both of c's


def test_one_family_alone_has_nothing_to_learn_from() -> None:
    assert leave_one_out(table(RUNS[:1]), 60.0)["rate"] is None


def test_one_family_without_a_nuisance_among_the_others_keeps_the_operating_point() -> None:
    found = leave_one_out(table([run("a", (1.0,), ()), run("b", (2.0,), ())]), 60.0)
    assert found["thresholds"] == {"a": 1.0, "b": 1.0}
    assert found["rate"] == 1.0


def test_choosing_keeps_the_allowance() -> None:
    points = {
        1.0: Point(3, 3, 10, 1), 2.0: Point(2, 3, 4, 1), 3.0: Point(2, 3, 3, 1),
        NEVER: Point(0, 3, 0, 1),
    }  # fmt: skip
    assert [choose(points, allowed) for allowed in (10, 5, 3, 2)] == [1.0, 2.0, 3.0, NEVER]


def test_a_low_threshold_does_not_pass_by_luck() -> None:
    points = {1.0: Point(3, 3, 1, 1), 2.0: Point(2, 3, 9, 1), 3.0: Point(1, 3, 1, 1),
              NEVER: Point(0, 3, 0, 1)}  # fmt: skip
    assert choose(points, 1) == 3.0


@given(
    st.dictionaries(st.floats(0, 10), st.tuples(st.integers(0, 9), st.integers(0, 30)), min_size=1),
    st.floats(0, 40),
)
def test_what_is_chosen_and_all_above_it_keep_the_allowance(
    made: dict[float, tuple[int, int]], allowed: float
) -> None:
    points = {t: Point(hits, 9, nuisances, 1) for t, (hits, nuisances) in made.items()}
    points[NEVER] = Point(0, 9, 0, 1)
    chosen = choose(points, allowed)
    assert all(p.nuisances <= allowed + 1e-6 for t, p in points.items() if t >= chosen)
    below = [t for t in points if t < chosen]
    assert not below or points[max(below)].nuisances > allowed
