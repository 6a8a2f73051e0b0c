"""How long a question waits, and whose fault it was that it ended."""

from __future__ import annotations

import asyncio

import pytest

from monitor.clock import SystemClock
from monitor.errors import QueryError
from workers.asking.patience import Patience


async def test_a_timeout_of_the_bodys_own_is_not_the_servers() -> None:
    patience = Patience(30.0, SystemClock())
    with pytest.raises(TimeoutError, match="disk"):
        async with patience.waiting():
            raise TimeoutError("disk")


async def test_waiting_too_long_is_told_as_that() -> None:
    patience = Patience(0.05, SystemClock())
    with pytest.raises(QueryError, match=r"no answer within 0\.05 s") as caught:
        async with patience.waiting():
            await asyncio.Event().wait()
    assert caught.value.reason == "timeout"
