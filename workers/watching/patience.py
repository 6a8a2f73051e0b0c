"""Waiting for Redis: what was found is kept and written when it is there again."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from monitor.clock import Clock
from monitor.errors import StoreError

log = logging.getLogger(__name__)

_FIRST_WAIT_S: Final = 0.5
_LONGEST_WAIT_S: Final = 5.0

T = TypeVar("T")


class Patience:
    """Does one thing at a time until Redis lets it; each absence is said once."""

    def __init__(self, camera: str, clock: Clock) -> None:
        self._camera = camera
        self._clock = clock

    async def do(self, act: Callable[[], Awaitable[T]]) -> T:
        """``act`` must be harmless to do twice: an answer may be lost."""
        wait_s, said = _FIRST_WAIT_S, False
        while True:
            try:
                result = await act()
            except StoreError as error:
                if not said:
                    log.warning("camera %s: watching waits: %s", self._camera, error)
                    said = True
                await self._clock.sleep(wait_s)
                wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
            else:
                if said:
                    log.info("camera %s: watching goes on", self._camera)
                return result
