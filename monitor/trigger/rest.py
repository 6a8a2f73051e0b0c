"""Since when nobody is in sight, so that a camera may sleep. Kept by ``CameraTrigger``."""

from __future__ import annotations

from monitor.trigger.tracker import Tracker


class Rest:
    """What only lit up and never moved is no interruption."""

    def __init__(self) -> None:
        self.since_ms: int | None = None  # every picture looked at since then was empty
        self._last_ms: int | None = None
        self._next_id = 0

    def interrupt(self) -> int | None:
        """Another picture comes; since when it rested until then."""
        since_ms, self.since_ms = self.since_ms, None
        return since_ms

    def disturbed(self) -> None:
        """The next rest begins anew."""
        self._last_ms = None

    def resume(self, since_ms: int | None) -> None:
        """The picture tells nothing new."""
        self.since_ms = since_ms

    def note(self, capture_ms: int, since_ms: int | None, tracker: Tracker) -> None:
        """Nobody was to be seen in the picture; ``since_ms`` as ``interrupt`` said."""
        if since_ms is None and tracker.only_things_since(self._next_id):
            since_ms = self._last_ms
        self.since_ms = self._last_ms = capture_ms if since_ms is None else since_ms
        self._next_id = tracker.next_id
