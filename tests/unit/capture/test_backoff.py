from __future__ import annotations

import random

from monitor.capture.backoff import FIRST_S, SHORTEST_S, Backoff


class Highest(random.Random):
    def uniform(self, a: float, b: float) -> float:
        return b


class Lowest(random.Random):
    def uniform(self, a: float, b: float) -> float:
        return a


def test_the_bound_doubles_up_to_the_longest() -> None:
    backoff = Backoff(30, Highest())
    assert [backoff.next_s() for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]


def test_it_stays_at_the_longest_for_ever() -> None:
    backoff = Backoff(30, Highest())
    waits = [backoff.next_s() for _ in range(2000)]
    assert waits[-1] == 30


def test_it_never_hammers() -> None:
    backoff = Backoff(30, Lowest())
    assert backoff.next_s() == SHORTEST_S


def test_a_success_begins_anew() -> None:
    backoff = Backoff(30, Highest())
    for _ in range(5):
        backoff.next_s()
    backoff.reset()
    assert backoff.next_s() == FIRST_S


def test_jitter_is_full() -> None:
    backoff = Backoff(30, random.Random(7))
    for _ in range(5):
        backoff.next_s()
    waits = [backoff.next_s() for _ in range(400)]
    assert min(waits) < 1.5
    assert max(waits) > 28.5
    assert 13 < sum(waits) / len(waits) < 17
