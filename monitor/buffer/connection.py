"""The connection to Redis, and its errors in our own words.

Every wait has a deadline: to connect, for an answer, and for blocking reads, which are cut to
``MAX_BLOCK_MS`` so that they always end before the socket's own deadline.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Final, cast

import redis.exceptions as redis_errors
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from monitor.errors import StoreError

CONNECT_TIMEOUT_S: Final = 2.0
ANSWER_TIMEOUT_S: Final = 5.0
MAX_BLOCK_MS: Final = 3000


def connect(url: str) -> Redis:
    """A client of ``redis://``, ``rediss://`` or ``unix://``; it connects when first used.

    Answers stay bytes. A connection that Redis closed meanwhile is replaced once, at once;
    waiting and trying again is the caller's business.
    """
    client = Redis.from_url(
        url,
        protocol=2,
        socket_connect_timeout=CONNECT_TIMEOUT_S,
        socket_timeout=ANSWER_TIMEOUT_S,
        retry=Retry(NoBackoff(), 1, supported_errors=(redis_errors.ConnectionError,)),
    )
    pool = client.connection_pool
    pool.connection_class = type("Connection", (_CancellableSends, pool.connection_class), {})
    return client


class _CancellableSends:
    """Mixed into redis-py's connections: a cancellation while sending is never lost.

    redis-py sends within ``asyncio.wait_for``, which up to Python 3.11 drops a cancellation that
    comes as the sending ends (python/cpython#86296): a task told to stop would go on for ever.
    """

    socket_timeout: float | None
    is_connected: bool
    connect_check_health: Any
    disconnect: Any

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        if not self.is_connected:
            await self.connect_check_health(check_health=False)
        limit_s, self.socket_timeout = self.socket_timeout, None
        try:
            async with asyncio.timeout(limit_s):
                await super().send_packed_command(command, check_health)  # type: ignore[misc]  # the class mixed into
        except TimeoutError as error:
            await self.disconnect(nowait=True)
            raise redis_errors.TimeoutError("timeout writing to socket") from error
        finally:
            self.socket_timeout = limit_s


Entries = list[tuple[bytes, dict[bytes, bytes]]]
"""What a Redis stream answers; an entry deleted meanwhile has no fields."""


def entries_of(answer: object) -> Entries:
    """redis-py's type of an answer holds every protocol and encoding; ours is bytes."""
    return cast(Entries, answer or [])


def entries_read(answer: Any) -> Entries:
    """The entries of a read from one Redis stream."""
    return entries_of(answer[0][1] if answer else None)


def block_ms(wanted_ms: int) -> int:
    """A blocking read's wait within the deadline; never 0, which Redis takes as for ever."""
    return min(max(1, wanted_ms), MAX_BLOCK_MS)


def store_error(error: Exception) -> StoreError:
    """What a Redis error means to us."""
    text = str(error)
    if isinstance(error, redis_errors.OutOfMemoryError) or text.startswith("OOM "):
        return StoreError("full", "Redis is full (maxmemory): give it more, or keep less video")
    if isinstance(error, redis_errors.AuthenticationError | redis_errors.NoPermissionError):
        return StoreError("refused", f"Redis refuses: {text}")
    if isinstance(
        error,
        redis_errors.ConnectionError
        | redis_errors.TimeoutError
        | redis_errors.ClusterDownError
        | redis_errors.ReadOnlyError
        | redis_errors.RedisClusterException
        | OSError,
    ):
        return StoreError("away", f"Redis is away: {text}")
    if text.startswith(("LOADING", "BUSY ", "MASTERDOWN", "TRYAGAIN", "UNBLOCKED")):
        return StoreError("away", f"Redis is not ready: {text}")
    return StoreError("refused", f"Redis refuses: {text}")


class translated:  # noqa: N801 - used like contextlib.suppress, which is named so too
    """``async with translated():`` raises StoreError in place of what redis-py raises."""

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, redis_errors.RedisError | OSError):
            raise store_error(error) from error
