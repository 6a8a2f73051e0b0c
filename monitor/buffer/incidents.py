"""The last incidents of each camera, as watch opened and extended them."""

from __future__ import annotations

from typing import Final

from redis.asyncio import Redis

from monitor import wire
from monitor.buffer.connection import translated
from monitor.buffer.keys import incidents_key
from monitor.domain import Incident

KEEP: Final = 50


class IncidentStore:
    """Written by watch alone, read by analyse."""

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

    async def _all(self, camera: str) -> list[Incident]:
        texts = await self._redis.hvals(incidents_key(camera))
        incidents = [wire.from_json(Incident, text) for text in texts]
        return sorted(incidents, key=lambda one: (one.start_ms, one.id))
