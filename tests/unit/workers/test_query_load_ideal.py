"""The ideal that bench query-load measures against."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workers.bench.query_load import Load, ideal_s


def test_two_at_once() -> None:
    size = Load(5, 0.0, answer_s=2.0, at_once=2, deadline_s=10.0)
    assert ideal_s([0, 0, 0, 0, 0], size) == [2, 2, 4, 4, 6]


def test_who_cannot_be_in_time_takes_nobodys_turn() -> None:
    size = Load(4, 0.0, answer_s=2.0, at_once=1, deadline_s=3.0)
    assert ideal_s([0, 0.5, 1.0, 5.0], size) == [2, 3.0, 2]


@given(
    fired=st.lists(st.floats(0, 2), max_size=30), at_once=st.integers(1, 8),
    answer_s=st.floats(0.1, 3), deadline_s=st.floats(0.1, 20),
)  # fmt: skip
def test_no_answer_is_late_and_none_quicker_than_the_model(
    fired: list[float], at_once: int, answer_s: float, deadline_s: float
) -> None:
    took = ideal_s(fired, Load(len(fired), 2.0, answer_s, at_once, deadline_s))
    assert len(took) <= len(fired)
    assert all(answer_s - 1e-9 <= one <= deadline_s for one in took)
    if deadline_s >= answer_s * len(fired) + 2:
        assert len(took) == len(fired)
