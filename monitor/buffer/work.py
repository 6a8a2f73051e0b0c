"""Work queues: a Redis stream read by a consumer group, at least once, nothing lost.

An entry lives until it is acknowledged or given up, and only then is it deleted: the stream is
as long as the work that is left, and nothing trims it. Delivered and not acknowledged, it comes
again: to the same consumer when it restarts, else to whoever asks once it has been untouched for
``min_idle_ms``. Doing it twice must be harmless. Written for Redis 6.2 and later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from monitor.buffer.connection import Entries, entries_of, entries_read, translated
from monitor.buffer.connection import block_ms as within_deadline
from monitor.buffer.keys import DEAD

DEAD_KEPT: Final = 1000

_FIELD: Final = b"p"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A piece of work in this consumer's hands."""

    id: str
    payload: bytes
    attempts: int  # 1 at its first delivery, to whichever consumer


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """How much work is left."""

    waiting: int  # nobody has it yet
    pending: int  # somebody has it


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Work that was given up."""

    id: str
    source: str
    source_id: str
    payload: bytes
    reason: str
    attempts: int


async def put_work(redis: Redis, stream: str, payload: bytes) -> None:
    """Add work. A lost answer may add it twice."""
    async with translated():
        await redis.xadd(stream, {_FIELD: payload})


async def dead_letters(redis: Redis, count: int = 50) -> list[DeadLetter]:
    """The newest work that was given up, newest first."""
    async with translated():
        entries = entries_of(await redis.xrevrange(DEAD, count=count))
    return [
        DeadLetter(
            id=entry_id.decode(),
            source=fields[b"source"].decode(),
            source_id=fields[b"id"].decode(),
            payload=fields[_FIELD],
            reason=fields[b"reason"].decode(),
            attempts=int(fields[b"attempts"]),
        )
        for entry_id, fields in entries
    ]


class WorkQueue:
    """One consumer's hold on a queue. ``consumer`` must be the same after a restart."""

    def __init__(
        self,
        redis: Redis,
        stream: str,
        group: str,
        consumer: str,
        *,
        min_idle_ms: int,
        max_attempts: int,
    ) -> None:
        self._redis = redis
        self._stream = stream
        self._group = group
        self._consumer = consumer
        self._min_idle_ms = min_idle_ms
        self._max_attempts = max_attempts
        self._own_after: str | None = "0-0"  # None once all that was ours before is taken again
        self._claim_from = "0-0"

    async def put(self, payload: bytes) -> None:
        """Add work."""
        await put_work(self._redis, self._stream, payload)

    async def ensure_group(self) -> None:
        """Make the group, from the stream's beginning; taking does so too where it is missing."""
        async with translated():
            await self._create_group()

    async def take(self, count: int, block_ms: int) -> list[Delivery]:
        """Work to do, oldest first; empty after ``block_ms`` (at most some seconds) without any.

        First what this consumer held before it restarted, then what others (or it) left untouched
        for ``min_idle_ms``, then new work. What was delivered more than ``max_attempts`` times
        without an end is given up here.
        """
        async with translated():
            try:
                found = await self._take(count, block_ms)
            except ResponseError as error:
                if not str(error).startswith("NOGROUP"):
                    raise
                # First use, or a Redis that came back empty.
                self._own_after, self._claim_from = None, "0-0"
                await self._create_group()
                found = await self._take(count, block_ms)
        deliveries = []
        for delivery in found:
            if delivery.attempts > self._max_attempts:
                times = delivery.attempts - 1
                await self.give_up(delivery, f"taken {times} times and never finished")
            else:
                deliveries.append(delivery)
        return deliveries

    async def ack(self, delivery: Delivery) -> None:
        """The work is done: forget it."""
        async with translated():
            await self._forget(delivery.id)

    async def touch(self, delivery: Delivery) -> bool:
        """Keep long work from being taken over. False: it already was, so stop doing it."""
        async with translated():
            try:
                mine = await self._redis.xpending_range(
                    self._stream, self._group, delivery.id, delivery.id, 1, self._consumer
                )
            except ResponseError as error:
                if not str(error).startswith("NOGROUP"):
                    raise
                return False  # Redis came back empty
            if not mine:
                return False
            await self._redis.xclaim(
                self._stream, self._group, self._consumer, 0, [delivery.id], justid=True
            )
        return True

    async def give_up(self, delivery: Delivery, reason: str) -> None:
        """Move work to the dead letters. A crash between the two steps leaves it in both."""
        async with translated():
            await self._redis.xadd(
                DEAD,
                {
                    b"source": self._stream,
                    b"id": delivery.id,
                    b"reason": reason,
                    b"attempts": delivery.attempts,
                    _FIELD: delivery.payload,
                },
                maxlen=DEAD_KEPT,
                approximate=True,
            )
            await self._forget(delivery.id)

    async def depth(self) -> QueueDepth:
        """How much is left; acknowledged work is deleted, so the stream's length tells."""
        async with translated():
            pipe = self._redis.pipeline(transaction=True)
            pipe.xlen(self._stream)
            pipe.xpending(self._stream, self._group)
            length, pending = await pipe.execute(raise_on_error=False)
            if isinstance(length, ResponseError):
                raise length
            if isinstance(pending, ResponseError):
                if not str(pending).startswith("NOGROUP"):
                    raise pending
                return QueueDepth(waiting=length, pending=0)
        held = int(pending["pending"])
        return QueueDepth(waiting=max(0, length - held), pending=held)

    async def _take(self, count: int, block_ms: int) -> list[Delivery]:
        while self._own_after is not None:
            entries = await self._read(self._own_after, count, None)
            if not entries:
                self._own_after = None
                break
            self._own_after = entries[-1][0].decode()
            if deliveries := await self._deliveries(entries):
                return deliveries
        claimed = await self._redis.xautoclaim(
            self._stream, self._group, self._consumer, self._min_idle_ms, self._claim_from, count
        )
        self._claim_from = claimed[0].decode()
        if any(entry_id is None for entry_id, _ in claimed[1]):
            await self._forget_deleted()  # Redis 6.2 does not say which
        if deliveries := await self._deliveries(claimed[1]):
            return deliveries
        entries = await self._read(">", count, within_deadline(block_ms))
        return [Delivery(entry_id.decode(), fields[_FIELD], 1) for entry_id, fields in entries]

    async def _read(self, after: str, count: int, block: int | None) -> Entries:
        answer = await self._redis.xreadgroup(
            self._group, self._consumer, {self._stream: after}, count=count, block=block
        )
        return entries_read(answer)

    async def _deliveries(self, entries: Entries) -> list[Delivery]:
        """Entries taken again, with how often; those that are deleted are only acknowledged."""
        deliveries = []
        for entry_id, fields in sorted(
            (entry for entry in entries if entry[0] is not None),
            key=lambda entry: tuple(map(int, entry[0].split(b"-"))),
        ):
            if not fields:
                await self._forget(entry_id.decode())
                continue
            pending = await self._redis.xpending_range(
                self._stream, self._group, entry_id, entry_id, 1
            )
            if pending:  # else somebody finished it in this moment
                attempts = int(pending[0]["times_delivered"])
                deliveries.append(Delivery(entry_id.decode(), fields[_FIELD], attempts))
        return deliveries

    async def _forget_deleted(self) -> None:
        """Acknowledge what this consumer holds of entries that somebody else deleted."""
        held = await self._redis.xpending_range(
            self._stream, self._group, "-", "+", 100, self._consumer
        )
        for one in held:
            entry_id = cast(bytes, one["message_id"]).decode()
            if not await self._redis.xrange(self._stream, entry_id, entry_id):
                await self._forget(entry_id)

    async def _forget(self, entry_id: str) -> None:
        # Deleted first: cut off in between, it is still pending and is found deleted later. No
        # MULTI: a full Redis refuses to queue commands, and this is what makes room.
        pipe = self._redis.pipeline(transaction=False)
        pipe.xdel(self._stream, entry_id)
        pipe.xack(self._stream, self._group, entry_id)
        await pipe.execute()

    async def _create_group(self) -> None:
        try:
            await self._redis.xgroup_create(self._stream, self._group, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise
