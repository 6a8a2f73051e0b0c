"""The feed against a ring in memory: what viewers get, whatever the ring does."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from dashboards.live.ring_feed import BATCH, RingFeed
from dashboards.live.viewer import Viewer, ViewerEnded
from monitor.domain import AccessUnit, CodecParameters, VideoCodec
from monitor.errors import RingGapError, StoreError


def unit(number: int, *, key: bool = False, generation: int = 1, late_ms: int = 0) -> AccessUnit:
    at_ms = 10_000 + 40 * number
    return AccessUnit(at_ms, at_ms + late_ms, key, generation, b"x")


@dataclass
class MemoryRing:
    """A ring whose reader can be made to fail."""

    units: list[AccessUnit] = field(default_factory=list)
    codecs: dict[int, VideoCodec] = field(default_factory=lambda: {1: VideoCodec.H264})
    fail_with: Exception | None = None
    grown: asyncio.Event = field(default_factory=asyncio.Event)

    def grow(self, *units: AccessUnit) -> None:
        self.units += units
        self.grown.set()

    async def tail(self, after_entry_ms: int, *, block_ms: int, count: int) -> list[AccessUnit]:
        while True:
            if self.fail_with is not None:
                error, self.fail_with = self.fail_with, None
                raise error
            found = [one for one in self.units if one.entry_ms > after_entry_ms][:count]
            if found:
                return found
            self.grown.clear()
            await self.grown.wait()

    async def last_entry_ms(self) -> int | None:
        return self.units[-1].entry_ms if self.units else None

    async def key_at_or_before(self, ms: int) -> int | None:
        return max((u.entry_ms for u in self.units if u.is_key and u.entry_ms <= ms), default=None)

    async def codec(self, generation: int) -> CodecParameters | None:
        codec = self.codecs.get(generation)
        return codec if codec is None else CodecParameters(codec, 640, 360, b"", 25.0, generation)


class Eager:
    """A clock on which waiting takes no time, but lets others run."""

    def __init__(self) -> None:
        self.waits = 0
        self.third_wait = asyncio.Event()

    def wall_ms(self) -> int:
        return 0

    def monotonic_s(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.waits += 1
        if self.waits == 3:
            self.third_wait.set()
        await asyncio.sleep(0)


async def entries(viewer: Viewer, count: int) -> list[int]:
    async with asyncio.timeout(5):
        return [(await viewer.next()).unit.entry_ms for _ in range(count)]


@pytest.fixture
def ring() -> MemoryRing:
    ring = MemoryRing()
    ring.grow(unit(0, key=True), unit(1), unit(2), unit(3, key=True), unit(4))
    return ring


async def test_a_viewer_gets_the_newest_gop_and_what_follows(ring: MemoryRing) -> None:
    feed, viewer = RingFeed("cam", ring, Eager()), Viewer()
    feed.join(viewer)
    task = asyncio.create_task(feed.run())
    assert await entries(viewer, 2) == [unit(3).entry_ms, unit(4).entry_ms]
    ring.grow(unit(5))
    assert await entries(viewer, 1) == [unit(5).entry_ms]
    task.cancel()


async def test_one_who_joins_later_gets_the_gop_under_way(ring: MemoryRing) -> None:
    feed, first, second = RingFeed("cam", ring, Eager()), Viewer(), Viewer()
    feed.join(first)
    task = asyncio.create_task(feed.run())
    await entries(first, 2)
    feed.join(second)
    assert await entries(second, 2) == [unit(3).entry_ms, unit(4).entry_ms]
    task.cancel()


async def test_an_empty_ring_is_waited_for() -> None:
    ring, clock = MemoryRing(), Eager()
    feed, viewer = RingFeed("cam", ring, clock), Viewer()
    feed.join(viewer)
    task = asyncio.create_task(feed.run())
    await clock.third_wait.wait()
    ring.grow(unit(0, key=True))
    assert await entries(viewer, 1) == [unit(0).entry_ms]
    task.cancel()


async def test_redis_being_away_loses_nothing(ring: MemoryRing) -> None:
    feed, viewer = RingFeed("cam", ring, Eager()), Viewer()
    feed.join(viewer)
    task = asyncio.create_task(feed.run())
    await entries(viewer, 2)
    ring.fail_with = StoreError("away", "Redis is away")
    ring.grow(unit(5), unit(6, key=True))
    assert await entries(viewer, 2) == [unit(5).entry_ms, unit(6).entry_ms]
    task.cancel()


async def test_an_emptied_ring_is_joined_at_its_newest_gop(ring: MemoryRing) -> None:
    feed, viewer = RingFeed("cam", ring, Eager()), Viewer()
    feed.join(viewer)
    task = asyncio.create_task(feed.run())
    await entries(viewer, 2)
    ring.fail_with = RingGapError("the ring ends before the cursor")
    ring.units = []
    ring.grow(unit(-9, key=True), unit(-8))
    assert await entries(viewer, 2) == [unit(-9).entry_ms, unit(-8).entry_ms]
    task.cancel()


async def test_far_behind_it_jumps_to_the_newest_gop(ring: MemoryRing) -> None:
    ring.units = [unit(0, key=True), *(unit(n) for n in range(1, BATCH + 10))]
    feed, viewer = RingFeed("cam", ring, Eager()), Viewer()
    original = ring.key_at_or_before

    async def stale_first(ms: int) -> int | None:
        ring.grow(unit(1000, key=True), unit(1001))  # written while this feed was held up
        ring.key_at_or_before = original  # type: ignore[method-assign]
        return unit(0).entry_ms

    ring.key_at_or_before = stale_first  # type: ignore[method-assign]
    feed.join(viewer)
    task = asyncio.create_task(feed.run())
    assert await entries(viewer, 2) == [unit(1000).entry_ms, unit(1001).entry_ms]
    task.cancel()


async def test_h265_from_the_middle_on_ends_the_viewers_and_is_remembered(
    ring: MemoryRing,
) -> None:
    ring.codecs[2] = VideoCodec.HEVC
    feed, viewer = RingFeed("cam", ring, Eager()), Viewer()
    feed.join(viewer)
    task = asyncio.create_task(feed.run())
    await entries(viewer, 2)
    ring.grow(unit(5, key=True, generation=2))
    with pytest.raises(ViewerEnded, match="h265"):
        await entries(viewer, 1)
    assert feed.refusal(2) == "h265"
    assert feed.refusal(3) is None
    assert feed.viewers == 0
    task.cancel()


async def test_b_frames_are_noticed_by_their_order(ring: MemoryRing) -> None:
    feed, viewer = RingFeed("cam", ring, Eager()), Viewer()
    feed.join(viewer)
    task = asyncio.create_task(feed.run())
    await entries(viewer, 2)
    ring.grow(unit(5, late_ms=80), unit(6))
    with pytest.raises(ViewerEnded, match="b_frames"):
        await entries(viewer, 2)
    assert feed.refusal(1) == "b_frames"
    task.cancel()
