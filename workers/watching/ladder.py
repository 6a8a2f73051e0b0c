"""Whether a camera's pictures are decoded, or it sleeps and only its key pictures are.

While nothing is in sight the other access units of a GOP are kept and weighed, not decoded. If
the next key picture shows the same empty scene they are let go; if it does not, or if one of them
is surprisingly large, the camera wakes and all that is kept is decoded and looked at as though it
had never slept. So what sleep costs is a delay of one GOP at most, and only for what begins a
waking. Cameras whose GOPs are long, or without key pictures, never sleep. Used by ``eye``.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Final

from monitor.domain import AccessUnit
from workers.watching.quiet_sizes import QuietSizes

REST_MS: Final = 3_000
"""Nothing in sight for so long before it sleeps."""
MAX_GOP_MS: Final = 4_500
"""Longer ones are not slept through: it is the delay."""
SHORT_GOP_MS: Final = 1_300
"""Nothing comes, does harm and is gone between key pictures this close."""
_MIN_GOP_MS: Final = 350  # shorter ones are hardly cheaper to sleep through
_MAX_KEPT_BYTES: Final = 8 * 1024 * 1024
_MOST_SPREAD: Final = 0.25  # of quiet sizes; beyond it they tell nothing small
_GOPS: Final = 4


class Ladder:
    """One camera's; a new one for every generation of its video."""

    def __init__(self) -> None:
        self._sizes = QuietSizes()
        self._gops_ms: deque[int] = deque(maxlen=_GOPS)
        self._key_ms: int | None = None
        self._gop: list[int] = []  # bytes of its access units
        self._kept: list[AccessUnit] = []
        self._kept_bytes = 0

    @property
    def asleep(self) -> bool:
        return bool(self._kept)

    @property
    def kept_from_ms(self) -> int | None:
        """``entry_ms`` of the first access unit that was not looked at; None while awake."""
        return self._kept[0].entry_ms if self._kept else None

    def note(self, unit: AccessUnit, resting_since_ms: int | None) -> None:
        """An access unit that is decoded: what GOPs are like, and how large quiet pictures are."""
        if unit.is_key:
            if resting_since_ms is not None and resting_since_ms <= (self._key_ms or 0):
                self._sizes.learn(self._gop)
            self._key(unit)
        else:
            self._gop.append(len(unit.data))

    def may_sleep(self, unit: AccessUnit, resting_since_ms: int | None) -> bool:
        """Whether it may sleep from this access unit on."""
        if not unit.is_key or self._key_ms is None or len(self._gops_ms) < 2:
            return False
        rested = resting_since_ms is not None and unit.capture_ms - resting_since_ms >= REST_MS
        if not self.follows(unit):
            return False
        longest_ms = max(*self._gops_ms, unit.capture_ms - self._key_ms)
        bounded = min(self._gops_ms) >= _MIN_GOP_MS and longest_ms <= MAX_GOP_MS
        spread = self._sizes.spread
        telling = spread <= _MOST_SPREAD or (longest_ms <= SHORT_GOP_MS and spread < math.inf)
        return rested and bounded and telling

    def follows(self, unit: AccessUnit) -> bool:
        """Whether a key access unit comes soon after the last: no hole, no clock set back."""
        if self._key_ms is None or any(unit.capture_ms <= one.capture_ms for one in self._kept):
            return False
        return 0 < unit.capture_ms - self._key_ms <= MAX_GOP_MS

    def sleep(self, unit: AccessUnit) -> list[AccessUnit]:
        """Sleep from this key unit on; gives back the GOP that was slept through before it."""
        passed = self._kept
        if passed:
            self._sizes.learn(self._gop)
        self._key(unit)
        self._kept, self._kept_bytes = [unit], len(unit.data)
        return passed

    def keep(self, unit: AccessUnit) -> bool:
        """Keep one undecoded; False if it must wake because of it."""
        last = self._kept[-1]
        self._gop.append(len(unit.data))
        self._kept.append(unit)
        self._kept_bytes += len(unit.data)
        if self._sizes.surprised(self._gop):
            return False
        return (
            unit.entry_ms - self._kept[0].entry_ms <= MAX_GOP_MS
            and self._kept_bytes <= _MAX_KEPT_BYTES
            and last.entry_ms < unit.entry_ms
            and unit.capture_ms > self._kept[0].capture_ms
        )

    def wake(self) -> list[AccessUnit]:
        """All that was kept, its key unit first."""
        kept, self._kept = self._kept, []
        return kept

    def _key(self, unit: AccessUnit) -> None:
        if self._key_ms is not None and unit.capture_ms != self._key_ms:  # not again, on waking
            self._gops_ms.append(unit.capture_ms - self._key_ms)
        self._key_ms = unit.capture_ms
        self._gop = [len(unit.data)]
        self._sizes.begin()
