"""Foreground regions put together: what a body's expected box covers, pieces of one body.

Pure geometry for the tracker.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from monitor.trigger.blobs import Blob, PixelBox

PIECE: Final = 0.6
"""Share of a region that lies in a body's box: then it is a piece of that body."""
_PIECES_FILL: Final = 0.4  # of the box around the pieces of one body


def covered(box: PixelBox, blobs: Sequence[Blob], indices: Sequence[int]) -> float:
    """How much of a box some regions cover, in square pixels."""
    return sum(box.overlap(blobs[index].box) for index in indices)


def pieces(box: PixelBox, candidates: dict[int, Blob]) -> list[int]:
    """The region that covers most of the expected box, and others that fill it up with it."""
    order = sorted(candidates, key=lambda index: -box.overlap(candidates[index].box))
    if not order:
        return []
    chosen = order[:1]
    whole, area = candidates[chosen[0]].box, candidates[chosen[0]].area
    near = box.grown(0.1)
    for index in order[1:]:
        blob = candidates[index]
        larger = whole.union(blob.box)
        inside = near.overlap(blob.box) > PIECE * blob.box.area
        if inside and area + blob.area > _PIECES_FILL * larger.area:
            chosen.append(index)
            whole, area = larger, area + blob.area
    return chosen


def united(blobs: Sequence[Blob]) -> PixelBox | None:
    """The box around regions; None for none."""
    if not blobs:
        return None
    region = blobs[0].box
    for blob in blobs[1:]:
        region = region.union(blob.box)
    return region


def between(box: PixelBox, region: PixelBox, draw: float) -> PixelBox:
    """``draw`` of the way from a box to a region."""
    keep = 1.0 - draw
    return PixelBox(
        keep * box.x + draw * region.x,
        keep * box.y + draw * region.y,
        keep * box.width + draw * region.width,
        keep * box.height + draw * region.height,
    )
