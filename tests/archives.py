"""What a second process does with an archive, importable by it."""

from __future__ import annotations

import asyncio

from monitor.archive import Archive
from tests import alerts


def open_and_store(url: str, number: int) -> str:
    """Open (and migrate) the archive, store one alert, say what became of it."""

    async def work() -> str:
        async with Archive(url) as archive:
            return await archive.store(alerts.provisional(peak_ms=alerts.PEAK_MS + number))

    return str(asyncio.run(work()))
