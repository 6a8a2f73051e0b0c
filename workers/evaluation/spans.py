"""Sets of times: unions, differences and lengths of [start, end] spans in seconds. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Span = tuple[float, float]


def union(spans: Iterable[Span]) -> list[Span]:
    """Disjoint spans in order; empty ones are left out."""
    joined: list[Span] = []
    for start, end in sorted(span for span in spans if span[1] > span[0]):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def without(spans: Iterable[Span], removed: Iterable[Span]) -> list[Span]:
    """What of ``spans`` is in none of ``removed``."""
    left = union(spans)
    for start, end in union(removed):
        cut: list[Span] = []
        for a, b in left:
            cut += [(a, min(b, start)), (max(a, end), b)]
        left = [span for span in cut if span[1] > span[0]]
    return left


def length_s(spans: Iterable[Span]) -> float:
    """Seconds in any of them."""
    return sum(end - start for start, end in union(spans))


def holds(spans: Iterable[Span], time_s: float) -> bool:
    """Whether a time is in one of them, ends included."""
    return any(start <= time_s <= end for start, end in spans)


def apart(times_s: Sequence[float], gap_s: float) -> list[float]:
    """Times with those left out that follow a kept one within ``gap_s``.

    The gap counts from the kept one, not from the last: what fires all the time counts again and
    again.
    """
    kept: list[float] = []
    for time_s in sorted(times_s):
        if not kept or time_s - kept[-1] > gap_s:
            kept.append(time_s)
    return kept
