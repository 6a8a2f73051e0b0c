"""A control room for tests: a dashboard process, its own servers, a browser looking at it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiomqtt
from playwright.async_api import Browser, Page
from redis.asyncio import Redis

from monitor import wire
from monitor.archive import Archive
from monitor.config.endpoints import archive_url, media_dir
from monitor.config.models import Config
from monitor.domain import Alert
from tests import servers
from tests.dashboards import browser, config_of, dashboard, redis_client, settings


@dataclass
class Room:
    """What a test may ask of it."""

    config: Config
    url: str
    redis: Redis
    redis_server: servers.Server
    broker: servers.Server
    browser: Browser
    outside: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def media(self) -> Path:
        return media_dir(self.config)

    async def page(self, path: str = "/", **options: Any) -> Page:
        """A page of a fresh profile. What it asks other hosts for is noted, and its errors."""
        context = await self.browser.new_context(viewport={"width": 1440, "height": 810}, **options)
        page = await context.new_page()
        page.on("request", lambda request: self._note(request.url))
        page.on("websocket", lambda socket: self._note(socket.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        await page.goto(self.url + path)
        return page

    def _note(self, url: str) -> None:
        own = self.url.partition("://")[2]
        if not url.startswith(("data:", "blob:")) and not url.partition("://")[2].startswith(own):
            self.outside.append(url)

    async def archive(self, *alerts: Alert) -> None:
        async with Archive(archive_url(self.config)) as archive:
            for alert in alerts:
                await archive.upsert(alert)

    async def publish(self, *alerts: Alert) -> None:
        """As publish does, but without the archive."""
        async with aiomqtt.Client("127.0.0.1", self.broker.port) as client:
            for alert in alerts:
                topic = f"{self.config.mqtt.topic_prefix}/demo/alerts/{alert.camera}"
                await client.publish(topic, wire.to_json(alert), qos=1)


@asynccontextmanager
async def open_room(folder: Path, cameras: Sequence[str], **more: Any) -> AsyncIterator[Room]:
    """Everything started, and ended afterwards; ``more`` overrides the configuration."""
    with servers.redis_server(folder) as own_redis, servers.mosquitto(folder) as broker:
        values = settings(
            folder,
            cameras,
            redis_port=own_redis.port,
            mqtt_port=broker.port,
            port=servers.free_port(),
            **more,
        )
        async with redis_client(own_redis.port) as redis, dashboard(values), browser() as chromium:
            url = f"http://127.0.0.1:{values['dashboard']['port']}"
            yield Room(config_of(values), url, redis, own_redis, broker, chromium)
