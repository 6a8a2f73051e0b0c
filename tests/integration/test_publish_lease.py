"""The lease: one holder at a time, whatever stops."""

from __future__ import annotations

import uuid

import pytest

from monitor.buffer.connection import connect
from monitor.buffer.lease import Lease
from monitor.errors import StoreError
from tests import servers


class ManualClock:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def wall_ms(self) -> int:
        return round(self.now_s * 1000)

    def monotonic_s(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.now_s += seconds


async def test_one_holds_it_the_other_waits_until_it_is_released(redis_url: str) -> None:
    redis, name = connect(redis_url), uuid.uuid4().hex
    one = Lease(redis, name, "one", ttl_s=30)
    other = Lease(redis, name, "other", ttl_s=30)

    assert await one.take()
    assert not await other.take()
    assert (one.held, other.held) == (True, False)
    assert await one.take()  # for another term
    await other.release()  # not its own: nothing happens
    assert not await other.take()

    await one.release()
    assert not one.held
    assert await other.take()
    await redis.aclose()


async def test_a_dead_holders_lease_lapses(redis_url: str) -> None:
    redis, name = connect(redis_url), uuid.uuid4().hex
    dead = Lease(redis, name, "dead", ttl_s=30)
    assert await dead.take()
    await redis.pexpire(f"cw:lease:{name}", 1)
    other = Lease(redis, name, "other", ttl_s=30)
    while not await other.take():
        pass

    assert not await dead.take()
    assert not dead.held
    await redis.aclose()


async def test_who_was_stopped_for_a_term_no_longer_believes_to_hold_it(redis_url: str) -> None:
    redis, clock = connect(redis_url), ManualClock()
    lease = Lease(redis, uuid.uuid4().hex, "one", ttl_s=30, clock=clock)
    assert await lease.take()

    clock.now_s += 29.9
    assert lease.held
    clock.now_s += 0.2
    assert not lease.held
    await redis.aclose()


async def test_redis_away_is_said_and_the_term_runs_on() -> None:
    redis = connect(f"redis://127.0.0.1:{servers.free_port()}/0")
    lease = Lease(redis, "x", "one", ttl_s=30)
    with pytest.raises(StoreError):
        await lease.take()
    assert not lease.held
    await redis.aclose()
