"""The whole chain in one event loop: RTSP server, ingest, watch, analyse, publish, a subscriber."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitor import wire
from monitor.capture.rtsp_server import Route, RtspServer
from monitor.config.models import Config
from monitor.domain import Alert, Stage
from monitor.trigger.forensic import examine
from tests.mqtt import Received, Subscriber
from workers import analyse, ingest, publish, watch
from workers.watching.look_back import Examine


@dataclass
class Chain:
    config: Config
    server: RtspServer
    subscriber: Subscriber

    def alerts(self) -> list[Alert]:
        """Every alert received so far, in order."""
        return _alerts(self.subscriber.received)

    async def explained(self, cameras: Sequence[str], timeout_s: float) -> dict[str, Alert]:
        """The first explained alert of each camera; those without one by then are left out."""

        def found(received: Sequence[Received]) -> dict[str, Alert]:
            first: dict[str, Alert] = {}
            for alert in _alerts(received):
                if alert.stage is Stage.EXPLAINED:
                    first.setdefault(alert.camera, alert)
            return first

        with contextlib.suppress(TimeoutError):  # the caller sees which are missing
            await self.subscriber.until(
                lambda received: set(found(received)) >= set(cameras), timeout_s
            )
        return found(self.subscriber.received)


def _alerts(received: Sequence[Received]) -> list[Alert]:
    return [wire.from_json(Alert, one.payload) for one in received if "/alerts/" in one.topic]


@asynccontextmanager
async def chain(
    routes: Sequence[Route],
    *,
    redis_url: str,
    mqtt_port: int,
    folder: Path,
    site: str,
    cameras: Mapping[str, Mapping[str, Any]] | None = None,
    examine: Examine = examine,
    **sections: Any,
) -> AsyncIterator[Chain]:
    """Everything running; ``cameras`` adds settings to the cameras that the routes' paths name,
    ``examine`` takes second looks."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(RtspServer(routes))
        names = [route.path.strip("/") for route in routes]
        config = Config.model_validate(
            {
                "site": {"id": site},
                "data_dir": folder,
                "redis": {"url": redis_url},
                "mqtt": {"host": "127.0.0.1", "port": mqtt_port},
                "cameras": [
                    {"id": name, "url": server.url(name), **(cameras or {}).get(name, {})}
                    for name in names
                ],
                **sections,
            }
        )
        subscriber = await stack.enter_async_context(
            Subscriber(mqtt_port, f"{config.mqtt.topic_prefix}/{site}/#")
        )
        stop = asyncio.Event()
        tasks = [
            asyncio.create_task(worker.run(config, stop=stop), name=worker.__name__)
            for worker in (publish, analyse, ingest)
        ]
        tasks.append(
            asyncio.create_task(watch.run(config, stop=stop, examine=examine), name="watch")
        )
        try:
            yield Chain(config, server, subscriber)
        finally:
            stop.set()
            _, late = await asyncio.wait(tasks, timeout=15)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks)
