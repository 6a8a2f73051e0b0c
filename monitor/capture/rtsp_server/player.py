"""Plays a route to one viewer: paced by the monotonic clock, times continuous over loops.

The capture time of a picture is the wall time at which a real camera would have taken it: its
presentation time on the pacing clock, less the wait that reordering costs. Sender reports carry
exactly that mapping.
"""

from __future__ import annotations

import asyncio
import random

from monitor.capture.rtsp_server import rtcp
from monitor.capture.rtsp_server.packetiser import interleaved
from monitor.capture.rtsp_server.route import Fault, RouteState
from monitor.capture.rtsp_server.source import CLOCK_HZ, VideoSource, seconds, ticks_of
from monitor.clock import Clock

MAX_UNSENT_BYTES = 16_000_000
_IDLE_S = 0.05
_DRAIN_S = 20.0


class Player:
    """One viewer's playback. ``run`` returns at the end of a source that does not loop."""

    def __init__(
        self,
        state: RouteState,
        writer: asyncio.StreamWriter,
        clock: Clock,
        *,
        channels: tuple[int, int],
        chance: random.Random,
    ) -> None:
        self._state, self._writer, self._clock = state, writer, clock
        self._rtp_channel, self._rtcp_channel = channels
        self._chance = chance
        self._source: VideoSource = state.source
        self.ssrc = chance.getrandbits(32)
        self.sequence = chance.getrandbits(16)
        self.first_timestamp = chance.getrandbits(31)
        self._base = 0  # ticks on the viewer's timeline at which this round began
        self._index = 0
        self._packets = self._octets = 0
        self._next_report_s = 0.0
        self._jumps_seen = state.clock_jumps
        self._start_s = 0.0
        self._start_wall_ms = 0

    async def run(self) -> None:
        """Send until the source ends or the connection breaks (``ConnectionError``)."""
        stalled = False
        while True:
            if self._state.fault is Fault.STALL:
                stalled = True
                await self._clock.sleep(_IDLE_S)
                continue
            if stalled:
                stalled = False
                self._skip_missed()
            if self._state.source is not self._source:
                self._switch()
            if self._index >= len(self._source.units) and not self._next_round():
                break
            unit = self._source.units[self._index]
            due_s = self._start_s + seconds(self._base + unit.dts)
            wait_s = due_s - self._clock.monotonic_s()
            if wait_s > 0:
                # In short naps, so that a fault or a new source takes hold at once.
                await self._clock.sleep(min(wait_s, _IDLE_S))
                continue
            await self._send(self._index)
            self._index += 1
        self._write(rtcp.framed(rtcp.goodbye(self.ssrc), self._rtcp_channel))
        await self._drained()

    def prepare(self) -> tuple[int, int]:
        """Start the clock; the first packet's sequence number and RTP timestamp."""
        now_s = self._clock.monotonic_s()
        state = self._state
        self._start_s = now_s
        if state.route.live:
            if state.epoch_s is None:
                state.epoch_s = now_s
            since = ticks_of(now_s - state.epoch_s)
            rounds, tick = divmod(since, self._source.duration)
            over = rounds > 0 and not state.route.loop
            self._index = len(self._source.units) if over else self._source.key_at(tick)
            # The joined key picture is sent at once; the rest follows when it is due.
            self._start_s = state.epoch_s
            self._base = rounds * self._source.duration
        offset_s = self._start_s - now_s
        self._start_wall_ms = self._clock.wall_ms() + round(offset_s * 1000)
        self._next_report_s = now_s
        first = self._source.units[min(self._index, len(self._source.units) - 1)]
        return self.sequence, self._timestamp(self._base + first.pts) & 0xFFFFFFFF

    def _skip_missed(self) -> None:
        """After a stall a camera shows the present: go on at the next key picture."""
        now = ticks_of(self._clock.monotonic_s() - self._start_s)
        while True:
            if self._index >= len(self._source.units) and not self._next_round():
                return
            unit = self._source.units[self._index]
            if unit.is_key and self._base + unit.dts >= now:
                return
            self._index += 1

    def _switch(self) -> None:
        """Another source from its first picture; the timeline goes on from now."""
        self._source = self._state.source
        self._index = 0
        self._base = max(ticks_of(self._clock.monotonic_s() - self._start_s), self._base)

    def _next_round(self) -> bool:
        if not self._state.route.loop:
            return False
        self._base += self._source.duration
        self._index = 0
        return True

    async def _send(self, index: int) -> None:
        if self._state.fault is Fault.GARBAGE:
            self._write(self._chance.randbytes(600))
            await self._drained()
            return
        unit = self._source.units[index]
        if unit.is_key and self._state.fault is Fault.NO_KEY_FRAMES:
            return
        self._report_when_due()
        parts = self._source.payloads(index)
        self._write(
            interleaved(
                parts, channel=self._rtp_channel, sequence=self.sequence,
                timestamp=self._timestamp(self._base + unit.pts), ssrc=self.ssrc,
            )
        )  # fmt: skip
        self.sequence = (self.sequence + len(parts)) & 0xFFFF
        self._packets += len(parts)
        self._octets += sum(map(len, parts))
        self._state.played_units += 1
        await self._drained()

    def _timestamp(self, tick: int) -> int:
        return self.first_timestamp + tick

    def _report_when_due(self) -> None:
        state, now_s = self._state, self._clock.monotonic_s()
        jumped = state.clock_jumps != self._jumps_seen
        if not state.route.sender_reports or (now_s < self._next_report_s and not jumped):
            return
        self._jumps_seen = state.clock_jumps
        self._next_report_s = now_s + state.route.sender_report_interval_s
        # A picture on its way now was taken `latency` before its presentation tick comes up.
        since_s = now_s - self._start_s
        tick = round(since_s * CLOCK_HZ) + self._source.latency
        wall_ms = self._start_wall_ms + round(since_s * 1000) + state.clock_offset_ms
        report = rtcp.sender_report(
            ssrc=self.ssrc, wall_ms=wall_ms, timestamp=self._timestamp(tick),
            packets=self._packets, octets=self._octets,
        )  # fmt: skip
        self._write(rtcp.framed(report, self._rtcp_channel))

    def _write(self, data: bytes) -> None:
        if self._writer.transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            raise ConnectionError("the viewer does not take what it asked for")
        self._writer.write(data)

    async def _drained(self) -> None:
        try:
            async with asyncio.timeout(_DRAIN_S):
                await self._writer.drain()
        except TimeoutError as error:
            raise ConnectionError("the viewer stopped reading") from error
