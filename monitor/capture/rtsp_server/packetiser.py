"""NAL units to RTP payloads and RTP packets (RFC 6184 for H.264, RFC 7798 for H.265).

Single NAL unit packets and fragmentation units; no aggregation and no interleaving, which is
what most cameras send.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from monitor.capture import annexb
from monitor.domain import VideoCodec

PAYLOAD_TYPE = 96
MAX_PAYLOAD = 1400
_FU_A = 28
_FU_HEVC = 49


def payloads(data: bytes, codec: VideoCodec, max_payload: int = MAX_PAYLOAD) -> tuple[bytes, ...]:
    """All RTP payloads of one access unit, in order."""
    result: list[bytes] = []
    for nal in annexb.split(data):
        if len(nal) <= max_payload:
            result.append(nal)
        elif codec is VideoCodec.H264:
            result.extend(_fu_a(nal, max_payload))
        else:
            result.extend(_fu_hevc(nal, max_payload))
    return tuple(result)


def _fu_a(nal: bytes, max_payload: int) -> list[bytes]:
    """RFC 6184, 5.8: the NAL header is split between indicator and FU header."""
    indicator = (nal[0] & 0xE0) | _FU_A
    return _fragments(nal[1:], bytes([indicator]), nal[0] & 0x1F, max_payload)


def _fu_hevc(nal: bytes, max_payload: int) -> list[bytes]:
    """RFC 7798, 4.4.3: the two-byte payload header keeps layer and temporal id."""
    header = bytes([(nal[0] & 0x81) | (_FU_HEVC << 1), nal[1]])
    return _fragments(nal[2:], header, (nal[0] >> 1) & 0x3F, max_payload)


def _fragments(body: bytes, header: bytes, kind: int, max_payload: int) -> list[bytes]:
    room = max_payload - len(header) - 1
    pieces = [body[at : at + room] for at in range(0, len(body), room)]
    result = []
    for number, piece in enumerate(pieces):
        flags = (0x80 if number == 0 else 0) | (0x40 if number == len(pieces) - 1 else 0)
        result.append(header + bytes([flags | kind]) + piece)
    return result


def interleaved(
    parts: Sequence[bytes], *, channel: int, sequence: int, timestamp: int, ssrc: int
) -> bytes:
    """RTP packets of one access unit, framed for RTSP over TCP (RFC 2326, 10.12)."""
    out = bytearray()
    last = len(parts) - 1
    stamp = timestamp & 0xFFFFFFFF
    for number, payload in enumerate(parts):
        marker = 0x80 if number == last else 0
        out += struct.pack(
            "!cBHBBHII", b"$", channel, 12 + len(payload), 0x80, marker | PAYLOAD_TYPE,
            (sequence + number) & 0xFFFF, stamp, ssrc,
        )  # fmt: skip
        out += payload
    return bytes(out)
