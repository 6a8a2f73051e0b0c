"""A camera's newest key picture as JPEG: for browsers and codecs that WebRTC cannot serve.

Decoded at most once per key access unit and camera, whoever asks, off the event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import cv2

from monitor.domain import AccessUnit, CodecParameters
from monitor.errors import MediaError
from monitor.media.decode import Decoder, to_bgr

WIDTH_PX: Final = 960
QUALITY: Final = 80


class KeyRing(Protocol):
    """What a snapshot asks of ``buffer.ring.RingReader``."""

    async def last_entry_ms(self) -> int | None: ...
    async def key_at_or_before(self, ms: int) -> int | None: ...
    async def codec(self, generation: int) -> CodecParameters | None: ...
    async def range(
        self, start_ms: int, end_ms: int, *, limit: int | None = None
    ) -> list[AccessUnit]: ...


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A picture and when it was taken."""

    entry_ms: int
    capture_ms: int
    jpeg: bytes


class Snapshots:
    """The newest snapshot of each camera."""

    def __init__(self, ring_of: Callable[[str], KeyRing]) -> None:
        self._ring_of = ring_of
        self._newest: dict[str, Snapshot] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def newest(self, camera: str) -> Snapshot | None:
        """None where the ring holds no key unit; ``MediaError`` where it cannot be decoded."""
        async with self._locks.setdefault(camera, asyncio.Lock()):
            ring = self._ring_of(camera)
            last = await ring.last_entry_ms()
            key = None if last is None else await ring.key_at_or_before(last)
            if key is None:
                return None
            known = self._newest.get(camera)
            if known is not None and known.entry_ms == key:
                return known
            units = await ring.range(key, key, limit=1)
            params = await ring.codec(units[0].generation) if units else None
            if params is None:
                return None
            jpeg = await asyncio.to_thread(_encode, units[0], params)
            snapshot = Snapshot(key, units[0].capture_ms, jpeg)
            self._newest[camera] = snapshot
            return snapshot


def _encode(unit: AccessUnit, params: CodecParameters) -> bytes:
    frames = Decoder(params, keys_only=True).decode(unit)
    if not frames:
        raise MediaError("the key access unit holds no picture")
    width = min(WIDTH_PX, frames[0].frame.width)
    done, jpeg = cv2.imencode(
        ".jpg", to_bgr(frames[0].frame, width), [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
    )
    if not done:
        raise MediaError("the picture cannot be encoded as JPEG")
    return jpeg.tobytes()
