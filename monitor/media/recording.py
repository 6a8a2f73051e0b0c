"""A video or picture somebody hands us: whatever PyAV reads, of any length, in bounded memory.

Used by ``causeway ask`` and ``bench sampling``; cameras come through the ring instead. Times are
milliseconds since the file's first picture. It seeks; it never reads a whole long file, never
opens anything but this one local file, and refuses pictures too large to hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from monitor.domain import Box
from monitor.errors import MediaError
from monitor.media.forward import Reader, TimedFrame
from monitor.media.opening import media_error, open_file, video_stream
from monitor.media.stills import Still, model_size, sized_jpeg, to_jpeg

_SEEK_BACK_MS: Final = (0, 1_000, 5_000, 20_000)
_SCOUT_PACKETS: Final = 1_000
_SCOUT_ALL: Final = 4_000  # with those of the sound, which come oftener
_PAIR_MS: Final = (100, 400)
_CUT_MS: Final = 10_000  # pictures of a time lapse are seconds apart
_BROKEN_MAX: Final = 500  # packets in a row that cannot be decoded


class Recording:
    """``with Recording(path) as recording``; ``MediaError`` says what is wrong with a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._container = open_file(path)
        self._scout: Any = None
        self._scaler = VideoReformatter()
        self.out_of_order = 0  # pictures left out because time went back
        self.broken = 0  # packets that could not be decoded
        try:
            self._stream = video_stream(self._container, path)
            first = next(self._decoded(), None)
            if first is None:
                raise MediaError(f"no picture of {path} can be decoded")
            self._rotated = first.rotation % 180 != 0
            shape = (first.width, first.height)
            self.width, self.height = shape[::-1] if self._rotated else shape
            self._has_times = first.pts is not None
            self._start = Fraction(0) if first.pts is None else first.pts * first.time_base
            self._interval = 1 / (self._stream.average_rate or Fraction(25))
            self.seekable = self._has_times and self._rewind()
            self.duration_ms = self._duration_ms()
        except (MediaError, av.FFmpegError, ValueError) as error:
            self._container.close()
            if isinstance(error, MediaError):
                raise
            raise media_error(path, error) from error

    def __enter__(self) -> Recording:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._container.close()
        if self._scout is not None:
            self._scout.close()

    def frames(self, start_ms: int = 0, end_ms: int | None = None) -> Iterator[TimedFrame]:
        """Every picture from ``start_ms`` to ``end_ms``, times strictly rising.

        A picture whose time is not after the one before is left out and counted.
        """
        self._to(start_ms)
        last_ms = -1
        for found in self._timed():
            if found.time_ms <= last_ms:
                self.out_of_order += 1
                continue
            if end_ms is not None and found.time_ms > end_ms:
                return
            last_ms = found.time_ms
            if found.time_ms >= start_ms:
                yield found

    def stills(
        self,
        times_ms: Sequence[int],
        max_width: int,
        *,
        part: Box | None = None,
        progress: Callable[[float], None] = lambda share: None,
    ) -> list[Still | None]:
        """The pictures at rising times (the first one not before each), sized for the model.

        Of each only ``part``, if given.
        ``None`` where the file ends before, or where it was not reached within
        ``forward.READ_LIMIT_S``.
        """
        found: list[Still | None] = []
        reader = Reader(self)
        for number, wanted_ms in enumerate(times_ms):
            progress(number / len(times_ms))
            one = reader.at_or_after(wanted_ms)
            found.append(None if one is None else self._still(one, max_width, part))
        return found

    def overview(
        self,
        pairs: int,
        max_width: int,
        *,
        start_ms: int = 0,
        progress: Callable[[float], None] = lambda share: None,
    ) -> list[Still | None]:
        """Pairs spread evenly over a long file, mostly at its key pictures: a seek each.

        First, second, first, second, ...; a second is 100 to 400 ms after its first, or the
        first again.
        """
        end_ms = self.duration_ms or 0
        step = (end_ms - start_ms) / max(1, pairs - 1)
        found: list[Still | None] = []
        reader, last_ms = Reader(self), -1
        for number in range(pairs):
            progress(number / pairs)
            wanted_ms = round(start_ms + number * step)
            exact = number in (0, pairs - 1)
            first = reader.at_or_after(wanted_ms) if exact else reader.near(wanted_ms)
            if first is None:
                first = reader.last
            if first is None or first.time_ms <= last_ms:
                continue
            least, most = (first.time_ms + gap_ms for gap_ms in _PAIR_MS)
            still = self._still(first, max_width)
            second = reader.at_or_after(least) if number < pairs - 1 else None
            paired = second is not None and second.time_ms <= most
            found += [still, self._still(second, max_width) if paired and second else still]
            last_ms = second.time_ms if paired and second else first.time_ms
        return found

    def key_before(self, time_ms: int) -> int | None:
        """The key picture where a seek for that time lands, without moving; None if none does."""
        found = self._landing(time_ms)
        return None if found is None else found[1]

    def is_cut_short(self, slack_ms: int = _CUT_MS) -> bool:
        """Whether the end that the file speaks of is not there; by its last packets alone.

        Of any stream, for sound may go on after the pictures; a last picture may be shown long.
        """
        if self.duration_ms is None or not self.seekable:
            return False
        landing = self._landing(self.duration_ms)
        if landing is None:
            return True
        stream, last_ms, pictures = self._scout.streams.video[self._stream_number()], landing[1], 0
        try:
            self._scout.seek(self._pts(landing[0], stream), stream=stream)
            for number, packet in enumerate(self._scout.demux()):
                pictures += packet.stream_index == stream.index
                if pictures > _SCOUT_PACKETS or number == _SCOUT_ALL:
                    return False  # a GOP without end: there is no telling for little
                if packet.pts is not None:
                    end = packet.pts + (packet.duration or 0)
                    last_ms = max(last_ms, self._ms(end * packet.time_base))
        except av.FFmpegError:
            return True
        return last_ms < self.duration_ms - slack_ms

    def _landing(self, time_ms: int) -> tuple[int, int] | None:
        """(time to seek to, time of the key picture found there).

        A container without an index (MPEG-TS) may land after the wanted time, or between key
        pictures: then a seek further back is tried.
        """
        if not self.seekable:
            return None
        if self._scout is None:
            self._scout = open_file(self._path)
        stream = self._scout.streams.video[self._stream_number()]
        for back_ms in _SEEK_BACK_MS:
            target_ms = max(0, time_ms - back_ms)
            key_ms = self._key_from(target_ms, stream)
            if key_ms is not None and key_ms <= time_ms:
                return target_ms, key_ms
            if target_ms == 0:
                break
        return None

    def _key_from(self, target_ms: int, stream: Any) -> int | None:
        try:
            self._scout.seek(self._pts(target_ms, stream), stream=stream)
            for packet, _ in zip(self._scout.demux(stream), range(_SCOUT_PACKETS), strict=False):
                if packet.is_keyframe and packet.pts is not None:
                    return self._ms(packet.pts * packet.time_base)
        except av.FFmpegError:
            return None
        return None

    def _stream_number(self) -> int:
        streams: list[Any] = list(self._container.streams.video)
        return streams.index(self._stream)

    def upright(self, frame: av.VideoFrame) -> av.VideoFrame:
        """The picture as a player shows it: a telephone held upright turns its video so."""
        turn = frame.rotation % 360
        if not turn:
            return frame
        turned = np.rot90(frame.to_ndarray(format="bgr24"), turn // 90)
        pixels = np.ascontiguousarray(turned, dtype=np.uint8)
        return av.VideoFrame.from_ndarray(pixels, format="bgr24")

    def _still(self, found: TimedFrame, max_width: int, part: Box | None = None) -> Still:
        frame = self.upright(found.frame)
        if part is not None:
            return sized_jpeg(frame, found.time_ms, max_width, self._scaler, part)
        size = model_size(self.width, self.height, max_width)
        return to_jpeg(frame, found.time_ms, size, self._scaler)

    def _to(self, time_ms: int) -> None:
        if self.seekable:
            landing = self._landing(time_ms) if time_ms else None
            target_ms = 0 if landing is None else landing[0]
            self._container.seek(self._pts(target_ms, self._stream), stream=self._stream)
            return
        self._container.close()  # without times or an index, every search begins at the front
        self._container = open_file(self._path)
        self._stream = video_stream(self._container, self._path)

    def _pts(self, time_ms: int, stream: Any) -> int:
        # One more millisecond: a key picture's own time is rounded, and must not miss it.
        return int((self._start + Fraction(time_ms + 1, 1000)) / stream.time_base)

    def _ms(self, time_s: Fraction) -> int:
        return round((time_s - self._start) * 1000)

    def _timed(self) -> Iterator[TimedFrame]:
        for number, frame in enumerate(self._decoded()):
            if not self._has_times:
                yield TimedFrame(round(number * self._interval * 1000), frame)
            elif frame.pts is not None:
                yield TimedFrame(self._ms(frame.pts * frame.time_base), frame)

    def _decoded(self) -> Iterator[Any]:
        """Pictures in order; a packet that cannot be decoded costs its own picture only."""
        in_a_row = 0
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
                frames = packet.decode()
            except av.EOFError:
                return
            except (av.FFmpegError, ValueError) as error:
                self.broken += 1
                in_a_row += 1
                if in_a_row > _BROKEN_MAX:
                    raise media_error(self._path, error) from error
                continue
            if frames:
                in_a_row = 0
            yield from frames

    def _rewind(self) -> bool:
        try:
            self._container.seek(self._pts(0, self._stream), stream=self._stream)
            return next(self._decoded(), None) is not None  # a lone picture is read only once
        except (av.FFmpegError, OverflowError):
            return False

    def _duration_ms(self) -> int | None:
        """As the file says; None where it does not.

        Where only the container says (Matroska), it is of all streams, and counts from 0.
        """
        stream, container = self._stream, self._container
        if stream.duration is not None and stream.time_base is not None:
            duration_ms = round(stream.duration * stream.time_base * 1000)
        elif container.duration is not None:
            end_ms = container.duration // 1000
            from_start_ms = end_ms - max(0, round(self._start * 1000))
            duration_ms = from_start_ms if from_start_ms > 0 else end_ms
        else:
            return None
        return duration_ms if duration_ms > 0 else None
