from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from dashboards.live.viewer import Viewer, ViewerEnded
from monitor.domain import AccessUnit


def unit(number: int, *, key: bool = False) -> AccessUnit:
    return AccessUnit(1000 + 40 * number, 1000 + 40 * number, key, 1, bytes([number % 256]))


async def drain(viewer: Viewer, count: int) -> list[int]:
    return [(await viewer.next()).unit.entry_ms for _ in range(count)]


async def test_it_starts_on_a_key_unit() -> None:
    viewer = Viewer()
    for one in (unit(0), unit(1), unit(2, key=True), unit(3)):
        viewer.offer(one)
    assert await drain(viewer, 2) == [unit(2).entry_ms, unit(3).entry_ms]
    assert viewer.dropped == 2


async def test_a_replayed_gop_comes_before_what_follows() -> None:
    viewer = Viewer()
    viewer.replay([unit(0, key=True), unit(1)])
    viewer.offer(unit(2))
    first = await viewer.next()
    assert (first.unit, first.behind) == (unit(0, key=True), 2)
    assert first.newest_capture_ms == unit(2).capture_ms


async def test_too_slow_loses_whole_gops() -> None:
    viewer = Viewer(limit=3)
    for one in (unit(0, key=True), unit(1), unit(2), unit(3), unit(4), unit(5, key=True), unit(6)):
        viewer.offer(one)
    assert await drain(viewer, 2) == [unit(5).entry_ms, unit(6).entry_ms]
    assert viewer.dropped == 5


async def test_the_end_wakes_the_one_who_waits_and_says_why() -> None:
    viewer = Viewer()
    waiting = asyncio.create_task(viewer.next())
    await asyncio.sleep(0)
    viewer.end("h265")
    with pytest.raises(ViewerEnded) as end:
        await waiting
    assert end.value.reason == "h265"


async def test_after_the_end_nothing_is_taken_and_nothing_comes() -> None:
    viewer = Viewer()
    viewer.offer(unit(0, key=True))
    viewer.end()
    viewer.offer(replace(unit(1, key=True)))
    with pytest.raises(ViewerEnded) as end:
        await viewer.next()
    assert end.value.reason == ""
