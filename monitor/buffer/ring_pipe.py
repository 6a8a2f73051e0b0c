"""How rounds of ring writing reach Redis: many commands in one go, answers together.

``RingPipe`` is ingest's: a blocking connection in a thread of its own. For half a megabyte of
video a round it takes half the CPU of the same over asyncio (many wake-ups, copies), and the
reading threads wait less for the interpreter. ``execute`` is the same over an asyncio client, for
who writes little.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import redis as blocking_redis
from redis.asyncio import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError
from redis.retry import Retry

from monitor.buffer.connection import ANSWER_TIMEOUT_S, CONNECT_TIMEOUT_S, translated

Command = tuple[Any, ...]
_COPIED_BYTES: Final = 2048


class RingPipe:
    """One connection, one round at a time; it connects by itself, again after a failure."""

    def __init__(self, url: str) -> None:
        client = blocking_redis.Redis.from_url(
            url,
            protocol=2,
            socket_connect_timeout=CONNECT_TIMEOUT_S,
            socket_timeout=ANSWER_TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
        )
        self._connection: Any = client.connection_pool.make_connection()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rings")

    async def execute(self, commands: Sequence[Command]) -> list[Any]:
        """The commands' answers, errors among them; ``StoreError`` where Redis is away."""
        if not commands:
            return []
        loop = asyncio.get_running_loop()
        async with translated():
            return await loop.run_in_executor(self._thread, self._round, commands)

    def _round(self, commands: Sequence[Command]) -> list[Any]:
        connection = self._connection
        answers: list[Any] = []
        try:
            connection.connect()
            connection.send_packed_command([b"".join(packed(commands))], check_health=False)
            for _ in commands:
                try:
                    answers.append(connection.read_response())
                except ResponseError as error:
                    answers.append(error)
        finally:
            if len(answers) < len(commands):  # cut off: late answers must not be the next ones
                connection.disconnect()
        return answers

    def close(self) -> None:
        """Close the connection, after the round that is under way."""
        self._thread.submit(self._connection.disconnect)
        self._thread.shutdown(wait=False)


async def execute(redis: Redis, commands: Sequence[Command]) -> list[Any]:
    """The same over an asyncio client, as one pipeline."""
    if not commands:
        return []
    pipe = redis.pipeline(transaction=False)
    for command in commands:
        pipe.execute_command(*command)
    async with translated():
        return await pipe.execute(raise_on_error=False)


def packed(commands: Sequence[Command]) -> list[bytes]:
    """The commands in Redis's protocol (RESP); video is passed on without copying it."""
    chunks: list[bytes] = []
    text = bytearray()
    for command in commands:
        text += b"*%d\r\n" % len(command)
        for argument in command:
            part = _argument(argument)
            text += b"$%d\r\n" % len(part)
            if len(part) < _COPIED_BYTES:
                text += part
            else:
                chunks += (bytes(text), part)
                text.clear()
            text += b"\r\n"
    chunks.append(bytes(text))
    return chunks


def _argument(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    return value.encode() if isinstance(value, str) else b"%d" % value
