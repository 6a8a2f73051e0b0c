"""The embedded MQTT broker as a supervised process."""

from __future__ import annotations

import asyncio

from monitor.alert.broker import EmbeddedBroker
from monitor.config import endpoints
from monitor.config.models import Config


async def run(config: Config, *, stop: asyncio.Event) -> None:
    """Serve until told to stop."""
    host, port = endpoints.mqtt_address(config)
    async with EmbeddedBroker(host, port):
        await stop.wait()
