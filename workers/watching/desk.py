"""What watch has found, kept so that no crash in between loses or doubles it.

Each step waits for Redis on its own. The order is evidence, incident, provisional alert, job.
The alert and the job carry the id and revision that the stored incident gives them, so sending
them again is harmless; ``resend`` does so after a restart, for an incident that changed after
the cursor was last written.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from redis.asyncio import Redis

from monitor import wire
from monitor.alert.build import provisional
from monitor.buffer.evidence_log import EvidenceLog
from monitor.buffer.incidents import IncidentStore
from monitor.buffer.keys import JOBS, OUTBOX
from monitor.buffer.ring import RingReader
from monitor.buffer.work import put_work
from monitor.clock import Clock, utc
from monitor.config.models import Camera, Config
from monitor.domain import Evidence, Incident, Job, Trigger, Window
from monitor.trigger.incident import absorb
from workers.watching.patience import Patience

_HOUR_MS = 3_600_000


class Desk:
    """Writes one camera's findings to Redis."""

    def __init__(self, config: Config, camera: Camera, redis: Redis, clock: Clock) -> None:
        self._config = config
        self._camera = camera
        self._redis = redis
        self._clock = clock
        self._patience = Patience(camera.id, clock)
        self._log = EvidenceLog(redis)
        self._incidents = IncidentStore(redis)
        self._ring = RingReader(redis, camera.id)

    async def file(self, evidence: Sequence[Evidence], triggers: Sequence[Trigger]) -> int:
        """Keep the findings of one batch; returns how many incidents were opened."""
        wait = self._patience.do
        await wait(lambda: self._log.append(self._camera.id, evidence))
        if not triggers:
            return 0
        latest = await wait(lambda: self._incidents.latest(self._camera.id))
        changes = absorb(latest, triggers, self._camera.id, self._camera.trigger.merge_s)
        newest: dict[str, tuple[Incident, bool]] = {}
        for change in changes:
            grew_before = newest.get(change.incident.id, (change.incident, False))[1]
            newest[change.incident.id] = (change.incident, grew_before or change.grew)
        for incident, grew in newest.values():
            await wait(partial(self._incidents.put, incident))
            if grew:
                await self._send(incident)
        return sum(change.opened for change in changes)

    async def resend(self, cursor_ms: int) -> None:
        """After a restart: whatever of the newest incident may not have gone out."""
        latest = await self._patience.do(lambda: self._incidents.latest(self._camera.id))
        if latest is not None and max(t.decided_ms for t in latest.triggers) >= cursor_ms:
            await self._send(latest)

    async def report(self, incident: Incident) -> None:
        """Keep an incident that did not come from a trigger of ours, and send it on."""
        await self._patience.do(lambda: self._incidents.put(incident))
        await self._send(incident)

    async def next_track(self, now_ms: int) -> int:
        """An id above those of all tracks in the evidence log."""
        evidence = await self._patience.do(
            lambda: self._log.range(self._camera.id, now_ms - _HOUR_MS, now_ms + _HOUR_MS)
        )
        used = [one for item in evidence for one in (item.track, item.other) if one is not None]
        return 1 + max(used, default=0)

    async def _send(self, incident: Incident) -> None:
        wait = self._patience.do
        window = await wait(lambda: self._window(incident))
        evidence = await wait(
            lambda: self._log.range(incident.camera, window.start_ms, window.end_ms)
        )
        site = self._config.site
        alert = provisional(
            incident, evidence, window,
            site=site.id, lang=site.lang, now=utc(self._clock.wall_ms()),
        )  # fmt: skip
        await wait(lambda: put_work(self._redis, OUTBOX, wire.to_json(alert)))
        job = Job(incident.camera, incident.id)
        await wait(lambda: put_work(self._redis, JOBS, wire.to_json(job)))

    async def _window(self, incident: Incident) -> Window:
        """As analyse will cut it, as far as that is known now."""
        query = self._config.query
        wanted_ms = incident.peak_ms - round(query.pre_roll_s * 1000)
        start_ms = await self._ring.key_at_or_before(wanted_ms)
        if start_ms is None:
            start_ms = await self._ring.first_entry_ms() or wanted_ms
        end_ms = incident.last_ms + round(query.post_roll_s * 1000)
        return Window(min(start_ms, incident.start_ms), end_ms)
