"""A question about a camera: the end of its ring, and what watch has measured there."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

from redis.asyncio import Redis

from monitor.buffer.evidence_log import EvidenceLog
from monitor.buffer.incidents import IncidentStore
from monitor.buffer.ring import RingReader
from monitor.domain import Window
from monitor.errors import MediaError
from monitor.media.clip import part_around
from monitor.media.stills import Still
from monitor.media.window import Wanted, decode_wanted
from monitor.query.close_ups import Wish
from monitor.query.question import Shot, shots
from monitor.query.sampling import Budget, plan
from workers.analysis.footage import Footage
from workers.asking.file import important_ms
from workers.asking.seen import LONGEST_MS, Progress, Seen, in_thread

_SHORT_MS: Final = 2_000


class CameraSource:
    """A ``Source``. The window is as long as the ring allows, at most 3 minutes."""

    def __init__(self, camera: str, last_ms: int, redis: Redis) -> None:
        if last_ms > LONGEST_MS:
            raise MediaError("of a camera, at most the last 3 minutes can be asked about")
        self._camera = camera
        self._last_ms = last_ms
        self._redis = redis
        self._footage: Footage | None = None

    async def look(self, progress: Progress) -> Seen:
        ring = RingReader(self._redis, self._camera)
        end_ms = await ring.last_entry_ms()
        if end_ms is None:
            raise MediaError(
                f"there is no video of {self._camera} in its ring: is `causeway run` running, "
                "and the camera online? (`causeway doctor` says)"
            )
        progress(0.2)
        start_ms = await ring.key_at_or_before(end_ms - self._last_ms)
        if start_ms is None:
            start_ms = await ring.first_entry_ms() or end_ms
        units = await ring.range(start_ms, end_ms)
        part = part_around(units, max((unit.capture_ms for unit in units), default=end_ms))
        params = await ring.codec(part[0].generation) if part else None
        if params is None:
            raise MediaError(f"no picture of {self._camera}'s ring can be decoded yet")
        window = Window(part[0].capture_ms, max(unit.capture_ms for unit in part))
        self._footage = Footage(window, part, params)
        progress(0.8)
        evidence = await EvidenceLog(self._redis).range(
            self._camera, window.start_ms, window.end_ms
        )
        incident = await IncidentStore(self._redis).latest(self._camera)
        if incident is not None and not window.start_ms <= incident.peak_ms <= window.end_ms:
            incident = None
        length_ms = window.end_ms - window.start_ms
        notes: tuple[str, ...] = ()
        if length_ms < self._last_ms - _SHORT_MS:
            notes = (f"The ring holds {length_ms / 1000:.0f} s of this camera's video.",)
        return Seen(
            self._camera, window, tuple(evidence), True, incident=incident,
            peak_ms=None if incident is None else incident.peak_ms, live=True, notes=notes,
        )  # fmt: skip

    async def size(self) -> tuple[int, int]:
        assert self._footage is not None
        return self._footage.params.width, self._footage.params.height

    async def shots(
        self, seen: Seen, room: Budget, width: int, progress: Progress
    ) -> tuple[Shot, ...]:
        footage = self._footage
        assert footage is not None
        window = seen.window
        pairs = plan(
            window, [window.t_s(one) for one in important_ms(seen)],
            [window.t_s(unit.capture_ms) for unit in footage.units], room,
        )  # fmt: skip
        wanted = [
            Wanted(window.start_ms + ms, width) for p in pairs for ms in (p.first_ms, p.second_ms)
        ]
        return shots(pairs, await self._decoded(wanted, progress), window)

    async def stills(self, wished: Wish, progress: Progress) -> list[Still | None]:
        wanted = [Wanted(time_ms, wished.width, wished.part) for time_ms in wished.times_ms]
        return await self._decoded(wanted, progress)

    async def _decoded(self, wanted: Sequence[Wanted], progress: Progress) -> list[Still | None]:
        footage = self._footage
        assert footage is not None
        threads = os.cpu_count() or 1
        return await in_thread(
            lambda _: decode_wanted(footage.units, footage.params, wanted, threads), progress
        )
