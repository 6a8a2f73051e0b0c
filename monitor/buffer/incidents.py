"""The last incidents of each camera, as watch opened and extended them."""

from __future__ import annotations

from typing import Final

from redis.asyncio import Redis

from monitor import wire
from monitor.buffer.connection import translated
from monitor.buffer.keys import explained_key, incidents_key
from monitor.domain import Incident

KEEP: Final = 50
EXPLAINED_KEPT_S: Final = 6 * 3600


class IncidentStore:
    """Incidents are written by watch alone and read by analyse, which notes what it explained."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def put(self, incident: Incident) -> None:
        """Store or replace an incident; beyond the last ``KEEP`` the oldest go."""
        key = incidents_key(incident.camera)
        async with translated():
            await self._redis.hset(key, incident.id, wire.to_json(incident))
            if await self._redis.hlen(key) > KEEP:
                oldest_first = await self._all(incident.camera)
                await self._redis.hdel(key, *(one.id for one in oldest_first[:-KEEP]))

    async def get(self, camera: str, incident_id: str) -> Incident | None:
        """None where it is unknown or too long ago."""
        async with translated():
            text = await self._redis.hget(incidents_key(camera), incident_id)
        return None if text is None else wire.from_json(Incident, text)

    async def latest(self, camera: str) -> Incident | None:
        """The incident that started last."""
        async with translated():
            incidents = await self._all(camera)
        return incidents[-1] if incidents else None

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
