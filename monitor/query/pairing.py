"""Pairs of pictures on a video's time axis: where there is room for one, and how wide it is.

Owns what a pair is. Which moments deserve one is decided by ``sampling``, its only caller; pure.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

PAIR_MIN_MS: Final = 100
PAIR_MAX_MS: Final = 1000
SEEN_MS: Final = 500
"""What a picture tells of the time before and after it."""

_WANTED_MS: Final = 200
_AT_EVIDENCE_MS: Final = 400  # at most, however few pairs there are
_COVERED_MS: Final = 300  # an evidence time this near to a pair is seen by it
_NEAR_EVIDENCE_S: Final = 1.5  # how far around evidence the pictures are dense
_TIGHT_MS: Final = (
    900  # a gap with nothing unseen in it, and room for pictures being where they are
)
_DENSITY: Final = 5.0  # how many times denser, right at the evidence


@dataclass(frozen=True, slots=True)
class Pair:
    """Two pictures of one temporal patch, as ms since the window's start.

    ``first_ms == second_ms`` is a lone picture, sent twice: nothing was taken 100-1000 ms away.
    """

    first_ms: int
    second_ms: int

    @property
    def t_s(self) -> float:
        """The time the model reads for this patch."""
        return (self.first_ms + self.second_ms) / 2000


def _apart(gap_ms: int) -> int:
    """How far apart the pictures of a pair in the middle of a gap are, to leave least unseen."""
    return _clipped(gap_ms - 4 * SEEN_MS)


def _clipped(apart_ms: int) -> int:
    return min(max(apart_ms, _WANTED_MS), PAIR_MAX_MS)


def _to_show(gap_ms: int) -> int:
    """How many pairs leave no moment of a gap unseen."""
    return max(0, math.ceil((gap_ms - 2 * SEEN_MS) / (PAIR_MAX_MS + 2 * SEEN_MS)))


class Chosen:
    """Pairs in time order over a sorted list of pictures; never two that overlap."""

    def __init__(
        self, frames: Sequence[int], budget: int, apart_max_ms: int, evidence: bool
    ) -> None:
        self._frames = frames
        self._budget = budget
        self._apart_max_ms = apart_max_ms
        # Two pictures show their distance and ``SEEN_MS`` on either side: so far apart, the
        # pairs would show everything; half of them where the others go to evidence.
        apart_ms = (frames[-1] - frames[0]) * (1 + evidence) // budget - 2 * SEEN_MS
        self.wide_ms = _clipped(apart_ms)
        self.close_ms = min(self.wide_ms, _AT_EVIDENCE_MS)
        self._spans: list[tuple[int, int]] = []  # indices in frames

    @property
    def pairs(self) -> list[Pair]:
        return [Pair(self._frames[first], self._frames[second]) for first, second in self._spans]

    @property
    def left(self) -> int:
        return self._budget - len(self._spans)

    def mark(self) -> list[tuple[int, int]]:
        """What is chosen now, for ``back_to``."""
        return list(self._spans)

    def back_to(self, mark: list[tuple[int, int]]) -> None:
        self._spans = mark

    def add_first(self) -> None:
        self._insert(self._forward(0, len(self._frames), self.wide_ms))

    def add_last(self) -> None:
        last = len(self._frames) - 1
        if not self._spans or self._spans[-1][1] < last:
            after = self._spans[-1][1] + 1 if self._spans else 0
            self._insert(self._backward(last, after, self.wide_ms))

    def ends_ms(self) -> tuple[int, int]:
        """The times of the first and the last pair."""
        pairs = self.pairs
        return round(1000 * pairs[0].t_s), round(1000 * pairs[-1].t_s)

    def add_at(self, time_ms: int, apart_ms: int) -> bool:
        """A pair that ends at a time, unless one already shows it or no picture is free there."""
        if not self.left or self._shows(time_ms):
            return False
        after, before = self._free_around(time_ms)
        if after >= before:
            return False
        there = self._nearest(time_ms, after, before)
        span = self._backward(there, after, apart_ms)
        alone = span[0] == span[1]
        self._insert(self._forward(there, before, apart_ms) if alone else span)
        return True

    def add_near(self, time_ms: int) -> bool:
        """A wide pair around a time, unless no picture is free there."""
        if not self.left:
            return False
        after, before = self._free_around(time_ms)
        if after >= before:
            return False
        first = self._nearest(time_ms - self.wide_ms // 2, after, before)
        self._insert(self._forward(first, before, self.wide_ms))
        return True

    def gaps_over(self, limit: int) -> list[int]:
        """Widths of the gaps over the limit that have a free picture."""
        return [width for width, _, _ in self._gaps() if width > limit]

    def split_widest(self, limit: int, step: float) -> bool:
        """A pair into the widest gap over the limit, such that even steps fill it."""
        wide = [gap for gap in self._gaps() if gap[0] > limit]
        if not wide:
            return False
        width, after, before = max(wide, key=lambda gap: (gap[0], -gap[1]))
        parts = math.ceil(width / step)
        halves = parts // 2 if parts <= self.left + 1 else parts / 2
        self._split(after, before, halves / parts, _apart(width))
        return True

    def split_heaviest(self, evidence: Sequence[int]) -> bool:
        gaps = self._gaps()
        if not gaps:
            return False
        width, after, before = max(gaps, key=lambda gap: (self._weight(gap, evidence), -gap[1]))
        self._split(after, before, 0.5, _apart(width))
        return True

    def to_show_all(self) -> int:
        """How many pairs leave no moment unseen."""
        return sum(_to_show(width) for width in self.gaps_over(2 * SEEN_MS))

    def show_all(self) -> None:
        """Pairs such that no gap has a moment unseen, if there are enough of them."""
        if self.to_show_all() > self.left:
            return
        while self.left:
            wide = [gap for gap in self._gaps() if gap[0] > 2 * SEEN_MS]
            if not wide:
                return
            width, after, before = max(wide, key=lambda gap: (gap[0], -gap[1]))
            count = _to_show(width)
            apart_ms = _clipped((width - (count + 1) * _TIGHT_MS) // count)
            middle_ms = (width - count * apart_ms) / (count + 1) + apart_ms / 2
            self._split(after, before, middle_ms / width, apart_ms)

    def _split(self, after: int, before: int, share: float, apart_ms: int) -> None:
        start, end = self._frames[after - 1], self._frames[before]
        middle = start + (end - start) * share - apart_ms / 2
        first = self._nearest(round(middle), after, before)
        self._insert(self._forward(first, before, apart_ms))

    def _weight(self, gap: tuple[int, int, int], evidence: Sequence[int]) -> float:
        width, after, before = gap
        middle_s = (self._frames[after - 1] + self._frames[before]) / 2000
        near = max(
            (math.exp(-abs(time_ms / 1000 - middle_s) / _NEAR_EVIDENCE_S) for time_ms in evidence),
            default=0.0,
        )
        return width * (1 + _DENSITY * near)

    def _gaps(self) -> list[tuple[int, int, int]]:
        """(width in ms, first free index, index after the free ones) between neighbours."""
        return [
            (self._frames[later] - self._frames[earlier], earlier + 1, later)
            for (_, earlier), (later, _) in pairwise(self._spans)
            if later - earlier > 1
        ]

    def _shows(self, time_ms: int) -> bool:
        return any(
            self._frames[first] - _COVERED_MS <= time_ms <= self._frames[second] + _COVERED_MS
            for first, second in self._spans
        )

    def _free_around(self, time_ms: int) -> tuple[int, int]:
        """The free pictures (first index, index after) of the gap that holds the time."""
        at = bisect_right([self._frames[first] for first, _ in self._spans], time_ms)
        after = self._spans[at - 1][1] + 1 if at else 0
        before = self._spans[at][0] if at < len(self._spans) else len(self._frames)
        return after, before

    def _nearest(self, time_ms: int, after: int, before: int) -> int:
        at = bisect_left(self._frames, time_ms, after, before)
        around = range(max(after, at - 1), min(before, at + 1))
        return min(around, key=lambda index: (abs(self._frames[index] - time_ms), index))

    def _forward(self, first: int, before: int, apart_ms: int) -> tuple[int, int]:
        return first, self._partner(first, range(first + 1, before), apart_ms)

    def _backward(self, last: int, after: int, apart_ms: int) -> tuple[int, int]:
        return self._partner(last, range(after, last), apart_ms), last

    def _partner(self, index: int, candidates: range, apart_ms: int) -> int:
        """The free picture nearest to the wanted distance, within 100-1000 ms; else itself."""
        time_ms = self._frames[index]
        fitting = [
            other
            for other in candidates
            if PAIR_MIN_MS <= abs(self._frames[other] - time_ms) <= self._apart_max_ms
        ]
        return min(
            fitting,
            key=lambda other: (abs(abs(self._frames[other] - time_ms) - apart_ms), other),
            default=index,
        )

    def _insert(self, span: tuple[int, int]) -> None:
        self._spans.insert(bisect_left(self._spans, span), span)
