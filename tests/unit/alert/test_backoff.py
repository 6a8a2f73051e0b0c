"""Waits between attempts grow, stop growing, and start again after a success."""

from __future__ import annotations

from monitor.alert.backoff import Backoff


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


async def test_waits_double_to_the_limit_and_reset() -> None:
    clock = Sleeper()
    backoff = Backoff(clock, first_s=1, most_s=5, jitter=lambda: 0.5)

    for _ in range(5):
        await backoff.wait()
    backoff.reset()
    await backoff.wait()

    assert clock.slept == [1, 2, 4, 5, 5, 1]


async def test_two_processes_do_not_keep_step() -> None:
    clock = Sleeper()
    await Backoff(clock, first_s=1, jitter=lambda: 0.0).wait()
    await Backoff(clock, first_s=1, jitter=lambda: 1.0).wait()

    assert clock.slept == [0.5, 1.5]
