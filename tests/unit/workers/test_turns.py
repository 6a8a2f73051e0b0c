"""Most severe first, one of each camera, never more than allowed, nobody forgotten."""

from __future__ import annotations

import asyncio

import pytest

from monitor.domain import Severity
from workers.analysis.turns import Turns


class Road:
    """Visitors that hold their turn until they are let go."""

    def __init__(self, at_once: int) -> None:
        self.turns = Turns(at_once)
        self.began: list[str] = []
        self._held: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def arrive(self, name: str, camera: str, severity: Severity = Severity.LOW) -> None:
        self._held[name] = asyncio.Event()

        async def visit() -> None:
            async with self.turns.turn(camera, severity):
                self.began.append(name)
                await self._held[name].wait()

        self._tasks[name] = asyncio.create_task(visit())
        await settle()

    async def leave(self, name: str) -> None:
        self._held[name].set()
        await self._tasks.pop(name)
        await settle()

    async def give_up(self, name: str) -> None:
        task = self._tasks.pop(name)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await settle()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_most_severe_first_then_first_come() -> None:
    road = Road(1)
    await road.arrive("running", "a")
    await road.arrive("low", "b", Severity.LOW)
    await road.arrive("high", "c", Severity.HIGH)
    await road.arrive("high too", "d", Severity.HIGH)
    await road.arrive("critical", "e", Severity.CRITICAL)
    assert (road.turns.running, road.turns.waiting) == (1, 4)
    for name in ("running", "critical", "high", "high too", "low"):
        await road.leave(name)
    assert road.began == ["running", "critical", "high", "high too", "low"]
    assert (road.turns.running, road.turns.waiting) == (0, 0)


async def test_a_flood_from_one_camera_delays_no_other() -> None:
    road = Road(2)
    for number in range(4):
        await road.arrive(f"flood {number}", "loud", Severity.CRITICAL)
    await road.arrive("quiet", "calm", Severity.LOW)
    assert road.began == ["flood 0", "quiet"]
    for name in ("flood 0", "flood 1", "quiet", "flood 2", "flood 3"):
        await road.leave(name)


async def test_who_gives_up_frees_the_place() -> None:
    road = Road(1)
    await road.arrive("first", "a")
    await road.arrive("second", "b")
    await road.arrive("third", "c")
    await road.give_up("second")
    await road.give_up("first")
    assert road.began == ["first", "third"]
    await road.leave("third")
    assert (road.turns.running, road.turns.waiting) == (0, 0)


async def test_cancelled_in_the_moment_of_being_called() -> None:
    turns = Turns(1)

    async def visit(camera: str) -> None:
        async with turns.turn(camera, Severity.LOW):
            await asyncio.sleep(0)

    first = asyncio.create_task(visit("a"))
    second = asyncio.create_task(visit("b"))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.gather(first, second, return_exceptions=True)
    assert (turns.running, turns.waiting) == (0, 0)
    await asyncio.wait_for(visit("c"), 1)
