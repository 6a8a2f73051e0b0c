"""What every page and every request may ask: the dashboard's collaborators, opened once.

``open_board`` is the only place where they are made; it closes what it opened.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from dashboards.cameras import CameraBoard
from dashboards.feed import AlertFeed
from dashboards.health import HealthBoard
from dashboards.intake import Intake
from dashboards.live.hub import LiveHub
from dashboards.live.snapshot import Snapshots
from dashboards.strings import Words
from monitor.archive import Archive
from monitor.buffer.connection import connect
from monitor.buffer.ring import RingReader
from monitor.clock import Clock
from monitor.config.endpoints import archive_url, media_dir, redis_url
from monitor.config.models import Config
from monitor.query.rulebook import RuleBook, rulebook


@dataclass(frozen=True, slots=True)
class Board:
    """Everything a page needs."""

    config: Config
    words: Words
    clock: Clock
    archive: Archive
    feed: AlertFeed
    intake: Intake
    cameras: CameraBoard
    health: HealthBoard
    live: LiveHub
    snapshots: Snapshots
    media: Path
    rules: RuleBook


@asynccontextmanager
async def open_board(config: Config, clock: Clock) -> AsyncIterator[Board]:
    """The collaborators with their background tasks running."""
    redis = connect(redis_url(config))
    archive = Archive(archive_url(config))
    feed = AlertFeed()
    intake = Intake(config, archive, feed, clock)
    cameras = CameraBoard(redis, config.cameras, clock)

    def ring_of(camera: str) -> RingReader:
        return RingReader(redis, camera)

    try:
        async with (
            LiveHub(ring_of, cameras.state, clock) as live,
            asyncio.TaskGroup() as tasks,
        ):
            health = HealthBoard(redis, intake, clock)
            running = [
                tasks.create_task(cameras.run(), name="camera states"),
                tasks.create_task(intake.run_broker(), name="alerts from the broker"),
                tasks.create_task(intake.run_archive(), name="alerts from the archive"),
                tasks.create_task(health.run(), name="health"),
            ]
            try:
                yield Board(
                    config=config,
                    words=Words(config.site.lang),
                    clock=clock,
                    archive=archive,
                    feed=feed,
                    intake=intake,
                    cameras=cameras,
                    health=health,
                    live=live,
                    snapshots=Snapshots(ring_of),
                    media=media_dir(config),
                    rules=rulebook(config.site.jurisdiction),
                )
            finally:
                for task in running:
                    task.cancel()
    finally:
        await archive.close()
        await redis.aclose()
