"""A second look's evidence among what was measured live: the same thing keeps its id and tracks.

A look numbers its tracks by itself. Where it measured again what the log holds already (same kind,
moment and place) it replaces that, and its track is known from then on; its other tracks get
numbers that no live one has. Pure: the same look over the same log gives the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from monitor.domain import Box, Evidence, Incident

LOOKS_FROM: Final = 1_000_000
"""Numbers of tracks from here on are of second looks."""

_SAME_MS: Final = 1_000
_SAME_PLACE: Final = 0.2  # of the smaller box
_PER_LOOK: Final = 1_000
_LOOKS: Final = 90  # the log holds an hour of evidence: minutes, so that numbers do not meet


def remeasured(
    evidence: Sequence[Evidence], live: Sequence[Evidence], incident: Incident
) -> tuple[Evidence, ...]:
    """``evidence`` of a look at ``incident``, as it goes into the log beside ``live``."""
    known: dict[int, Evidence] = {}
    tracks: dict[int, int] = {}
    left = [item for item in live if "-look-" not in item.id]
    for number, item in enumerate(evidence):
        same = min(
            (other for other in left if _same(item, other)),
            key=lambda other: (abs(other.time_ms - item.time_ms), other.id),
            default=None,
        )
        if same is None:
            continue
        left.remove(same)
        known[number] = same
        for ours, theirs in ((item.track, same.track), (item.other, same.other)):
            if ours is not None and theirs is not None and theirs not in tracks.values():
                tracks.setdefault(ours, theirs)
    first = LOOKS_FROM + _PER_LOOK * (incident.start_ms // 60_000 % _LOOKS)

    def numbered(track: int | None) -> int | None:
        return None if track is None else tracks.get(track, first + track % _PER_LOOK)

    return tuple(
        replace(
            item,
            id=known[number].id if number in known else f"{item.kind}-{incident.id}-look-{number}",
            track=numbered(item.track),
            other=numbered(item.other),
        )
        for number, item in enumerate(evidence)
    )


def _same(a: Evidence, b: Evidence) -> bool:
    if a.kind is not b.kind or abs(a.time_ms - b.time_ms) > _SAME_MS:
        return False
    return a.box is not None and b.box is not None and _overlap(a.box, b.box) > _SAME_PLACE


def _overlap(a: Box, b: Box) -> float:
    """Share of the smaller box that lies in the other."""
    wide = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    high = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    smaller = min(a[2] * a[3], b[2] * b[3])
    return 0.0 if min(wide, high, smaller) <= 0.0 else wide * high / smaller
