"""What may teach a view's memory now: caps per hour, and nothing around an open candidate."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from monitor.domain.base import Box
from monitor.trigger.normal.grid import COLUMNS, ROWS, Slices, covering

VEHICLES_PER_HOUR: Final = 240
WAITS_PER_HOUR: Final = 6
CRIES_PER_HOUR: Final = 4
CROSSINGS_PER_HOUR: Final = 12
CANDIDATE_S: Final = 20.0
ALERT_S: Final = 300.0

HOUR_MS: Final = 3_600_000

Grid = npt.NDArray[np.float64]
Cells = npt.NDArray[np.bool_]


class Limits:
    """Of one view; not kept over a restart."""

    def __init__(self) -> None:
        self._now_ms: int | None = None
        self._hour = -1
        self._vehicles = 0
        self._waits: Grid = np.zeros((ROWS, COLUMNS))
        self._crossings: Grid = np.zeros((ROWS, COLUMNS))
        self._cries: Grid = np.zeros((ROWS, COLUMNS))
        self._suspended_ms: Grid = np.zeros((ROWS, COLUMNS))
        self._last_suspended_ms = 0
        self._no_waits_ms = 0

    def tick(self, now_ms: int) -> None:
        """Time passes; with an hour the caps begin anew."""
        self._now_ms = now_ms
        if now_ms // HOUR_MS != self._hour:
            self._hour = now_ms // HOUR_MS
            self._vehicles = 0
            self._waits[:] = 0.0
            self._crossings[:] = 0.0
            self._cries[:] = 0.0

    def admits_vehicle(self) -> bool:
        """Whether one more vehicle may teach this hour; it is counted."""
        self._vehicles += self._vehicles < VEHICLES_PER_HOUR + 1
        return self._vehicles <= VEHICLES_PER_HOUR

    def are_free(self, cells: Slices) -> Cells | None:
        """Where driving may be learned; None for everywhere."""
        if self._now_ms is None or self._now_ms >= self._last_suspended_ms:
            return None
        free: Cells = self._suspended_ms[cells] <= self._now_ms
        return free

    def admit_wait(self, cells: Slices) -> Cells | None:
        """Where one more wait may be learned, which is counted; None for nowhere."""
        if self._now_ms is not None and self._now_ms < self._no_waits_ms:
            return None
        fresh: Cells = self._waits[cells] < WAITS_PER_HOUR
        self._waits[cells] += 1.0
        return fresh

    def admit_crossing(self, cells: Slices) -> Cells:
        """Where one more who crosses may be learned; it is counted."""
        fresh: Cells = self._crossings[cells] < CROSSINGS_PER_HOUR
        self._crossings[cells] += 1.0
        return fresh

    def admits_cry(self, cell: tuple[int, int]) -> bool:
        """Whether one more dismissed candidate counts in this cell; it is counted."""
        self._cries[cell] += 1.0
        return bool(self._cries[cell] <= CRIES_PER_HOUR)

    def suspend(self, box: Box, *, alert: bool) -> None:
        """A candidate is open here: what happens around it is not normal.

        A mere candidate keeps its surroundings from being learned for moments only: where there
        are many, most are nothing.
        While an alert is open nobody's waiting anywhere is: the queue behind it reaches far.
        """
        if self._now_ms is None:
            return
        x, y, width, height = box
        until_ms = self._now_ms + round((ALERT_S if alert else CANDIDATE_S) * 1000)
        near = covering((x - width, y - height, 3 * width, 3 * height))
        self._suspended_ms[near] = np.maximum(self._suspended_ms[near], until_ms)
        self._last_suspended_ms = max(self._last_suspended_ms, until_ms)
        if alert:
            self._no_waits_ms = max(self._no_waits_ms, until_ms)
