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
    """Allowed 1.1 an hour: of a and b, at most one nuisance, both hits: 1.5 or above, up to 2."""
    found = leave_one_out(table(RUNS), 1.1)
    assert found["thresholds"]["c"] == 2.0  # of b and a; fewest nuisances, then the highest
    assert found["thresholds"]["a"] == 2.0  # of b and c: c's 2.5 is one nuisance in the hour
    assert found["thresholds"]["b"] == 3.0  # of a and c: 2 hits cost more than one nuisance
    assert (found["hits"], found["of"]) == (1.0, 3.0)  # a by 2.0; b and c are missed
    assert found["nuisance_per_camera_hour"] == pytest.approx(1 / 1.5, rel=0.01)  # c's 2.5


def test_one_family_alone_has_nothing_to_learn_from() -> None:
    found = leave_one_out(table(RUNS[:1]), 60.0)
    assert (found["hits"], found["thresholds"]["a"]) == (0.0, None)


def test_choosing_keeps_the_allowance() -> None:
    points = {
        1.0: Point(3, 3, 10, 1), 2.0: Point(2, 3, 4, 1), 3.0: Point(2, 3, 3, 1),
        NEVER: Point(0, 3, 0, 1),
    }  # fmt: skip
    assert choose(points, 10) == 1.0
    assert choose(points, 5) == 3.0
    assert choose(points, 0) == NEVER


@given(
    st.dictionaries(st.floats(0, 10), st.tuples(st.integers(0, 9), st.integers(0, 30)), min_size=1),
    st.floats(0, 40),
)
def test_no_allowed_threshold_finds_more(
    made: dict[float, tuple[int, int]], allowed: float
) -> None:
    points = {t: Point(hits, 9, nuisances, 1) for t, (hits, nuisances) in made.items()}
    points[NEVER] = Point(0, 9, 0, 1)
    chosen = points[choose(points, allowed)]
    assert chosen.nuisances <= allowed + 1e-6
    assert all(p.hits <= chosen.hits for p in points.values() if p.nuisances <= allowed)
