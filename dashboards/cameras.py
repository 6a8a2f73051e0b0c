"""What every camera is doing now, polled from Redis once for all pages and requests."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from pydantic import ValidationError
from redis.asyncio import Redis

from monitor.buffer.cameras import CameraStore
from monitor.buffer.tally import Tally, TallyStore
from monitor.clock import Clock
from monitor.config.models import Camera
from monitor.domain import CameraState, CameraStatus, ViewCondition
from monitor.errors import StoreError

POLL_S: Final = 1.0
AGE_ALLOWED_MS: Final = 5000
"""An online camera whose last picture is older than this is not shown as live."""


@dataclass(frozen=True, slots=True)
class CameraNow:
    """One camera at a moment. ``state`` is None where no ingest has spoken of it lately."""

    camera: str
    name: str
    state: CameraState | None
    view: ViewCondition | None
    at_ms: int
    last_day: Tally = field(default_factory=Tally)  # moments that were looked at twice

    @property
    def status(self) -> str:
        """The CameraStatus, or ``unknown``."""
        return "unknown" if self.state is None else self.state.status.value

    @property
    def age_s(self) -> float | None:
        """Since the last picture."""
        if self.state is None or self.state.last_frame_ms is None:
            return None
        return max(0, self.at_ms - self.state.last_frame_ms) / 1000

    @property
    def is_live(self) -> bool:
        """Pictures come, now."""
        age_s = self.age_s
        return (
            self.state is not None
            and self.state.status is CameraStatus.ONLINE
            and age_s is not None
            and age_s * 1000 <= AGE_ALLOWED_MS
        )


class CameraBoard:
    """The last poll of every configured camera."""

    def __init__(self, redis: Redis, cameras: Sequence[Camera], clock: Clock) -> None:
        self._store = CameraStore(redis)
        self._tallies = TallyStore(redis)
        self._clock = clock
        self._names = {camera.id: camera.name or camera.id for camera in cameras}
        self._now = {
            camera_id: CameraNow(camera_id, name, None, None, 0)
            for camera_id, name in self._names.items()
        }
        self.problem: str | None = None  # why the last poll failed

    def all(self) -> list[CameraNow]:
        """As configured, in that order."""
        return list(self._now.values())

    def get(self, camera: str) -> CameraNow | None:
        """None for a camera that is not configured."""
        return self._now.get(camera)

    def name(self, camera: str) -> str:
        """For people; the id itself for a camera that is no longer configured."""
        return self._names.get(camera, camera)

    def state(self, camera: str) -> CameraState | None:
        """What ingest said of it last."""
        now = self._now.get(camera)
        return None if now is None else now.state

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            await self.poll()
            await self._clock.sleep(POLL_S)

    async def poll(self) -> None:
        """Ask Redis once. When it is away the states are unknown, and ``problem`` says so."""
        try:
            found = await asyncio.gather(*(self._read(camera) for camera in self._names))
        except StoreError as error:
            self.problem = str(error)
            found = [(None, None, Tally())] * len(self._names)
        else:
            self.problem = None
        at_ms = self._clock.wall_ms()
        for (camera, name), (state, view, tally) in zip(self._names.items(), found, strict=True):
            self._now[camera] = CameraNow(camera, name, state, view, at_ms, tally)

    async def _read(self, camera: str) -> tuple[CameraState | None, ViewCondition | None, Tally]:
        tally = await self._tallies.last_day(camera, self._clock.wall_ms())
        try:
            return await self._store.state(camera), await self._store.view(camera), tally
        except (ValidationError, ValueError):  # written by another version: as good as unknown
            return None, None, tally
