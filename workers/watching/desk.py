"""What watch has found, kept so that no crash in between loses or doubles it.

Each step waits for Redis on its own. The order is evidence, incident, provisional alert, job.
The alert and the job carry the id and revision that the stored incident gives them, so sending
them again is harmless; ``resume`` does so after a restart, for incidents that changed after the
cursor was last written.

An incident that is only a candidate is kept and not sent. Its second look (``second_look``)
comes back as ``settle``: confirmed, it is sent as any alert; rejected, it is closed, and where
an alert was out already analyse takes it back (a job); undecided, a model is asked (a job), if
there is one. Looks that a crash cut off are asked for again by ``resume``.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final, Protocol

from redis.asyncio import Redis

from monitor import wire
from monitor.alert.build import provisional
from monitor.buffer.evidence_log import EvidenceLog
from monitor.buffer.incidents import IncidentStore
from monitor.buffer.keys import JOBS, OUTBOX
from monitor.buffer.ring import RingReader
from monitor.buffer.tally import Outcome, TallyStore
from monitor.buffer.work import put_work
from monitor.clock import Clock, utc
from monitor.config.endpoints import model_endpoints
from monitor.config.models import Camera, Config
from monitor.domain import Evidence, Incident, IncidentStatus, Job, Trigger, Window
from monitor.trigger.forensic.verdict import Verdict
from monitor.trigger.incident import Change, absorb, due, is_closed, is_due, settled, was_alerted
from monitor.trigger.remeasured import LOOKS_FROM, remeasured
from workers.watching.patience import Patience

_HOUR_MS: Final = 3_600_000
_JUDGED: Final = 64
_NEAR_MS: Final = 2_000
_PENDING_MS: Final = 600_000  # a look at something older finds no video any more


class Looks(Protocol):
    """Where second looks are asked for."""

    def offer(self, desk: Desk, incident: Incident) -> None:
        """The incident has a trigger that is due; asking again is harmless."""


class Desk:
    """Writes one camera's findings to Redis."""

    def __init__(
        self,
        config: Config,
        camera: Camera,
        redis: Redis,
        clock: Clock,
        looks: Looks | None = None,
    ) -> None:
        """Without ``looks`` nothing is looked at again: a patrol's desk only reports."""
        self.camera = camera
        self.judged: deque[tuple[Trigger, Verdict]] = deque(maxlen=_JUDGED)  # for who learns of it
        self._config = config
        self._redis = redis
        self._clock = clock
        self._looks = looks
        self._patience = Patience(camera.id, clock)
        self._log = EvidenceLog(redis)
        self._incidents = IncidentStore(redis)
        self._tally = TallyStore(redis)
        self._ring = RingReader(redis, camera.id)
        self._lock = asyncio.Lock()  # findings and second looks change the same incidents

    async def file(self, evidence: Sequence[Evidence], triggers: Sequence[Trigger]) -> int:
        """Keep the findings of one batch; returns how many incidents were opened."""
        wait = self._patience.do
        await wait(lambda: self._log.append(self.camera.id, evidence))
        if not triggers:
            return 0
        async with self._lock:
            kept = await wait(lambda: self._incidents.all(self.camera.id))
            latest = next(
                (one for one in reversed(kept) if one.status is not IncidentStatus.DISMISSED), None
            )
            closed = [one for one in kept if one is not latest and is_closed(one)]
            changes = absorb(latest, triggers, self.camera.id, self.camera.trigger.merge_s, closed)
            newest: dict[str, Change] = {}
            for change in changes:
                before = newest.get(change.incident.id, change)
                newest[change.incident.id] = replace(
                    change, opened=before.opened or change.opened, grew=before.grew or change.grew
                )
            for change in newest.values():
                await self._keep(change)
        return sum(change.opened for change in changes)

    async def settle(self, incident_id: str, trigger: Trigger, verdict: Verdict) -> Incident | None:
        """Keep what a second look said, and act on it; the incident as it is then.

        Nothing happens where the incident is gone, or the trigger is not due any more.
        """
        wait = self._patience.do
        async with self._lock:
            before = await wait(lambda: self._incidents.get(self.camera.id, incident_id))
            if before is None or not is_due(before, trigger):
                return before
            last_ms = await wait(self._ring.last_entry_ms)
            if verdict.confirmed:
                verdict = await self._among_the_live(verdict, before)
                await wait(lambda: self._log.append(self.camera.id, verdict.evidence))
            after = settled(before, trigger, verdict, last_ms or trigger.decided_ms)
            await wait(lambda: self._incidents.put(after))
            await self._follow(after)
            self.judged.append((trigger, verdict))
        return after

    async def _among_the_live(self, verdict: Verdict, incident: Incident) -> Verdict:
        times = [item.time_ms for item in verdict.evidence]
        if not times:
            return verdict
        live = await self._patience.do(
            lambda: self._log.range(self.camera.id, min(times) - _NEAR_MS, max(times) + _NEAR_MS)
        )
        return replace(verdict, evidence=remeasured(verdict.evidence, live, incident))

    async def resume(self, cursor_ms: int) -> None:
        """After a restart: send what may not have gone out, look at what was not looked at."""
        async with self._lock:
            for incident in await self._patience.do(lambda: self._incidents.all(self.camera.id)):
                if any(not look.followed for look in incident.looks):
                    await self._follow(incident)
                elif any(t.decided_ms >= cursor_ms for t in incident.triggers if not t.verified):
                    await self._keep(Change(incident, opened=True, grew=True))
                elif incident.last_ms >= cursor_ms - _PENDING_MS:
                    self._ask_for_look(incident)

    async def report(self, incident: Incident) -> None:
        """Keep an incident that did not come from a trigger of ours, and send it on."""
        await self._keep(Change(incident, opened=True, grew=True))

    async def next_track(self, now_ms: int) -> int:
        """An id above those of all live tracks in the evidence log."""
        evidence = await self._patience.do(
            lambda: self._log.range(self.camera.id, now_ms - _HOUR_MS, now_ms + _HOUR_MS)
        )
        used = [one for item in evidence for one in (item.track, item.other) if one is not None]
        return 1 + max((one for one in used if one < LOOKS_FROM), default=0)

    async def newest_ms(self) -> int | None:
        """The newest entry of the camera's own ring."""
        return await self._patience.do(self._ring.last_entry_ms)

    async def stored(self, incident_id: str) -> Incident | None:
        """The incident as it is now."""
        return await self._patience.do(lambda: self._incidents.get(self.camera.id, incident_id))

    async def _keep(self, change: Change) -> None:
        incident = change.incident
        await self._patience.do(partial(self._incidents.put, incident))
        if change.opened:
            await self._note("opened", incident)
        if change.grew and incident.status is IncidentStatus.ALERTED:
            await self._send(incident)
        self._ask_for_look(incident)

    async def _follow(self, incident: Incident) -> None:
        """What follows from the second looks there were; doing it again is harmless."""
        if any(trigger.verified for trigger in incident.triggers):
            await self._note("confirmed", incident)
            await self._send(incident)
        elif incident.status is IncidentStatus.DISMISSED:
            await self._note("dismissed", incident)
            if was_alerted(incident):
                await self._send_job(incident)
        elif due(incident) is None and any(look.confirmed is None for look in incident.looks):
            await self._note("undecided", incident)
            if incident.status is IncidentStatus.CANDIDATE and model_endpoints(self._config.query):
                await self._send_job(incident)
        followed = tuple(replace(look, followed=True) for look in incident.looks)
        await self._patience.do(lambda: self._incidents.put(replace(incident, looks=followed)))
        self._ask_for_look(incident)

    def _ask_for_look(self, incident: Incident) -> None:
        if self._looks is not None and due(incident) is not None:
            self._looks.offer(self, incident)

    async def _note(self, outcome: Outcome, incident: Incident) -> None:
        await self._patience.do(
            lambda: self._tally.note(
                self.camera.id, outcome, incident.id, incident.triggers[0].decided_ms
            )
        )

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
        await self._send_job(incident)

    async def _send_job(self, incident: Incident) -> None:
        payload = wire.to_json(Job(incident.camera, incident.id))
        await self._patience.do(lambda: put_work(self._redis, JOBS, payload))

    async def _window(self, incident: Incident) -> Window:
        """As analyse will cut it, as far as that is known now."""
        query = self._config.query
        wanted_ms = incident.peak_ms - round(query.pre_roll_s * 1000)
        start_ms = await self._ring.key_at_or_before(wanted_ms)
        if start_ms is None:
            start_ms = await self._ring.first_entry_ms() or wanted_ms
        end_ms = incident.last_ms + round(query.post_roll_s * 1000)
        return Window(min(start_ms, incident.start_ms), end_ms)
