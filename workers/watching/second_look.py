"""Second looks: candidates' windows cut from the rings and examined, the strongest first.

One at a time per process, in a thread that gives way to watching. A look waits until its
window's end is in the ring or the ring stands still; one halfway may confirm sooner. What is
asked for lives in the stored incidents, so a crash loses nothing (``Desk.resume``); what does
not fit into the queue or waits too long is answered with "cannot tell", never forgotten in
silence.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Final

from redis.asyncio import Redis

from monitor.buffer.ring import RingReader
from monitor.buffer.scene_memory import SceneMemoryStore
from monitor.clock import Clock
from monitor.domain import Incident, Trigger
from monitor.errors import SceneMemoryError
from monitor.trigger.forensic.verdict import Verdict
from monitor.trigger.incident import due
from monitor.trigger.normal import SceneMemory
from workers.watching.desk import Desk
from workers.watching.look_back import (
    AFTER_MS,
    BEFORE_MS,
    Examine,
    Part,
    cannot_tell,
    look_back,
    stage_ms,
)
from workers.watching.patience import Patience

log = logging.getLogger(__name__)

WAITING: Final = 32
"""Looks that wait at once, of all cameras; beyond that the weakest is given up."""
DEADLINE_S: Final = 60.0
"""From when it was asked for, its own time of thinking included."""

_STILL_S: Final = 5.0  # a ring without a new entry for so long has ended
_POLL_S: Final = 0.25


@dataclass(slots=True)
class _Asked:
    desk: Desk
    incident: str
    trigger: Trigger
    since_s: float
    newest_ms: int | None = None
    moved_s: float = 0.0
    looked_ms: int = 0  # the stage that was looked at without confirming


@dataclass(slots=True)
class Counted:
    """For the heartbeat."""

    looks: int = 0
    confirmed: int = 0
    rejected: int = 0
    undecided: int = 0
    given_up: int = 0  # no room in the queue, or no time
    failed: int = 0  # the examination itself broke


class SecondLooks:
    """``offer`` from any desk of this process; ``run`` until cancelled."""

    def __init__(self, redis: Redis, examine: Examine, threads: Executor, clock: Clock) -> None:
        self.counted = Counted()
        self._redis = redis
        self._examine = examine
        self._threads = threads
        self._clock = clock
        self._asked: dict[str, _Asked] = {}  # by incident
        self._news = asyncio.Event()
        self._ended = threading.Event()

    @property
    def waiting(self) -> int:
        """Looks that were asked for and not begun."""
        return len(self._asked)

    def offer(self, desk: Desk, incident: Incident) -> None:
        """Ask for a look at what is due of the incident; it is asked for once."""
        trigger = due(incident)
        if trigger is None:
            return
        known = self._asked.get(incident.id)
        if known is None:
            now_s = self._clock.monotonic_s()
            self._asked[incident.id] = _Asked(desk, incident.id, trigger, now_s, moved_s=now_s)
        elif known.trigger != trigger:
            known.trigger, known.looked_ms = trigger, 0
        self._news.set()

    async def run(self) -> None:
        """Look at one after another."""
        try:
            while True:
                if not self._asked:
                    self._news.clear()
                    await self._news.wait()
                if not await self._next():
                    await self._clock.sleep(_POLL_S)
        finally:
            self._ended.set()

    async def _next(self) -> bool:
        """Answer one that can be answered now; False where there is none."""
        now_s = self._clock.monotonic_s()
        strongest = sorted(self._asked.values(), key=lambda one: -one.trigger.score)
        late = [one for one in strongest if now_s - one.since_s >= DEADLINE_S]
        if given_up := (*late, *strongest[WAITING:]):
            self.counted.given_up += 1
            asked = given_up[-1]
            why = "there was no time to look at it again"
            await self._answer(asked, asked.trigger, cannot_tell(asked.trigger, why))
            return True
        for asked in strongest:
            stage = await self._stage(asked)
            if stage is not None:
                await self._look_at(asked, stage)
                return True
        return False

    async def _stage(self, asked: _Asked) -> int | None:
        """How far after the moment there are pictures, where that is worth a look."""
        newest_ms = await asked.desk.newest_ms()
        now_s = self._clock.monotonic_s()
        if newest_ms != asked.newest_ms:
            asked.newest_ms, asked.moved_s = newest_ms, now_s
        if now_s - asked.moved_s >= _STILL_S:
            return AFTER_MS
        return None if newest_ms is None else stage_ms(asked.trigger, newest_ms, asked.looked_ms)

    async def _look_at(self, asked: _Asked, stage: int) -> None:
        trigger = asked.trigger
        verdict = await self._look(asked, trigger, stage)
        if verdict.confirmed or stage == AFTER_MS:
            await self._answer(asked, trigger, verdict)
        elif asked.trigger == trigger:
            asked.looked_ms = stage  # the whole may still show it

    async def _answer(self, asked: _Asked, trigger: Trigger, verdict: Verdict) -> None:
        del self._asked[asked.incident]
        self._count(asked, verdict)
        incident = await asked.desk.settle(asked.incident, trigger, verdict)
        if incident is not None:
            self.offer(asked.desk, incident)

    async def _look(self, asked: _Asked, trigger: Trigger, stage: int) -> Verdict:
        camera = asked.desk.camera
        patience = Patience(camera.id, self._clock)
        parts = await patience.do(partial(self._parts, camera.id, trigger))
        kept = await patience.do(partial(SceneMemoryStore(self._redis).get, camera.id))
        until_s = asked.since_s + DEADLINE_S

        def go_on() -> bool:
            return not self._ended.is_set() and self._clock.monotonic_s() < until_s

        look: Callable[[], Verdict] = partial(
            look_back, self._examine, parts, trigger, camera, _memory(kept), go_on, stage
        )
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, look)
        except Exception:  # one candidate's pictures must not end the watching of all cameras
            self.counted.failed += 1
            log.exception("camera %s: the second look at %s failed", camera.id, asked.incident)
            return cannot_tell(trigger, "the second look failed")

    async def _parts(self, camera: str, trigger: Trigger) -> list[Part]:
        """The window from a key access unit on, as far as the ring has it."""
        ring = RingReader(self._redis, camera)
        start_ms = trigger.time_ms - BEFORE_MS
        key_ms = await ring.key_at_or_before(start_ms)
        units = await ring.range(start_ms if key_ms is None else key_ms, trigger.time_ms + AFTER_MS)
        parts: list[Part] = []
        for generation, group in groupby(units, key=lambda unit: unit.generation):
            params = await ring.codec(generation)
            if params is not None:
                parts.append((params, tuple(group)))
        return parts

    def _count(self, asked: _Asked, verdict: Verdict) -> None:
        self.counted.looks += 1
        if verdict.confirmed is None:
            self.counted.undecided += 1
        elif verdict.confirmed:
            self.counted.confirmed += 1
        else:
            self.counted.rejected += 1
        log.info(
            "camera %s: second look at %s: %s, score %.2f: %s",
            asked.desk.camera.id, asked.incident,
            {True: "confirmed", False: "rejected", None: "cannot tell"}[verdict.confirmed],
            verdict.score, verdict.reason,
        )  # fmt: skip


def _memory(kept: bytes | None) -> SceneMemory | None:
    """A copy of its own: the camera's is taught meanwhile. What is unreadable watch has logged."""
    try:
        return None if kept is None else SceneMemory.from_bytes(kept)
    except SceneMemoryError:
        return None
