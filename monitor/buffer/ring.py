"""A camera's ring: its encoded access units of the last ``keep_s`` seconds, in Redis.

Written by ingest, read by watch, analyse and the dashboard. One stream entry per access unit,
its id is ``entry_ms``; beside it a small stream of the key access units' ids, so that the start
of a GOP is found without reading video. It never decodes and never looks into the data.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from monitor.buffer.connection import block_ms as within_deadline
from monitor.buffer.connection import entries_of, entries_read, store_error, translated
from monitor.buffer.keys import codec_key, cursor_key, ring_key, ring_keys_key
from monitor.clock import Clock, SystemClock
from monitor.domain import AccessUnit, CodecParameters, VideoCodec
from monitor.errors import RingGapError, StoreError

SHORTEST_KEPT_S: Final = 30.0
"""A full Redis shortens rings, but never below this."""

FORGET_AFTER_S: Final = 3600
"""A ring nobody writes any more is gone after this: a removed camera's video does not stay."""

_MARK_EVERY_S: Final = 1.0
_EXPIRE_EVERY_S: Final = 60.0


class RingWriter:
    """The one writer of a camera's ring.

    What arrived within ``keep_s`` is kept, measured on the monotonic clock: a clock that jumps
    moves the ids but does not empty the ring.
    """

    def __init__(
        self, redis: Redis, camera: str, keep_s: float, *, clock: Clock | None = None
    ) -> None:
        self._redis = redis
        self._camera = camera
        self._key = ring_key(camera)
        self._keys_key = ring_keys_key(camera)
        self._clock = clock or SystemClock()
        self._keep_s = keep_s
        self._marks: deque[tuple[float, int]] = deque()  # when, newest entry_ms then
        self._codecs: dict[int, CodecParameters] = {}
        self._expire_at = float("-inf")
        self.shortened = 0  # times a full Redis cost the ring its oldest part

    async def append(self, units: Sequence[AccessUnit]) -> None:
        """Write units, in order, and trim. Writing the same units again is harmless.

        ``StoreError`` where they could not all be written; the caller then gives them again.
        """
        (error,) = await append_all(self._redis, [(self, units)])
        if error is not None:
            raise error

    def _commands(self, units: Sequence[AccessUnit], now_s: float) -> list[tuple[Any, ...]]:
        """What one round of writing sends, for the caller's pipeline."""
        self._mark(now_s, units[-1].entry_ms)
        floor = self._floor_ms(now_s)
        key = self._key
        commands: list[tuple[Any, ...]] = []
        for unit in units:
            fields: list[Any] = [b"d", unit.data, b"g", unit.generation]
            if unit.is_key:
                fields += (b"k", 1)
                commands.append(("XADD", self._keys_key, "MINID", floor, f"{unit.entry_ms}-0",
                                 b"g", unit.generation))  # fmt: skip
                if (params := self._codecs.get(unit.generation)) is not None:
                    # Again with every GOP: a Redis that came back empty has it again at once.
                    codec = _codec_json(params)
                    commands.append(("HSET", codec_key(self._camera), unit.generation, codec))
            if unit.capture_ms != unit.entry_ms:
                fields += (b"o", unit.capture_ms - unit.entry_ms)
            commands.append(("XADD", key, f"{unit.entry_ms}-0", *fields))
        commands.append(("XTRIM", key, "MINID", "~", floor))
        if now_s >= self._expire_at:
            self._expire_at = now_s + _EXPIRE_EVERY_S
            commands.append(("EXPIRE", key, FORGET_AFTER_S))
            commands.append(("EXPIRE", self._keys_key, FORGET_AFTER_S))
        return commands

    async def _settle(
        self,
        units: Sequence[AccessUnit],
        commands: Sequence[tuple[Any, ...]],
        answers: Sequence[Any],
        now_s: float,
    ) -> None:
        """Look at the answers; a full Redis is given room once and the rest is tried again."""
        error = await self._first_error(commands, answers)
        if error is None:
            return
        self._expire_at = float("-inf")
        if error.reason == "full" and await self._shorten(now_s):
            again = self._commands(units, now_s)
            error = await self._first_error(again, await _execute(self._redis, again))
        if error is not None:
            raise error

    async def _first_error(
        self, commands: Sequence[tuple[Any, ...]], answers: Sequence[Any]
    ) -> StoreError | None:
        for command, answer in zip(commands, answers, strict=True):
            if isinstance(answer, RedisError) and not await self._was_written(command, answer):
                return store_error(answer)
        return None

    async def _was_written(self, command: tuple[Any, ...], error: RedisError) -> bool:
        """Whether a refused XADD is one that an earlier, interrupted attempt had written."""
        if "equal or smaller" not in str(error):
            return False
        key = command[1]
        entry_id = next(part for part in command if isinstance(part, str) and part.endswith("-0"))
        async with translated():
            if await self._redis.xrange(key, entry_id, entry_id):
                return True
        raise StoreError(
            "refused", f"the ring of {self._camera} has newer entries: does another ingest run?"
        )

    def _mark(self, now_s: float, entry_ms: int) -> None:
        if not self._marks or now_s - self._marks[-1][0] >= _MARK_EVERY_S:
            self._marks.append((now_s, entry_ms))
        while len(self._marks) > 1 and now_s - self._marks[1][0] >= self._keep_s:
            self._marks.popleft()

    def _floor_ms(self, now_s: float) -> int:
        """The oldest id to keep; what was there before this writer is reckoned by its ids."""
        marked_s, entry_ms = self._marks[0]
        return max(0, entry_ms - round(1000 * (self._keep_s - (now_s - marked_s))))

    async def _shorten(self, now_s: float) -> bool:
        """Make room in a full Redis: give up the oldest tenth; False where too little is left."""
        async with translated():
            first = await _edge_ms(self._redis.xrange(self._key, count=1))
            last = await _edge_ms(self._redis.xrevrange(self._key, count=1))
        floor = self._floor_ms(now_s)
        if first is not None and last is not None:
            tenth = max(1000, (last - first) // 10)
            floor = max(floor, min(first + tenth, last - round(1000 * SHORTEST_KEPT_S)))
        async with translated():
            removed = await self._redis.xtrim(self._key, minid=floor, approximate=False)
            await self._redis.xtrim(self._keys_key, minid=floor, approximate=False)
        self.shortened += bool(removed)
        return bool(removed)

    async def put_codec(self, params: CodecParameters) -> None:
        """Store a generation's parameters (before its first unit), forget those not in the ring."""
        key = codec_key(self._camera)
        self._codecs = {params.generation: params}
        async with translated():
            await self._redis.hset(key, str(params.generation), _codec_json(params))
            oldest = entries_of(await self._redis.xrange(self._key, count=1))
            used = int(oldest[0][1][b"g"]) if oldest else params.generation
            stale = [name for name in await self._redis.hkeys(key) if int(name) < used]
            if stale:
                await self._redis.hdel(key, *stale)

    async def last_entry_ms(self) -> int | None:
        """The newest entry, so that a restarted ingest goes on after it."""
        async with translated():
            return await _edge_ms(self._redis.xrevrange(self._key, count=1))

    async def reset(self) -> None:
        """Empty the ring and forget how far it was watched.

        For a ring that lies in the future, after the machine's clock was set back: entry ids
        must rise, and would otherwise be wrong until the clock has caught up.
        """
        async with translated():
            await self._redis.delete(
                self._key, self._keys_key, codec_key(self._camera), cursor_key(self._camera)
            )
        self._marks.clear()
        self._expire_at = float("-inf")


async def append_all(
    redis: Redis, batches: Sequence[tuple[RingWriter, Sequence[AccessUnit]]]
) -> list[StoreError | None]:
    """Write to many cameras' rings in one round trip; each one's error, in order.

    One pipeline for all: at 24 cameras the round trips would cost more than the writing.
    """
    rounds = []
    for writer, units in batches:
        now_s = writer._clock.monotonic_s()
        rounds.append((now_s, writer._commands(units, now_s) if units else []))
    answers: list[Any] = []
    try:
        answers = await _execute(redis, [one for _, commands in rounds for one in commands])
    except StoreError as error:
        return [error] * len(batches)
    errors: list[StoreError | None] = []
    at = 0
    for (writer, units), (now_s, commands) in zip(batches, rounds, strict=True):
        own = answers[at : at + len(commands)]
        at += len(commands)
        try:
            await writer._settle(units, commands, own, now_s)
        except StoreError as error:
            errors.append(error)
        else:
            errors.append(None)
    return errors


async def _execute(redis: Redis, commands: Sequence[tuple[Any, ...]]) -> list[Any]:
    if not commands:
        return []
    pipe = redis.pipeline(transaction=False)
    for command in commands:
        pipe.execute_command(*command)
    async with translated():
        return await pipe.execute(raise_on_error=False)


class RingReader:
    """Reads a ring; any number of readers, they change nothing."""

    def __init__(self, redis: Redis, camera: str) -> None:
        self._redis = redis
        self._camera = camera
        self._key = ring_key(camera)
        self._keys_key = ring_keys_key(camera)

    async def range(
        self, start_ms: int, end_ms: int, *, limit: int | None = None
    ) -> list[AccessUnit]:
        """Units by ``entry_ms``, both ends included; what is no longer there is just absent."""
        async with translated():
            answer = await self._redis.xrange(
                self._key, max(0, start_ms), max(0, end_ms), count=limit
            )
        return [_unit(entry_id, fields) for entry_id, fields in entries_of(answer)]

    async def tail(self, after_entry_ms: int, *, block_ms: int, count: int) -> list[AccessUnit]:
        """Units after an entry, waiting for the first up to ``block_ms`` (at most some seconds).

        ``RingGapError`` where the ring now ends before ``after_entry_ms``: it was emptied after
        a clock was set back, and following it means beginning at its start.
        """
        async with translated():
            answer = await self._redis.xread(
                {self._key: f"{max(0, after_entry_ms)}-0"},
                count=count,
                block=within_deadline(block_ms),
            )
        if entries := entries_read(answer):
            return [_unit(entry_id, fields) for entry_id, fields in entries]
        last_ms = await self.last_entry_ms()
        if last_ms is not None and last_ms < after_entry_ms:
            raise RingGapError(
                f"the ring of {self._camera} ends {after_entry_ms - last_ms} ms before the cursor"
            )
        return []

    async def first_entry_ms(self) -> int | None:
        """The oldest entry; None where the ring is empty."""
        async with translated():
            return await _edge_ms(self._redis.xrange(self._key, count=1))

    async def last_entry_ms(self) -> int | None:
        """The newest entry; None where the ring is empty."""
        async with translated():
            return await _edge_ms(self._redis.xrevrange(self._key, count=1))

    async def key_at_or_before(self, ms: int) -> int | None:
        """``entry_ms`` of the newest key access unit at or before a time."""
        async with translated():
            return await _edge_ms(self._redis.xrevrange(self._keys_key, max(0, ms), 0, count=1))

    async def codec(self, generation: int) -> CodecParameters | None:
        """The parameters of a generation; None where it is unknown."""
        async with translated():
            text = await self._redis.hget(codec_key(self._camera), str(generation))
        return None if text is None else _codec_of(text)

    async def latest_codec(self) -> CodecParameters | None:
        """The parameters of the newest generation."""
        async with translated():
            found = await self._redis.hgetall(codec_key(self._camera))
        if not found:
            return None
        return _codec_of(found[max(found, key=int)])


async def _edge_ms(query: Any) -> int | None:
    entries = entries_of(await query)
    return _ms(entries[0][0]) if entries else None


def _ms(entry_id: bytes) -> int:
    return int(entry_id.partition(b"-")[0])


def _unit(entry_id: bytes, fields: dict[bytes, bytes]) -> AccessUnit:
    entry_ms = _ms(entry_id)
    return AccessUnit(
        entry_ms=entry_ms,
        capture_ms=entry_ms + int(fields.get(b"o", 0)),
        is_key=b"k" in fields,
        generation=int(fields[b"g"]),
        data=fields[b"d"],
    )


def _codec_json(params: CodecParameters) -> str:
    return json.dumps(
        {
            "codec": params.codec.value,
            "width": params.width,
            "height": params.height,
            "extradata": params.extradata.hex(),
            "fps": params.fps,
            "generation": params.generation,
        }
    )


def _codec_of(text: bytes | str) -> CodecParameters:
    found = json.loads(text)
    return CodecParameters(
        codec=VideoCodec(found["codec"]),
        width=found["width"],
        height=found["height"],
        extradata=bytes.fromhex(found["extradata"]),
        fps=found["fps"],
        generation=found["generation"],
    )
