"""Writing a camera's ring; see ``monitor.buffer.ring``, which is what callers import."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from monitor.buffer.connection import entries_of, store_error, translated
from monitor.buffer.keys import codec_key, cursor_key, ring_key, ring_keys_key
from monitor.buffer.ring_entries import codec_json, edge_ms
from monitor.buffer.ring_pipe import RingPipe, execute
from monitor.clock import Clock, SystemClock
from monitor.domain import AccessUnit, CodecParameters
from monitor.errors import StoreError

SHORTEST_KEPT_S: Final = 4.0
"""A full Redis shortens rings, but never below this: live pictures need it."""

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
        self._shortened: tuple[float, float] | None = None  # when, and to how many seconds

    async def append(self, units: Sequence[AccessUnit]) -> None:
        """Write units, in order, and trim. Writing the same units again is harmless.

        ``StoreError`` where they could not all be written; the caller then gives them again.
        """
        (error,) = await append_all(self._redis, [(self, units)])
        if error is not None:
            raise error

    def _commands(self, units: Sequence[AccessUnit], now_s: float) -> list[tuple[Any, ...]]:
        """What one round of writing sends, for the caller's pipeline."""
        trims = self._mark(now_s, units[-1].entry_ms)
        floor = self._floor_ms(now_s)
        key = self._key
        commands: list[tuple[Any, ...]] = []
        if trims:  # first: in a full Redis it makes the room for what follows
            commands.append(("XTRIM", key, "MINID", "~", floor))
        for unit in units:
            fields: list[Any] = [b"d", unit.data, b"g", unit.generation]
            if unit.is_key:
                fields += (b"k", 1)
                commands.append(("XADD", self._keys_key, "MINID", floor, f"{unit.entry_ms}-0",
                                 b"g", unit.generation))  # fmt: skip
                if (params := self._codecs.get(unit.generation)) is not None:
                    # Again with every GOP: a Redis that came back empty has it again at once.
                    codec = codec_json(params)
                    commands.append(("HSET", codec_key(self._camera), unit.generation, codec))
            if unit.capture_ms != unit.entry_ms:
                fields += (b"o", unit.capture_ms - unit.entry_ms)
            commands.append(("XADD", key, f"{unit.entry_ms}-0", *fields))
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
            error = await self._first_error(again, await execute(self._redis, again))
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

    def _mark(self, now_s: float, entry_ms: int) -> bool:
        """Note where the ring is now and then; whether it was noted."""
        if self._marks and now_s - self._marks[-1][0] < _MARK_EVERY_S:
            return False
        self._marks.append((now_s, entry_ms))
        while len(self._marks) > 1 and now_s - self._marks[1][0] >= self._keep_s:
            self._marks.popleft()
        return True

    def _floor_ms(self, now_s: float) -> int:
        """The oldest id to keep; what was there before this writer is reckoned by its ids."""
        marked_s, entry_ms = self._marks[0]
        return max(0, entry_ms - round(1000 * (self._keep_s - (now_s - marked_s))))

    def shortened_to_s(self) -> float | None:
        """The ring's length where a full Redis has lately shortened it, else None."""
        if self._shortened is None:
            return None
        at_s, length_s = self._shortened
        grown_s = length_s + self._clock.monotonic_s() - at_s
        return length_s if grown_s < self._keep_s else None

    async def _shorten(self, now_s: float) -> bool:
        """Make room in a full Redis: give up the oldest tenth; False where too little is left."""
        async with translated():
            first = await edge_ms(self._redis.xrange(self._key, count=1))
            last = await edge_ms(self._redis.xrevrange(self._key, count=1))
            if first is None or last is None:
                return False
            tenth = first + max(1000, (last - first) // 10)
            floor = max(self._floor_ms(now_s), min(tenth, last - round(1000 * SHORTEST_KEPT_S)))
            removed = await self._redis.xtrim(self._key, minid=floor, approximate=False)
            await self._redis.xtrim(self._keys_key, minid=floor, approximate=False)
        if not removed:
            return False
        self.shortened += 1
        self._shortened = now_s, max(0, last - floor) / 1000
        return True

    async def put_codec(self, params: CodecParameters) -> None:
        """Store a generation's parameters (before its first unit), forget those not in the ring."""
        key = codec_key(self._camera)
        self._codecs = {params.generation: params}
        async with translated():
            await self._redis.hset(key, str(params.generation), codec_json(params))
            oldest = entries_of(await self._redis.xrange(self._key, count=1))
            used = int(oldest[0][1][b"g"]) if oldest else params.generation
            stale = [name for name in await self._redis.hkeys(key) if int(name) < used]
            if stale:
                await self._redis.hdel(key, *stale)

    async def last_entry_ms(self) -> int | None:
        """The newest entry, so that a restarted ingest goes on after it."""
        async with translated():
            return await edge_ms(self._redis.xrevrange(self._key, count=1))

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
    redis: Redis,
    batches: Sequence[tuple[RingWriter, Sequence[AccessUnit]]],
    *,
    pipe: RingPipe | None = None,
) -> list[StoreError | None]:
    """Write to many cameras' rings in one round trip; each one's error, in order.

    All go together: at 24 cameras a round trip each would cost more than the writing. ``pipe``
    is a connection for just that.
    """
    rounds = []
    for writer, units in batches:
        now_s = writer._clock.monotonic_s()
        rounds.append((now_s, writer._commands(units, now_s) if units else []))
    together = [one for _, commands in rounds for one in commands]
    try:
        if pipe is None:
            answers = await execute(redis, together)
        else:
            answers = await pipe.execute(together)
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
