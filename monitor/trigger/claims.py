"""Whose region is whose: which foreground regions each expected body claims, alone or with others.

Pure functions for the tracker. Where several bodies claim one region (one vehicle hides another)
it is nobody's: each goes on by its own flow.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from monitor.trigger.blobs import Blob
from monitor.trigger.carry import Expected
from monitor.trigger.regions import PIECE, covered, pieces
from monitor.trigger.track import Track

_CLAIM: Final = 0.3  # share of the expected box that a region must cover
_NEAR_SIZES: Final = 1.3
_ALIKE_SIZE: Final = (0.6, 1.7)
_YOUNG_S: Final = 1.5
_WITHIN: Final = 0.7  # of a piece's box, in that of the whole body
_SAME_MOTION: Final = 0.35
_SAME_MOTION_PX_S: Final = 6.0


@dataclass(frozen=True, slots=True)
class Claim:
    """One body's regions: ``own`` are its alone; ``any``: it claims some, perhaps with others."""

    own: tuple[Blob, ...]
    any: bool


def claimed(
    tracks: Sequence[Track], expected: Sequence[Expected], blobs: Sequence[Blob]
) -> tuple[list[Claim], set[int]]:
    """Each track's claim, and the indices of the regions that belong to somebody."""
    wanted = [
        _wanted(track, e, blobs, mine)
        for track, e, mine in zip(tracks, expected, _overlapping(expected, blobs), strict=True)
    ]
    counts = Counter(index for mine in wanted for index in mine)
    taken = {index for index, count in counts.items() if count > 1}
    claims = []
    for e, mine in zip(expected, wanted, strict=True):
        shared = [index for index in mine if counts[index] > 1]
        own = pieces(e.box, {index: blobs[index] for index in mine if counts[index] == 1})
        taken.update(own)
        if covered(e.box, blobs, shared) > covered(e.box, blobs, own):
            own = []
        claims.append(Claim(tuple(blobs[index] for index in own), bool(mine)))
    return claims, taken


def _overlapping(expected: Sequence[Expected], blobs: Sequence[Blob]) -> list[list[int]]:
    """For each expected body the regions that cover much of it, or lie in it for the most part."""
    if not expected or not blobs:
        return [[] for _ in expected]
    x, y, w, h = np.array([(b.x, b.y, b.width, b.height) for b in (e.box for e in expected)]).T
    bx, by, bw, bh = np.array([(b.x, b.y, b.width, b.height) for b in (o.box for o in blobs)]).T
    right, bottom = x + w, y + h
    wide = np.minimum(right[:, None], bx + bw) - np.maximum(x[:, None], bx)
    high = np.minimum(bottom[:, None], by + bh) - np.maximum(y[:, None], by)
    shared = np.maximum(0.0, wide) * np.maximum(0.0, high)
    much = (shared > _CLAIM * (w * h)[:, None]) | (shared > PIECE * (bw * bh))
    return [np.flatnonzero(row).tolist() for row in much]


def _wanted(track: Track, e: Expected, blobs: Sequence[Blob], mine: list[int]) -> list[int]:
    if mine or track.confirmed:
        return mine
    # A new body whose speed is not known yet: the nearest region of about its size.
    best, best_distance = -1, _NEAR_SIZES * e.box.size
    for index, blob in enumerate(blobs):
        ratio = blob.box.size / e.box.size
        distance = math.dist(blob.box.centre, e.box.centre)
        if _ALIKE_SIZE[0] < ratio < _ALIKE_SIZE[1] and distance < best_distance:
            best, best_distance = index, distance
    return [best] if best >= 0 else []


def is_part_of_another(track: Track, tracks: Sequence[Track], time_s: float) -> bool:
    """A young track inside an older one's box that moves alike is a piece of that body."""
    if time_s - track.born_s > _YOUNG_S:
        return False
    for other in tracks:
        if other is track or (other.born_s, other.id) >= (track.born_s, track.id):
            continue
        if track.box.overlap(other.box) > _WITHIN * track.box.area:
            apart = math.dist(track.velocity, other.velocity)
            if apart < _SAME_MOTION * math.hypot(*other.velocity) + _SAME_MOTION_PX_S:
                return True
    return False
