"""The RTSP server's parts, without a network: packets, reports, authentication, pacing."""

from __future__ import annotations

import asyncio
import hashlib
import random
import socket
import struct
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.capture import annexb
from monitor.capture.annexb import ParameterSets
from monitor.capture.rtsp_server import Fault, Route, SourceUnit, VideoSource, rtcp
from monitor.capture.rtsp_server.auth import REALM, Credentials
from monitor.capture.rtsp_server.packetiser import MAX_PAYLOAD, interleaved, payloads
from monitor.capture.rtsp_server.player import Player
from monitor.capture.rtsp_server.protocol import ProtocolError, Request, read_request, response
from monitor.capture.rtsp_server.route import RouteState
from monitor.capture.rtsp_server.sdp import describe
from monitor.domain import AccessUnit, VideoCodec
from monitor.errors import MediaError

SPS, PPS = bytes.fromhex("6742c01fda014016e9"), bytes.fromhex("68ce3c80")
START = annexb.START_CODE


def nal_units(parts: tuple[bytes, ...], codec: VideoCodec) -> list[bytes]:
    """Undo the packetiser, by the RFCs' text: what a viewer would assemble."""
    whole: list[bytes] = []
    for part in parts:
        if codec is VideoCodec.H264 and part[0] & 0x1F == 28:
            body, header = part[2:], bytes([(part[0] & 0xE0) | (part[1] & 0x1F)])
            flags = part[1]
        elif codec is VideoCodec.HEVC and (part[0] >> 1) & 0x3F == 49:
            body = part[3:]
            header = bytes([(part[0] & 0x81) | ((part[2] & 0x3F) << 1), part[1]])
            flags = part[2]
        else:
            whole.append(part)
            continue
        if flags & 0x80:
            whole.append(header + body)
        else:
            whole[-1] += body
    return whole


@given(
    sizes=st.lists(st.integers(1, 6000), min_size=1, max_size=4),
    codec=st.sampled_from(VideoCodec),
    seed=st.integers(0, 1000),
)
def test_packets_carry_every_byte_of_every_nal_unit(
    sizes: list[int], codec: VideoCodec, seed: int
) -> None:
    chance = random.Random(seed)
    header = b"\x65" if codec is VideoCodec.H264 else b"\x26\x01"
    # Bytes above 3 only: no start code can appear inside.
    nals = [header + bytes(chance.randrange(4, 256) for _ in range(size)) for size in sizes]
    parts = payloads(b"".join(START + nal for nal in nals), codec)
    assert max(map(len, parts)) <= MAX_PAYLOAD
    assert nal_units(parts, codec) == nals


def test_the_last_packet_of_a_picture_is_marked_and_numbers_wrap() -> None:
    framed = interleaved(
        [b"\x61aa", b"\x61bb"], channel=2, sequence=0xFFFF, timestamp=(1 << 32) + 7, ssrc=9
    )
    first, second = framed[:19], framed[19:]
    assert first[:4] == b"$\x02\x00\x0f"
    assert struct.unpack("!BBHII", first[4:16]) == (0x80, 96, 0xFFFF, 7, 9)
    assert struct.unpack("!BBHII", second[4:16]) == (0x80, 0x80 | 96, 0, 7, 9)


def test_a_sender_report_says_the_time_in_ntp() -> None:
    report = rtcp.sender_report(
        ssrc=5, wall_ms=1_700_000_000_250, timestamp=90_000, packets=3, octets=900
    )
    kind, length, ssrc, seconds, share, stamp, packets, octets = struct.unpack(
        "!xBHIIIIII", report[:28]
    )
    assert (kind, length, ssrc, packets, octets) == (200, 6, 5, 3, 900)
    assert seconds == 1_700_000_000 + 2_208_988_800
    assert share == 1 << 30  # a quarter of a second
    assert stamp == 90_000
    assert len(report) % 4 == 0


def request(method: str, url: str, **headers: str) -> Request:
    return Request(method, url, {"cseq": "1", **headers})


def test_basic_credentials() -> None:
    credentials = Credentials("user", "pass:word", "basic")
    good = "Basic " + b64encode(b"user:pass:word").decode()
    assert credentials.accept(request("DESCRIBE", "rtsp://h/a", authorization=good), "n")
    for bad in ("", "Basic ???", "Basic " + b64encode(b"user:word").decode()):
        assert not credentials.accept(request("DESCRIBE", "rtsp://h/a", authorization=bad), "n")


def digest(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


@pytest.mark.parametrize("qop", [False, True])
def test_digest_credentials(qop: bool) -> None:
    credentials = Credentials("user", "secret", "digest")
    one, two = digest(f"user:{REALM}:secret"), digest("DESCRIBE:rtsp://h/a")
    extra = ', qop=auth, nc=00000001, cnonce="c"' if qop else ""
    middle = "nonce1:00000001:c:auth" if qop else "nonce1"
    header = (
        f'Digest username="user", realm="{REALM}", nonce="nonce1", uri="rtsp://h/a"'
        f'{extra}, response="{digest(f"{one}:{middle}:{two}")}"'
    )
    asked = request("DESCRIBE", "rtsp://h/a", authorization=header)
    assert credentials.accept(asked, "nonce1")
    assert not credentials.accept(asked, "another nonce")
    assert not Credentials("user", "other", "digest").accept(asked, "nonce1")
    assert not Credentials("user", "secret", "basic").accept(asked, "nonce1")


def test_a_password_never_shows() -> None:
    route = Route("/a", source(), "user", "hunter2")
    assert "hunter2" not in repr(route)
    assert "hunter2" not in repr(route.credentials)


async def parsed(data: bytes) -> Request | None:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return await read_request(reader)


async def test_requests_are_read_past_the_viewers_rtcp() -> None:
    found = await parsed(
        b"$\x01\x00\x03abc\r\nGET_PARAMETER rtsp://h:1/cam/one/trackID=0?x=1 RTSP/1.0\r\n"
        b"CSeq: 7\r\nContent-Length: 2\r\n\r\nhi"
    )
    assert found is not None
    assert (found.method, found.path, found.sequence) == ("GET_PARAMETER", "/cam/one", "7")
    assert response(found, 404) == b"RTSP/1.0 404 Not Found\r\nCSeq: 7\r\n\r\n"


@pytest.mark.parametrize(
    "data",
    [b"hello\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"A" * 70_000,
     b"PLAY rtsp://h/a RTSP/1.0\r\nContent-Length: x\r\n\r\n"],
)  # fmt: skip
async def test_what_is_not_rtsp_is_an_error(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        await parsed(data)


async def test_a_connection_that_ends_is_not() -> None:
    assert await parsed(b"") is None
    assert await parsed(b"OPTIONS rtsp://h/a RT") is None


def unit(number: int, *, key: bool = False, shown: int | None = None) -> SourceUnit:
    slice_nal = bytes([0x65 if key else 0x41]) + bytes([number + 4]) * 20
    sets = START + SPS + START + PPS if key else b""
    at = number if shown is None else shown
    return SourceUnit(sets + START + slice_nal, at * 3600, number * 3600, key)


def source(count: int = 4, *, shift: int = 0) -> VideoSource:
    units = tuple(unit(n, key=n % 2 == 0, shown=n + shift) for n in range(count))
    return VideoSource(VideoCodec.H264, units, ParameterSets(VideoCodec.H264, (SPS, PPS)), 25.0)


def test_a_source_is_made_of_access_units() -> None:
    made = VideoSource.from_units(
        [
            AccessUnit(1000, 1040, False, 1, START + b"\x41x"),
            AccessUnit(1040, 1080, True, 1, START + SPS + START + PPS + START + b"\x65x"),
            AccessUnit(1080, 1200, False, 1, START + b"\x41y"),
            AccessUnit(1120, 1120, False, 1, START + b"\x41z"),
        ],
        VideoCodec.H264,
    )
    assert [(u.pts, u.dts, u.is_key) for u in made.units] == [
        (3600, 0, True), (14400, 3600, False), (7200, 7200, False),
    ]  # fmt: skip
    assert (made.duration, made.latency, made.has_b_frames) == (10800, 10800, True)
    assert made.parameter_sets.nal_units == (SPS, PPS)


def test_a_source_needs_a_picture_to_begin_with() -> None:
    with pytest.raises(MediaError, match="no key picture"):
        VideoSource.from_units([AccessUnit(1, 1, False, 1, START + b"\x41x")], VideoCodec.H264)
    with pytest.raises(MediaError, match="parameter sets"):
        VideoSource.from_units([AccessUnit(1, 1, True, 1, START + b"\x65x")], VideoCodec.H264)


def test_the_description_carries_the_parameter_sets() -> None:
    text = describe(source(), "cam")
    assert "profile-level-id=42C01F" in text
    sets = f"{b64encode(SPS).decode()},{b64encode(PPS).decode()}"
    assert f"sprop-parameter-sets={sets}" in text


class FakeClock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def wall_ms(self) -> int:
        return 1_700_000_000_000 + round((self.now_s - 100.0) * 1000)

    def monotonic_s(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.now_s += max(seconds, 0.0)
        await asyncio.sleep(0)


class Viewer:
    """The far end of a player's connection: what came, with the fake time it came at."""

    def __init__(self, state: RouteState) -> None:
        self.clock = FakeClock()
        self.state = state
        self.chance = random.Random(1)

    async def __aenter__(self) -> Viewer:
        near, far = socket.socketpair()
        self.reader, self._far = await asyncio.open_connection(sock=far, limit=1 << 20)
        _, self._near = await asyncio.open_connection(sock=near)
        self.player = Player(
            self.state, self._near, self.clock, channels=(0, 1), chance=self.chance
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        for writer in (self._near, self._far):
            writer.close()
            await writer.wait_closed()

    async def frames(self) -> tuple[list[tuple[int, int, bytes]], list[bytes]]:
        """(marker and type, timestamp, payload) of RTP packets, and RTCP packets, to the end."""
        self._near.close()
        data = await self.reader.read()
        rtp, control, at = [], [], 0
        while at < len(data):
            channel, size = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
            packet = data[at + 4 : at + 4 + size]
            if channel == 0:
                rtp.append((packet[1], int.from_bytes(packet[4:8], "big"), packet[12:]))
            else:
                control.append(packet)
            at += 4 + size
        return rtp, control


def state_of(played: VideoSource, *, loop: bool = False, live: bool = False) -> RouteState:
    return RouteState(Route("/a", played, loop=loop, live=live), played)


async def test_pictures_leave_when_they_are_due() -> None:
    async with Viewer(state_of(source(4))) as viewer:
        sequence, first = viewer.player.prepare()
        await viewer.player.run()
        assert viewer.clock.now_s == pytest.approx(100.0 + 3 * 0.04)
        assert viewer.player.sequence == (sequence + 8) & 0xFFFF
        rtp, control = await viewer.frames()
    stamps = [stamp - first for kind, stamp, _ in rtp if kind & 0x80]
    assert stamps == [0, 3600, 7200, 10800]
    assert [packet[1] for packet in control] == [200, 203]  # sender report, goodbye


async def test_times_go_on_when_it_begins_again() -> None:
    async with Viewer(state_of(source(4), loop=True)) as viewer:
        _, first = viewer.player.prepare()
        playing = asyncio.create_task(viewer.player.run())
        while viewer.state.played_units < 10:  # noqa: ASYNC110 - the fake clock's time
            await asyncio.sleep(0)
        playing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await playing
        rtp, _ = await viewer.frames()
    stamps = [stamp - first for kind, stamp, _ in rtp if kind & 0x80]
    assert stamps[:10] == [n * 3600 for n in range(10)]


@pytest.mark.parametrize("shift", [0, 2])
async def test_the_first_report_ties_the_first_picture_to_the_wall_clock(shift: int) -> None:
    """With reordering a picture was taken ``latency`` before its decoding time plus shift."""
    async with Viewer(state_of(source(4, shift=shift))) as viewer:
        _, first = viewer.player.prepare()
        await viewer.player.run()
        _, control = await viewer.frames()
    seconds, _share, stamp = struct.unpack("!III", control[0][8:20])
    assert seconds - 2_208_988_800 == 1_700_000_000
    assert stamp == first  # sent, and taken, at that second


async def test_a_clock_that_jumps_says_so_at_once() -> None:
    async with Viewer(state_of(source(4))) as viewer:
        viewer.player.prepare()
        viewer.state.clock_offset_ms, viewer.state.clock_jumps = 5000, 0
        playing = asyncio.create_task(viewer.player.run())
        while viewer.state.played_units < 2:  # noqa: ASYNC110 - the fake clock's time
            await asyncio.sleep(0)
        viewer.state.clock_offset_ms, viewer.state.clock_jumps = 3_605_000, 1
        await playing
        _, control = await viewer.frames()
    times = [struct.unpack("!I", packet[8:12])[0] for packet in control if packet[1] == 200]
    assert times[1] - times[0] == 3600


async def test_without_key_frames_only_the_others_come() -> None:
    state = state_of(source(4))
    state.fault = Fault.NO_KEY_FRAMES
    async with Viewer(state) as viewer:
        viewer.player.prepare()
        await viewer.player.run()
        rtp, _ = await viewer.frames()
    assert [payload[0] & 0x1F for _, _, payload in rtp] == [1, 1]


async def test_after_a_stall_it_goes_on_at_a_key_picture_of_the_present() -> None:
    state = state_of(source(40))
    async with Viewer(state) as viewer:
        _, first = viewer.player.prepare()
        state.fault = Fault.STALL
        playing = asyncio.create_task(viewer.player.run())
        while viewer.clock.now_s < 101.0:  # noqa: ASYNC110 - the fake clock's time
            await asyncio.sleep(0)
        state.fault = Fault.NONE
        woke_s = viewer.clock.now_s
        await playing
        rtp, _ = await viewer.frames()
    assert rtp[0][2] == SPS
    tick = (rtp[0][1] - first) / 90_000
    assert woke_s - 100.0 <= tick + 0.06
    assert tick >= 1.0


async def test_a_live_route_is_joined_at_its_last_key_picture() -> None:
    state = state_of(source(40), live=True)
    state.epoch_s = 100.0 - 0.5  # has been on the air for 12.5 pictures
    async with Viewer(state) as viewer:
        viewer.player.prepare()
        await viewer.player.run()
        rtp, control = await viewer.frames()
    first_slice = next(payload for _, _, payload in rtp if payload[0] & 0x1F == 5)
    assert first_slice[1] == 12 + 4
    seconds, share, stamp = struct.unpack("!III", control[0][8:20])
    assert (seconds - 2_208_988_800, share) == (1_700_000_000, 0)
    # The picture that is due now is half a picture after the one joined at.
    assert stamp - rtp[0][1] == pytest.approx(0.02 * 90_000, abs=2)
