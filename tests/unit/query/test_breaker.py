"""Closed, open, half open, and back, at exact times."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.query.breaker import LONGEST_WAIT_S, Breaker


def opened() -> Breaker:
    breaker = Breaker()
    assert [breaker.failed(10.0) for _ in range(3)] == [False, False, True]
    return breaker


def test_three_failures_in_a_row_open_it_and_one_answer_forgives_two() -> None:
    breaker = Breaker()
    for _ in range(5):
        breaker.failed(0.0)
        breaker.failed(0.0)
        breaker.succeeded()
    assert (breaker.state, breaker.opened) == ("closed", 0)


def test_it_waits_longer_each_time() -> None:
    breaker = opened()
    waits = []
    states: list[str] = []
    now_s = 10.0
    for _ in range(6):
        waits.append(breaker.probe_at_s - now_s)
        now_s = breaker.probe_at_s
        breaker.begin_probe()
        states.append(breaker.state)
        breaker.probed(False, now_s)
        states.append(breaker.state)
    assert waits == [5, 10, 20, 40, 60, 60]
    assert states == ["half_open", "open"] * 6


def test_a_good_probe_closes_it_on_trial() -> None:
    breaker = opened()
    breaker.begin_probe()
    breaker.probed(True, 15.0)
    assert breaker.state == "closed"
    assert breaker.failed(16.0), "one more failure opens it again"
    assert breaker.probe_at_s == 26.0, "and it waits twice as long"
    breaker.begin_probe()
    breaker.probed(True, 26.0)
    breaker.succeeded()
    assert not breaker.failed(27.0), "an answer ends the trial"


def test_late_news_changes_nothing() -> None:
    breaker = opened()
    breaker.succeeded()
    assert not breaker.failed(11.0)
    assert (breaker.state, breaker.probe_at_s) == ("open", 15.0)


@given(st.lists(st.sampled_from(["good", "bad", "probe good", "probe bad"])))
def test_it_never_waits_longer_than_the_longest_nor_lets_a_query_through_while_open(
    events: list[str],
) -> None:
    breaker, now_s = Breaker(), 0.0
    for event in events:
        if event.startswith("probe") and breaker.state == "open":
            now_s = breaker.probe_at_s
            breaker.begin_probe()
            breaker.probed(event == "probe good", now_s)
        elif event == "good":
            breaker.succeeded()
        elif event == "bad":
            breaker.failed(now_s)
        assert breaker.state != "half_open"
        if breaker.state == "open":
            assert 0 < breaker.probe_at_s - now_s <= LONGEST_WAIT_S
