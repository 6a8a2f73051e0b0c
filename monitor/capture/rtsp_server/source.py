"""What a camera plays: encoded pictures with their times, in memory, Annex B.

Made from a file or from access units; never decoded. Payloads for RTP are cut once and shared by
all viewers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import av
from av.bitstream import BitStreamFilterContext
from av.video.stream import VideoStream

from monitor.capture import annexb
from monitor.capture.annexb import ParameterSets
from monitor.capture.rtsp_server.packetiser import payloads
from monitor.domain import AccessUnit, VideoCodec
from monitor.errors import MediaError

CLOCK_HZ = 90_000


@dataclass(frozen=True, slots=True)
class SourceUnit:
    """One picture in decode order. Times are 90 kHz ticks from the first picture's decoding."""

    data: bytes
    pts: int
    dts: int
    is_key: bool


@dataclass(frozen=True)
class VideoSource:
    """An endless camera's worth of pictures: played in a loop, the times go on."""

    codec: VideoCodec
    units: tuple[SourceUnit, ...]
    parameter_sets: ParameterSets
    fps: float | None = None

    @classmethod
    def from_file(cls, path: Path | str) -> VideoSource:
        """The first video track of any container that PyAV reads; H.264 or H.265 only.

        ``MediaError`` where the file is missing, broken or of another codec.
        """
        try:
            with av.open(str(path)) as container:
                if not container.streams.video:
                    raise MediaError(f"{Path(path).name} has no video track")
                return cls._demuxed(container, container.streams.video[0], Path(path).name)
        except (OSError, av.FFmpegError) as error:
            raise MediaError(f"cannot read {Path(path).name}: {error}") from error

    @classmethod
    def _demuxed(
        cls, container: av.container.InputContainer, video: VideoStream, name: str
    ) -> VideoSource:
        codec = _codec(video.codec_context.name, name)
        extradata = bytes(video.codec_context.extradata or b"")
        bitstream = None
        if extradata[:1] == b"\x01":  # avcC or hvcC: length-prefixed NAL units
            bitstream = BitStreamFilterContext(f"{codec.value}_mp4toannexb", video)
        base = video.time_base
        assert base is not None
        ticks = base * CLOCK_HZ
        fps = float(video.average_rate) if video.average_rate else None
        raw: list[SourceUnit] = []
        for packet in container.demux(video):
            for part in bitstream.filter(packet) if bitstream else [packet]:
                data = bytes(part)
                if not data:
                    continue
                last = raw[-1].dts if raw else 0
                step = round(CLOCK_HZ / (fps or 25.0))
                dts = round(part.dts * ticks) if part.dts is not None else last + step
                pts = round(part.pts * ticks) if part.pts is not None else dts
                raw.append(SourceUnit(data, pts, dts, bool(part.is_keyframe)))
        return cls._made(codec, raw, annexb.from_extradata(extradata, codec), fps, name)

    @classmethod
    def from_units(
        cls, units: Sequence[AccessUnit], codec: VideoCodec, fps: float | None = None
    ) -> VideoSource:
        """Access units as a ring holds them; capture times become presentation times."""
        raw = [
            SourceUnit(unit.data, unit.capture_ms * 90, unit.entry_ms * 90, unit.is_key)
            for unit in units
        ]
        return cls._made(codec, raw, ParameterSets(codec), fps, "the list of access units")

    @classmethod
    def _made(
        cls,
        codec: VideoCodec,
        raw: list[SourceUnit],
        announced: ParameterSets,
        fps: float | None,
        name: str,
    ) -> VideoSource:
        first = next((n for n, unit in enumerate(raw) if unit.is_key), None)
        if first is None:
            raise MediaError(f"{name} has no key picture to begin with")
        raw = raw[first:]
        in_band = annexb.parameter_sets(raw[0].data, codec)
        sets = in_band if in_band.complete else announced
        if not sets.complete:
            raise MediaError(f"{name} has no complete parameter sets")
        origin = raw[0].dts
        units = []
        for unit in raw:
            data = unit.data
            if unit.is_key and not annexb.parameter_sets(data, codec).complete:
                data = annexb.with_parameter_sets(data, sets)
            units.append(SourceUnit(data, unit.pts - origin, unit.dts - origin, unit.is_key))
        return cls(codec, tuple(units), sets, fps)

    @cached_property
    def duration(self) -> int:
        """Ticks from one round of the loop to the next."""
        if len(self.units) == 1:
            return round(CLOCK_HZ / (self.fps or 25.0))
        span = self.units[-1].dts - self.units[0].dts
        return span + max(1, round(span / (len(self.units) - 1)))

    @cached_property
    def latency(self) -> int:
        """Ticks from taking a picture to sending it: what reordering makes a camera wait."""
        return max(unit.pts - unit.dts for unit in self.units)

    @cached_property
    def has_b_frames(self) -> bool:
        """Whether pictures are shown in another order than they are sent."""
        return any(b.pts < a.pts for a, b in zip(self.units, self.units[1:], strict=False))

    def payloads(self, index: int) -> tuple[bytes, ...]:
        """A picture's RTP payloads; the last one carries the marker."""
        cut = self._cut.get(index)
        if cut is None:
            cut = payloads(self.units[index].data, self.codec)
            self._cut[index] = cut
        return cut

    @cached_property
    def _cut(self) -> dict[int, tuple[bytes, ...]]:
        return {}

    def key_at(self, tick: int) -> int:
        """The newest key picture sent at or before a tick of the loop."""
        best = 0
        for index, unit in enumerate(self.units):
            if unit.dts > tick:
                break
            if unit.is_key:
                best = index
        return best


def _codec(name: str, file: str) -> VideoCodec:
    try:
        return VideoCodec(name)
    except ValueError:
        raise MediaError(f"{file} is {name}; a camera sends h264 or hevc") from None


def seconds(ticks: int) -> float:
    """Ticks of the RTP clock as seconds."""
    return ticks / CLOCK_HZ


def ticks_of(value_s: float) -> int:
    """Seconds as ticks of the RTP clock, rounded down."""
    return math.floor(value_s * CLOCK_HZ)
