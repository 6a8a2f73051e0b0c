"""A WebRTC track that hands aiortc the camera's own access units, untouched.

aiortc packs an ``av.Packet`` into RTP as it is; only a frame would be encoded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from fractions import Fraction
from typing import Any, Final

import av
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from dashboards.live.viewer import Outgoing, Viewer, ViewerEnded

MS: Final = Fraction(1, 1000)
REPLAY_BPS: Final = 40_000_000
"""How fast a GOP is replayed to one who joins: a burst would overrun the browser's socket."""

CATCH_UP_MS: Final = 500
"""Ingest writes several pictures at once, so a little behind is normal and keeps its true times."""


class Timeline:
    """Presentation times for one viewer, in ms, strictly rising.

    A joiner is sent the GOP under way within a fraction of a second. With its true times the
    browser would play those pictures at their own pace and stay late for ever; so pictures that
    lie further back than ``catch_up_ms`` are put 1 ms apart and flash by.
    """

    def __init__(self, catch_up_ms: int = CATCH_UP_MS) -> None:
        self._catch_up_ms = catch_up_ms
        self._origin_ms: int | None = None
        self._last_ms = -1

    def place(self, capture_ms: int, behind: int, newest_ms: int) -> int:
        """The time of a picture with ``behind`` waiting after it, the newest at ``newest_ms``."""
        late = newest_ms - capture_ms > self._catch_up_ms
        wanted = newest_ms - self._catch_up_ms - behind if late else capture_ms
        if self._origin_ms is None:
            self._origin_ms = wanted
        self._last_ms = max(self._last_ms + 1, wanted - self._origin_ms)
        return self._last_ms


class PassThroughTrack(MediaStreamTrack):
    """Video for one viewer."""

    kind = "video"

    def __init__(self, viewer: Viewer, on_end: Callable[[str], None]) -> None:
        super().__init__()
        self._viewer = viewer
        self._on_end = on_end
        self._timeline = Timeline()

    async def recv(self) -> Any:  # av.Packet, generic only in PyAV's stubs
        try:
            outgoing = await self._viewer.next()
        except ViewerEnded as end:
            self._on_end(end.reason)
            self.stop()
            raise MediaStreamError from end
        if outgoing.behind:
            await asyncio.sleep(len(outgoing.unit.data) * 8 / REPLAY_BPS)
        return self._packet(outgoing)

    def stop(self) -> None:
        """Also called by aiortc when the connection closes."""
        super().stop()
        self._viewer.end()

    def _packet(self, outgoing: Outgoing) -> Any:
        packet: Any = av.Packet(outgoing.unit.data)
        packet.pts = self._timeline.place(
            outgoing.unit.capture_ms, outgoing.behind, outgoing.newest_capture_ms
        )
        packet.time_base = MS
        return packet
