"""When a picture was taken: strictly rising ring ids and true capture times. See docs/time.md.

Three clocks meet here. The *media clock* is the camera's PTS in milliseconds from an arbitrary
start: smooth, but of unknown origin. The *camera's wall clock* comes from RTCP sender reports:
right on a camera with NTP, hours off on others. *Arrival* is this machine's wall and monotonic
time: it is always there, and late by a delay that varies.

A capture time is media time plus an offset. The offset is the camera's wall clock where that
is believable, else the smallest delay seen in the last seconds (a picture is never early, so
the least delayed ones tell the truth and network jitter does not shake the times). It moves
slowly, except where a clock jumped.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final, Literal

WINDOW_S: Final = 12.0
"""Over which the smallest delay is sought; longer delays are then taken for a late clock."""

LEAD_MS: Final = 500.0
"""A camera's clock this far ahead of arrival is still believed: the machines' clocks differ."""

LAG_MS: Final = 2000.0
"""A camera's clock this far behind arrival is still believed: encoding and network take time."""

JUMP_MS: Final = 2000.0
"""A clock that is off by more than this has jumped; less is delay, drift or frame reordering."""

REORDER_MS: Final = 1000.0
"""PTS going back by less is a B-frame, by more a media clock that began anew."""

SLEW: Final = 0.02
"""How far the offset moves per elapsed time: speeds measured meanwhile are off by 2 %."""

SLEW_BACK: Final = 0.05
"""The same where ids are ahead of the time by more than a jump and must wait for it."""

RESET_MS: Final = 60_000.0
"""Ids further ahead than this are not waited for: the ring is begun anew."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """When a picture reached this machine."""

    wall_ms: float
    monotonic_ms: float


@dataclass(frozen=True, slots=True)
class Stamp:
    """The times of one access unit; they differ only where pictures are reordered."""

    entry_ms: int
    capture_ms: int


class MinimumDelay:
    """The smallest value of a sliding window of time, in constant time per value."""

    def __init__(self, window_ms: float) -> None:
        self._window_ms = window_ms
        self._values: deque[tuple[float, float]] = deque()  # rising in time and in value

    def add(self, now_ms: float, delay_ms: float) -> float:
        """Take in one delay; the smallest of the window."""
        while self._values and self._values[-1][1] >= delay_ms:
            self._values.pop()
        self._values.append((now_ms, delay_ms))
        while now_ms - self._values[0][0] > self._window_ms:
            self._values.popleft()
        return self._values[0][1]

    def clear(self) -> None:
        """Forget all."""
        self._values.clear()


class CaptureClock:
    """The times of one camera, across sessions. ``observe`` every picture, then ``stamp`` it.

    Between the two a caller may hold pictures back: at the start of a session the first ones
    may come as a burst, and only the last of it tells when the first was taken.
    """

    def __init__(self, last_entry_ms: int = 0) -> None:
        self.kind: Literal["rtcp", "arrival"] | None = None
        self.jumps = 0
        self.has_b_frames = False
        self.camera_error_ms: float | None = None  # the camera's wall clock minus ours
        self._last_entry_ms = last_entry_ms
        self._delay = MinimumDelay(WINDOW_S * 1000)
        self._least_ms = 0.0
        self._host_offset_ms: float | None = None  # wall minus monotonic
        self._wanted_ms = 0.0  # the offset aimed at
        self._offset_ms: float | None = None  # the offset in use
        self._waiting = False
        self._arrival = Arrival(0.0, 0.0)
        self._counted_ms = float("-inf")
        self._seen_ms: float | None = None  # newest media time observed, and stamped
        self._stamped_ms: float | None = None

    @property
    def ahead_ms(self) -> float:
        """How far ids are ahead of the time: after a clock was set back."""
        return 0.0 if self._offset_ms is None else max(0.0, self._offset_ms - self._wanted_ms)

    @property
    def needs_reset(self) -> bool:
        """Whether waiting for the time to catch up would take too long."""
        return self.ahead_ms > RESET_MS

    def reset(self) -> None:
        """The ring was emptied: ids may go back."""
        self._last_entry_ms = 0
        self._offset_ms = None
        self._waiting = False

    def begin(self) -> None:
        """A new session: the media clock starts anywhere."""
        self._forget_media()
        self.has_b_frames = False

    def observe(self, media_ms: float, arrival: Arrival, camera_wall_ms: float | None) -> None:
        """A picture arrived; ``camera_wall_ms`` is its time by the camera's clock, if known."""
        host_ms = arrival.wall_ms - arrival.monotonic_ms
        delay_ms = arrival.monotonic_ms - media_ms
        self._arrival = arrival
        if self._host_offset_ms is not None and abs(host_ms - self._host_offset_ms) > JUMP_MS:
            self._count_jump()  # this machine's clock was set
        self._host_offset_ms = host_ms
        if self._seen_ms is not None and (
            media_ms < self._seen_ms - REORDER_MS or delay_ms < self._least_ms - JUMP_MS
        ):
            self._count_jump()  # the media clock began anew or leapt ahead
            self._forget_media()
        self._seen_ms = media_ms if self._seen_ms is None else max(self._seen_ms, media_ms)
        self._least_ms = self._delay.add(arrival.monotonic_ms, delay_ms)
        by_arrival_ms = host_ms + self._least_ms
        self._wanted_ms = by_arrival_ms
        was, self.kind = self.kind, "arrival"
        if camera_wall_ms is not None:
            by_camera_ms = camera_wall_ms - media_ms
            self.camera_error_ms = by_camera_ms - by_arrival_ms
            slack = 1.5 if was == "rtcp" else 1.0  # do not waver at the limit
            if -LAG_MS * slack <= self.camera_error_ms <= LEAD_MS * slack:
                self.kind = "rtcp"
                self._wanted_ms = by_camera_ms
        if was == "rtcp" and self.kind == "arrival":
            self._count_jump()  # the camera's clock was set to something unbelievable

    def stamp(self, media_ms: float) -> Stamp:
        """The times of a picture that was observed; call it in decode order."""
        self._move_offset(media_ms)
        assert self._offset_ms is not None
        if not self._waiting and media_ms + self._offset_ms > self._arrival.wall_ms + JUMP_MS:
            # Whatever the media clock did: no picture was taken after it arrived.
            self._offset_ms = self._arrival.wall_ms - media_ms
            self._count_jump()
        capture_ms = round(media_ms + self._offset_ms)
        if self._stamped_ms is not None and media_ms < self._stamped_ms:
            self.has_b_frames = True
        else:
            self._stamped_ms = media_ms
        entry_ms = max(capture_ms, self._last_entry_ms + 1)
        self._last_entry_ms = entry_ms
        return Stamp(entry_ms, capture_ms if self.has_b_frames else entry_ms)

    def _move_offset(self, media_ms: float) -> None:
        if self._offset_ms is None:
            # Go on after the last entry even where the clock says earlier, and wait for it.
            self._offset_ms = max(self._wanted_ms, self._last_entry_ms + 1 - media_ms)
            self._note_waiting()
            return
        missing_ms = self._wanted_ms - self._offset_ms
        if missing_ms > JUMP_MS:
            self._offset_ms = self._wanted_ms
            self._count_jump()
        else:
            elapsed_ms = max(0.0, media_ms - (self._stamped_ms or media_ms))
            most_ms = elapsed_ms * (SLEW_BACK if missing_ms < -JUMP_MS else SLEW)
            self._offset_ms += min(max(missing_ms, -most_ms), most_ms)
        self._note_waiting()

    def _note_waiting(self) -> None:
        if self.ahead_ms <= JUMP_MS / 2:
            self._waiting = False
        elif self.ahead_ms > JUMP_MS and not self._waiting:
            self._waiting = True
            self._count_jump()

    def _count_jump(self) -> None:
        """One jump shows in several ways within a moment; it is one."""
        if self._arrival.monotonic_ms - self._counted_ms > 1000:
            self.jumps += 1
        self._counted_ms = self._arrival.monotonic_ms

    def _forget_media(self) -> None:
        self._delay.clear()
        self._seen_ms = self._stamped_ms = self._offset_ms = None
        self._host_offset_ms = None
