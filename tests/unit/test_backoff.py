"""Waits between attempts grow, stop growing, keep no step, and start again after a success."""

from __future__ import annotations

import random

from monitor.backoff import SHORTEST_S, Backoff


class Highest(random.Random):
    def uniform(self, a: float, b: float) -> float:
        return b


class Lowest(random.Random):
    def uniform(self, a: float, b: float) -> float:
        return a


def test_the_bound_doubles_up_to_the_longest() -> None:
    backoff = Backoff(1, 30, Highest())
    assert [backoff.next_s() for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]


def test_it_stays_at_the_longest_for_ever() -> None:
    backoff = Backoff(1, 30, Highest())
    waits = [backoff.next_s() for _ in range(2000)]
    assert waits[-1] == 30


def test_it_never_hammers() -> None:
    backoff = Backoff(1, 30, Lowest())
    assert backoff.next_s() == SHORTEST_S


def test_a_success_begins_anew() -> None:
    backoff = Backoff(1, 30, Highest())
    for _ in range(5):
        backoff.next_s()
    backoff.reset()
    assert backoff.next_s() == 1


def test_jitter_is_full() -> None:
    backoff = Backoff(1, 30, random.Random(7))
    for _ in range(5):
        backoff.next_s()
    waits = [backoff.next_s() for _ in range(400)]
    assert min(waits) < 1.5
    assert max(waits) > 28.5
    assert 13 < sum(waits) / len(waits) < 17


def test_a_first_wait_may_be_shorter_than_the_shortest() -> None:
    assert Backoff(0.02, 10, Lowest()).next_s() == 0.02


class Sleeper:
    """A clock that only notes how long it was asked to sleep."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def wall_ms(self) -> int:
        return 0

    def monotonic_s(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


async def test_it_waits_by_the_clock_it_is_given() -> None:
    clock = Sleeper()
    backoff = Backoff(1, 5, Highest())
    for _ in range(4):
        await backoff.wait(clock)
    backoff.reset()
    await backoff.wait(clock)
    assert clock.slept == [1, 2, 4, 5, 1]
