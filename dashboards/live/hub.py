"""Who watches what: WebRTC peer connections, and one ring feed per camera that somebody watches.

Called by the API. The number of viewers is bounded; a connection that never comes up, fails or
closes is forgotten, and a feed nobody watches ends.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Protocol

from aiortc import (
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.exceptions import InvalidAccessError, InvalidStateError, OperationError

from dashboards.live import sdp
from dashboards.live.ring_feed import Ring, RingFeed
from dashboards.live.track import PassThroughTrack
from dashboards.live.viewer import Viewer
from monitor.clock import Clock
from monitor.domain import CameraState, CodecParameters, VideoCodec

logger = logging.getLogger(__name__)

MAX_VIEWERS: Final = 64
CONNECT_S: Final = 15.0
LINGER_S: Final = 5.0
"""A feed outlives its last viewer this long, so that turning a page costs nothing."""


class LiveRefusedError(Exception):
    """No live picture; ``reason`` is a tag the page knows."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class LiveRing(Ring, Protocol):
    """What the hub asks of ``buffer.ring.RingReader``, beyond what a feed does."""

    async def latest_codec(self) -> CodecParameters | None: ...


@dataclass(slots=True)
class _Channel:
    feed: RingFeed
    ring: LiveRing
    task: asyncio.Task[None] | None = None
    linger: asyncio.Task[None] | None = None
    peers: set[RTCPeerConnection] = field(default_factory=set)


class LiveHub:
    """An async context: leaving it closes every connection and ends every feed."""

    def __init__(
        self,
        ring_of: Callable[[str], LiveRing],
        state_of: Callable[[str], CameraState | None],
        clock: Clock,
        *,
        max_viewers: int = MAX_VIEWERS,
    ) -> None:
        self._ring_of = ring_of
        self._state_of = state_of
        self._clock = clock
        self._max_viewers = max_viewers
        self._channels: dict[str, _Channel] = {}
        self._deadlines: dict[RTCPeerConnection, asyncio.Task[None]] = {}
        self._tasks = asyncio.TaskGroup()
        self._closing = False

    async def __aenter__(self) -> LiveHub:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closing = True
        for channel in self._channels.values():
            for peer in tuple(channel.peers):
                await peer.close()
            for task in (channel.task, channel.linger):
                if task is not None:
                    task.cancel()
        for deadline in self._deadlines.values():
            deadline.cancel()
        await self._tasks.__aexit__(kind, error, traceback)

    @property
    def viewers(self) -> int:
        """Peer connections now open or opening."""
        return sum(len(channel.peers) for channel in self._channels.values())

    async def answer(self, camera: str, offer: str) -> str:
        """The SDP answer to a browser's offer; ``LiveRefusedError`` says why there is none."""
        if not sdp.is_offer(offer):
            raise LiveRefusedError("offer", "the offer lacks what a connection for video needs")
        if not sdp.offers_h264(offer):
            raise LiveRefusedError("browser", "the browser offers no H.264")
        if self._closing or self.viewers >= self._max_viewers:
            raise LiveRefusedError("viewers", f"already {self._max_viewers} live viewers")
        channel = self._channel(camera)
        await self._check_codec(camera, channel)
        return await self._connect(camera, channel, offer)

    def _channel(self, camera: str) -> _Channel:
        if camera not in self._channels:
            ring = self._ring_of(camera)
            self._channels[camera] = _Channel(RingFeed(camera, ring, self._clock), ring)
        return self._channels[camera]

    async def _check_codec(self, camera: str, channel: _Channel) -> None:
        params = await channel.ring.latest_codec()
        if params is None or await channel.ring.last_entry_ms() is None:
            raise LiveRefusedError("no_picture", "no picture has come from this camera yet")
        if params.codec is not VideoCodec.H264:
            raise LiveRefusedError("h265", "the camera sends H.265, which WebRTC does not carry")
        seen = channel.feed.refusal(params.generation)
        state = self._state_of(camera)
        if seen is not None or (state is not None and state.has_b_frames):
            raise LiveRefusedError("b_frames", "the camera sends B-frames")

    async def _connect(self, camera: str, channel: _Channel, offer: str) -> str:
        peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        channel.peers.add(peer)
        viewer = Viewer()

        async def leave() -> None:
            viewer.end()
            channel.feed.leave(viewer)
            channel.peers.discard(peer)
            self._wait_no_more(peer)
            await peer.close()
            self._rest(channel)

        def ended(reason: str) -> None:
            if reason and not self._closing:
                logger.info("camera %s: a live viewer ends: %s", camera, reason)
                self._tasks.create_task(leave(), name=f"live {camera} leave")

        async def changed() -> None:
            if peer.connectionState == "connected" and not self._closing:
                self._wait_no_more(peer)
                channel.feed.join(viewer)
                self._wake(camera, channel)
            elif peer.connectionState in ("failed", "closed"):
                await leave()

        async def expire() -> None:
            await self._clock.sleep(CONNECT_S)
            del self._deadlines[peer]  # it ends here; leaving must not cancel it
            await leave()

        peer.on("connectionstatechange", changed)
        try:
            peer.addTrack(PassThroughTrack(viewer, ended))
            transceiver = peer.getTransceivers()[0]
            transceiver.direction = "sendonly"
            # Before the offer is looked at, or the browser's favourite, VP8, is agreed on.
            transceiver.setCodecPreferences(
                [
                    codec
                    for codec in RTCRtpSender.getCapabilities("video").codecs
                    if codec.mimeType.lower() == "video/h264"
                ]
            )
            description = RTCSessionDescription(sdp=sdp.without_mdns(offer), type="offer")
            await peer.setRemoteDescription(description)
            await peer.setLocalDescription(await peer.createAnswer())
        except (
            ValueError,
            LookupError,
            AttributeError,
            AssertionError,
            InvalidAccessError,
            InvalidStateError,
            OperationError,
        ) as error:  # what aiortc's parser raises on a text that is no offer
            await leave()
            raise LiveRefusedError("offer", "the offer cannot be read") from error
        except BaseException:
            await leave()
            raise
        if peer in channel.peers and peer.connectionState != "connected":
            self._deadlines[peer] = self._tasks.create_task(expire(), name=f"live {camera} wait")
        return str(peer.localDescription.sdp)

    def _wait_no_more(self, peer: RTCPeerConnection) -> None:
        """It is, or it has left: in either case nobody waits for it any more."""
        deadline = self._deadlines.pop(peer, None)
        if deadline is not None:
            deadline.cancel()

    def _wake(self, camera: str, channel: _Channel) -> None:
        if channel.linger is not None:
            channel.linger.cancel()
            channel.linger = None
        if channel.task is None or channel.task.done():
            channel.task = self._tasks.create_task(channel.feed.run(), name=f"live {camera}")

    def _rest(self, channel: _Channel) -> None:
        if self._closing or channel.feed.viewers or channel.task is None:
            return
        if channel.linger is not None:
            return

        async def rest() -> None:
            await self._clock.sleep(LINGER_S)
            channel.linger = None
            if not channel.feed.viewers and channel.task is not None:
                channel.task.cancel()
                channel.task = None

        channel.linger = self._tasks.create_task(rest(), name="live linger")
