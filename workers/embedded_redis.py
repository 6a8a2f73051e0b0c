"""The embedded Redis as a supervised process: it runs as long as the server does."""

from __future__ import annotations

import asyncio

from monitor.buffer.embedded import EmbeddedRedis
from monitor.config import endpoints
from monitor.config.models import Config
from monitor.errors import StoreError


async def run(config: Config, *, stop: asyncio.Event) -> None:
    """Until told to stop; ``StoreError`` where the server ends by itself."""
    socket_path = endpoints.run_dir(config) / "redis.sock"
    async with EmbeddedRedis(socket_path, config.data_dir.resolve() / "redis") as server:
        ended = asyncio.ensure_future(server.wait())
        told = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait({ended, told}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            told.cancel()
            ended.cancel()
        if not stop.is_set():
            raise StoreError("away", "the embedded Redis ended by itself")
