"""Reads one camera for ever, in a thread of its own: connect, read, fail, wait, again.

A thread per camera and no pool: a camera that hangs can only ever hang itself. The thread does
next to nothing with a packet but note it; the loop calls ``collect`` for all cameras in a row,
which is where packets become access units in the backlog and the camera's state follows. (Doing
that in each thread cost twice the CPU: caches go cold and threads fight for the interpreter.)
"""

from __future__ import annotations

import logging
import random
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Final, Literal, Protocol

from monitor.backoff import Backoff
from monitor.capture.assembler import Assembler, Packet, Product
from monitor.capture.backlog import Backlog
from monitor.capture.capture_clock import CaptureClock
from monitor.capture.rates import Rates
from monitor.capture.rtsp import Description
from monitor.clock import Clock
from monitor.domain import AccessUnit, CameraStatus, CodecParameters, VideoCodec
from monitor.errors import CaptureError

log = logging.getLogger(__name__)

MOST_UNCOLLECTED: Final = 1500
"""Packets a thread keeps for a loop that hangs, about a minute of them; then it drops."""

_FIRST_WAIT_S: Final = 1.0  # before a camera is tried again
_WORTH_SAYING_MS: Final = 2000.0


class Session(Protocol):
    """One connection to a camera, used in one thread."""

    def __enter__(self) -> Session: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

    def open(self) -> Description: ...

    def packets(self) -> Iterator[Packet]: ...


class Connect(Protocol):
    """Makes a session; it does not connect yet."""

    def __call__(self) -> Session: ...


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the reading thread knows of its camera now."""

    status: CameraStatus
    since_ms: int
    detail: str = ""
    codec: VideoCodec | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    bitrate_bps: int | None = None
    last_frame_ms: int | None = None
    reconnects: int = 0
    clock: Literal["rtcp", "arrival"] | None = None
    has_b_frames: bool = False
    clock_jumps: int = 0


@dataclass(frozen=True, slots=True)
class _Failure:
    """The session ended, or there was none."""

    status: CameraStatus
    detail: str


class _Again:
    """The next attempt begins."""


class _Gap:
    """Packets were dropped here, because nobody collected them."""


_Event = Packet | Description | _Failure | _Again | _Gap


class CameraReader:
    """Owns the camera's thread, clock and backlog.

    ``run`` and ``run_once`` belong to the thread, everything else to the loop.
    """

    def __init__(
        self,
        name: str,
        connect: Connect,
        *,
        clock: Clock,
        backoff_max_s: float,
        key_frame_timeout_s: float,
        last_entry_ms: int = 0,
        latest: CodecParameters | None = None,
        random_source: random.Random | None = None,
    ) -> None:
        self.name = name
        self.backlog = Backlog()
        self.units = 0
        self.bytes = 0
        self.uncollected = 0  # packets dropped because the loop hung
        self._connect = connect
        self._clock = clock
        self._key_frame_timeout_s = key_frame_timeout_s
        self._backoff = Backoff(_FIRST_WAIT_S, backoff_max_s, random_source)
        self._times = CaptureClock(last_entry_ms)
        self._assembler = Assembler(self._times, latest)
        self._rates = Rates()
        self._snapshot = Snapshot(CameraStatus.CONNECTING, clock.wall_ms())
        self._key_ms = 0.0  # monotonic: the last key picture, or the session's first packet
        # Between thread and loop; each of these is one operation of the interpreter.
        self._events: deque[_Event] = deque()
        self._hopeless: CaptureError | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self.run, name=f"read {name}", daemon=True)

    def start(self) -> None:
        """Begin reading."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end; it does with the next packet, or when its wait times out."""
        self._stopping.set()

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread; False where it still hangs on its camera."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def run(self) -> None:
        """Sessions, one after the other, until stopped."""
        while not self._stopping.is_set():
            try:
                self.run_once()
            except CaptureError as error:
                self._events.append(_Failure(CameraStatus(error.reason), str(error)))
            except Exception:
                log.exception("camera %s: reading failed in a way nobody foresaw", self.name)
                failure = _Failure(CameraStatus.INVALID_DATA, "reading failed: see the log")
                self._events.append(failure)
            if self._stopping.wait(self._backoff.next_s()):
                return
            self._events.append(_Again())

    def run_once(self) -> None:
        """One session; ends with a ``CaptureError``, or without one when stopped."""
        with self._connect() as session:
            description = session.open()
            self._hopeless = None
            events = self._events
            events.append(description)
            stopping = self._stopping.is_set
            gap = False
            for packet in session.packets():
                if stopping():
                    return
                if self._hopeless is not None:
                    raise self._hopeless
                if len(events) >= MOST_UNCOLLECTED:
                    gap = True
                    self.uncollected += 1
                    continue
                if gap:
                    gap = False
                    events.append(_Gap())
                events.append(packet)

    def collect(self) -> None:
        """Work in what the thread has read since the last time."""
        events = self._events
        newest: AccessUnit | None = None
        has_key = False
        while events:
            event = events.popleft()
            if isinstance(event, Packet):
                before = self._snapshot
                for product in self._work_in(event):
                    if isinstance(product, AccessUnit):
                        newest = product
                        has_key = has_key or product.is_key
                if self._snapshot is not before:
                    has_key = False  # key pictures have just been missed
                continue
            if newest is not None:
                self._delivered(newest, has_key)
                newest, has_key = None, False
            self._happened(event)
        if newest is not None:
            self._delivered(newest, has_key)

    def snapshot(self) -> Snapshot:
        """The state as of the last ``collect``, rates measured up to this moment."""
        measured = self._rates.measure(self._clock.monotonic_s())
        if measured is None:
            return self._snapshot
        return replace(self._snapshot, fps=round(measured[0], 2), bitrate_bps=measured[1])

    @property
    def broken_units(self) -> int:
        """Pictures dropped because no decoder could have used them."""
        return self._assembler.dropped + self.uncollected

    def _work_in(self, packet: Packet) -> list[Product]:
        now_ms = packet.arrival.monotonic_ms
        products = self._assembler.add(packet)
        self._rates.add(now_ms / 1000, len(packet.data))
        if products:
            self.backlog.put(products)
            for product in products:
                if isinstance(product, AccessUnit):
                    self.units += 1
                    self.bytes += len(product.data)
        if self._key_ms == 0.0 or (packet.is_key and self._assembler.has_key):
            self._key_ms = now_ms
        elif now_ms - self._key_ms > self._key_frame_timeout_s * 1000:
            self._no_key_frame()
        return products

    def _happened(self, event: Description | _Failure | _Again | _Gap) -> None:
        if isinstance(event, Description):
            self._assembler.begin(event.codec, event.extradata, event.fps)
            self._rates.clear()
            self._key_ms = 0.0
        elif isinstance(event, _Failure):
            self._failed(event.status, event.detail)
        elif isinstance(event, _Gap):
            self._assembler.has_key = False
        else:
            reconnects = self._snapshot.reconnects + 1
            self._snapshot = replace(self._snapshot, reconnects=reconnects)

    def _delivered(self, unit: AccessUnit, has_key: bool) -> None:
        now, times, params = self._snapshot, self._times, self._assembler.params
        online = now.status is CameraStatus.ONLINE
        if not online and not has_key and now.status is CameraStatus.NO_KEY_FRAME:
            return
        if not online:
            self._backoff.reset()
            log.info("camera %s: online", self.name)
        self._snapshot = replace(
            now,
            status=CameraStatus.ONLINE,
            since_ms=now.since_ms if online else self._clock.wall_ms(),
            detail=_remark(times),
            codec=None if params is None else params.codec,
            width=None if params is None else params.width,
            height=None if params is None else params.height,
            last_frame_ms=unit.capture_ms,
            clock=times.kind,
            has_b_frames=times.has_b_frames,
            clock_jumps=times.jumps,
        )

    def _no_key_frame(self) -> None:
        """Without a first one there is nothing to show: try anew, many cameras then send one."""
        said = f"no key frame for {self._key_frame_timeout_s:g} s"
        if not self._assembler.has_key:
            self._hopeless = CaptureError(CameraStatus.NO_KEY_FRAME.value, said)
        elif self._snapshot.status is not CameraStatus.NO_KEY_FRAME:
            self._failed(CameraStatus.NO_KEY_FRAME, f"{said}: shorten the camera's GOP")

    def _failed(self, status: CameraStatus, detail: str) -> None:
        was = self._snapshot
        changed = was.status is not status
        since_ms = self._clock.wall_ms() if changed else was.since_ms
        self._snapshot = replace(
            was, status=status, since_ms=since_ms, detail=detail, fps=None, bitrate_bps=None
        )
        self._rates.clear()
        if changed:
            log.warning("camera %s: %s (%s)", self.name, status.value, detail)


def _remark(times: CaptureClock) -> str:
    """What a person should know of a camera that works."""
    remarks = []
    error_ms = times.camera_error_ms
    if times.kind == "arrival" and error_ms is not None:
        side = "ahead" if error_ms > 0 else "behind"
        remarks.append(f"the camera's clock is {abs(error_ms) / 1000:.0f} s {side}, not used")
    if times.ahead_ms > _WORTH_SAYING_MS:
        remarks.append(f"times are {times.ahead_ms / 1000:.0f} s ahead, a clock was set back")
    if times.has_b_frames:
        remarks.append("B-frames: switch them off in the camera for smooth live pictures")
    return "; ".join(remarks)
