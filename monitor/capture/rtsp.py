"""One connection to a camera: RTSP over TCP by FFmpeg (PyAV), and its failures in our words.

Everything here blocks and belongs to one thread, ``close`` included: closing from another
thread crashes the process. A wait ends by its own timeout.

What was measured of FFmpeg and is relied on here, each with a test:

- With ``probesize=32`` a camera opens at once, and the first packet is the IDR with ``pts=None``.
- A packet is handed out when the next picture begins to arrive, so a picture's arrival is the
  moment its predecessor came out.
- A read that times out first hands out what the parser had left, perhaps a torn picture, and
  fails only a timeout later: the first wait that was too long is the stall.
- A server that dies gives an empty packet and the end, no exception.
- RTCP sender reports are on every packet as its producer reference time.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from types import TracebackType
from typing import Final

import av
import av.error
from av.container import InputContainer
from av.packet import Packet as AvPacket
from av.video.stream import VideoStream

from monitor.capture.address import scrub, shown
from monitor.capture.assembler import Packet
from monitor.capture.capture_clock import Arrival
from monitor.clock import Clock
from monitor.domain import CameraStatus, VideoCodec
from monitor.errors import CaptureError

OPTIONS: Final = {
    "rtsp_transport": "tcp",
    "analyzeduration": "0",
    "probesize": "32",
    "allowed_media_types": "video",
}
"""FFmpeg's, for every camera: the first key picture at once, over TCP, no sound."""

_PRODUCER_TIME: Final = struct.Struct("=q")  # AVProducerReferenceTime: microseconds, then flags
_LOOK_EVERY: Final = 10  # packets; the camera's report itself comes every few seconds
_ALMOST: Final = 0.98  # of the timeout: it fires a moment early by our clock


@dataclass(frozen=True, slots=True)
class Description:
    """What the camera says of its video when it is opened."""

    codec: VideoCodec
    extradata: bytes
    fps: float | None


class RtspSession:
    """``with RtspSession(...) as session:`` then ``session.packets()``; all in one thread."""

    def __init__(
        self, url: str, *, connect_timeout_s: float, read_timeout_s: float, clock: Clock
    ) -> None:
        self._url = url
        self._connect_timeout_s = connect_timeout_s
        self._read_timeout_s = read_timeout_s
        self._clock = clock
        self._container: InputContainer | None = None
        self._video: VideoStream | None = None

    def __enter__(self) -> RtspSession:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        container, self._container, self._video = self._container, None, None
        if container is not None:
            container.close()

    def open(self) -> Description:
        """Connect and ask for the video; ``CaptureError`` with the reason."""
        began_s = self._clock.monotonic_s()
        try:
            self._container = av.open(
                self._url,
                format="rtsp",
                options=dict(OPTIONS),
                timeout=(self._connect_timeout_s, self._read_timeout_s),
            )
        except (av.error.FFmpegError, OSError, ValueError) as error:
            waited_s = self._clock.monotonic_s() - began_s
            # No "from error": the chained exception's text would show the password.
            raise self._not_opened(error, waited_s) from None
        if not self._container.streams.video:
            raise CaptureError(
                CameraStatus.UNSUPPORTED_CODEC.value, f"{shown(self._url)} sends no video"
            )
        self._video = self._container.streams.video[0]
        context = self._video.codec_context
        name = "an unknown codec" if context is None else context.name
        if name not in (VideoCodec.H264.value, VideoCodec.HEVC.value):
            raise CaptureError(
                CameraStatus.UNSUPPORTED_CODEC.value,
                f"{shown(self._url)} sends {name}: set the camera to H.264 or H.265",
            )
        rate = self._video.average_rate
        return Description(
            codec=VideoCodec(name),
            extradata=context.extradata or b"",
            fps=float(rate) if rate else None,
        )

    def packets(self) -> Iterator[Packet]:
        """Encoded pictures as they come; ends with a ``CaptureError``, never by itself."""
        container, video = self._container, self._video
        assert container is not None
        assert video is not None
        milliseconds = video.time_base * 1000 if video.time_base else Fraction(1, 90)
        scale = milliseconds.numerator / milliseconds.denominator
        clock = self._clock
        longest_s = self._read_timeout_s * _ALMOST
        arrival_s = clock.monotonic_s()
        arrival_wall_ms = clock.wall_ms()
        offset_ms: float | None = None  # the camera's wall clock minus its media clock
        looked = 0
        try:
            for packet in container.demux(video):
                now_s = clock.monotonic_s()
                if now_s - arrival_s >= longest_s:
                    raise self._stalled()
                if not packet.size:
                    break
                pts = packet.pts
                media_ms = None if pts is None else pts * scale
                looked += 1
                if media_ms is None or offset_ms is None or looked >= _LOOK_EVERY:
                    looked = 0
                    wall_ms = _camera_wall_ms(packet, media_ms, container)
                    if wall_ms is not None and media_ms is not None:
                        offset_ms = wall_ms - media_ms
                else:
                    wall_ms = media_ms + offset_ms
                yield Packet(
                    data=bytes(packet),
                    media_ms=media_ms,
                    is_key=packet.is_keyframe,
                    arrival=Arrival(arrival_wall_ms, arrival_s * 1000),
                    camera_wall_ms=wall_ms,
                )
                arrival_s = now_s
                arrival_wall_ms = clock.wall_ms()
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise self._ended(error) from None
        raise CaptureError(CameraStatus.ENDED.value, f"{shown(self._url)} ended the video")

    def _stalled(self) -> CaptureError:
        return CaptureError(
            CameraStatus.STALLED.value,
            f"{shown(self._url)} sent nothing for {self._read_timeout_s:g} s",
        )

    def _not_opened(self, error: Exception, waited_s: float) -> CaptureError:
        where, text = shown(self._url), scrub(str(error), self._url)
        timed_out = waited_s >= self._connect_timeout_s * _ALMOST
        match error:
            case av.error.HTTPUnauthorizedError() | av.error.HTTPForbiddenError():
                status, said = CameraStatus.UNAUTHORIZED, "refuses the user name or password"
            case av.error.HTTPNotFoundError():
                status, said = CameraStatus.NOT_FOUND, "has no such path"
            case av.error.HTTPError():
                status, said = CameraStatus.REFUSED, f"refuses: {text}"
            case ConnectionRefusedError():
                status, said = CameraStatus.REFUSED, "refuses the connection"
            case av.error.ExitError() | TimeoutError():
                status, said = CameraStatus.NO_ANSWER, f"did not answer in {waited_s:.1f} s"
            case av.error.InvalidDataError() if timed_out:
                status, said = CameraStatus.NO_ANSWER, f"did not answer in {waited_s:.1f} s"
            case av.error.InvalidDataError():
                status, said = CameraStatus.INVALID_DATA, "does not answer in RTSP"
            case EOFError() | ConnectionError():
                status, said = CameraStatus.REFUSED, "closed the connection at once"
            case OSError(errno=errno.EIO):
                status, said = CameraStatus.UNREACHABLE, "has a host name that is not known"
            case OSError():
                status, said = CameraStatus.UNREACHABLE, f"cannot be reached: {text}"
            case _:
                status, said = CameraStatus.INVALID_DATA, f"cannot be opened: {text}"
        return CaptureError(status.value, f"{where} {said}")

    def _ended(self, error: Exception) -> CaptureError:
        where, text = shown(self._url), scrub(str(error), self._url)
        match error:
            case av.error.ExitError() | TimeoutError():
                return self._stalled()
            case EOFError() | ConnectionError():
                return CaptureError(CameraStatus.ENDED.value, f"{where} closed the connection")
            case _:
                return CaptureError(CameraStatus.INVALID_DATA.value, f"{where}: {text}")


def _camera_wall_ms(
    packet: AvPacket[VideoStream], media_ms: float | None, container: InputContainer
) -> float | None:
    """The picture's time by the camera's clock; None before its first RTCP sender report."""
    if packet.has_sidedata("prft"):
        wall_us: int = _PRODUCER_TIME.unpack_from(bytes(packet.get_sidedata("prft")))[0]
        return wall_us / 1000
    start_us = container.start_time_realtime
    if start_us is not None and media_ms is not None:
        return start_us / 1000 + media_ms
    return None
