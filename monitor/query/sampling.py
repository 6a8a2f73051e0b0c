"""Which pictures the model sees: pairs of neighbours, dense around evidence, no blind spot.

Qwen3-VL puts two pictures into one temporal patch with one time, so pictures are sent in pairs
taken 100-400 ms apart: the pair shows motion, and its time is true. Called by ``ask``; pure.

In order of importance, as far as the budget goes:

1. the window's first and last picture;
2. a pair at each evidence time, most important first, as long as enough is left for 3;
3. no gap over ``max(3 s, window / 16)`` that has pictures in it;
4. what is left makes the neighbourhood of the evidence denser.

A budget too small for 1 to 3 together (under :func:`pairs_to_cover` plus the evidence) gives
evidence three of four pairs and halves the widest gap with the rest.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from monitor.domain import Window
from monitor.errors import QueryError

PAIR_MIN_MS = 100
PAIR_MAX_MS = 400
_PAIR_WANTED_MS = 200
_PAIR_WIDE_MS = 360  # where pairs are few: two pictures apart show more of the time around them
_FEW_MS = 1000  # of video for each pair
_EVIDENCE_SHARE = 3  # pairs at evidence for each that splits a gap, where both cannot be had
_COVERED_MS = 300  # an evidence time this near to a pair is seen by it
_NEAR_EVIDENCE_S = 1.5  # how far around evidence the pictures are dense
_FILL = 0.8  # gaps are filled to this share of the limit: a pair lands where a picture is
_DENSITY = 5.0  # how many times denser, right at the evidence


@dataclass(frozen=True, slots=True)
class Pair:
    """Two pictures of one temporal patch, as ms since the window's start.

    ``first_ms == second_ms`` is a lone picture, sent twice: nothing was taken 100-400 ms away.
    """

    first_ms: int
    second_ms: int

    @property
    def t_s(self) -> float:
        """The time the model reads for this patch."""
        return (self.first_ms + self.second_ms) / 2000


@dataclass(frozen=True, slots=True)
class Budget:
    """How much may be sent."""

    max_frames: int
    tokens_per_pair: int
    max_visual_tokens: int

    @property
    def pairs(self) -> int:
        """Pairs that fit both limits."""
        return min(self.max_frames // 2, self.max_visual_tokens // max(1, self.tokens_per_pair))


def gap_limit_ms(duration_ms: int) -> int:
    """The widest stretch of video that may go unseen."""
    return max(3000, duration_ms // 16)


def pairs_to_cover(duration_ms: int) -> int:
    """The pairs that keep every gap within the limit, evidence or none."""
    return max(2, math.ceil(duration_ms / (gap_limit_ms(duration_ms) * _FILL)) + 1)


def plan(
    window: Window,
    evidence_times_s: Sequence[float],
    frame_times_s: Sequence[float],
    budget: Budget,
) -> list[Pair]:
    """Pairs in time order; no picture is in two of them, and no pair spans a gap of the video.

    ``evidence_times_s`` most important first; ``frame_times_s`` the pictures there are, in any
    order. Same input, same plan. ``QueryError`` (``no_frames``) if there is no picture in the
    window or the budget is under one pair.
    """
    span_ms = window.end_ms - window.start_ms
    frames = sorted({ms for t in frame_times_s if 0 <= (ms := round(t * 1000)) <= span_ms})
    if not frames:
        raise QueryError("no_frames", "there is no picture in the window")
    if budget.pairs < 1:
        raise QueryError("no_frames", "the budget is too small for one pair of pictures")
    evidence = [round(t * 1000) for t in evidence_times_s if math.isfinite(t)]
    few = frames[-1] - frames[0] > budget.pairs * _FEW_MS
    chosen = _Chosen(frames, budget.pairs, _PAIR_WIDE_MS if few else _PAIR_WANTED_MS)
    if budget.pairs == 1:
        chosen.add_at(evidence[0] if evidence else frames[-1])
        return chosen.pairs
    chosen.add_first()
    chosen.add_last()
    limit = gap_limit_ms(frames[-1] - frames[0])
    if not evidence:
        _spread(chosen, limit)
    waiting = _take_evidence(chosen, evidence, limit)
    _fill(chosen, limit, waiting)
    _densify(chosen, evidence)
    return chosen.pairs


def _spread(chosen: _Chosen, limit: int) -> None:
    """Evenly, where nothing says where to look; unless that leaves a gap of uneven pictures."""
    before = chosen.mark()
    first_ms, last_ms = chosen.ends_ms()
    step_ms = (last_ms - first_ms) / (chosen.left + 1)
    for number in range(1, chosen.left + 1):
        chosen.add_near(round(first_ms + number * step_ms))
    if chosen.gaps_over(limit):
        chosen.back_to(before)


def _take_evidence(chosen: _Chosen, evidence: Sequence[int], limit: int) -> list[int]:
    """Pairs at evidence while the gaps can still be filled; the evidence that has to wait."""
    waiting = []
    for time_ms in evidence:
        before = chosen.mark()
        chosen.add_at(time_ms)  # which also splits a gap
        if chosen.left < _needed(chosen, limit):
            chosen.back_to(before)
            waiting.append(time_ms)
    return waiting


def _needed(chosen: _Chosen, limit: int) -> int:
    """Pairs that close every gap over the limit."""
    return sum(math.ceil(width / (limit * _FILL)) - 1 for width in chosen.gaps_over(limit))


def _fill(chosen: _Chosen, limit: int, waiting: Sequence[int]) -> None:
    """Close every gap over the limit evenly; with too few pairs for that, the widest in turn."""
    evidence = iter(waiting)
    while chosen.left:
        added = 0
        while added < _EVIDENCE_SHARE and _needed(chosen, limit) > chosen.left:
            time_ms = next(evidence, None)
            if time_ms is None:
                break
            added += chosen.add_at(time_ms)
        if not chosen.left or not chosen.split_widest(limit, limit * _FILL):
            return


def _densify(chosen: _Chosen, evidence: Sequence[int]) -> None:
    """Spend what is left where it tells most: halve the gap that weighs most, again and again."""
    while chosen.left and chosen.split_heaviest(evidence):
        pass


class _Chosen:
    """Pairs in time order over a sorted list of pictures; never two that overlap."""

    def __init__(self, frames: Sequence[int], budget: int, wanted_ms: int) -> None:
        self._frames = frames
        self._budget = budget
        self._wanted_ms = wanted_ms  # between the pictures of a pair
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
        self._insert(self._forward(0, len(self._frames)))

    def add_last(self) -> None:
        last = len(self._frames) - 1
        if not self._spans or self._spans[-1][1] < last:
            after = self._spans[-1][1] + 1 if self._spans else 0
            partners = range(after, last)
            self._insert((self._partner(last, partners), last))

    def ends_ms(self) -> tuple[int, int]:
        """The times of the first and the last pair."""
        pairs = self.pairs
        return round(1000 * pairs[0].t_s), round(1000 * pairs[-1].t_s)

    def add_at(self, time_ms: int) -> bool:
        """A pair around a time, unless one already shows it or no picture is free there."""
        return not self._shows(time_ms) and self.add_near(time_ms)

    def add_near(self, time_ms: int) -> bool:
        """A pair around a time, unless no picture is free there."""
        if not self.left:
            return False
        after, before = self._free_around(time_ms)
        if after >= before:
            return False
        first = self._nearest(time_ms - self._wanted_ms // 2, after, before)
        self._insert(self._forward(first, before))
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
        self._split(after, before, halves / parts)
        return True

    def split_heaviest(self, evidence: Sequence[int]) -> bool:
        gaps = self._gaps()
        if not gaps:
            return False
        _, after, before = max(gaps, key=lambda gap: (self._weight(gap, evidence), -gap[1]))
        self._split(after, before, 0.5)
        return True

    def _split(self, after: int, before: int, share: float) -> None:
        start, end = self._frames[after - 1], self._frames[before]
        middle = start + (end - start) * share - self._wanted_ms / 2
        first = self._nearest(round(middle), after, before)
        self._insert(self._forward(first, before))

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

    def _forward(self, first: int, before: int) -> tuple[int, int]:
        return first, self._partner(first, range(first + 1, before))

    def _partner(self, index: int, candidates: range) -> int:
        """The free picture nearest to the wanted distance, within 100-400 ms; else itself."""
        time_ms = self._frames[index]
        fitting = [
            other
            for other in candidates
            if PAIR_MIN_MS <= abs(self._frames[other] - time_ms) <= PAIR_MAX_MS
        ]
        return min(
            fitting,
            key=lambda other: (abs(abs(self._frames[other] - time_ms) - self._wanted_ms), other),
            default=index,
        )

    def _insert(self, span: tuple[int, int]) -> None:
        self._spans.insert(bisect_left(self._spans, span), span)
