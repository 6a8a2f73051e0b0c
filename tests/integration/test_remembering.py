"""What watch learned of a view outlives it, on a real Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from redis.asyncio import Redis

from monitor.buffer.cameras import CameraStore
from monitor.buffer.keys import memory_key
from monitor.buffer.ring import RingWriter
from monitor.buffer.scene_memory import KEPT_S, SceneMemoryStore
from monitor.trigger.normal import SceneMemory
from tests.ingesting import logged
from tests.moving import drive_over
from tests.servers import redis_server
from tests.watching import config_of, film, part, redis_at, until, watching
from workers.watching.remembering import SAVE_S, Remembering

ON_ROAD = (290 / 640, 95 / 360)
CARS_PASS_AT = (0.18, 0.62)
"""Where both cars of the drawn street drive before they brake: there, nothing is learned then."""


class Hand:
    """A clock that is set by hand."""

    now_s = 100.0

    def wall_ms(self) -> int:
        return round(self.now_s * 1000)

    def monotonic_s(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        await asyncio.sleep(0)


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


def learned() -> SceneMemory:
    memory = SceneMemory()
    drive_over(memory, 12)
    return memory


async def test_it_is_saved_once_a_minute_and_read_again(
    redis_url: str, camera_id: str, threads: ThreadPoolExecutor
) -> None:
    clock = Hand()
    async with redis_at(redis_url) as redis:
        remembering = Remembering(camera_id, redis, threads, clock)
        assert await remembering.load() is None
        clock.now_s += SAVE_S - 1
        await remembering.save_now_and_then(learned())
        assert await SceneMemoryStore(redis).get(camera_id) is None
        clock.now_s += 1.1
        await remembering.save_now_and_then(learned())
        assert 0 < await redis.ttl(memory_key(camera_id)) <= KEPT_S
        again = await Remembering(camera_id, redis, threads, clock).load()
        assert again is not None
        assert again.is_roadway(*ON_ROAD)


@pytest.mark.parametrize("stored", [b"", b"not ours", learned().to_bytes()[:-7]])
async def test_what_cannot_be_read_is_discarded_and_said(
    redis_url: str, camera_id: str, threads: ThreadPoolExecutor, stored: bytes
) -> None:
    async with redis_at(redis_url) as redis:
        await SceneMemoryStore(redis).put(camera_id, stored)
        async with logged("is discarded"):
            assert await Remembering(camera_id, redis, threads, Hand()).load() is None


async def test_without_redis_saving_is_given_up_and_said(
    tmp_path: Path, camera_id: str, threads: ThreadPoolExecutor
) -> None:
    with redis_server(tmp_path) as server:
        async with redis_at(f"redis://127.0.0.1:{server.port}/0") as redis:
            clock = Hand()
            remembering = Remembering(camera_id, redis, threads, clock)
            await remembering.load()
            server.kill()
            clock.now_s += SAVE_S + 1
            async with logged("was not saved"):
                await remembering.save_now_and_then(learned())
            async with logged("was not saved"):
                await remembering.save_at_stop(learned())


async def test_a_watch_that_ends_leaves_what_it_learned_to_the_next(
    redis_url: str, camera_id: str
) -> None:
    async with redis_at(redis_url) as redis:
        units = part(0.0, 25.0)
        writer = RingWriter(redis, camera_id, 600.0)
        await writer.put_codec(film()[1])
        await writer.append(units)
        await CameraStore(redis).put_cursor(camera_id, units[0].entry_ms)

        async def watched() -> bool:
            done_ms = await CameraStore(redis).cursor(camera_id) or 0
            return done_ms >= units[-1].entry_ms - 2_000

        async with watching(config_of(redis_url, camera_id)):
            await until(watched)
        first = await kept(redis, camera_id)
        assert first.is_roadway(*CARS_PASS_AT)
        async with watching(config_of(redis_url, camera_id)):
            await until(watched)
        second = await kept(redis, camera_id)
        seen, again = first.usual_direction(*CARS_PASS_AT), second.usual_direction(*CARS_PASS_AT)
        assert seen == again, "the last seconds are looked at again and teach nothing"


async def kept(redis: Redis, camera: str) -> SceneMemory:
    data = await SceneMemoryStore(redis).get(camera)
    assert data is not None
    return SceneMemory.from_bytes(data)
