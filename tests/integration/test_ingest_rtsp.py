"""What FFmpeg does with cameras, well and ill: the traps that ``monitor.capture.rtsp`` rests on."""

from __future__ import annotations

import asyncio
import socket
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from monitor.capture import annexb
from monitor.capture.assembler import Packet
from monitor.capture.rtsp import Description, RtspSession
from monitor.capture.rtsp_server import Route, RtspServer
from monitor.clock import SystemClock
from monitor.domain import VideoCodec
from monitor.errors import CaptureError
from tests.ingesting import describing, film

CONNECT_S, READ_S = 1.0, 0.6


def session(url: str) -> RtspSession:
    return RtspSession(url, connect_timeout_s=CONNECT_S, read_timeout_s=READ_S, clock=SystemClock())


def read(
    url: str, count: int, then: Callable[[], None] = lambda: None
) -> tuple[Description, list[Packet], CaptureError | None, float]:
    """So many packets, then what happens after ``then``: the error and the time it took."""
    with session(url) as one:
        description = one.open()
        packets: list[Packet] = []
        began = time.monotonic()
        try:
            for packet in one.packets():
                packets.append(packet)
                if len(packets) == count:
                    then()
                    began = time.monotonic()
                if len(packets) >= count + 200:
                    return description, packets, None, 0.0
        except CaptureError as error:
            return description, packets, error, time.monotonic() - began
    raise AssertionError("packets ended without an error")


async def in_thread(
    url: str, count: int, then: Callable[[], None] = lambda: None
) -> tuple[Description, list[Packet], CaptureError | None, float]:
    loop = asyncio.get_running_loop()

    def in_loop() -> None:
        loop.call_soon_threadsafe(then)

    return await asyncio.to_thread(read, url, count, in_loop)


async def failure_to_open(url: str) -> tuple[CaptureError, float]:
    def attempt() -> tuple[CaptureError, float]:
        began = time.monotonic()
        with session(url) as one, pytest.raises(CaptureError) as caught:
            one.open()
        return caught.value, time.monotonic() - began

    return await asyncio.to_thread(attempt)


@pytest.mark.parametrize("codec", list(VideoCodec))
async def test_the_first_packet_is_the_key_picture_without_a_time(codec: VideoCodec) -> None:
    source = film(codec=codec)
    async with RtspServer([Route("/cam", source)]) as server:
        description, packets, _, _ = await in_thread(
            server.url("/cam"), 30, lambda: server.drop("/cam")
        )
    assert description.codec is codec
    assert annexb.from_extradata(description.extradata, codec).complete
    assert packets[0].media_ms is None
    assert packets[0].is_key
    assert list(annexb.split(packets[0].data)) == list(annexb.split(source.units[0].data))
    assert packets[1].media_ms is not None
    assert [packet.is_key for packet in packets[:21]] == [n % 10 == 0 for n in range(21)]


async def test_opening_is_quick() -> None:
    async with RtspServer([Route("/cam", film())]) as server:

        def open_only() -> float:
            with session(server.url("/cam")) as one:
                began = time.monotonic()
                one.open()
                return time.monotonic() - began

        assert await asyncio.to_thread(open_only) < 0.8


async def test_the_cameras_clock_is_on_every_packet() -> None:
    async with RtspServer([Route("/cam", film())]) as server:
        _, packets, _, _ = await in_thread(server.url("/cam"), 30, lambda: server.drop("/cam"))
    walls = [packet.camera_wall_ms for packet in packets]
    assert None not in walls
    media = [packet.media_ms for packet in packets]
    offsets = {
        round(wall - at)
        for wall, at in zip(walls[1:], media[1:], strict=True)
        if wall is not None and at is not None
    }
    assert max(offsets) - min(offsets) <= 1
    assert packets[0].camera_wall_ms == pytest.approx((packets[1].camera_wall_ms or 0) - 40, abs=1)


async def test_without_sender_reports_there_is_none() -> None:
    async with RtspServer([Route("/cam", film(), sender_reports=False)]) as server:
        _, packets, _, _ = await in_thread(server.url("/cam"), 10, lambda: server.drop("/cam"))
    assert {packet.camera_wall_ms for packet in packets} == {None}


async def test_a_picture_arrived_when_its_predecessor_came_out() -> None:
    """FFmpeg hands a picture out when the next begins; its arrival is not that late."""
    async with RtspServer([Route("/cam", film(), sender_reports=True)]) as server:
        _, packets, _, _ = await in_thread(server.url("/cam"), 50, lambda: server.drop("/cam"))
    lags = sorted(
        packet.arrival.wall_ms - packet.camera_wall_ms
        for packet in packets[5:]
        if packet.camera_wall_ms is not None
    )
    assert lags[len(lags) // 4] < 35  # a picture's interval is 40


async def test_a_dropped_connection_is_an_end_not_silence() -> None:
    async with RtspServer([Route("/cam", film())]) as server:
        _, packets, error, waited = await in_thread(
            server.url("/cam"), 20, lambda: server.drop("/cam")
        )
    assert error is not None
    assert error.reason == "ended"
    assert waited < READ_S
    assert all(packet.data for packet in packets)


async def test_a_stall_takes_one_timeout_and_gives_no_torn_picture() -> None:
    source = film()
    async with RtspServer([Route("/cam", source)]) as server:
        _, packets, error, waited = await in_thread(
            server.url("/cam"), 20, lambda: server.stall("/cam")
        )
    assert error is not None
    assert error.reason == "stalled"
    assert READ_S * 0.8 <= waited < READ_S * 1.9
    whole = {tuple(annexb.split(unit.data)) for unit in source.units}
    assert all(tuple(annexb.split(packet.data)) in whole for packet in packets)


async def test_garbage_ends_the_session() -> None:
    async with RtspServer([Route("/cam", film())]) as server:
        _, _, error, waited = await in_thread(
            server.url("/cam"), 20, lambda: server.garbage("/cam")
        )
    assert error is not None
    assert error.reason in ("stalled", "invalid_data", "ended")
    assert waited < 4 * READ_S


async def test_refused() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    error, waited = await failure_to_open(f"rtsp://u:hunter2@127.0.0.1:{port}/cam")
    assert error.reason == "refused"
    assert waited < 0.5


async def test_not_found() -> None:
    async with RtspServer([Route("/cam", film())]) as server:
        error, waited = await failure_to_open(f"rtsp://127.0.0.1:{server.port}/other")
    assert error.reason == "not_found"
    assert waited < 0.5


@pytest.mark.parametrize("auth", ["basic", "digest", "both"])
async def test_passwords(auth: str) -> None:
    route = Route("/cam", film(), username="operator", password="hunter 2/@:", auth=auth)  # type: ignore[arg-type]  # one of its literals
    async with RtspServer([route]) as server:
        _, packets, _, _ = await in_thread(server.url("/cam"), 5, lambda: server.drop("/cam"))
        assert packets
        wrong = server.url("/cam", username="operator", password="hunter 3/@:")
        error, waited = await failure_to_open(wrong)
        none, _ = await failure_to_open(f"rtsp://127.0.0.1:{server.port}/cam")
    assert error.reason == none.reason == "unauthorized"
    assert waited < 0.8


async def test_one_that_never_answers() -> None:
    async with RtspServer([Route("/cam", film())]) as server:
        server.silent("/cam")
        error, waited = await failure_to_open(server.url("/cam"))
    assert error.reason == "no_answer"
    assert CONNECT_S * 0.9 <= waited < CONNECT_S * 2


async def test_one_that_accepts_and_says_nothing_at_all() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        error, waited = await failure_to_open(f"rtsp://127.0.0.1:{listener.getsockname()[1]}/cam")
    assert error.reason == "no_answer"
    assert waited < CONNECT_S * 2


async def test_one_that_speaks_another_protocol() -> None:
    async def chatter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(chatter, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        error, waited = await failure_to_open(f"rtsp://127.0.0.1:{port}/cam")
    assert error.reason in ("refused", "invalid_data")
    assert waited < CONNECT_S


async def test_one_that_hangs_up_at_once() -> None:
    async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(rude, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        error, _ = await failure_to_open(f"rtsp://127.0.0.1:{port}/cam")
    assert error.reason in ("refused", "invalid_data")


async def test_an_unknown_host() -> None:
    error, _ = await failure_to_open("rtsp://u:hunter2@no-such-host.invalid/cam")
    assert error.reason == "unreachable"
    assert "no-such-host.invalid" in str(error)


@pytest.mark.parametrize(
    ("media", "said"),
    [
        ("m=video 0 RTP/AVP 26\r\na=control:t0\r\n", "mjpeg"),
        ("m=audio 0 RTP/AVP 0\r\na=control:t0\r\n", "no video"),
    ],
)
async def test_video_that_is_not_h264_or_h265(media: str, said: str) -> None:
    sdp = f"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\n{media}"
    async with await asyncio.start_server(describing(sdp), "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        error, _ = await failure_to_open(f"rtsp://127.0.0.1:{port}/cam")
    assert error.reason == "unsupported_codec"
    assert said in str(error)


@pytest.mark.parametrize("fault", ["refused", "unauthorized", "not_found", "silent"])
async def test_no_secret_is_in_an_error_or_its_traceback(fault: str) -> None:
    async with RtspServer(
        [Route("/cam", film(), username="operator", password="hunter2")]
    ) as server:
        url = server.url("/cam") + "?token=tok3n"
        if fault == "refused":
            server.refuse("/cam")
        elif fault == "unauthorized":
            server.unauthorized("/cam")
        elif fault == "not_found":
            server.not_found("/cam")
        else:
            server.silent("/cam")
        error, _ = await failure_to_open(url)
    text = "".join(traceback.format_exception(error))
    for secret in ("hunter2", "tok3n"):
        assert secret not in text
    assert "127.0.0.1" in str(error)


async def test_a_real_decoder_takes_what_comes(tmp_path: Path) -> None:
    async with RtspServer([Route("/cam", film(width=640, height=352))]) as server:
        _, packets, _, _ = await in_thread(server.url("/cam"), 30, lambda: server.drop("/cam"))
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    decoder.thread_count = 1
    frames = [frame for one in packets for frame in decoder.decode(av.Packet(one.data))]
    frames += decoder.decode(None)
    assert len(frames) == len(packets)
    assert {(frame.width, frame.height) for frame in frames} == {(640, 352)}
    assert np.asarray(frames[0].to_ndarray(format="gray")).std() > 10
