"""Which pictures are worth looking at: six to eight a second, more once something calls for it."""

from __future__ import annotations

from typing import Final

SPACING_MS: Final = 125  # six to eight pictures a second
ALERT_SPACING_MS: Final = 95  # eight or ten, once something calls for it
SLOW_FPS: Final = 12.5
SLOW_SPACING_MS: Final = 60  # every picture, but for bursts


class Rhythm:
    """When the last picture was looked at, and until when to look more often."""

    def __init__(self) -> None:
        self.last_ms: int | None = None  # the last picture looked at
        self._hasty_until_ms = 0

    def wants(self, capture_ms: int, fps: float | None) -> bool:
        """Whether a picture of that time is far enough from the last; ``fps`` of the stream."""
        if self.last_ms is None:
            return True
        spacing_ms = ALERT_SPACING_MS if capture_ms < self._hasty_until_ms else SPACING_MS
        if fps is not None and 0 < fps <= SLOW_FPS:
            spacing_ms = SLOW_SPACING_MS  # every second picture would be too few
        return not 0 <= capture_ms - self.last_ms < spacing_ms

    def hasten(self, until_ms: int) -> None:
        """Look more often until then."""
        self._hasty_until_ms = max(self._hasty_until_ms, until_ms)
