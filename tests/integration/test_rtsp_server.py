"""The RTSP server as PyAV and ffmpeg see it, well and with every fault."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import time
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.stream import VideoStream

from monitor.capture.rtsp_server import Route, RtspServer, VideoSource
from monitor.domain import VideoCodec
from monitor.errors import MediaError
from tests.servers import binary

OPEN = {"rtsp_transport": "tcp", "analyzeduration": "0", "probesize": "32"}
SHORT = (1.0, 0.4)  # seconds to open, to read


def film(
    path: Path, encoder: str = "libx264", *, size: tuple[int, int] = (320, 180), frames: int = 50,
    b_frames: int = 0,
) -> Path:  # fmt: skip
    """A moving gradient, 25 frames a second, a key picture every ten."""
    with av.open(str(path), "w") as container:
        video = container.add_stream(encoder, rate=25)
        assert isinstance(video, VideoStream)
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        video.codec_context.gop_size = 10
        video.codec_context.max_b_frames = b_frames
        video.codec_context.thread_count = 1
        video.options = {"preset": "ultrafast", "x265-params": "log-level=none:bframes=0"}
        if b_frames:
            video.options = {
                "preset": "veryfast",
                "x264-params": f"bframes={b_frames}:b-adapt=0:scenecut=0",
            }
        ramp = np.arange(size[0], dtype=np.uint8)
        for number in range(frames):
            picture = np.tile(np.roll(ramp, number * 3), (size[1] * 3 // 2, 1))
            frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("films")


@pytest.fixture(scope="module")
def h264(folder: Path) -> VideoSource:
    return VideoSource.from_file(film(folder / "h264.mp4"))


@pytest.fixture(scope="module")
def hevc(folder: Path) -> VideoSource:
    return VideoSource.from_file(film(folder / "hevc.mp4", "libx265"))


@dataclass
class Seen:
    """What a viewer got."""

    codec: str
    packets: list[tuple[int | None, bool]]
    sizes: list[tuple[int, int]]
    wall_us: int | None


def watch(url: str, count: int, *, decode: bool = False) -> Seen:
    """Read packets as the daemon does; in a thread."""
    with av.open(url, options=OPEN, timeout=SHORT) as container:
        video = container.streams.video[0]
        seen = Seen(video.codec_context.name, [], [], None)
        for packet in container.demux(video):
            if not packet.size:
                break
            seen.packets.append((packet.pts, bool(packet.is_keyframe)))
            if decode:
                seen.sizes += [(f.width, f.height) for f in packet.decode()]
            seen.wall_us = container.start_time_realtime
            if len(seen.packets) >= count:
                break
        return seen


@pytest.mark.parametrize("codec", list(VideoCodec))
async def test_pyav_reads_it(codec: VideoCodec, h264: VideoSource, hevc: VideoSource) -> None:
    source = h264 if codec is VideoCodec.H264 else hevc
    async with RtspServer([Route("/cam", source)]) as server:
        seen = await asyncio.to_thread(watch, server.url("/cam"), 12, decode=True)
    assert seen.codec == codec.value
    assert [key for _, key in seen.packets] == [n % 10 == 0 for n in range(12)]
    times = [pts for pts, _ in seen.packets[1:] if pts is not None]
    assert [b - a for a, b in pairwise(times)] == [3600] * 10
    assert set(seen.sizes) == {(320, 180)}
    assert len(seen.sizes) >= 10


async def test_the_sender_report_gives_the_wall_clock(h264: VideoSource) -> None:
    before_us = time.time_ns() // 1000
    async with RtspServer([Route("/cam", h264)]) as server:
        seen = await asyncio.to_thread(watch, server.url("/cam"), 5)
    assert seen.wall_us is not None
    assert before_us - 50_000 <= seen.wall_us <= time.time_ns() // 1000
    async with RtspServer([Route("/cam", h264, sender_reports=False)]) as server:
        seen = await asyncio.to_thread(watch, server.url("/cam"), 5)
    assert not seen.wall_us or seen.wall_us < 0


async def test_reordered_pictures_keep_their_presentation_times(folder: Path) -> None:
    source = VideoSource.from_file(film(folder / "b.mp4", b_frames=2))
    assert source.has_b_frames
    async with RtspServer([Route("/cam", source)]) as server:
        seen = await asyncio.to_thread(watch, server.url("/cam"), 14)
    times = [pts for pts, _ in seen.packets[1:]]
    origin = source.units[1].pts - (times[0] or 0)
    assert times == [u.pts - origin for u in source.units[1:14]]
    assert times != sorted(times, key=lambda pts: pts or 0)


async def test_ffmpeg_reads_it_over_the_loops_end(h264: VideoSource, hevc: VideoSource) -> None:
    async with RtspServer([Route("/a", h264), Route("/b", hevc)]) as server:
        results = await asyncio.gather(*(framecrc(server.url(path)) for path in ("/a", "/b")))
    assert results == [62, 62]


async def framecrc(url: str) -> int:
    """How many frames ffmpeg decodes when it is asked for 62; it must not complain."""
    process = await asyncio.create_subprocess_exec(
        binary("ffmpeg"), "-v", "error", "-rtsp_transport", "tcp",
        "-analyzeduration", "0", "-probesize", "32",
        "-i", url, "-frames:v", "62", "-f", "framecrc", "-",
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(), 20)
    assert (process.returncode, err) == (0, b"")
    return len([line for line in out.splitlines() if line[:1] == b"0"])


async def test_many_viewers_at_once(h264: VideoSource) -> None:
    async with RtspServer([Route("/cam", h264)]) as server:
        views = [asyncio.to_thread(watch, server.url("/cam"), 6) for _ in range(4)]
        assert [len(seen.packets) for seen in await asyncio.gather(*views)] == [6] * 4
        assert server.connections == 4


@pytest.mark.parametrize("scheme", ["basic", "digest", "both"])
async def test_a_password_is_asked_for(scheme: str, h264: VideoSource) -> None:
    assert scheme in ("basic", "digest", "both")
    route = Route("/cam", h264, "an operator", "p@ss:w/rd", auth=scheme)  # type: ignore[arg-type] # a parameter
    async with RtspServer([route]) as server:
        seen = await asyncio.to_thread(watch, server.url("/cam"), 3)
        assert len(seen.packets) == 3
        for url in (server.url("/cam", password="wrong"), f"rtsp://127.0.0.1:{server.port}/cam"):
            with pytest.raises(av.HTTPUnauthorizedError):
                await asyncio.to_thread(watch, url, 1)


async def test_refusals(h264: VideoSource) -> None:
    async with RtspServer([Route("/cam", h264)]) as server:
        url = server.url("/cam")
        with pytest.raises(av.HTTPNotFoundError):
            await asyncio.to_thread(watch, url + "x", 1)
        server.not_found("/cam")
        with pytest.raises(av.HTTPNotFoundError):
            await asyncio.to_thread(watch, url, 1)
        server.unauthorized("/cam")
        with pytest.raises(av.HTTPUnauthorizedError):
            await asyncio.to_thread(watch, url, 1)
        server.refuse("/cam")
        with pytest.raises(ConnectionRefusedError):
            await asyncio.to_thread(watch, url, 1)
        server.resume("/cam")
        assert len((await asyncio.to_thread(watch, url, 2)).packets) == 2


async def test_silence_and_garbage_are_no_camera(h264: VideoSource) -> None:
    async with RtspServer([Route("/cam", h264)]) as server:
        server.silent("/cam")
        with pytest.raises(av.FFmpegError):
            await asyncio.to_thread(watch, server.url("/cam"), 1)
        server.garbage("/cam")
        with pytest.raises(av.FFmpegError):
            await asyncio.to_thread(watch, server.url("/cam"), 1)
        server.resume("/cam")
        assert len((await asyncio.to_thread(watch, server.url("/cam"), 2)).packets) == 2


async def playing(server: RtspServer, path: str, units: int = 3) -> None:
    """Wait until viewers have got some pictures."""
    wanted = server.played(path) + units
    while server.played(path) < wanted:  # noqa: ASYNC110 - the server has no such event
        await asyncio.sleep(0.01)


async def test_a_stall_is_a_silence_in_mid_play(h264: VideoSource) -> None:
    async with RtspServer([Route("/cam", h264)]) as server:
        viewer = asyncio.create_task(asyncio.to_thread(watch, server.url("/cam"), 500))
        await playing(server, "/cam")
        server.stall("/cam")
        with pytest.raises(av.FFmpegError):  # the reader's own time limit
            await viewer


async def test_a_dropped_connection_ends_the_viewing(h264: VideoSource) -> None:
    async with RtspServer([Route("/cam", h264)]) as server:
        viewer = asyncio.create_task(asyncio.to_thread(watch, server.url("/cam"), 500))
        await playing(server, "/cam")
        assert server.playing("/cam") == 1
        server.drop("/cam")
        try:
            seen = await viewer
        except (OSError, av.FFmpegError):
            pass  # FFmpeg may report the reset, or end quietly
        else:
            assert len(seen.packets) < 500
        assert len((await asyncio.to_thread(watch, server.url("/cam"), 2)).packets) == 2


async def test_a_film_without_loop_ends(h264: VideoSource) -> None:
    async with RtspServer([Route("/cam", h264, loop=False)]) as server:
        seen = await asyncio.to_thread(watch, server.url("/cam"), 500)
    assert len(seen.packets) == len(h264.units)


async def test_no_key_frames(h264: VideoSource) -> None:
    async with RtspServer([Route("/cam", h264)]) as server:
        server.without_key_frames("/cam")
        seen = await asyncio.to_thread(watch, server.url("/cam"), 12)
    assert not any(key for _, key in seen.packets)


async def test_another_resolution_in_mid_play(folder: Path, h264: VideoSource) -> None:
    larger = VideoSource.from_file(film(folder / "larger.mp4", size=(480, 272)))
    async with RtspServer([Route("/cam", h264)]) as server:
        viewer = asyncio.create_task(asyncio.to_thread(watch, server.url("/cam"), 30, decode=True))
        await playing(server, "/cam", 12)
        server.switch("/cam", larger)
        seen = await viewer
    assert sorted(set(seen.sizes)) == [(320, 180), (480, 272)]
    times = [pts for pts, _ in seen.packets if pts is not None]
    assert times == sorted(set(times))


async def test_another_codec_cuts_the_session(h264: VideoSource, hevc: VideoSource) -> None:
    async with RtspServer([Route("/cam", h264)]) as server:
        viewer = asyncio.create_task(asyncio.to_thread(watch, server.url("/cam"), 500))
        await playing(server, "/cam")
        server.switch("/cam", hevc)
        await asyncio.gather(viewer, return_exceptions=True)
        assert (await asyncio.to_thread(watch, server.url("/cam"), 2)).codec == "hevc"


async def test_nonsense_does_not_disturb_the_others(h264: VideoSource) -> None:
    async with RtspServer([Route("/cam", h264)]) as server:
        viewer = asyncio.create_task(asyncio.to_thread(watch, server.url("/cam"), 12))
        for junk in (b"\x00" * 50_000, b"GET / HTTP/1.1\r\n\r\n", b""):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(junk)
            writer.write_eof()
            await reader.read()
            writer.close()
            await writer.wait_closed()
        assert len((await viewer).packets) == 12


async def test_the_port_is_free_afterwards(h264: VideoSource) -> None:
    async with RtspServer([Route("/cam", h264)]) as server:
        viewer = asyncio.create_task(asyncio.to_thread(watch, server.url("/cam"), 500))
        await playing(server, "/cam")
    await asyncio.gather(viewer, return_exceptions=True)
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", server.port))


def test_what_is_no_film(folder: Path) -> None:
    text = folder / "text.mp4"
    text.write_bytes(b"this is not a film")
    for path in (text, folder / "absent.mp4"):
        with pytest.raises(MediaError):
            VideoSource.from_file(path)
    with pytest.raises(MediaError, match="mpeg4"):
        VideoSource.from_file(film(folder / "mpeg4.mp4", "mpeg4"))
