"""Access units as bytes: NAL units, Annex B, parameter sets (ITU-T H.264 7.3.1, H.265 7.3.1).

No decoding: it looks at NAL unit headers and copies parameter sets.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from monitor.domain import VideoCodec

START_CODE: Final = b"\x00\x00\x00\x01"

H264_IDR: Final = 5
H264_SPS: Final = 7
H264_PPS: Final = 8
H264_AUD: Final = 9
HEVC_VPS: Final = 32
HEVC_SPS: Final = 33
HEVC_PPS: Final = 34
HEVC_AUD: Final = 35

_PARAMETER_SETS: Final = {
    VideoCodec.H264: (H264_SPS, H264_PPS),
    VideoCodec.HEVC: (HEVC_VPS, HEVC_SPS, HEVC_PPS),
}
_DELIMITER: Final = {VideoCodec.H264: H264_AUD, VideoCodec.HEVC: HEVC_AUD}


@dataclass(frozen=True, slots=True)
class ParameterSets:
    """The parameter sets of an access unit or of a session description, without start codes."""

    codec: VideoCodec
    nal_units: tuple[bytes, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether a decoder can start with them: at least one of every type."""
        types = {nal_type(nal, self.codec) for nal in self.nal_units}
        return types.issuperset(_PARAMETER_SETS[self.codec])

    @property
    def annexb(self) -> bytes:
        """All of them with start codes: what FFmpeg takes as extradata."""
        return b"".join(START_CODE + nal for nal in self.nal_units)

    def sps(self) -> bytes | None:
        """The first sequence parameter set."""
        wanted = H264_SPS if self.codec is VideoCodec.H264 else HEVC_SPS
        return next((nal for nal in self.nal_units if nal_type(nal, self.codec) == wanted), None)

    def identity(self) -> tuple[bytes, ...]:
        """What makes it another stream when it changes.

        Picture parameter sets are left out: an encoder may change them from picture to picture,
        and they are in band on every key access unit.
        """
        pps = H264_PPS if self.codec is VideoCodec.H264 else HEVC_PPS
        return tuple(nal for nal in self.nal_units if nal_type(nal, self.codec) != pps)


def nal_type(nal: bytes, codec: VideoCodec) -> int:
    """The type in a NAL unit's header; -1 for an empty one."""
    if not nal:
        return -1
    return nal[0] & 0x1F if codec is VideoCodec.H264 else (nal[0] >> 1) & 0x3F


def is_annexb(data: bytes) -> bool:
    """Whether it begins with a start code."""
    return data.startswith((b"\x00\x00\x00\x01", b"\x00\x00\x01"))


def split(data: bytes) -> Iterator[bytes]:
    """The NAL units of an Annex B byte stream, without start codes and trailing zeros."""
    start = data.find(b"\x00\x00\x01")
    while start >= 0:
        start += 3
        end = data.find(b"\x00\x00\x01", start)
        nal = data[start:] if end < 0 else data[start:end]
        nal = nal.rstrip(b"\x00")
        if nal:
            yield nal
        start = end


def from_length_prefixed(data: bytes, length_size: int = 4) -> bytes:
    """Annex B of NAL units with big-endian length prefixes, as in MP4.

    ``ValueError`` where the lengths do not add up.
    """
    out = bytearray()
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + length_size], "big")
        at += length_size
        if size == 0 or at + size > len(data):
            raise ValueError("the lengths of the NAL units do not add up")
        out += START_CODE
        out += data[at : at + size]
        at += size
    return bytes(out)


def to_annexb(data: bytes) -> bytes:
    """The same access unit with start codes; ``ValueError`` for what is neither form."""
    return data if is_annexb(data) else from_length_prefixed(data)


def parameter_sets(data: bytes, codec: VideoCodec) -> ParameterSets:
    """The parameter sets in an Annex B byte stream, in its order, each once.

    They come before the first slice, so the search ends there.
    """
    wanted = _PARAMETER_SETS[codec]
    found: list[bytes] = []
    for nal in split(data):
        kind = nal_type(nal, codec)
        if kind in wanted:
            if nal not in found:
                found.append(nal)
        elif _is_slice(kind, codec):
            break
    return ParameterSets(codec, tuple(found))


def from_extradata(extradata: bytes, codec: VideoCodec) -> ParameterSets:
    """The parameter sets of a session description: Annex B, avcC or hvcC; none if it is broken."""
    if is_annexb(extradata):
        return parameter_sets(extradata, codec)
    try:
        nal_units = _avcc(extradata) if codec is VideoCodec.H264 else _hvcc(extradata)
    except IndexError:
        nal_units = []
    wanted = _PARAMETER_SETS[codec]
    return ParameterSets(codec, tuple(nal for nal in nal_units if nal_type(nal, codec) in wanted))


def with_parameter_sets(data: bytes, sets: ParameterSets) -> bytes:
    """The access unit with parameter sets in front; a delimiter stays the first NAL unit."""
    first = next(split(data), b"")
    if nal_type(first, sets.codec) == _DELIMITER[sets.codec]:
        rest = data.find(b"\x00\x00\x01", data.find(b"\x00\x00\x01") + 3)
        if rest > 0:
            head = START_CODE + first
            return head + sets.annexb + START_CODE + data[rest + 3 :]
    return sets.annexb + data


def _is_slice(kind: int, codec: VideoCodec) -> bool:
    return 1 <= kind <= 5 if codec is VideoCodec.H264 else 0 <= kind <= 31


def _avcc(data: bytes) -> list[bytes]:
    """ISO/IEC 14496-15, 5.3.3.1: AVCDecoderConfigurationRecord."""
    if len(data) < 7 or data[0] != 1:
        return []
    nal_units: list[bytes] = []
    at = 5
    for mask in (0x1F, 0xFF):  # SPS count in five bits, PPS count in eight
        count = data[at] & mask
        at += 1
        for _ in range(count):
            at = _take(data, at, nal_units)
    return nal_units


def _hvcc(data: bytes) -> list[bytes]:
    """ISO/IEC 14496-15, 8.3.3.1: HEVCDecoderConfigurationRecord."""
    if len(data) < 23 or data[0] != 1:
        return []
    nal_units: list[bytes] = []
    at = 23
    for _ in range(data[22]):
        count = int.from_bytes(data[at + 1 : at + 3], "big")
        at += 3
        for _ in range(count):
            at = _take(data, at, nal_units)
    return nal_units


def _take(data: bytes, at: int, nal_units: list[bytes]) -> int:
    size = int.from_bytes(data[at : at + 2], "big")
    if at + 2 + size > len(data):
        raise IndexError(at)
    nal_units.append(data[at + 2 : at + 2 + size])
    return at + 2 + size
