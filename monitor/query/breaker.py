"""When an endpoint is left alone: a circuit breaker. Pure; the time is told to it.

Closed, it lets queries through. After some failures in a row it opens: no query goes there. After
a wait, which doubles each time, it is half open: one probe goes, and no incident is its guinea
pig. A good probe closes it, on trial: the next failure opens it again.
"""

from __future__ import annotations

from typing import Final, Literal

State = Literal["closed", "open", "half_open"]

FAILURES: Final = 3
FIRST_WAIT_S: Final = 5.0
LONGEST_WAIT_S: Final = 60.0


class Breaker:
    """One endpoint's."""

    def __init__(
        self,
        *,
        failures: int = FAILURES,
        first_wait_s: float = FIRST_WAIT_S,
        longest_wait_s: float = LONGEST_WAIT_S,
    ) -> None:
        self._failures = failures
        self._first_wait_s = first_wait_s
        self._longest_wait_s = longest_wait_s
        self._in_a_row = 0
        self._wait_s = first_wait_s
        self._state: State = "closed"
        self._probe_at_s = 0.0
        self.opened = 0  # how often

    @property
    def state(self) -> State:
        """``closed`` is the good one."""
        return self._state

    @property
    def probe_at_s(self) -> float:
        """When an open one may be probed."""
        return self._probe_at_s

    def succeeded(self) -> None:
        """A query was answered: all is well, and was not only lucky once."""
        if self._state == "closed":
            self._in_a_row = 0
            self._wait_s = self._first_wait_s

    def failed(self, now_s: float) -> bool:
        """A query was not; True if that opened it. Late news of an open one changes nothing."""
        if self._state != "closed":
            return False
        self._in_a_row += 1
        if self._in_a_row < self._failures:
            return False
        self._open(now_s)
        return True

    def begin_probe(self) -> None:
        """The wait is over."""
        assert self._state == "open"
        self._state = "half_open"

    def probed(self, good: bool, now_s: float) -> None:
        """What became of the probe."""
        assert self._state == "half_open"
        if good:
            self._state = "closed"
            self._in_a_row = self._failures - 1
        else:
            self._open(now_s)

    def _open(self, now_s: float) -> None:
        self._state = "open"
        self._probe_at_s = now_s + self._wait_s
        self._wait_s = min(2 * self._wait_s, self._longest_wait_s)
        self.opened += 1
