"""A window's access units as an MP4 file, without decoding: the clip people play.

Called by analyse and by ``causeway ask``. Time 0 of the clip is the capture time of its first
access unit, and every picture stands at its capture time to the millisecond, so an antecedent's
``t_s`` is also the place to seek to. It never re-encodes, and a file is there whole or not at all.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av

from monitor.domain import AccessUnit, CodecParameters, VideoCodec
from monitor.errors import MediaError

_TICKS_PER_MS = 90  # of the 90 kHz clock, which every player knows and which holds 1 ms exactly
_FALLBACK_INTERVAL_MS = 40
_START_CODE = b"\x00\x00\x01"
_MOOV_SEARCH_BYTES = 4096  # the sample description stands near the front of a faststart file
_H264_SPS = 7
_HEVC_SPS = 33


@dataclass(frozen=True, slots=True)
class ClipInfo:
    """What was written."""

    duration_s: float
    bytes: int
    first_capture_ms: int  # the wall time of the clip's time 0
    samples: int


def remux(units: Sequence[AccessUnit], params: CodecParameters, path: Path) -> ClipInfo:
    """Write the access units to ``path`` as a faststart MP4.

    ``units`` are in ring order, of one generation (see :func:`part_around`). What stands before
    the first key access unit, and pictures older than it that refer to what is not there
    (leading pictures of an open GOP), are left out. ``MediaError`` if there is no key access
    unit, the bitstream has no parameter sets, or the file cannot be written.
    """
    samples = playable(units)
    if not samples:
        raise MediaError("no key access unit to start a clip with")
    first = samples[0]
    head = _with_parameter_sets(first.data, params)
    starts = [(unit.capture_ms - first.capture_ms) * _TICKS_PER_MS for unit in samples]
    decode_times = _decode_times(starts)
    last_interval = _typical_interval(starts)
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with av.open(
            str(partial), "w", format="mp4",
            options={"movflags": "+faststart", "video_track_timescale": str(1000 * _TICKS_PER_MS)},
        ) as container:  # fmt: skip
            # PyAV types a mux stream as the union of all media.
            stream: Any = container.add_mux_stream(
                params.codec.value, rate=25, width=params.width, height=params.height
            )
            stream.time_base = Fraction(1, 1000 * _TICKS_PER_MS)
            for index, unit in enumerate(samples):
                packet: av.Packet[Any] = av.Packet(head if index == 0 else unit.data)
                packet.stream = stream
                packet.time_base = stream.time_base
                packet.pts, packet.dts = starts[index], decode_times[index]
                packet.is_keyframe = unit.is_key
                if index == len(samples) - 1:
                    packet.duration = last_interval
                container.mux_one(packet)
        if params.codec is VideoCodec.HEVC:
            _name_hvc1(partial)
        os.replace(partial, path)
        size = path.stat().st_size
    except (av.FFmpegError, OSError, ValueError) as error:
        partial.unlink(missing_ok=True)
        raise MediaError(f"the clip cannot be written: {_reason(error)}") from error
    duration_s = (max(starts) + last_interval) / (1000 * _TICKS_PER_MS)
    return ClipInfo(duration_s, size, first.capture_ms, len(samples))


def playable(units: Sequence[AccessUnit]) -> list[AccessUnit]:
    """The units that a decoder starting at the first key one can show."""
    first = next((index for index, unit in enumerate(units) if unit.is_key), None)
    if first is None:
        return []
    start_ms = units[first].capture_ms
    return [unit for unit in units[first:] if unit.capture_ms >= start_ms]


def part_around(units: Sequence[AccessUnit], moment_ms: int) -> list[AccessUnit]:
    """The run of one generation that holds the moment, from its first key access unit on.

    A camera that changes its resolution or codec within a window makes pictures that one MP4
    track cannot hold together. The part that shows the moment is kept; if the moment falls
    between two parts, the longer of the two. The window then starts or ends at the change.
    """
    parts = [playable(part) for part in _generations(units)]
    parts = [part for part in parts if part]
    if not parts:
        return []

    def distance_ms(part: list[AccessUnit]) -> int:
        return max(part[0].capture_ms - moment_ms, moment_ms - part[-1].capture_ms, 0)

    within = [part for part in parts if distance_ms(part) == 0]
    if within:
        return max(within, key=len)
    before = [part for part in parts if part[-1].capture_ms < moment_ms][-1:]
    after = [part for part in parts if part[0].capture_ms > moment_ms][:1]
    return max(before + after, key=lambda part: part[-1].capture_ms - part[0].capture_ms)


def _generations(units: Sequence[AccessUnit]) -> Iterator[list[AccessUnit]]:
    part: list[AccessUnit] = []
    for unit in units:
        if part and part[-1].generation != unit.generation:
            yield part
            part = []
        part.append(unit)
    if part:
        yield part


def _decode_times(starts: Sequence[int]) -> list[int]:
    """Strictly rising decode times, none later than its presentation time.

    The presentation times themselves, in order, delayed by as many pictures as the deepest
    reordering needs: what an encoder would have written (ISO/IEC 14496-12, 8.6.1).
    """
    ordered = sorted(starts)
    rank = {start: index for index, start in enumerate(ordered)}
    if len(rank) != len(starts):
        raise MediaError("two access units have the same capture time")
    delay = max(index - rank[start] for index, start in enumerate(starts))
    step = _typical_interval(starts)
    lead = [ordered[0] - (delay - index) * step for index in range(delay)]
    return lead + ordered[: len(ordered) - delay]


def _typical_interval(starts: Sequence[int]) -> int:
    ordered = sorted(starts)
    gaps = sorted(later - earlier for earlier, later in pairwise(ordered))
    return gaps[len(gaps) // 2] if gaps else _FALLBACK_INTERVAL_MS * _TICKS_PER_MS


def _with_parameter_sets(data: bytes, params: CodecParameters) -> bytes:
    """The first sample with SPS and PPS in front: the muxer makes avcC or hvcC from it."""
    if _has_sps(data, params.codec):
        return data
    if not _has_sps(params.extradata, params.codec):
        raise MediaError("neither the key access unit nor the camera gave parameter sets")
    return params.extradata + data


def _has_sps(data: bytes, codec: VideoCodec) -> bool:
    at = data.find(_START_CODE)
    while 0 <= at < len(data) - 3:
        header = data[at + 3]
        if codec is VideoCodec.H264:
            kind, wanted, first_slice = header & 0x1F, _H264_SPS, header & 0x1F in (1, 5)
        else:
            kind, wanted, first_slice = header >> 1 & 0x3F, _HEVC_SPS, header >> 1 & 0x3F < 32
        if kind == wanted:
            return True
        if first_slice:  # parameter sets stand before the picture
            return False
        at = data.find(_START_CODE, at + 3)
    return False


def _name_hvc1(path: Path) -> None:
    """Call the track ``hvc1``: Safari plays no ``hev1``, and PyAV cannot ask the muxer for it.

    The same sample entry otherwise; its hvcC holds the parameter sets (ISO/IEC 14496-15, 8.4.1).
    """
    with path.open("r+b") as file:
        head = file.read(_MOOV_SEARCH_BYTES)
        at = head.find(b"hev1", head.find(b"stsd"))
        if at >= 0:
            file.seek(at)
            file.write(b"hvc1")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
