"""Encoded access units in, pictures out; on one thread, without the loop filter.

Used by watch (luma and chroma, small), by key-frame extraction and by the benchmarks. It never
reads a file or the network. The loop filter is skipped because nothing measured here needs it and
it costs a tenth to a quarter of the decoding time (docs/trigger.md); stills for people are no
worse for it at the bitrates of traffic cameras.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, cast

import av
import cv2
import numpy as np
import numpy.typing as npt
from av.video.plane import VideoPlane

from monitor.domain import AccessUnit, CodecParameters
from monitor.errors import MediaError

_MS = Fraction(1, 1000)
_LITTLE: Final = 1.5
_PLANAR_420 = frozenset({"yuv420p", "yuvj420p"})

Plane = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class DecodedFrame:
    """A picture and the time it was taken, as its access unit said."""

    capture_ms: int
    frame: av.VideoFrame


@dataclass(frozen=True, slots=True)
class Planes:
    """A small picture: ``y`` at (height, width), ``u`` and ``v`` at half of both."""

    y: Plane
    u: Plane
    v: Plane


class Decoder:
    """Decodes one generation of a camera's access units, in ring order.

    Pictures before the first key access unit are dropped: they refer to what was never seen.
    After a broken access unit it waits for the next key one, because a concealed picture shows
    motion that never was. A picture that B-frames delay comes out with a later access unit.
    """

    def __init__(self, params: CodecParameters, *, keys_only: bool = False) -> None:
        self._keys_only = keys_only
        self._waiting_for_key = True
        try:
            # PyAV types create() as the union of all media.
            self._context: Any = av.CodecContext.create(params.codec.value, "r")
        except (av.FFmpegError, ValueError) as error:
            raise MediaError(f"no decoder for {params.codec.value}") from error
        self._context.thread_count = 1
        self._context.options = {"skip_loop_filter": "all"}
        if params.extradata:
            self._context.extradata = params.extradata

    def decode(self, unit: AccessUnit) -> list[DecodedFrame]:
        """The pictures that are ready now, in the order they were taken.

        Raises ``MediaError`` for a broken access unit; the decoder stays usable.
        """
        if (self._keys_only or self._waiting_for_key) and not unit.is_key:
            return []
        self._waiting_for_key = False
        packet: av.Packet[Any] = av.Packet(unit.data)
        packet.pts, packet.dts, packet.time_base = unit.capture_ms, unit.entry_ms, _MS
        frames = self._send(packet)
        return frames + self.flush() if self._keys_only else frames

    def flush(self) -> list[DecodedFrame]:
        """The pictures still held back; the next access unit must be a key one."""
        frames = self._send(None)
        self._context.flush_buffers()
        self._waiting_for_key = True
        return frames

    def _send(self, packet: av.Packet[Any] | None) -> list[DecodedFrame]:
        try:
            return _timed(self._context.decode(packet))
        except av.FFmpegError as error:
            self._context.flush_buffers()
            self._waiting_for_key = True
            raise MediaError("an access unit cannot be decoded") from error


def _timed(frames: Iterable[av.VideoFrame]) -> list[DecodedFrame]:
    return [DecodedFrame(frame.pts, frame) for frame in frames if frame.pts is not None]


def planes(frame: av.VideoFrame, width: int) -> Planes:
    """The picture at most ``width`` wide, resized by area straight from the decoder's planes.

    Width and height come out even and two at least. It is never enlarged otherwise.
    """
    if frame.format.name not in _PLANAR_420:
        frame = frame.reformat(format="yuv420p")
    out_width = max(2, min(width, frame.width) // 2 * 2)
    out_height = max(2, round(frame.height * out_width / frame.width / 2) * 2)
    half = (out_width // 2, out_height // 2)
    sizes = ((out_width, out_height), half, half)
    y, u, v = (_resized(plane, size) for plane, size in zip(frame.planes, sizes, strict=True))
    return Planes(y, u, v)


def _resized(plane: VideoPlane, size: tuple[int, int]) -> Plane:
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    picture: Plane = rows[: plane.height, : plane.width]
    if (plane.width, plane.height) == size:
        return picture.copy()  # the decoder reuses its buffer
    while picture.shape[1] >= 2 * size[0] and picture.shape[1] % 2 == picture.shape[0] % 2 == 0:
        # Averaging 2x2 is some thirty times faster than INTER_AREA at any other ratio.
        half = (picture.shape[1] // 2, picture.shape[0] // 2)
        picture = cast(Plane, cv2.resize(picture, half, interpolation=cv2.INTER_AREA))
    if (picture.shape[1], picture.shape[0]) == size:
        return picture
    # Between neighbours nothing is lost by so little, and it is six times faster.
    little = picture.shape[1] <= _LITTLE * size[0] and picture.shape[0] <= _LITTLE * size[1]
    how = cv2.INTER_LINEAR if little else cv2.INTER_AREA
    return cast(Plane, cv2.resize(picture, size, interpolation=how))


def to_bgr(frame: av.VideoFrame, width: int) -> Plane:
    """The picture in colour (height, width, 3), blue first, at most ``width`` wide."""
    out_width = min(width, frame.width) // 2 * 2
    out_height = max(2, round(frame.height * out_width / frame.width / 2) * 2)
    small = frame.reformat(width=out_width, height=out_height, format="bgr24", interpolation="AREA")
    return cast(Plane, small.to_ndarray())
