"""Intervals against published values, and what must hold for any numbers."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.evaluation.intervals import per_hour, percentile, poisson, wilson


@pytest.mark.parametrize(
    ("count", "low", "high"),
    [(0, 0.0, 3.6889), (1, 0.0253, 5.5716), (5, 1.6235, 11.6683), (10, 4.7954, 18.3904),
     (100, 81.3640, 121.6268)],
)  # fmt: skip
def test_poisson_is_garwoods_table(count: int, low: float, high: float) -> None:
    assert poisson(count) == pytest.approx((low, high), abs=1e-4)


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [(0, 10, 0.0, 0.2775), (8, 10, 0.4902, 0.9433), (10, 10, 0.7225, 1.0), (5, 13, 0.1771, 0.6448)],
)
def test_wilson_is_the_published_interval(hits: int, trials: int, low: float, high: float) -> None:
    assert wilson(hits, trials) == pytest.approx((low, high), abs=1e-4)


@given(st.floats(0, 500))
def test_the_poisson_interval_holds_its_count_and_its_tails_are_exact(count: float) -> None:
    low, high = poisson(count)
    assert low <= count <= high
    if count == round(count) and count <= 60:
        at_most = sum(
            math.exp(k * math.log(high) - high - math.lgamma(k + 1)) for k in range(int(count) + 1)
        )
        assert at_most == pytest.approx(0.025, abs=1e-6)


@given(st.floats(0, 100), st.floats(0, 100))
def test_more_of_them_is_a_higher_interval(one: float, other: float) -> None:
    less, more = sorted((one, other))
    assert poisson(less)[0] <= poisson(more)[0] + 1e-9
    assert poisson(less)[1] <= poisson(more)[1] + 1e-9


@given(st.integers(1, 200).flatmap(lambda n: st.tuples(st.floats(0, n), st.just(n))))
def test_the_wilson_interval_holds_its_share(case: tuple[float, int]) -> None:
    hits, trials = case
    interval = wilson(hits, trials)
    assert interval is not None
    assert 0.0 <= interval[0] <= hits / trials + 1e-12
    assert hits / trials - 1e-12 <= interval[1] <= 1.0


def test_nothing_watched_has_no_rate() -> None:
    assert wilson(0, 0) is None
    assert per_hour(0, 0.0) is None
    assert per_hour(3, 0.5) == pytest.approx((6.0, 2 * 0.618672, 2 * 8.767273), abs=1e-4)


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="hits of"):
        wilson(3, 2)
    with pytest.raises(ValueError, match="count of"):
        poisson(-1)


def test_percentiles_lie_between_the_nearest_two() -> None:
    assert percentile([], 0.5) is None
    assert percentile([4.0], 0.8) == 4.0
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile([0.0, 1.0], 0.8) == pytest.approx(0.8)
