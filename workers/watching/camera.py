"""Watching one camera: its ring's tail through the eye, findings to the desk, the cursor behind.

The cursor is the entry up to which everything found has been written; it moves about once per
GOP. A restart goes back to a key access unit some seconds before the cursor to see again what
the scene looks like, and tells nothing that was decided up to the cursor. So a crash repeats at
most what lies between two cursors, and repeating is harmless (``desk``).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Final

from redis.asyncio import Redis

from monitor.buffer.cameras import CameraStore
from monitor.buffer.keys import substream_ring
from monitor.buffer.ring import RingReader
from monitor.clock import Clock
from monitor.config.models import Camera
from monitor.domain import AccessUnit, ViewCondition
from monitor.errors import RingGapError
from monitor.trigger.detector import SharedDetector
from workers.watching.desk import Desk
from workers.watching.detecting import Detecting
from workers.watching.eye import Eye, Seen
from workers.watching.operating import Operating
from workers.watching.patience import Patience
from workers.watching.remembering import Remembering

log = logging.getLogger(__name__)

REWIND_MS: Final = 15_000
_BLOCK_MS: Final = 1_000
_BATCH: Final = 50  # access units; two seconds when catching up
_CURSOR_MS: Final = 2_000
_TELL_VIEW_S: Final = 15.0
_OUTAGE_MS: Final = 2_000
_SUBSTREAM_LAG_MS: Final = 5_000
_CHOOSE_S: Final = 10.0


@dataclass(slots=True)
class Counted:
    """What the heartbeat says of one camera."""

    units: int = 0
    looked_at: int = 0
    slept: int = 0  # access units that were never decoded
    broken: int = 0
    evidence: int = 0
    triggers: int = 0
    incidents: int = 0
    skipped_ms: int = 0  # of video that the ring had dropped before it was looked at
    behind_ms: int = 0


class CameraWatch:
    """One camera, until cancelled."""

    def __init__(
        self,
        camera: Camera,
        redis: Redis,
        desk: Desk,
        threads: Executor,
        clock: Clock,
        detector: SharedDetector | None = None,
    ) -> None:
        self.counted = Counted()
        self._camera = camera
        self._redis = redis
        self._desk = desk
        self._threads = threads
        self._clock = clock
        self._store = CameraStore(redis)
        self._patience = Patience(camera.id, clock)
        self._detecting = Detecting(camera.id, detector, self._store, self._patience, clock)
        self._remembering = Remembering(camera.id, redis, threads, clock)
        self._operating = Operating(camera, redis, clock)
        self._view: ViewCondition | None = None
        self._view_told_s = 0.0

    @property
    def detector_rests(self) -> bool:
        """Whether its detector is configured and not asked."""
        return bool(self._detecting.note)

    async def run(self) -> None:
        """Sessions, one after another: a new one where the ring to follow changes."""
        while True:
            try:
                await self._session()
            except RingGapError as gap:
                log.warning("camera %s: %s; starting at its end", self._camera.id, gap)
                await self._put_cursor(0)

    async def _session(self) -> None:
        name = await self._patience.do(self._choose_ring)
        ring = RingReader(self._redis, name)
        at_ms, told_ms = await self._patience.do(lambda: self._resume(ring))
        first_track = await self._desk.next_track(told_ms)
        memory = await self._remembering.load()
        await self._operating.load()
        eye = Eye(
            self._camera,
            first_track=first_track,
            memory=memory,
            detector=self._detecting.shared,
        )
        try:
            await self._follow(eye, name, at_ms, told_ms)
        finally:
            await self._remembering.save_at_stop(eye.kept_memory)
            await self._operating.save_at_stop()

    async def _follow(self, eye: Eye, name: str, at_ms: int, told_ms: int) -> None:
        """Look at what comes until the ring to follow is another one."""
        chosen_s = self._clock.monotonic_s()
        ring = RingReader(self._redis, name)
        generation, cursor_ms = -1, told_ms
        while True:
            units = await self._tail(ring, at_ms)
            if not units:
                if eye.unseen_from_ms is not None:  # the camera is away: nothing will wake it
                    await self._file(await self._catch_up(eye, told_ms))
                if self._clock.monotonic_s() - chosen_s > _CHOOSE_S:
                    chosen_s = self._clock.monotonic_s()
                    if await self._patience.do(self._choose_ring) != name:
                        return
                continue
            if units[0].entry_ms - at_ms > _OUTAGE_MS:
                newest_key_ms = await self._patience.do(partial(self._overtaken, ring, units))
                if newest_key_ms is not None:
                    at_ms = newest_key_ms - 1
                    continue
            self._teach(eye)
            for number, group in groupby(units, key=lambda unit: unit.generation):
                if number != generation:
                    params = await self._patience.do(partial(ring.codec, number))
                    if params is None:
                        continue
                    eye.use(params)
                    generation = number
                batch = tuple(group)
                await self._file(await self._look(eye, batch, told_ms))
                await self._detecting.tell(eye.detector_note)
            await self._remembering.save_now_and_then(eye.kept_memory)
            await self._operating.save_now_and_then()
            at_ms = units[-1].entry_ms
            self.counted.units += len(units)
            self.counted.behind_ms = max(0, self._clock.wall_ms() - at_ms)
            gop_ended = any(unit.is_key for unit in units)
            done_ms = at_ms if eye.unseen_from_ms is None else eye.unseen_from_ms - 1
            if done_ms > max(told_ms, cursor_ms) and (
                gop_ended or done_ms - cursor_ms > _CURSOR_MS
            ):
                cursor_ms = done_ms
                await self._put_cursor(cursor_ms)

    def _teach(self, eye: Eye) -> None:
        """What second looks have said since the last batch."""
        eye.operate_at(self._operating.score)
        while self._desk.judged:
            trigger, verdict = self._desk.judged.popleft()
            if verdict.confirmed:
                self._operating.excuse(verdict.time_ms)
            if trigger.box is None or verdict.confirmed is None:
                continue
            x, y, width, height = trigger.box
            tell = eye.memory.confirmed if verdict.confirmed else eye.memory.cried
            tell(x + width / 2, y + height / 2)

    async def _put_cursor(self, entry_ms: int) -> None:
        await self._patience.do(lambda: self._store.put_cursor(self._camera.id, entry_ms))

    async def _tail(self, ring: RingReader, at_ms: int) -> Sequence[AccessUnit]:
        return await self._patience.do(lambda: ring.tail(at_ms, block_ms=_BLOCK_MS, count=_BATCH))

    async def _look(self, eye: Eye, units: Sequence[AccessUnit], told_ms: int) -> Seen:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._threads, lambda: eye.look(units, tell_after_ms=told_ms)
        )

    async def _catch_up(self, eye: Eye, told_ms: int) -> Seen:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._threads, lambda: eye.catch_up(tell_after_ms=told_ms)
        )

    async def _file(self, seen: Seen) -> None:
        counted = self.counted
        counted.looked_at += seen.looked_at
        counted.slept += seen.slept
        counted.broken += seen.broken
        counted.evidence += len(seen.evidence)
        counted.triggers += len(seen.triggers)
        if seen.until_ms is not None:
            self._operating.watched(seen.until_ms, seen.scores)
        for trigger in seen.triggers:
            log.info(
                "camera %s: %s, score %.2f: %s",
                self._camera.id, trigger.kind.value, trigger.score, trigger.reason,
            )  # fmt: skip
        if seen.evidence or seen.triggers:
            counted.incidents += await self._desk.file(seen.evidence, seen.triggers)
        now_s = self._clock.monotonic_s()
        if seen.view is not self._view or now_s - self._view_told_s > _TELL_VIEW_S:
            if seen.view is not self._view:
                log.info("camera %s: view %s", self._camera.id, seen.view.value)
            self._view, self._view_told_s = seen.view, now_s
            await self._patience.do(lambda: self._store.put_view(self._camera.id, seen.view))

    async def _choose_ring(self) -> str:
        """The substream's ring while it keeps up with the camera's own, else the camera's."""
        own = self._camera.id
        if self._camera.substream_url is None:
            return own
        sub = substream_ring(own)
        own_ms = await RingReader(self._redis, own).last_entry_ms()
        sub_ms = await RingReader(self._redis, sub).last_entry_ms()
        alive = sub_ms is not None and (own_ms is None or own_ms - sub_ms < _SUBSTREAM_LAG_MS)
        return sub if alive else own

    async def _resume(self, ring: RingReader) -> tuple[int, int]:
        """Where to begin reading, and up to where nothing is told again."""
        cursor_ms = await self._store.cursor(self._camera.id)
        last_ms = await ring.last_entry_ms()
        if cursor_ms and last_ms is not None and cursor_ms > last_ms + _OUTAGE_MS:
            cursor_ms = None  # the clock was set back, or Redis came back empty
        if cursor_ms:
            await self._desk.resume(cursor_ms)
        told_ms = cursor_ms or last_ms or 0
        key_ms = await ring.key_at_or_before(told_ms - REWIND_MS)
        if key_ms is None:
            first_ms = await ring.first_entry_ms()
            return (0 if first_ms is None else first_ms - 1), told_ms
        return key_ms - 1, told_ms

    async def _overtaken(self, ring: RingReader, units: Sequence[AccessUnit]) -> int | None:
        """The newest key access unit, if the ring dropped video before it was looked at."""
        first_ms = await ring.first_entry_ms()
        if first_ms is None or first_ms < units[0].entry_ms:
            return None  # the camera was away; the ring is whole
        last_ms = await ring.last_entry_ms()
        key_ms = await ring.key_at_or_before(last_ms or first_ms)
        if key_ms is None or key_ms <= units[0].entry_ms:
            return None
        self.counted.skipped_ms += key_ms - units[0].entry_ms
        log.warning(
            "camera %s: watching fell behind its ring; %.1f s were not looked at",
            self._camera.id, (key_ms - units[0].entry_ms) / 1000,
        )  # fmt: skip
        return key_ms
