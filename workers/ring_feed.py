"""Between the reading threads and Redis: empties every camera's backlog into its ring.

Used by ``workers.ingest`` alone. One round writes all cameras in one pipeline; a camera whose
ring could not be written keeps its units for the next round.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from redis.asyncio import Redis

from monitor.buffer.cameras import CameraStore
from monitor.buffer.ring import RingWriter, append_all
from monitor.buffer.ring_pipe import RingPipe
from monitor.capture.assembler import Product, RingRestart
from monitor.capture.camera_reader import CameraReader
from monitor.clock import Clock
from monitor.domain import AccessUnit, CameraState, CameraStatus, CodecParameters
from monitor.errors import StoreError

log = logging.getLogger(__name__)

STATE_EVERY_S: Final = 2.0
ROUND_BYTES: Final = 1024 * 1024
"""Of one camera in one round: after Redis was away, catching up must not make a burst."""

TOO_SHORT_S: Final = 30.0
"""A ring that a full Redis keeps shorter than this is no longer enough for an incident."""

_RETRY_FIRST_S: Final = 0.2
_RETRY_LONGEST_S: Final = 2.0
_STATUS: Final = {"full": CameraStatus.BUFFER_FULL}


@dataclass(slots=True)
class Feed:
    """One ring and who fills it."""

    reader: CameraReader
    writer: RingWriter
    error: StoreError | None = None  # why the ring cannot be written now
    error_since_ms: int = 0
    retry_at_s: float = 0.0
    retry_after_s: float = _RETRY_FIRST_S
    told: CameraState | None = field(default=None)
    told_at_s: float = float("-inf")

    @property
    def name(self) -> str:
        return self.reader.name


class RingFeed:
    """Writes what was read, and says how each camera is."""

    def __init__(self, redis: Redis, pipe: RingPipe, feeds: Sequence[Feed], clock: Clock) -> None:
        self._redis = redis
        self._pipe = pipe
        self._feeds = feeds
        self._clock = clock
        self._states = CameraStore(redis)

    async def round(self) -> bool:
        """Write what is there; True where more is waiting already."""
        for feed in self._feeds:
            feed.reader.collect()
        now_s = self._clock.monotonic_s()
        due = [one for one in self._feeds if one.retry_at_s <= now_s and len(one.reader.backlog)]
        taken = [(feed, feed.reader.backlog.take(ROUND_BYTES)) for feed in due]
        # What is not an access unit comes in its place among them, and rarely.
        plain = [(feed, products) for feed, products in taken if _only_units(products)]
        mixed = [(feed, products) for feed, products in taken if not _only_units(products)]
        errors = await append_all(
            self._redis,
            [(feed.writer, _units(products)) for feed, products in plain],
            pipe=self._pipe,
        )
        for (feed, products), error in zip(plain, errors, strict=True):
            self._settle(feed, products, error)
        for feed, products in mixed:
            self._settle(feed, *await _write_in_order(feed.writer, products))
        return any(feed.error is None and len(feed.reader.backlog) > 64 for feed in due)

    def _settle(self, feed: Feed, left: Sequence[Product], error: StoreError | None) -> None:
        if error is None:
            if feed.error is not None:
                log.info("camera %s: its ring is written again", feed.name)
            feed.error, feed.retry_at_s, feed.retry_after_s = None, 0.0, _RETRY_FIRST_S
            return
        feed.reader.backlog.give_back(left)
        if feed.error is None or feed.error.reason != error.reason:
            log.warning("camera %s: its ring cannot be written: %s", feed.name, error)
            feed.error_since_ms = self._clock.wall_ms()
        feed.error = error
        feed.retry_at_s = self._clock.monotonic_s() + feed.retry_after_s
        feed.retry_after_s = min(_RETRY_LONGEST_S, feed.retry_after_s * 2)

    async def tell_states(self) -> None:
        """Store every state that changed or is due; a Redis that takes none is asked later."""
        now_s = self._clock.monotonic_s()
        for feed in self._feeds:
            state = self.state(feed)
            told = feed.told
            changed = told is None or (told.status, told.detail, told.codec, told.width) != (
                state.status, state.detail, state.codec, state.width,
            )  # fmt: skip
            if not changed and now_s - feed.told_at_s < STATE_EVERY_S:
                continue
            if feed.error is not None and now_s - feed.told_at_s < STATE_EVERY_S:
                continue
            feed.told_at_s = now_s
            try:
                await self._states.put_state(state)
            except StoreError as error:
                log.debug("the state of camera %s could not be stored: %s", feed.name, error)
                if error.reason == "away":
                    return
            else:
                feed.told = state

    def state(self, feed: Feed) -> CameraState:
        """What the camera's reader says, unless its ring is the trouble."""
        now = feed.reader.snapshot()
        status, since_ms, detail = now.status, now.since_ms, now.detail
        if feed.error is not None:
            status = _STATUS.get(feed.error.reason, CameraStatus.BUFFER_AWAY)
            since_ms, detail = feed.error_since_ms, str(feed.error)
        elif (kept_s := feed.writer.shortened_to_s()) is not None:
            detail = f"Redis is full: only the last {kept_s:.0f} s of video are kept"
            if kept_s < TOO_SHORT_S and status is CameraStatus.ONLINE:
                status = CameraStatus.BUFFER_FULL
        return CameraState(
            camera=feed.name,
            status=status,
            since_ms=since_ms,
            detail=detail,
            codec=now.codec,
            width=now.width,
            height=now.height,
            fps=now.fps,
            bitrate_bps=now.bitrate_bps,
            last_frame_ms=now.last_frame_ms,
            reconnects=now.reconnects,
            clock=now.clock,
            has_b_frames=now.has_b_frames,
            clock_jumps=now.clock_jumps,
        )

    def counters(self) -> dict[str, int | float]:
        """Of all cameras together, for the heartbeat."""
        readers = [feed.reader for feed in self._feeds]
        states = [reader.snapshot().status for reader in readers]
        return {
            "cameras": len(readers),
            "cameras_online": sum(status is CameraStatus.ONLINE for status in states),
            "units": sum(reader.units for reader in readers),
            "bytes": sum(reader.bytes for reader in readers),
            "units_dropped": sum(reader.backlog.dropped for reader in readers),
            "units_broken": sum(reader.broken_units for reader in readers),
            "rings_shortened": sum(feed.writer.shortened for feed in self._feeds),
            "reconnects": sum(reader.snapshot().reconnects for reader in readers),
        }


async def _write_in_order(
    writer: RingWriter, products: Sequence[Product]
) -> tuple[list[Product], StoreError | None]:
    """Write one by one what must keep its order; what is left, and why."""
    at = 0
    try:
        while at < len(products):
            product = products[at]
            if isinstance(product, CodecParameters):
                await writer.put_codec(product)
                at += 1
            elif isinstance(product, RingRestart):
                await writer.reset()
                at += 1
            else:
                until = at
                while until < len(products) and isinstance(products[until], AccessUnit):
                    until += 1
                await writer.append(_units(products[at:until]))
                at = until
    except StoreError as error:
        return list(products[at:]), error
    return [], None


def _units(products: Iterable[Product]) -> list[AccessUnit]:
    return [one for one in products if isinstance(one, AccessUnit)]


def _only_units(products: Iterable[Product]) -> bool:
    return all(isinstance(one, AccessUnit) for one in products)
