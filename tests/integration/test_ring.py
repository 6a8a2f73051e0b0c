"""Rings on a real Redis: order, trimming by what arrived, full and empty servers, memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from monitor.buffer.connection import connect
from monitor.buffer.keys import cursor_key, ring_key, ring_keys_key
from monitor.buffer.ring import RingReader, RingWriter, append_all
from monitor.buffer.ring_pipe import RingPipe
from monitor.domain import AccessUnit, CodecParameters, VideoCodec
from monitor.errors import RingGapError, StoreError
from tests.servers import Server, redis_server

T0 = 1_760_000_000_000
PARAMS = CodecParameters(VideoCodec.H264, 1280, 720, b"\x00\x00\x00\x01\x67\xff", 25.0, 1)


class HandClock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def wall_ms(self) -> int:
        return T0 + round(self.now_s * 1000)

    def monotonic_s(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.now_s += seconds


def unit(n: int, *, size: int = 200, start_ms: int = T0, generation: int = 1) -> AccessUnit:
    at = start_ms + 40 * n
    shown = at + (80 if n % 3 == 1 else 0)
    return AccessUnit(at, shown, n % 25 == 0, generation, n.to_bytes(4, "big") + bytes(size))


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = connect(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
def small_redis(tmp_path: Path) -> Iterator[Server]:
    """A server with 16 MB that says no when full."""
    with redis_server(tmp_path, "--maxmemory", "16mb", "--maxmemory-policy", "noeviction") as one:
        yield one


def url(server: Server) -> str:
    return f"redis://127.0.0.1:{server.port}/0"


async def test_units_come_back_as_they_were(redis: Redis, camera_id: str) -> None:
    writer, reader = RingWriter(redis, camera_id, 120), RingReader(redis, camera_id)
    assert await reader.first_entry_ms() is None
    assert await reader.last_entry_ms() is None
    assert await writer.last_entry_ms() is None
    units = [unit(n) for n in range(100)]
    await writer.append(units[:60])
    await writer.append(units[60:])
    assert await reader.range(0, T0 * 2) == units
    assert await reader.range(units[10].entry_ms, units[20].entry_ms) == units[10:21]
    assert await reader.range(units[10].entry_ms, T0 * 2, limit=3) == units[10:13]
    assert await reader.range(units[10].entry_ms + 1, units[12].entry_ms - 1) == units[11:12]
    assert await reader.range(0, T0 - 1) == []
    assert await reader.first_entry_ms() == T0
    assert await reader.last_entry_ms() == await writer.last_entry_ms() == units[-1].entry_ms


async def test_the_start_of_a_gop_is_found(redis: Redis, camera_id: str) -> None:
    await RingWriter(redis, camera_id, 120).append([unit(n) for n in range(100)])
    reader = RingReader(redis, camera_id)
    assert await reader.key_at_or_before(T0 - 1) is None
    assert await reader.key_at_or_before(T0) == T0
    assert await reader.key_at_or_before(T0 + 25 * 40 - 1) == T0
    assert await reader.key_at_or_before(T0 + 25 * 40) == T0 + 25 * 40
    assert await reader.key_at_or_before(T0 * 2) == T0 + 75 * 40


async def test_tailing(redis: Redis, camera_id: str) -> None:
    writer, reader = RingWriter(redis, camera_id, 120), RingReader(redis, camera_id)
    units = [unit(n) for n in range(10)]
    await writer.append(units[:6])
    assert await reader.tail(0, block_ms=1000, count=4) == units[:4]
    assert await reader.tail(units[3].entry_ms, block_ms=1000, count=50) == units[4:6]
    waiting = asyncio.create_task(reader.tail(units[5].entry_ms, block_ms=3000, count=50))
    await asyncio.sleep(0)
    await writer.append(units[6:8])
    assert (await waiting)[0] == units[6]
    assert await reader.tail(units[7].entry_ms, block_ms=1, count=5) == []


async def test_tailing_an_empty_ring_waits_and_gives_nothing(redis: Redis, camera_id: str) -> None:
    assert await RingReader(redis, camera_id).tail(T0, block_ms=1, count=5) == []


async def test_writing_again_is_harmless(redis: Redis, camera_id: str) -> None:
    writer, reader = RingWriter(redis, camera_id, 120), RingReader(redis, camera_id)
    units = [unit(n) for n in range(50)]
    await writer.append(units[:30])
    await writer.append(units[20:])  # as after an answer that was lost
    assert await reader.range(0, T0 * 2) == units


async def test_a_second_writer_is_refused(redis: Redis, camera_id: str) -> None:
    await RingWriter(redis, camera_id, 120).append([unit(n) for n in range(50)])
    late = AccessUnit(T0 + 20, T0 + 20, False, 1, b"other")
    with pytest.raises(StoreError, match="another ingest") as caught:
        await RingWriter(redis, camera_id, 120).append([late])
    assert caught.value.reason == "refused"


async def test_what_arrived_within_keep_s_is_kept(redis: Redis, camera_id: str) -> None:
    clock = HandClock()
    writer = RingWriter(redis, camera_id, 30, clock=clock)
    reader = RingReader(redis, camera_id)
    for n in range(25 * 60):
        clock.now_s = n * 0.04
        if n % 5 == 4:
            await writer.append([unit(m, size=2000) for m in range(n - 4, n + 1)])
    first, last = await reader.first_entry_ms(), await reader.last_entry_ms()
    assert first is not None
    assert last == unit(25 * 60 - 1).entry_ms
    # Whole nodes go; one holds at most 4 kB, here two units.
    assert 30_000 <= last - first <= 31_500
    assert await reader.key_at_or_before(last - 31_500) is None


async def test_a_leap_of_the_clock_does_not_empty_the_ring(redis: Redis, camera_id: str) -> None:
    clock = HandClock()
    writer = RingWriter(redis, camera_id, 30, clock=clock)
    reader = RingReader(redis, camera_id)
    for n in range(0, 25 * 20, 5):
        clock.now_s = n * 0.04
        await writer.append([unit(m) for m in range(n, n + 5)])
    ahead = T0 + 86_400_000  # this machine's clock was set a day forward
    for n in range(25 * 20, 25 * 25, 5):
        clock.now_s = n * 0.04
        await writer.append([unit(m, start_ms=ahead) for m in range(n, n + 5)])
    assert await reader.first_entry_ms() == T0
    assert len(await reader.range(0, ahead * 2)) == 25 * 25
    for n in range(25 * 25, 25 * 60, 5):  # and what is older than keep_s still goes
        clock.now_s = n * 0.04
        await writer.append([unit(m, start_ms=ahead) for m in range(n, n + 5)])
    first = await reader.first_entry_ms()
    assert first is not None
    assert first > ahead + 25 * 20 * 40


async def test_after_a_restart_the_old_part_is_trimmed_by_its_ids(
    redis: Redis, camera_id: str
) -> None:
    clock = HandClock()
    old = RingWriter(redis, camera_id, 120, clock=clock)
    await old.append([unit(n, size=3000) for n in range(25 * 60)])
    later = T0 + 300_000
    await RingWriter(redis, camera_id, 120, clock=clock).append(
        [unit(0, size=5000, start_ms=later)]
    )
    assert await RingReader(redis, camera_id).first_entry_ms() == later


async def test_codec_parameters_are_kept_as_long_as_their_units(
    redis: Redis, camera_id: str
) -> None:
    clock = HandClock()
    writer = RingWriter(redis, camera_id, 30, clock=clock)
    reader = RingReader(redis, camera_id)
    assert await reader.latest_codec() is None
    made = {
        generation: CodecParameters(VideoCodec.HEVC, 640, 360, b"\xff\x00", None, generation)
        for generation in (9, 10, 11)
    }
    for index, (generation, params) in enumerate(made.items()):
        clock.now_s = 20.0 * index
        await writer.put_codec(params)
        start = T0 + 20_000 * index
        await writer.append(
            [unit(n, size=5000, start_ms=start, generation=generation) for n in range(50)]
        )
    assert await reader.latest_codec() == made[11]
    assert await reader.codec(10) == made[10]
    clock.now_s = 60.0
    await writer.append([unit(0, size=5000, start_ms=T0 + 60_000, generation=11)])
    await writer.put_codec(made[11])
    assert await reader.codec(9) is None
    assert await reader.codec(11) == made[11]


@pytest.mark.parametrize("piped", [False, True])
async def test_one_round_trip_for_many_cameras_and_each_ones_own_error(
    redis: Redis, redis_url: str, camera_id: str, piped: bool
) -> None:
    pipe = RingPipe(redis_url) if piped else None
    names = [f"{camera_id}-{n}" for n in range(3)]
    writers = [RingWriter(redis, name, 120) for name in names]
    await RingWriter(redis, names[1], 120).append([unit(40)])
    large = [unit(1), unit(2, size=30_000)]
    errors = await append_all(redis, [(one, large) for one in writers], pipe=pipe)
    assert errors[0] is None
    assert errors[2] is None
    assert errors[1] is not None
    assert errors[1].reason == "refused"
    for name in (names[0], names[2]):
        assert await RingReader(redis, name).range(0, T0 * 2) == large
    if pipe is not None:
        pipe.close()


async def test_a_pipe_whose_redis_was_away_works_again(tmp_path: Path, camera_id: str) -> None:
    with redis_server(tmp_path) as server:
        redis, pipe = connect(url(server)), RingPipe(url(server))
        writer = RingWriter(redis, camera_id, 120)
        assert await append_all(redis, [(writer, [unit(0)])], pipe=pipe) == [None]
        server.kill()
        (error,) = await append_all(redis, [(writer, [unit(1)])], pipe=pipe)
        assert error is not None
        assert error.reason == "away"
        server.start()
        assert await append_all(redis, [(writer, [unit(1)])], pipe=pipe) == [None]
        assert await RingReader(redis, camera_id).range(0, T0 * 2) == [unit(1)]
        pipe.close()
        await redis.aclose()


async def test_a_reset_ring_begins_anew_and_tells_who_tails_it(
    redis: Redis, camera_id: str
) -> None:
    writer, reader = RingWriter(redis, camera_id, 120), RingReader(redis, camera_id)
    ahead = T0 + 86_400_000
    await writer.put_codec(PARAMS)
    await writer.append([unit(n, start_ms=ahead) for n in range(30)])
    await redis.set(cursor_key(camera_id), ahead)
    await writer.reset()
    assert await redis.exists(cursor_key(camera_id)) == 0
    assert await reader.tail(ahead + 400, block_ms=1, count=5) == []
    await writer.append([unit(n) for n in range(30)])
    with pytest.raises(RingGapError):
        await reader.tail(ahead + 400, block_ms=1, count=5)
    assert await reader.tail(0, block_ms=1, count=1) == [unit(0)]
    assert await reader.codec(1) == PARAMS  # written again with its key units


async def test_a_ring_that_nobody_writes_lapses(redis: Redis, camera_id: str) -> None:
    await RingWriter(redis, camera_id, 120).append([unit(0)])
    for key in (ring_key(camera_id), ring_keys_key(camera_id)):
        assert 3000 < await redis.ttl(key) <= 3600


async def test_redis_that_dies_and_comes_back_empty(tmp_path: Path, camera_id: str) -> None:
    with redis_server(tmp_path) as server:
        redis = connect(url(server))
        writer, reader = RingWriter(redis, camera_id, 120), RingReader(redis, camera_id)
        await writer.put_codec(PARAMS)
        await writer.append([unit(n) for n in range(30)])
        server.kill()
        with pytest.raises(StoreError) as caught:
            await writer.append([unit(30)])
        assert caught.value.reason == "away"
        server.start()
        await writer.append([unit(n) for n in range(30, 60)])
        assert await reader.range(0, T0 * 2) == [unit(n) for n in range(30, 60)]
        # The parameters come again with the next key unit, without anybody's asking.
        assert await reader.codec(1) == PARAMS
        await redis.aclose()


async def test_a_full_redis_shortens_the_ring_and_goes_on(
    small_redis: Server, camera_id: str
) -> None:
    clock = HandClock()
    redis = connect(url(small_redis))
    writer = RingWriter(redis, camera_id, 600, clock=clock)
    reader = RingReader(redis, camera_id)
    for n in range(0, 25 * 120, 5):  # 120 s of 150 kB/s: 18 MB
        clock.now_s = n * 0.04
        await writer.append([unit(m, size=6000) for m in range(n, n + 5)])
    first, last = await reader.first_entry_ms(), await reader.last_entry_ms()
    assert first is not None
    assert last == unit(25 * 120 - 1).entry_ms
    assert writer.shortened > 0
    assert 60_000 < last - first < 118_000
    assert len(await reader.range(first, last)) == (last - first) // 40 + 1
    await redis.aclose()


async def test_a_redis_much_too_small_still_holds_the_newest(
    small_redis: Server, camera_id: str
) -> None:
    clock = HandClock()
    redis = connect(url(small_redis))
    writer = RingWriter(redis, camera_id, 120, clock=clock)
    for n in range(25 * 60):  # 1 MB a second into 16 MB
        clock.now_s = n * 0.04
        await writer.append([unit(n, size=40_000)])
    reader = RingReader(redis, camera_id)
    first, last = await reader.first_entry_ms(), await reader.last_entry_ms()
    assert first is not None
    assert last == unit(25 * 60 - 1).entry_ms
    assert 4_000 < last - first < 16_000
    kept_s = writer.shortened_to_s()
    assert kept_s is not None
    assert 4 < kept_s < 16
    clock.now_s += 120  # and once it is long enough again, nothing is said any more
    assert writer.shortened_to_s() is None
    await redis.aclose()


async def test_when_nothing_can_be_given_up_redis_is_full_until_time_makes_room(
    small_redis: Server, camera_id: str
) -> None:
    clock = HandClock()
    redis = connect(url(small_redis))
    writer = RingWriter(redis, camera_id, 30, clock=clock)
    reader = RingReader(redis, camera_id)
    written = -1
    reason = ""
    while not reason:
        clock.now_s += 0.04
        try:
            await writer.append([unit(written + 1, size=400_000)])
        except StoreError as error:
            reason = error.reason
        else:
            written += 1
    assert reason == "full"
    assert 20 < written < 50
    # Nothing was lost of what had been taken.
    assert len(await reader.range(0, T0 * 2)) == written + 1
    clock.now_s += 40
    await writer.append([unit(written + 1000, size=400_000)])
    assert await reader.range(0, T0 * 2) == [unit(written + 1000, size=400_000)]
    await redis.aclose()


async def test_reading_works_while_redis_is_full(small_redis: Server, camera_id: str) -> None:
    redis = connect(url(small_redis))
    writer = RingWriter(redis, camera_id, 600)
    await writer.put_codec(PARAMS)
    units = [unit(n, size=20_000) for n in range(100)]
    await writer.append(units)
    await redis.config_set("maxmemory", "1mb")
    with pytest.raises(StoreError):
        await writer.append([unit(100, size=20_000)])
    reader = RingReader(redis, camera_id)
    assert await reader.range(units[50].entry_ms, units[60].entry_ms) == units[50:61]
    assert await reader.codec(1) == PARAMS
    assert await reader.key_at_or_before(T0 * 2) == units[75].entry_ms
    await redis.aclose()


@pytest.mark.parametrize(
    ("bitrate_bps", "most"),
    [(350_000, 1.25), (1_500_000, 1.15), (3_000_000, 1.15), (8_000_000, 1.15)],
)
async def test_memory_is_little_more_than_the_video(
    tmp_path: Path, camera_id: str, bitrate_bps: int, most: float
) -> None:
    """By what the server itself has allocated; small pictures share a node of 4 kB badly."""
    with redis_server(tmp_path) as server:
        redis = connect(url(server))
        before = int((await redis.info("memory"))["used_memory"])
        writer = RingWriter(redis, camera_id, 120)
        kept = 0
        per_gop = bitrate_bps // 8 * 2  # a key picture takes as much as ten others
        for n in range(50 * 15):
            share = 10 if n % 50 == 0 else 0.75 + 0.5 * (n * 7919 % 101) / 101
            size = round(per_gop * share / 59)
            kept += size
            at = T0 + 40 * n
            await writer.append([AccessUnit(at, at, n % 50 == 0, 1, bytes(size))])
        used = int((await redis.info("memory"))["used_memory"]) - before
        await redis.aclose()
    assert used / kept <= most, f"{used / kept:.3f}"
