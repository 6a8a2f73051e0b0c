"""New corners for bodies that have too few, from their own foreground only. For the tracker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from monitor.trigger.flow import Points, corners, not_of
from monitor.trigger.track import Track

Image = npt.NDArray[np.uint8]

_WANTED: Final = 13
_ENOUGH: Final = 6
_AT_ONCE: Final = 5  # tracks per picture


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture (h, w), its foreground, and the empty scene."""

    luma: Image
    foreground: Image
    empty: Image


def plant(tracks: Sequence[Track], scene: Scene, time_s: float) -> None:
    """Those with the fewest corners first."""
    height, width = scene.luma.shape
    planted = 0
    found: list[tuple[Track, Points]] = []
    for track in sorted(tracks, key=lambda one: len(one.points)):
        if planted == _AT_ONCE:
            break
        joined = track.joined_s == time_s
        if len(track.points) >= _ENOUGH or (track.seen_s < time_s and not joined):
            continue
        mask = scene.foreground
        if joined:
            mask = mask.copy()
            for other in tracks:
                # The body whose foot is lower in the picture is nearer and hides the other.
                if other is not track and other.foot[1] > track.foot[1]:
                    x, y, w, h = other.box.clipped(width, height)
                    mask[y : y + h, x : x + w] = 0
        planted += 1
        box = track.box.clipped(width, height)
        fresh = corners(scene.luma, mask, box, _WANTED - len(track.points))
        if len(fresh):
            found.append((track, fresh))
    if not found:
        return
    everyone = np.concatenate([fresh for _, fresh in found])
    own = not_of(scene.empty, scene.luma, everyone)
    first = 0
    for track, fresh in found:
        chosen = fresh[own[first : first + len(fresh)]]
        first += len(fresh)
        track.points = np.concatenate([track.points, chosen])
        track.point_ages = np.concatenate([track.point_ages, np.zeros(len(chosen), np.int64)])
