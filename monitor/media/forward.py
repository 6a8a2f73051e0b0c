"""Forward through a recording from wanted time to wanted time, with as little decoding as it takes.

Called by ``Recording``, which knows how to seek and to decode; this only decides when to.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

import av

READ_LIMIT_S: Final = 120.0
"""How long one reader may decode where a file has hardly a key picture to seek to."""


@dataclass(frozen=True, slots=True)
class TimedFrame:
    """A decoded picture and when it is, in the file's own time."""

    time_ms: int
    frame: av.VideoFrame


class Searchable(Protocol):
    """What is read: a ``Recording``."""

    def frames(self, start_ms: int = 0, end_ms: int | None = None) -> Iterator[TimedFrame]:
        """Every picture of that stretch."""

    def key_before(self, time_ms: int) -> int | None:
        """The key picture where a seek for that time lands."""


class Reader:
    """Forward through a recording: by a seek where that saves decoding, else on and on."""

    def __init__(self, recording: Searchable) -> None:
        self._recording = recording
        self._frames: Iterator[TimedFrame] = recording.frames()
        self._until_s = time.monotonic() + READ_LIMIT_S
        self.last: TimedFrame | None = None

    def at_or_after(self, time_ms: int) -> TimedFrame | None:
        """The first picture not before that time."""
        self._seek(time_ms)
        while self.last is None or self.last.time_ms < time_ms:
            if not self._step():
                return None
        return self.last

    def near(self, time_ms: int) -> TimedFrame | None:
        """The key picture before that time if one is ahead of here; else as ``at_or_after``."""
        if self._seek(time_ms):
            self._step()
            return self.last
        return self.at_or_after(time_ms)

    def _seek(self, time_ms: int) -> bool:
        """Whether the next picture is a key one nearer to the time than where we are."""
        key_ms = self._recording.key_before(time_ms)
        if key_ms is None or (self.last is not None and key_ms <= self.last.time_ms):
            return False
        # From there on, not from the time itself: a second picture may be wanted before it.
        self._frames = self._recording.frames(key_ms)
        return True

    def _step(self) -> bool:
        following = next(self._frames, None)
        if following is None or time.monotonic() > self._until_s:
            return False
        self.last = following
        return True
