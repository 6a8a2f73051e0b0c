"""Work queues on Redis 7 and on the embedded Redis 6.2: nothing lost, whoever dies."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from monitor.buffer.connection import connect
from monitor.buffer.embedded import EmbeddedRedis
from monitor.buffer.work import Delivery, QueueDepth, WorkQueue, dead_letters, put_work
from monitor.errors import StoreError
from tests.servers import redis_server

GROUP = "workers"
NEVER_IDLE_MS = 3_600_000


@pytest.fixture(params=["redis", "embedded"])
async def redis(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Redis]:
    if request.param == "redis":
        client = connect(request.getfixturevalue("redis_url"))
        yield client
        await client.aclose()
        return
    async with EmbeddedRedis(tmp_path / "redis.sock", tmp_path) as server:
        client = connect(server.url)
        assert (await client.info("server"))["redis_version"].startswith("6.2")
        yield client
        await client.aclose()


@pytest.fixture
def name() -> str:
    return f"test:work:{uuid.uuid4().hex}"


def queue(
    redis: Redis, name: str, consumer: str, *, idle_ms: int = NEVER_IDLE_MS, attempts: int = 5
) -> WorkQueue:
    return WorkQueue(redis, name, GROUP, consumer, min_idle_ms=idle_ms, max_attempts=attempts)


async def idle(redis: Redis, name: str, consumer: str, ids: list[str], idle_ms: int) -> None:
    """Make deliveries look untouched for so long, without waiting."""
    await redis.xclaim(name, GROUP, consumer, 0, ids, idle=idle_ms, justid=True)  # type: ignore[arg-type]  # ids are str


async def letters(redis: Redis, name: str) -> list[tuple[bytes, str, int]]:
    found = await dead_letters(redis, 1000)
    return [(one.payload, one.reason, one.attempts) for one in found if one.source == name]


async def test_work_is_taken_in_order_and_forgotten_when_acknowledged(
    redis: Redis, name: str
) -> None:
    work = queue(redis, name, "a")
    for n in range(5):
        await work.put(b"%d" % n)
    taken = await work.take(3, 1)
    assert [one.payload for one in taken] == [b"0", b"1", b"2"]
    assert {one.attempts for one in taken} == {1}
    assert await work.depth() == QueueDepth(waiting=2, pending=3)
    for one in taken:
        await work.ack(one)
    assert await work.depth() == QueueDepth(waiting=2, pending=0)
    assert await redis.xlen(name) == 2


async def test_work_put_before_anybody_listened_is_taken(redis: Redis, name: str) -> None:
    await put_work(redis, name, b"early")
    assert [one.payload for one in await queue(redis, name, "a").take(10, 1)] == [b"early"]


async def test_an_empty_queue_waits_for_work(redis: Redis, name: str) -> None:
    work = queue(redis, name, "a")
    assert await work.take(10, 1) == []
    waiting = asyncio.create_task(work.take(10, 3000))
    await asyncio.sleep(0)
    await put_work(redis, name, b"late")
    assert [one.payload for one in await waiting] == [b"late"]


async def test_two_consumers_share_the_work(redis: Redis, name: str) -> None:
    first, second = queue(redis, name, "a"), queue(redis, name, "b")
    for n in range(4):
        await first.put(b"%d" % n)
    taken = await first.take(2, 1) + await second.take(10, 1)
    assert sorted(one.payload for one in taken) == [b"0", b"1", b"2", b"3"]


async def test_after_a_restart_what_was_held_comes_first(redis: Redis, name: str) -> None:
    before = queue(redis, name, "a")
    for n in range(4):
        await before.put(b"%d" % n)
    held = await before.take(3, 1)
    await before.ack(held[1])
    after = queue(redis, name, "a")  # the process died and runs again
    again = await after.take(1, 1)
    again += await after.take(10, 1)
    assert [(one.payload, one.attempts) for one in again] == [(b"0", 2), (b"2", 2)]
    assert [(one.payload, one.attempts) for one in await after.take(10, 1)] == [(b"3", 1)]


async def test_what_it_holds_now_is_not_given_twice(redis: Redis, name: str) -> None:
    work = queue(redis, name, "a")
    await work.put(b"x")
    assert len(await work.take(10, 1)) == 1
    assert await work.take(10, 1) == []


async def test_the_dead_ones_work_is_taken_over(redis: Redis, name: str) -> None:
    dead, alive = queue(redis, name, "dead"), queue(redis, name, "alive", idle_ms=60_000)
    for n in range(3):
        await dead.put(b"%d" % n)
    held = await dead.take(2, 1)
    await idle(redis, name, "dead", [one.id for one in held], 61_000)
    assert [(one.payload, one.attempts) for one in await alive.take(10, 1)] == [
        (b"0", 2),
        (b"1", 2),
    ]
    assert [one.payload for one in await alive.take(10, 1)] == [b"2"]


async def test_the_living_ones_work_is_not(redis: Redis, name: str) -> None:
    busy, other = queue(redis, name, "busy"), queue(redis, name, "other", idle_ms=60_000)
    await busy.put(b"x")
    (held,) = await busy.take(1, 1)
    await idle(redis, name, "busy", [held.id], 61_000)
    assert await busy.touch(held)
    assert await other.take(10, 1) == []


async def test_touching_costs_no_attempt(redis: Redis, name: str) -> None:
    work = queue(redis, name, "a")
    await work.put(b"x")
    (held,) = await work.take(1, 1)
    for _ in range(10):
        assert await work.touch(held)
    assert (await queue(redis, name, "a").take(1, 1))[0].attempts == 2


async def test_who_lost_its_work_is_told(redis: Redis, name: str) -> None:
    slow, other = queue(redis, name, "slow"), queue(redis, name, "other", idle_ms=60_000)
    await slow.put(b"x")
    (held,) = await slow.take(1, 1)
    await idle(redis, name, "slow", [held.id], 61_000)
    (taken,) = await other.take(1, 1)
    assert not await slow.touch(held)
    assert await other.touch(taken)
    await other.ack(taken)
    assert not await other.touch(taken)


async def test_its_own_failed_work_comes_again_after_a_while(redis: Redis, name: str) -> None:
    work = queue(redis, name, "a", idle_ms=60_000)
    await work.put(b"x")
    (held,) = await work.take(1, 1)
    await idle(redis, name, "a", [held.id], 61_000)
    (again,) = await work.take(1, 1)
    assert (again.payload, again.attempts) == (b"x", 2)


async def test_what_never_ends_becomes_a_dead_letter(redis: Redis, name: str) -> None:
    await put_work(redis, name, b"poison")
    await put_work(redis, name, b"good")
    for attempt in range(1, 4):
        taken = await queue(redis, name, "a", attempts=3).take(1, 1)
        assert (taken[0].payload, taken[0].attempts) == (b"poison", attempt)
    assert await queue(redis, name, "a", attempts=3).take(1, 1) == []
    assert await letters(redis, name) == [(b"poison", "taken 3 times and never finished", 4)]
    work = queue(redis, name, "a", attempts=3)
    assert [one.payload for one in await work.take(10, 1)] == [b"good"]
    assert await redis.xlen(name) == 1


async def test_work_can_be_given_up_with_a_reason(redis: Redis, name: str) -> None:
    work = queue(redis, name, "a")
    await work.put(b"x")
    (held,) = await work.take(1, 1)
    await work.give_up(held, "the ring no longer holds it")
    assert await letters(redis, name) == [(b"x", "the ring no longer holds it", 1)]
    assert await work.depth() == QueueDepth(waiting=0, pending=0)
    assert await queue(redis, name, "a").take(1, 1) == []


async def test_deleted_entries_do_not_stick(redis: Redis, name: str) -> None:
    work = queue(redis, name, "a", idle_ms=60_000)
    await work.put(b"gone")
    await work.put(b"here")
    held = await work.take(2, 1)
    await redis.xdel(name, held[0].id)
    again = await queue(redis, name, "a").take(10, 1)
    assert [one.payload for one in again] == [b"here"]
    assert (await work.depth()).pending == 1
    await idle(redis, name, "a", [held[1].id], 61_000)
    await redis.xdel(name, held[1].id)
    assert await work.take(10, 1) == []
    assert (await work.depth()) == QueueDepth(waiting=0, pending=0)


async def test_many_deliveries_are_taken_over_bit_by_bit(redis: Redis, name: str) -> None:
    dead, alive = queue(redis, name, "dead"), queue(redis, name, "alive", idle_ms=60_000)
    for n in range(57):
        await dead.put(b"%d" % n)
    held = await dead.take(57, 1)
    await idle(redis, name, "dead", [one.id for one in held], 61_000)
    taken: list[Delivery] = []
    while batch := await alive.take(10, 1):
        taken += batch
    assert [one.payload for one in taken] == [b"%d" % n for n in range(57)]


async def test_an_unknown_queue_has_no_depth(redis: Redis, name: str) -> None:
    assert await queue(redis, name, "a").depth() == QueueDepth(0, 0)
    await put_work(redis, name, b"x")
    assert await queue(redis, name, "a").depth() == QueueDepth(1, 0)


async def test_making_the_group_twice_is_harmless(redis: Redis, name: str) -> None:
    await queue(redis, name, "a").ensure_group()
    await queue(redis, name, "b").ensure_group()


async def test_a_redis_that_comes_back_empty(tmp_path: Path, name: str) -> None:
    with redis_server(tmp_path) as server:
        redis = connect(f"redis://127.0.0.1:{server.port}/0")
        work = queue(redis, name, "a")
        await work.put(b"lost with the server")
        (held,) = await work.take(1, 1)
        server.kill()
        with pytest.raises(StoreError) as caught:
            await work.take(1, 1)
        assert caught.value.reason == "away"
        server.start()
        assert not await work.touch(held)
        assert await work.take(1, 1) == []
        assert not await work.touch(held)
        await work.ack(held)
        await work.put(b"new")
        assert [one.payload for one in await work.take(1, 1)] == [b"new"]
        await redis.aclose()


async def test_a_full_redis_takes_no_new_work_and_loses_none(tmp_path: Path, name: str) -> None:
    with redis_server(tmp_path, "--maxmemory-policy", "noeviction") as server:
        redis = connect(f"redis://127.0.0.1:{server.port}/0")
        work = queue(redis, name, "a")
        for n in range(3):
            await work.put(b"%d" % n)
        (first,) = await work.take(1, 1)
        await redis.config_set("maxmemory", "1000")
        with pytest.raises(StoreError) as caught:
            await work.put(b"too much")
        assert caught.value.reason == "full"
        with pytest.raises(StoreError):
            await work.give_up(first, "cannot be noted now")
        # What is there can still be taken and done.
        (second,) = await work.take(1, 1)
        await work.ack(second)
        assert await work.touch(first)
        await redis.config_set("maxmemory", "0")
        again = queue(redis, name, "a")
        assert [one.payload for one in await again.take(10, 1)] == [b"0"]
        assert [one.payload for one in await again.take(10, 1)] == [b"2"]
        await redis.aclose()
