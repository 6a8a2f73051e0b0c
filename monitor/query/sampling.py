"""Which pictures the model sees: pairs of neighbours, dense around evidence, no blind spot.

Qwen3-VL puts two pictures into one temporal patch with one time, their mean, so pictures are sent
in pairs. At evidence the two are 200 to 400 ms apart: the pair shows motion, and its time is true
to 0.2 s. Where nothing is known and pairs are few they are up to 1 s apart, for a pair then shows
nearly twice as much of the time around it, and its time is still true to 0.5 s. (The model was
trained on videos of two pictures a second and less.) Called by ``ask``; pure.

In order of importance, as far as the budget goes:

1. the window's first and last picture;
2. a pair at the first evidence time, the 6 s before it, in which people still had to see, decide
   and brake, and a pair at each other time, most important first, as long as enough is left for 3
   (and for 4, in a video that can be shown whole; evidence is then within half a second too). A
   pair ends with its time, because what led to something was before it;
3. no gap over ``max(3 s, window / 16)`` that has pictures in it;
4. where there are enough pairs for it, no moment further than half a second from a picture;
5. what is left makes the neighbourhood of the evidence denser.

A budget that is not over :func:`pairs_to_cover` shows the first evidence time all the same, gives
three of four pairs to 2 and halves the widest gap with the rest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from monitor.domain import Window
from monitor.errors import QueryError
from monitor.query.pairing import PAIR_MAX_MS, PAIR_MIN_MS, SEEN_MS, Chosen, Pair

__all__ = ["PAIR_MAX_MS", "PAIR_MIN_MS", "Budget", "Pair", "gap_limit_ms", "pairs_to_cover", "plan"]

_LEAD_UP_MS: Final = 6000
"""How long before the first evidence time its causes mostly are: seeing and deciding take 1.0 to
2.5 s, braking from 50 km/h 2 s and more, and somebody has to have done something before that."""

_EVIDENCE_SHARE: Final = 3  # pairs at evidence for each that splits a gap, where both cannot be had
_FILL: Final = 0.8  # gaps are filled to this share of the limit: a pair lands where a picture is


Moment = tuple[int, int]
"""A time to show, and how far apart the pictures there should be, in ms."""


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
    *,
    paired: bool = True,
) -> list[Pair]:
    """Pairs in time order; no picture is in two of them, and no pair spans a gap of the video.

    ``evidence_times_s`` most important first; ``frame_times_s`` the pictures there are, in any
    order. Not ``paired``: each is a lone picture. Same input, same plan. ``QueryError``
    (``no_frames``) if there is no picture in the window or the budget is under one pair.
    """
    span_ms = window.end_ms - window.start_ms
    frames = sorted({ms for t in frame_times_s if 0 <= (ms := round(t * 1000)) <= span_ms})
    if not frames:
        raise QueryError("no_frames", "there is no picture in the window")
    if budget.pairs < 1:
        raise QueryError("no_frames", "the budget is too small for one pair of pictures")
    evidence = [round(t * 1000) for t in evidence_times_s if math.isfinite(t)]
    chosen = Chosen(frames, budget.pairs, PAIR_MAX_MS if paired else 0, bool(evidence))
    if budget.pairs == 1:
        chosen.add_at(evidence[0] if evidence else frames[-1], chosen.close_ms)
        return chosen.pairs
    chosen.add_first()
    chosen.add_last()
    duration_ms = frames[-1] - frames[0]
    limit = gap_limit_ms(duration_ms)
    if not evidence:
        _spread(chosen, limit)
    moments = _in_turn(chosen, evidence)
    for moment in moments[:1]:
        chosen.add_at(*moment)
    if budget.pairs > pairs_to_cover(duration_ms):
        moments = _take(chosen, moments, limit)
    before = chosen.mark()
    chosen.show_all()
    if chosen.left < _needed(chosen, limit):  # the pictures there are lie too far apart for it
        chosen.back_to(before)
    _fill(chosen, limit, moments)
    for moment in moments:
        chosen.add_at(*moment)
    _densify(chosen, evidence)
    return chosen.pairs


def _spread(chosen: Chosen, limit: int) -> None:
    """Evenly, where nothing says where to look; unless that leaves a gap of uneven pictures."""
    before = chosen.mark()
    first_ms, last_ms = chosen.ends_ms()
    step_ms = (last_ms - first_ms) / (chosen.left + 1)
    for number in range(1, chosen.left + 1):
        chosen.add_near(round(first_ms + number * step_ms))
    if chosen.gaps_over(limit):
        chosen.back_to(before)


def _in_turn(chosen: Chosen, evidence: Sequence[int]) -> list[Moment]:
    """The first evidence time, the seconds before it, and the other times.

    What a pair at another time shows within half a second anyway comes last.
    """
    apart: list[int] = []
    beside: list[int] = []
    for time_ms in evidence:
        seen = any(-chosen.close_ms - SEEN_MS <= time_ms - one <= SEEN_MS for one in apart)
        (beside if seen else apart).append(time_ms)
    lead_up, before_ms = [], chosen.close_ms + 2 * SEEN_MS
    while evidence and before_ms <= _LEAD_UP_MS:
        if evidence[0] - before_ms >= 0:
            lead_up.append((evidence[0] - before_ms, chosen.wide_ms))
        before_ms += chosen.wide_ms + 2 * SEEN_MS
    measured = [(time_ms, chosen.close_ms) for time_ms in (*apart, *beside)]
    return [*measured[:1], *lead_up, *measured[1:]]


def _take(chosen: Chosen, moments: Sequence[Moment], limit: int) -> list[Moment]:
    """Pairs at moments while the gaps can still be filled; the moments that have to wait.

    Where everything can be shown now, it still can be afterwards.
    """
    waiting, all_shown = [], chosen.left >= chosen.to_show_all()
    for moment in moments:
        before = chosen.mark()
        chosen.add_at(*moment)  # which also splits a gap
        hidden = all_shown and chosen.left < chosen.to_show_all()
        if hidden or chosen.left < _needed(chosen, limit):
            chosen.back_to(before)
            waiting.append(moment)
    return waiting


def _needed(chosen: Chosen, limit: int) -> int:
    """Pairs that close every gap over the limit."""
    return sum(math.ceil(width / (limit * _FILL)) - 1 for width in chosen.gaps_over(limit))


def _fill(chosen: Chosen, limit: int, waiting: Sequence[Moment]) -> None:
    """Close every gap over the limit evenly; with too few pairs for that, the widest in turn."""
    moments = iter(waiting)
    while chosen.left:
        added = 0
        while added < _EVIDENCE_SHARE and _needed(chosen, limit) > chosen.left:
            moment = next(moments, None)
            if moment is None:
                break
            added += chosen.add_at(*moment)
        if not chosen.left or not chosen.split_widest(limit, limit * _FILL):
            return


def _densify(chosen: Chosen, evidence: Sequence[int]) -> None:
    """Spend what is left where it tells most: halve the gap that weighs most, again and again."""
    while chosen.left and chosen.split_heaviest(evidence):
        pass
