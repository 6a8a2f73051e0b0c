"""A camera's own operating score, from how often what score came lately. Pure; no clock, no I/O.

``candidates_per_day`` says how many moments a day may be looked at twice; which raw score that is
differs from camera to camera by a factor of ten. So the scores of everything that was judged,
below the threshold too, are counted in bins that fade with a half-life of days of watching. At
first they hold one day of an ordinary camera, as measured on labelled footage, which fades like
the rest: after a day of watching half of what decides is the camera's own.

Scores within half a minute are one moment, with the highest of them: that is what opens one
incident. A moment is counted after some minutes, and not at all around a confirmed incident, so
that a crash does not make its camera blind to the next one.
"""

from __future__ import annotations

import json
import math
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from monitor.trigger.judge import FLOOR

LOWEST: Final = 0.5
"""A quiet camera looks twice at half of what makes an ordinary one do so, at nothing less."""
HIGHEST: Final = 2.0
"""However much a busy camera cries: a contact at full strength still alerts at once."""
HALF_LIFE_DAYS: Final = 3.0
ORDINARY_PER_DAY: Final = 1000.0
"""Moments at or above a raw score of 1 on an ordinary camera, day and night together."""
TAIL: Final = 2.0
"""Their number falls with this power of the score."""
MOMENT_MS: Final = 30_000
HELD_MS: Final = 180_000
EXCUSED_MS: Final = (30_000, 300_000)
"""Before and after a confirmed incident nothing counts: its own traces, and its queue."""

_PER_OCTAVE: Final = 8
_OCTAVES: Final = 5
_EDGES: Final = FLOOR * 2.0 ** (np.arange(_OCTAVES * _PER_OCTAVE + 1) / _PER_OCTAVE)
_DAY_MS: Final = 86_400_000
_GAP_MS: Final = 5_000  # a longer one was not watched
_MOST_HELD: Final = 64
_VERSION: Final = 1


class Sensitivity:
    """The scores of one camera. Times are capture times, rising but for what is back-dated."""

    def __init__(self) -> None:
        ordinary = ORDINARY_PER_DAY * _EDGES**-TAIL
        self._bins: npt.NDArray[np.float64] = ordinary - np.append(ordinary[1:], 0.0)
        self._days = 1.0
        self._held: dict[int, float] = {}  # moment's first time -> its highest score
        self._now_ms: int | None = None
        self._counted_ms = 0  # moments before are counted
        self._excused: tuple[int, int] = (0, 0)

    def operating(self, per_day: float) -> float:
        """The raw score that about ``per_day`` moments a day reach, within bounds."""
        rates = np.cumsum(self._bins[::-1])[::-1] / self._days
        few = np.flatnonzero(rates <= per_day)
        if not len(few):
            return HIGHEST
        edge = int(few[0])
        score = float(_EDGES[edge])
        if edge > 0 and rates[edge] > 0.0:
            above, below = math.log(rates[edge]), math.log(rates[edge - 1])
            score *= 2.0 ** (-(math.log(per_day) - above) / (below - above) / _PER_OCTAVE)
        return min(max(score, LOWEST), HIGHEST)

    def watched(self, now_ms: int) -> None:
        """Pictures up to this time were looked at."""
        before_ms, self._now_ms = self._now_ms, now_ms
        if before_ms is None or not 0 < now_ms - before_ms <= _GAP_MS:
            return
        if not self._is_excused(now_ms):
            days = (now_ms - before_ms) / _DAY_MS
            fades = 0.5 ** (days / HALF_LIFE_DAYS)
            self._bins *= fades
            self._days = self._days * fades + days
        self._count(now_ms - HELD_MS)

    def note(self, at_ms: int, score: float) -> None:
        """Something was judged about this moment; the same again, later, changes nothing."""
        if score < FLOOR or at_ms < self._counted_ms or self._is_excused(at_ms):
            return
        for first_ms, highest in self._held.items():
            if abs(at_ms - first_ms) <= MOMENT_MS:
                self._held[first_ms] = max(highest, score)
                return
        if len(self._held) < _MOST_HELD:
            self._held[at_ms] = score

    def excuse(self, at_ms: int) -> None:
        """An incident was confirmed at this time: what is around it is not what is usual here."""
        self._excused = (at_ms - EXCUSED_MS[0], at_ms + EXCUSED_MS[1])
        self._held = {ms: score for ms, score in self._held.items() if not self._is_excused(ms)}

    def to_json(self) -> str:
        """Everything, for ``from_json``; some hundred bytes."""
        return json.dumps(
            {
                "version": _VERSION,
                "bins": [round(float(one), 4) for one in self._bins],
                "days": self._days,
                "held": list(self._held.items()),
                "now_ms": self._now_ms,
                "counted_ms": self._counted_ms,
                "excused": self._excused,
            }
        )

    @classmethod
    def from_json(cls, text: bytes | str) -> Self:
        """``ValueError`` where it is not what ``to_json`` of this version gave."""
        try:
            stored = json.loads(text)
            made = cls()
            bins = np.asarray(stored["bins"], np.float64)
            if stored["version"] != _VERSION or bins.shape != made._bins.shape:
                raise ValueError("another version's scores")
            made._bins, made._days = bins, float(stored["days"])
            made._held = {int(ms): float(score) for ms, score in stored["held"]}
            made._now_ms = None if stored["now_ms"] is None else int(stored["now_ms"])
            made._counted_ms = int(stored["counted_ms"])
            start_ms, end_ms = stored["excused"]
            made._excused = (int(start_ms), int(end_ms))
        except (KeyError, TypeError) as error:
            raise ValueError(f"no scores: {error}") from error
        if not (np.all(np.isfinite(bins)) and np.all(bins >= 0.0) and made._days > 0.0):
            raise ValueError("no scores: counts below nothing")
        return made

    def _is_excused(self, at_ms: int) -> bool:
        return self._excused[0] <= at_ms <= self._excused[1]

    def _count(self, until_ms: int) -> None:
        for first_ms in [ms for ms in self._held if ms < until_ms]:
            score = self._held.pop(first_ms)
            place = int(np.searchsorted(_EDGES, score, side="right")) - 1
            self._bins[min(place, len(self._bins) - 1)] += 1.0
        self._counted_ms = max(self._counted_ms, until_ms)
