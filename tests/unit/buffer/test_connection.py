from __future__ import annotations

import pytest
import redis.exceptions as redis_errors

from monitor.buffer.connection import (
    ANSWER_TIMEOUT_S,
    MAX_BLOCK_MS,
    block_ms,
    connect,
    store_error,
    translated,
)
from monitor.errors import StoreError


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (redis_errors.ConnectionError("Error 111 connecting to 127.0.0.1:1"), "away"),
        (redis_errors.TimeoutError("Timeout reading from socket"), "away"),
        (redis_errors.BusyLoadingError("LOADING Redis is loading the dataset"), "away"),
        (redis_errors.ReadOnlyError("READONLY You can't write against a replica"), "away"),
        (redis_errors.ResponseError("MASTERDOWN Link with MASTER is down"), "away"),
        (FileNotFoundError(2, "No such file or directory"), "away"),
        (redis_errors.OutOfMemoryError("command not allowed when used memory"), "full"),
        (redis_errors.ResponseError("OOM command not allowed when used memory"), "full"),
        (redis_errors.AuthenticationError("invalid username-password pair"), "refused"),
        (redis_errors.NoPermissionError("this user has no permissions"), "refused"),
        (redis_errors.ResponseError("WRONGTYPE Operation against a key"), "refused"),
        (redis_errors.ResponseError("MISCONF Redis is configured to save"), "refused"),
    ],
)
async def test_every_error_of_redis_becomes_one_of_ours(error: Exception, reason: str) -> None:
    assert store_error(error).reason == reason
    with pytest.raises(StoreError) as caught:
        async with translated():
            raise error
    assert caught.value.reason == reason
    assert caught.value.__cause__ is error


async def test_other_errors_pass_untouched() -> None:
    with pytest.raises(KeyError):
        async with translated():
            raise KeyError("x")


@pytest.mark.parametrize(
    ("wanted", "given"),
    [(0, 1), (-5, 1), (250, 250), (MAX_BLOCK_MS, MAX_BLOCK_MS), (10**9, MAX_BLOCK_MS)],
)
def test_a_blocking_read_ends_before_the_sockets_deadline(wanted: int, given: int) -> None:
    assert block_ms(wanted) == given
    assert block_ms(wanted) / 1000 < ANSWER_TIMEOUT_S


async def test_a_redis_that_is_not_there_is_away_and_its_password_stays_hidden() -> None:
    redis = connect("redis://user:hunter2@127.0.0.1:1/0")
    with pytest.raises(StoreError) as caught:
        async with translated():
            await redis.ping()
    await redis.aclose()
    assert caught.value.reason == "away"
    assert "hunter2" not in str(caught.value)


async def test_a_unix_socket_that_is_not_there_is_away() -> None:
    redis = connect("unix:///nonexistent/redis.sock")
    with pytest.raises(StoreError) as caught:
        async with translated():
            await redis.ping()
    await redis.aclose()
    assert caught.value.reason == "away"
