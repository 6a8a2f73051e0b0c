"""RTCP sender reports (RFC 3550, 6.4.1): they tie the camera's wall clock to RTP timestamps."""

from __future__ import annotations

import struct

NTP_EPOCH_S = 2_208_988_800  # from 1900 to 1970


def sender_report(
    *, ssrc: int, wall_ms: int, timestamp: int, packets: int, octets: int, cname: str = "causeway"
) -> bytes:
    """A compound packet: sender report and source description."""
    seconds, milliseconds = divmod(wall_ms, 1000)
    report = struct.pack(
        "!BBHIIIIII", 0x80, 200, 6, ssrc, (seconds + NTP_EPOCH_S) & 0xFFFFFFFF,
        (milliseconds << 32) // 1000, timestamp & 0xFFFFFFFF, packets & 0xFFFFFFFF,
        octets & 0xFFFFFFFF,
    )  # fmt: skip
    return report + _description(ssrc, cname)


def goodbye(ssrc: int) -> bytes:
    """The camera ends its stream (RFC 3550, 6.6)."""
    return struct.pack("!BBHI", 0x81, 203, 1, ssrc)


def framed(packet: bytes, channel: int) -> bytes:
    """For RTSP over TCP."""
    return struct.pack("!cBH", b"$", channel, len(packet)) + packet


def _description(ssrc: int, cname: str) -> bytes:
    name = cname.encode()
    chunk = struct.pack("!IBB", ssrc, 1, len(name)) + name + b"\x00"
    chunk += b"\x00" * (-len(chunk) % 4)
    return struct.pack("!BBH", 0x81, 202, len(chunk) // 4) + chunk
