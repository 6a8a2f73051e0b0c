"""What watch learns of a camera's scores, over restarts, and what follows from it."""

from __future__ import annotations

import logging

import pytest
from redis.asyncio import Redis

from monitor.buffer.cameras import CameraStore
from monitor.buffer.incidents import IncidentStore
from monitor.buffer.ring import RingWriter
from monitor.buffer.scores import ScoreStore
from monitor.trigger.sensitivity import HIGHEST, Sensitivity
from tests.street import START_MS
from tests.watching import config_of, film, part, redis_at, until, watching

DAY_MS = 86_400_000


def noisy() -> Sensitivity:
    """Two days of a camera on which something scores high every minute."""
    made = Sensitivity()
    start_ms = START_MS - 3 * DAY_MS
    for at_ms in range(start_ms, start_ms + 2 * DAY_MS, 5_000):
        if (at_ms - start_ms) % 60_000 == 0:
            made.note(at_ms, 6.0)
        made.watched(at_ms)
    return made


async def watch_a_brake(redis: Redis, redis_url: str, camera: str) -> int:
    """How many incidents the first seconds of the film open."""
    units = part(0.0, 13.0)
    writer = RingWriter(redis, camera, 600.0)
    await writer.put_codec(film()[1])
    await writer.append(units)
    await CameraStore(redis).put_cursor(camera, units[0].entry_ms)

    async def done() -> bool:
        return (await CameraStore(redis).cursor(camera) or 0) >= units[-1].entry_ms - 2_000

    async with watching(config_of(redis_url, camera)):
        await until(done)
    return len(await IncidentStore(redis).all(camera))


def strongest(caplog: pytest.LogCaptureFixture, camera: str) -> float:
    """The highest score that watch told of a live trigger; 0 without one."""
    told = [one.args for one in caplog.records if one.name == "workers.watching.camera"]
    scores = [args[2] for args in told if isinstance(args, tuple) and args[0] == camera
              and len(args) == 4]  # fmt: skip
    return max((score for score in scores if isinstance(score, float)), default=0.0)


async def test_what_was_judged_is_kept_over_a_restart(redis_url: str, camera_id: str) -> None:
    async with redis_at(redis_url) as redis:
        assert await watch_a_brake(redis, redis_url, camera_id) == 1
        kept = await ScoreStore(redis).get(camera_id)
        assert kept is not None
        before = Sensitivity.from_json(kept)
        assert before.to_json() != Sensitivity().to_json()
        before.watched(START_MS + 14_000)  # goes on from there


async def test_a_camera_that_cries_all_day_needs_more_to_be_looked_at_twice(
    redis_url: str, camera_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    scores = noisy()
    assert scores.operating(1000) == HIGHEST
    quiet = f"{camera_id}-quiet"
    async with redis_at(redis_url) as redis:
        await ScoreStore(redis).put(camera_id, scores.to_json())
        with caplog.at_level(logging.INFO):
            await watch_a_brake(redis, redis_url, quiet)
            await watch_a_brake(redis, redis_url, camera_id)
    assert strongest(caplog, quiet) >= 1.0
    # Told again only where it is a good deal stronger, so not exactly the half of it.
    assert strongest(caplog, camera_id) <= 1.2 * strongest(caplog, quiet) / HIGHEST


async def test_scores_that_cannot_be_read_are_discarded(
    redis_url: str, camera_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with redis_at(redis_url) as redis:
        await ScoreStore(redis).put(camera_id, '{"version": 0}')
        with caplog.at_level(logging.WARNING):
            assert await watch_a_brake(redis, redis_url, camera_id) == 1
        assert "its scores are discarded" in caplog.text
