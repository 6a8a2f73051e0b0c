"""The last incidents of each camera, as watch opened and extended them."""

from __future__ import annotations

from typing import Final

from redis.asyncio import Redis

from monitor import wire
from monitor.buffer.connection import translated
from monitor.buffer.keys import explained_key, incidents_key
from monitor.domain import Incident, IncidentStatus

KEEP: Final = 50
"""Alerts of a camera, and as many of its candidates beside them."""

EXPLAINED_KEPT_S: Final = 6 * 3600


class IncidentStore:
    """Incidents are written by watch alone and read by analyse, which notes what it explained."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def put(self, incident: Incident) -> None:
        """Store or replace an incident; beyond the last ``KEEP`` alerts, and the last ``KEEP``
        that are none, the oldest go."""
        key = incidents_key(incident.camera)
        async with translated():
            await self._redis.hset(key, incident.id, wire.to_json(incident))
            if await self._redis.hlen(key) > KEEP:
                oldest_first = await self._all(incident.camera)
                sets = (
                    [one for one in oldest_first if _alerted(one)],
                    [one for one in oldest_first if not _alerted(one)],
                )
                if old := [one.id for kept in sets for one in kept[:-KEEP]]:
                    await self._redis.hdel(key, *old)

    async def get(self, camera: str, incident_id: str) -> Incident | None:
        """None where it is unknown or too long ago."""
        async with translated():
            text = await self._redis.hget(incidents_key(camera), incident_id)
        return None if text is None else wire.from_json(Incident, text)

    async def all(self, camera: str) -> list[Incident]:
        """Whatever is kept of a camera, by start."""
        async with translated():
            return await self._all(camera)

    async def latest(self, camera: str) -> Incident | None:
        """The alerted incident that started last."""
        alerted = [one for one in await self.all(camera) if _alerted(one)]
        return alerted[-1] if alerted else None

    async def explained(self, camera: str, incident_id: str) -> int:
        """The revision analyse explained it with; 0 if it did not, or long ago."""
        async with translated():
            revision = await self._redis.get(explained_key(camera, incident_id))
        return int(revision or 0)

    async def put_explained(self, camera: str, incident_id: str, revision: int) -> None:
        """Remember it, so that a job that comes twice does not ask the model twice."""
        async with translated():
            await self._redis.set(explained_key(camera, incident_id), revision, ex=EXPLAINED_KEPT_S)

    async def _all(self, camera: str) -> list[Incident]:
        texts = await self._redis.hvals(incidents_key(camera))
        incidents = [wire.from_json(Incident, text) for text in texts]
        return sorted(incidents, key=lambda one: (one.start_ms, one.id))


def _alerted(incident: Incident) -> bool:
    return incident.status is IncidentStatus.ALERTED
