"""A task told to stop while it talks to Redis stops, at whatever moment it is told."""

from __future__ import annotations

import asyncio

from monitor.buffer.connection import connect


async def test_a_cancellation_is_never_lost(redis_url: str) -> None:
    client = connect(redis_url)
    await client.ping()

    async def ping_and_wait() -> None:
        await client.ping()
        await asyncio.Event().wait()

    try:
        for steps in range(60):
            task = asyncio.create_task(ping_and_wait())
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            done, _ = await asyncio.wait({task}, timeout=1)
            assert done, f"told to stop after {steps} steps, it went on"
    finally:
        await client.aclose()
