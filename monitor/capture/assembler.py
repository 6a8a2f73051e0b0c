"""From a camera's packets to access units: parameter sets in band, generations, times.

One per camera, in its reading thread. It does no I/O and never decodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from monitor.capture import annexb
from monitor.capture.annexb import ParameterSets
from monitor.capture.capture_clock import Arrival, CaptureClock
from monitor.capture.picture_size import picture_size
from monitor.domain import AccessUnit, CodecParameters, VideoCodec

HOLD_MS: Final = 300.0
"""At the start of a session pictures are held back this long: they may come as a burst."""

_USUAL_INTERVAL_MS: Final = 40.0


@dataclass(frozen=True, slots=True)
class Packet:
    """One encoded picture as the demuxer gave it."""

    data: bytes
    media_ms: float | None  # PTS; None where the demuxer does not know it (yet)
    is_key: bool
    arrival: Arrival
    camera_wall_ms: float | None = None


@dataclass(frozen=True, slots=True)
class _Held:
    data: bytes
    media_ms: float | None
    is_key: bool
    generation: int
    camera_wall_ms: float | None


@dataclass(frozen=True, slots=True)
class RingRestart:
    """What follows has earlier times than the ring: it must be emptied first."""


Product = AccessUnit | CodecParameters | RingRestart


class Assembler:
    """Makes access units. What comes before the first key picture is dropped and counted."""

    def __init__(self, clock: CaptureClock, latest: CodecParameters | None) -> None:
        self.params = latest
        self.dropped = 0  # pictures no decoder could start with, or broken ones
        self.has_key = False
        self._clock = clock
        self._sets = ParameterSets(VideoCodec.H264)
        self._fps: float | None = None
        self._began_ms: float | None = None  # monotonic; None once pictures are let through
        self._held: list[_Held] = []
        self._last_media_ms: float | None = None
        self._interval_ms = _USUAL_INTERVAL_MS
        self._by_arrival = False

    def begin(self, codec: VideoCodec, extradata: bytes, fps: float | None) -> None:
        """A new session, with what its description says."""
        self._clock.begin()
        self._sets = annexb.from_extradata(extradata, codec)
        self._fps = fps if fps is not None and 0.1 <= fps <= 240 else None
        self._interval_ms = _USUAL_INTERVAL_MS if self._fps is None else 1000 / self._fps
        self._began_ms = float("nan")
        self._held.clear()
        self._last_media_ms = None
        self._by_arrival = False
        self.has_key = False

    def add(self, packet: Packet) -> list[Product]:
        """The access units this packet completes, parameters before the first that needs them."""
        media_ms = packet.media_ms
        if media_ms is not None:
            if self._last_media_ms is not None and 0 < media_ms - self._last_media_ms < 2000:
                self._interval_ms = media_ms - self._last_media_ms
            self._last_media_ms = media_ms
            self._clock.observe(media_ms, packet.arrival, packet.camera_wall_ms)
        products: list[Product] = []
        is_key = packet.is_key or (not self.has_key and self._begins_gop(packet.data))
        data = self._prepared(packet.data, is_key, products)
        if data is None:
            self.dropped += 1
            return products
        assert self.params is not None
        generation = self.params.generation
        if self._began_ms is None:
            if media_ms is None:
                media_ms = self._missing_time(packet.arrival, packet.camera_wall_ms)
            self._stamp(data, is_key, generation, media_ms, products)
            return products
        if self._began_ms != self._began_ms:  # not a number: the first one of the session
            self._began_ms = packet.arrival.monotonic_ms
        self._held.append(_Held(data, media_ms, is_key, generation, packet.camera_wall_ms))
        if packet.arrival.monotonic_ms - self._began_ms >= HOLD_MS:
            self._let_through(packet.arrival, products)
        return products

    def _prepared(self, data: bytes, is_key: bool, products: list[Product]) -> bytes | None:
        """Annex B with parameter sets on key pictures; None for what cannot be used."""
        if not annexb.is_annexb(data):
            try:
                data = annexb.to_annexb(data)
            except ValueError:
                return None
        if not is_key:
            return data if self.has_key else None
        sets = annexb.parameter_sets(data, self._sets.codec)
        if sets.complete:
            self._sets = sets
        elif self._sets.complete:
            data = annexb.with_parameter_sets(data, self._sets)
        else:
            return None
        if not self._adopt_parameters(products):
            return None
        self.has_key = True
        return data

    def _adopt_parameters(self, products: list[Product]) -> bool:
        """Make a new generation where the parameter sets are others than before."""
        sets, known = self._sets, self.params
        if known is not None and known.codec is sets.codec:
            same = annexb.from_extradata(known.extradata, known.codec).identity()
            if same == sets.identity():
                if not self.has_key:
                    products.append(known)
                return True
        size = picture_size(sets.sps() or b"", sets.codec)
        if size is None:
            return False
        self.params = CodecParameters(
            codec=sets.codec,
            width=size[0],
            height=size[1],
            extradata=sets.annexb,
            fps=self._fps,
            generation=1 if known is None else known.generation + 1,
        )
        products.append(self.params)
        return True

    def _begins_gop(self, data: bytes) -> bool:
        """Whether it is a key picture that the demuxer's parser has not marked as one."""
        codec = self._sets.codec
        kinds = (annexb.nal_type(nal, codec) for nal in annexb.split(data))
        if codec is VideoCodec.H264:
            return annexb.H264_IDR in kinds
        return any(16 <= kind <= 21 for kind in kinds)

    def _let_through(self, arrival: Arrival, products: list[Product]) -> None:
        """Stamp what was held back, filling in times the demuxer did not know."""
        held, self._held = self._held, []
        self._began_ms = None
        known = next((i for i, unit in enumerate(held) if unit.media_ms is not None), None)
        times: list[float] = []
        for index, unit in enumerate(held):
            if unit.media_ms is not None:
                times.append(unit.media_ms)
            elif times:
                times.append(times[-1] + self._interval_ms)
            elif known is not None:
                times.append(self._time_before(unit, held[known], known - index))
            else:  # this camera gives no times at all
                last_ms = self._missing_time(arrival, None)
                times.append(last_ms - (len(held) - 1 - index) * self._interval_ms)
        for unit, time_ms in zip(held, times, strict=True):
            self._stamp(unit.data, unit.is_key, unit.generation, time_ms, products)

    def _time_before(self, unit: _Held, later: _Held, pictures: int) -> float:
        """The media time of an earlier picture: by the camera's clock, else by the interval."""
        assert later.media_ms is not None
        if unit.camera_wall_ms is not None and later.camera_wall_ms is not None:
            return later.media_ms - (later.camera_wall_ms - unit.camera_wall_ms)
        return later.media_ms - pictures * self._interval_ms

    def _missing_time(self, arrival: Arrival, camera_wall_ms: float | None) -> float:
        """A media time for a picture without PTS: one interval on, or the arrival's."""
        if self._last_media_ms is not None and not self._by_arrival:
            self._last_media_ms += self._interval_ms
            return self._last_media_ms
        self._by_arrival = True
        self._last_media_ms = arrival.monotonic_ms
        self._clock.observe(arrival.monotonic_ms, arrival, camera_wall_ms)
        return arrival.monotonic_ms

    def _stamp(
        self, data: bytes, is_key: bool, generation: int, media_ms: float, products: list[Product]
    ) -> None:
        stamp = self._clock.stamp(media_ms)
        if self._clock.needs_reset:
            self._clock.reset()
            stamp = self._clock.stamp(media_ms)
            products.append(RingRestart())
        products.append(AccessUnit(stamp.entry_ms, stamp.capture_ms, is_key, generation, data))
