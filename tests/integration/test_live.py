"""Live pictures from a real ring over real WebRTC, received by a peer in the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from av import VideoFrame
from redis.asyncio import Redis

from dashboards.live.hub import LiveHub, LiveRefusedError
from dashboards.live.snapshot import Snapshots
from monitor.buffer.ring import RingReader, RingWriter
from monitor.clock import SystemClock
from monitor.domain import AccessUnit, CameraState, CameraStatus, CodecParameters, VideoCodec
from monitor.errors import MediaError
from tests import servers, video
from tests.dashboards import CameraFeed, playing, redis_client


@pytest.fixture
async def redis(redis_port: int) -> AsyncIterator[Redis]:
    async with redis_client(redis_port) as client:
        yield client


@asynccontextmanager
async def hub_of(
    redis: Redis, *, state: CameraState | None = None, max_viewers: int = 8
) -> AsyncIterator[LiveHub]:
    async with LiveHub(
        lambda camera: RingReader(redis, camera),
        lambda camera: state,
        SystemClock(),
        max_viewers=max_viewers,
    ) as hub:
        yield hub


@asynccontextmanager
async def browser_peer() -> AsyncIterator[tuple[RTCPeerConnection, str]]:
    """A peer that wants video, and its offer."""
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    try:
        peer.addTransceiver("video", direction="recvonly")
        await peer.setLocalDescription(await peer.createOffer())
        yield peer, peer.localDescription.sdp
    finally:
        await peer.close()


async def first_pictures(
    peer: RTCPeerConnection, answer: str, count: int
) -> list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]:
    track: asyncio.Future[MediaStreamTrack] = asyncio.get_running_loop().create_future()
    peer.on("track", track.set_result)
    await peer.setRemoteDescription(RTCSessionDescription(sdp=answer, type="answer"))
    pictures = []
    async with asyncio.timeout(20):
        video_track = await track
        for _ in range(count):
            frame = await video_track.recv()
            assert isinstance(frame, VideoFrame)
            pictures.append(np.asarray(frame.to_ndarray(format="bgr24"), np.uint8))
    return pictures


def film(count: int = 50) -> tuple[list[AccessUnit], CodecParameters]:
    return video.encode(video.even(count), gop=25)


async def put(
    redis: Redis, camera: str, units: list[AccessUnit], params: CodecParameters
) -> list[AccessUnit]:
    """Write units into the ring as if they had just come."""
    shift = SystemClock().wall_ms() - units[-1].entry_ms
    moved = [
        replace(u, entry_ms=u.entry_ms + shift, capture_ms=u.capture_ms + shift) for u in units
    ]
    writer = RingWriter(redis, camera, 60)
    await writer.put_codec(params)
    await writer.append(moved)
    return moved


async def test_the_cameras_own_pictures_arrive_in_order(redis: Redis, camera_id: str) -> None:
    units, params = film()
    async with hub_of(redis) as hub, playing(CameraFeed(redis, camera_id, units, params)):
        await RingReader(redis, camera_id).tail(0, block_ms=2000, count=1)
        async with browser_peer() as (peer, offer):
            pictures = await first_pictures(peer, await hub.answer(camera_id, offer), 12)
            numbers = [video.number_in(picture) for picture in pictures]
            steps = {(later - sooner) % 50 for sooner, later in pairwise(numbers)}
            assert steps == {1}
            assert pictures[0].shape == (192, 320, 3)


async def test_a_viewer_joins_with_the_gop_under_way(redis: Redis, camera_id: str) -> None:
    """The ring stands still here, so the pictures can only be the replayed GOP's."""
    units, params = film(45)
    await put(redis, camera_id, units, params)
    async with hub_of(redis) as hub, browser_peer() as (peer, offer):
        pictures = await first_pictures(peer, await hub.answer(camera_id, offer), 10)
        assert video.number_in(pictures[0]) == 25
        assert hub.viewers == 1


async def test_a_viewer_who_leaves_is_forgotten(redis: Redis, camera_id: str) -> None:
    await put(redis, camera_id, *film())
    async with hub_of(redis, max_viewers=1) as hub:
        async with browser_peer() as (peer, offer):
            await first_pictures(peer, await hub.answer(camera_id, offer), 1)
            with pytest.raises(LiveRefusedError) as refused:
                await hub.answer(camera_id, offer)
            assert refused.value.reason == "viewers"
        async with asyncio.timeout(20):
            while hub.viewers:  # noqa: ASYNC110 - the hub tells nobody
                await asyncio.sleep(0.02)
        async with browser_peer() as (peer, offer):
            await first_pictures(peer, await hub.answer(camera_id, offer), 1)


@pytest.mark.parametrize(
    ("codec", "b_frames", "reason"),
    [(VideoCodec.HEVC, 0, "h265"), (VideoCodec.H264, 2, "b_frames")],
)
async def test_what_webrtc_cannot_carry_is_refused_by_name(
    redis: Redis, camera_id: str, codec: VideoCodec, b_frames: int, reason: str
) -> None:
    units, params = video.encode(video.even(20), codec=codec, b_frames=b_frames)
    await put(redis, camera_id, units, params)
    state = CameraState(camera_id, CameraStatus.ONLINE, 0, has_b_frames=bool(b_frames))
    async with hub_of(redis, state=state) as hub, browser_peer() as (_, offer):
        with pytest.raises(LiveRefusedError) as refused:
            await hub.answer(camera_id, offer)
        assert refused.value.reason == reason
        assert hub.viewers == 0


async def test_offers_that_are_none_are_refused_and_nothing_is_left(
    redis: Redis, camera_id: str
) -> None:
    await put(redis, camera_id, *film())
    async with hub_of(redis) as hub, browser_peer() as (_, offer):
        for text, reason in (
            (offer.replace("H264", "VP9"), "browser"),
            ("nothing\r\na=rtpmap:1 H264/90000\r\n", "offer"),
            (offer.replace("m=video", "m=audio"), "offer"),
            (offer.replace("a=mid:0", "a=mid:0\r\na=candidate:1 1 udp x y z"), "offer"),
            (offer.replace("a=fingerprint", "a=fingerpaint"), "offer"),
            (offer.replace("a=ice-ufrag", "a=ice-frag"), "offer"),
        ):
            with pytest.raises(LiveRefusedError) as refused:
                await hub.answer(camera_id, text)
            assert refused.value.reason == reason, text[:40]
        assert hub.viewers == 0


async def test_no_picture_yet(redis: Redis, camera_id: str) -> None:
    async with hub_of(redis) as hub, browser_peer() as (_, offer):
        with pytest.raises(LiveRefusedError) as refused:
            await hub.answer(camera_id, offer)
        assert refused.value.reason == "no_picture"


async def test_pictures_go_on_after_redis_was_killed(tmp_path: Path) -> None:
    units, params = film()
    with servers.redis_server(tmp_path) as server:
        async with redis_client(server.port) as redis, hub_of(redis) as hub:
            await put(redis, "cam", units, params)
            async with browser_peer() as (peer, offer):
                answer = await hub.answer("cam", offer)
                await first_pictures(peer, answer, 5)
                server.kill()
                server.start()
                receiver = peer.getReceivers()[0].track
                async with playing(CameraFeed(redis, "cam", units, params)), asyncio.timeout(20):
                    late = [await receiver.recv() for _ in range(60)]
                assert len(late) == 60


@pytest.mark.parametrize("codec", list(VideoCodec))
async def test_a_snapshot_is_the_newest_key_picture(
    redis: Redis, camera_id: str, codec: VideoCodec
) -> None:
    units, params = video.encode(video.even(25), codec=codec, gop=10)
    moved = await put(redis, camera_id, units, params)
    snapshots = Snapshots(lambda camera: RingReader(redis, camera))
    found = await snapshots.newest(camera_id)
    assert found is not None
    assert video.number_in_jpeg(found.jpeg) == 20
    assert found.capture_ms == moved[20].capture_ms
    assert await snapshots.newest(camera_id) is found, "decoded once per key access unit"


async def test_a_snapshot_of_nothing_and_of_a_broken_picture(redis: Redis, camera_id: str) -> None:
    snapshots = Snapshots(lambda camera: RingReader(redis, camera))
    assert await snapshots.newest(camera_id) is None
    units, params = film(1)
    await put(redis, camera_id, [replace(units[0], data=b"\x00\x00\x00\x01\x65garbage")], params)
    with pytest.raises(MediaError):
        await snapshots.newest(camera_id)
