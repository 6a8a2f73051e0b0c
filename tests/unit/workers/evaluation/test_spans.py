"""Sets of times against a count of tenths."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from workers.evaluation.spans import Span, apart, holds, length_s, union, without

whole = st.integers(0, 60)
spans = st.lists(st.tuples(whole, whole).map(lambda ab: (float(min(ab)), float(max(ab)))))


def cells(found: list[Span]) -> set[int]:
    """Seconds whose middle is in one of them."""
    return {second for second in range(60) if holds(found, second + 0.5)}


@given(spans, spans)
def test_union_and_difference_are_those_of_sets(one: list[Span], other: list[Span]) -> None:
    assert cells(union(one)) == cells(one)
    assert length_s(one) == len(cells(one))
    assert cells(without(one, other)) == cells(one) - cells(other)
    assert length_s(without(one, other)) == len(cells(one) - cells(other))


@given(spans)
def test_a_union_is_in_order_and_apart(one: list[Span]) -> None:
    joined = union(one)
    assert all(a[1] < b[0] for a, b in pairwise(joined))


def test_the_gap_counts_from_the_kept_one() -> None:
    assert apart([0.0, 4.0, 5.0, 6.0, 9.0, 11.5], 5.0) == [0.0, 6.0, 11.5]


@given(st.lists(st.floats(0, 1000)), st.floats(0.1, 60))
def test_kept_times_are_apart_and_the_others_are_near_one(times: list[float], gap_s: float) -> None:
    kept = apart(times, gap_s)
    assert all(b - a > gap_s for a, b in pairwise(kept))
    assert all(any(0 <= t - k <= gap_s for k in kept) for t in times)
