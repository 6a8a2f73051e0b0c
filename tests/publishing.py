"""Running publish for a test, in this process or in one that can be killed."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import SecretStr

from monitor.buffer.connection import connect
from monitor.buffer.keys import OUTBOX
from monitor.buffer.work import WorkQueue, put_work
from monitor.config.models import Archive, Camera, Config, Mqtt, Redis, Site
from monitor.domain import Alert
from monitor.wire import from_json, to_json
from tests import alerts
from tests.mqtt import Received
from workers import publish

LEASE_S = 1.5


def config(folder: Path, redis_port: int, mqtt_port: int, *, archive: str | None = None) -> Config:
    return Config(
        site=Site(id="demo"),
        cameras=(
            Camera(id="north", url=SecretStr("rtsp://x")),
            Camera(id="south", url=SecretStr("rtsp://x")),
        ),
        data_dir=folder,
        redis=Redis(url=SecretStr(f"redis://127.0.0.1:{redis_port}/0")),
        mqtt=Mqtt(host="127.0.0.1", port=mqtt_port, topic_prefix="test"),
        archive=Archive(url=None if archive is None else SecretStr(archive)),
    )


@asynccontextmanager
async def publishing(settings: Config) -> AsyncIterator[None]:
    """publish, in this process; its failure fails the test."""
    stop = asyncio.Event()
    task = asyncio.create_task(publish.run(settings, stop=stop, lease_s=LEASE_S))
    try:
        yield
    finally:
        stop.set()
        await task


def child(settings: Config) -> multiprocessing.process.BaseProcess:
    """publish, in a process of its own."""
    process = multiprocessing.get_context("spawn").Process(target=_publish, args=(settings,))
    process.start()
    return process


def _publish(settings: Config) -> None:
    asyncio.run(publish.run(settings, lease_s=LEASE_S))


async def put(redis_port: int, payloads: Sequence[bytes | Alert]) -> None:
    """Into the outbox, in this order."""
    redis = connect(f"redis://127.0.0.1:{redis_port}/0")
    for payload in payloads:
        await put_work(redis, OUTBOX, payload if isinstance(payload, bytes) else to_json(payload))
    await redis.aclose()


def burst(count: int) -> list[Alert]:
    """So many incidents on two cameras in turn, each with its three revisions."""
    return [
        alert
        for number in range(count)
        for alert in (
            alerts.provisional(
                "north" if number % 2 else "south", peak_ms=alerts.PEAK_MS + number * 60_000
            ),
            alerts.provisional(
                "north" if number % 2 else "south",
                peak_ms=alerts.PEAK_MS + number * 60_000,
                triggers=2,
            ),
            alerts.explained(
                "north" if number % 2 else "south",
                peak_ms=alerts.PEAK_MS + number * 60_000,
                triggers=2,
            ),
        )
    ]


def names(received: Sequence[Received]) -> list[tuple[str, int]]:
    """(id, revision) of the alerts among the messages, in the order they came."""
    found = [
        from_json(Alert, message.payload) for message in received if "/alerts/" in message.topic
    ]
    return [(alert.id, alert.revision) for alert in found]


def without_repeats(named: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    return list(dict.fromkeys(named))


async def left_in_outbox(port: int) -> tuple[int, int]:
    client = connect(f"redis://127.0.0.1:{port}/0")
    depth = await WorkQueue(client, OUTBOX, "publish", "x", min_idle_ms=1, max_attempts=1).depth()
    await client.aclose()
    return depth.waiting, depth.pending


async def polled(true: Callable[[], Awaitable[bool]]) -> None:
    """Until it is true; for what neither Redis nor SQLite announces."""
    async with asyncio.timeout(20):
        while not await true():  # noqa: ASYNC110 - another process changes it
            await asyncio.sleep(0.02)
