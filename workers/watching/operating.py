"""One camera's operating score: out of Redis at the start, learned on, back once a minute.

Losing the last minute of it is harmless, so nothing waits for Redis here except the start.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Final

from redis.asyncio import Redis

from monitor.buffer.scores import ScoreStore
from monitor.clock import Clock
from monitor.config.models import Camera
from monitor.errors import StoreError
from monitor.trigger.sensitivity import Sensitivity
from workers.watching.patience import Patience

log = logging.getLogger(__name__)

SAVE_S: Final = 60.0
_AT_STOP_S: Final = 2.0
_WORTH_SAYING: Final = 1.25


class Operating:
    """Keeps one camera's ``Sensitivity`` in Redis, and the score that follows from it."""

    def __init__(self, camera: Camera, redis: Redis, clock: Clock) -> None:
        self._camera = camera
        self._store = ScoreStore(redis)
        self._clock = clock
        self._patience = Patience(camera.id, clock)
        self._scores = Sensitivity()
        self._saved_s = clock.monotonic_s()
        self._said = self.score = self._now()

    async def load(self) -> None:
        """Go on where the last run ended; what cannot be read is discarded, and the log says so."""
        text = await self._patience.do(lambda: self._store.get(self._camera.id))
        if text is not None:
            try:
                self._scores = Sensitivity.from_json(text)
            except ValueError as error:
                log.warning("camera %s: its scores are discarded: %s", self._camera.id, error)
        self._said = self.score = self._now()

    def watched(self, until_ms: int, scores: Iterable[tuple[int, float]]) -> None:
        """Video up to a time was watched, and these moments were judged, at these raw scores."""
        for at_ms, score in scores:
            self._scores.note(at_ms, score)
        self._scores.watched(until_ms)

    def excuse(self, at_ms: int) -> None:
        """An incident was confirmed: it is not what is usual here."""
        self._scores.excuse(at_ms)

    async def save_now_and_then(self) -> None:
        """Called after every batch; most calls do nothing."""
        if self._clock.monotonic_s() - self._saved_s < SAVE_S:
            return
        self._saved_s = self._clock.monotonic_s()
        self.score = self._now()
        if max(self.score, self._said) / min(self.score, self._said) > _WORTH_SAYING:
            log.info(
                "camera %s: a candidate from a raw score of %.2f on, for about %.0f a day",
                self._camera.id, self.score, self._camera.trigger.candidates_per_day,
            )  # fmt: skip
            self._said = self.score
        try:
            await self._store.put(self._camera.id, self._scores.to_json())
        except StoreError as error:
            log.warning("camera %s: its scores were not saved: %s", self._camera.id, error)

    async def save_at_stop(self) -> None:
        """Once more, without waiting for a Redis that is away."""
        try:
            async with asyncio.timeout(_AT_STOP_S):
                await self._store.put(self._camera.id, self._scores.to_json())
        except (StoreError, TimeoutError) as error:
            log.warning("camera %s: its scores were not saved: %s", self._camera.id, error)

    def _now(self) -> float:
        return self._scores.operating(self._camera.trigger.candidates_per_day)
