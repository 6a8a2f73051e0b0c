"""Frames and bits per second, measured over the last seconds."""

from __future__ import annotations

from collections import deque
from typing import Final

SPAN_S: Final = 4.0


class Rates:
    """Counts pictures by their arrival; a camera that stops goes to zero by itself."""

    def __init__(self, span_s: float = SPAN_S) -> None:
        self._span_s = span_s
        self._arrivals: deque[tuple[float, int]] = deque()
        self._bytes = 0

    def add(self, now_s: float, size_bytes: int) -> None:
        """One picture arrived."""
        self._arrivals.append((now_s, size_bytes))
        self._bytes += size_bytes
        self._forget(now_s)

    def measure(self, now_s: float) -> tuple[float, int] | None:
        """Frames and bits per second; None before there is enough to tell."""
        self._forget(now_s)
        if len(self._arrivals) < 2:
            return None
        first_s, first_bytes = self._arrivals[0]
        # While pictures come, the last one's time; when they cease, the clock runs on.
        until_s = max(self._arrivals[-1][0], now_s - 1.0)
        span_s = until_s - first_s
        if span_s < 0.2:
            return None
        intervals = len(self._arrivals) - 1
        return intervals / span_s, round(8 * (self._bytes - first_bytes) / span_s)

    def clear(self) -> None:
        """A new session."""
        self._arrivals.clear()
        self._bytes = 0

    def _forget(self, now_s: float) -> None:
        while self._arrivals and now_s - self._arrivals[0][0] > self._span_s:
            self._bytes -= self._arrivals.popleft()[1]
