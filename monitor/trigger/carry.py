"""Carrying every track to the present picture by the flow of its own corners, all at once.

Corners planted lately may lie on another body where two are joined. They count once they have
agreed with older ones; alone, they must agree with how the body moved so far. Arrays are
(tracks, corners), padded, because numpy's calls cost more than their arithmetic here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from monitor.trigger.blobs import PixelBox
from monitor.trigger.flow import Flow, Points
from monitor.trigger.track import Track

Image = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.floating[Any]]

_FEWEST: Final = 3  # corners
_SUPPORT: Final = 0.4  # share of the corners that must agree
_OLD: Final = 2  # pictures a corner has been followed
_AGREE_PX: Final = 0.7  # of a corner's step with the body's
_AGREE_SHARE: Final = 0.2
_SWAP_SHARE: Final = 0.25
_SWAP_PX_S: Final = 5.0
_SCALE_POINTS: Final = 6
_SCALE_SPREAD_PX: Final = 2.0
_SCALE_STEP: Final = 0.04


@dataclass(frozen=True, slots=True)
class Expected:
    """Where a track should be in the present picture."""

    box: PixelBox
    points: Points
    point_ages: npt.NDArray[np.int64]
    foot: npt.NDArray[np.float64]
    velocity: npt.NDArray[np.float64]
    by_flow: bool


def carried(
    tracks: Sequence[Track], flow: Flow, foreground: Image, span_s: float
) -> list[Expected]:
    """``flow`` holds the corners of all tracks, one track after the other."""
    good = flow.good.copy()
    if good.any():
        ends = flow.points[good].astype(np.intp)
        good[good] = foreground[ends[:, 1], ends[:, 0]] > 0
    counts = np.array([len(track.points) for track in tracks])
    slots = np.arange(int(counts.max(initial=0)) or 1)[None, :] < counts[:, None]
    before = _padded(np.concatenate([track.points for track in tracks]), slots)
    after = _padded(flow.points, slots)
    ages = _padded(np.concatenate([track.point_ages for track in tracks]), slots)
    usable: Mask = _padded(good, slots)

    moves = after - before
    old = usable & (ages >= _OLD)
    proven = old.sum(axis=1) >= _FEWEST
    reference = np.where(proven[:, None], old, usable)
    number = reference.sum(axis=1)
    middle = _median(moves, reference, number)
    limit = np.maximum(_AGREE_PX, _AGREE_SHARE * np.hypot(middle[:, 0], middle[:, 1]))
    off = moves - middle[:, None, :]
    squared = off[..., 0] ** 2 + off[..., 1] ** 2
    agree = usable & (squared < (limit * limit)[:, None])
    supported = (agree & reference).sum(axis=1)
    believed = (number >= _FEWEST) & (supported >= np.maximum(_FEWEST, _SUPPORT * number))

    weights = agree / np.maximum(agree.sum(axis=1), 1)[:, None]
    move = _weighted(weights, moves)
    was = np.array([track.velocity for track in tracks])
    velocity = move / span_s
    change = np.hypot(*(velocity - was).T)
    # Corners without a past that move otherwise than the body did: brakes need longer.
    confirmed = np.array([track.confirmed for track in tracks])
    swapped = change > _SWAP_SHARE * np.hypot(*was.T) + _SWAP_PX_S
    believed &= ~(confirmed & ~proven & swapped)

    pivot = _weighted(weights, before)
    scale = _growth(before - pivot[:, None, :], moves - move[:, None, :], weights, agree)
    feet = pivot + (np.array([track.foot for track in tracks]) - pivot) * scale[:, None] + move
    fresh = np.array([len(track.history) <= 1 for track in tracks])
    smooth = np.where(fresh[:, None], velocity, 0.4 * was + 0.6 * velocity)
    ages += 1
    turned = zip(pivot.tolist(), move.tolist(), scale.tolist(), strict=True)
    result = []
    for index, (track, (about, step, growth)) in enumerate(zip(tracks, turned, strict=True)):
        if not believed[index]:
            result.append(_unseen(track, span_s))
            continue
        kept = agree[index]
        box = _moved(track.box, about, step, growth)
        result.append(
            Expected(box, after[index][kept], ages[index][kept], feet[index], smooth[index], True)
        )
    return result


def _weighted(weights: Floats, values: Floats) -> npt.NDArray[np.float64]:
    """(tracks, 2): each track's mean of (tracks, corners, 2)."""
    mean: npt.NDArray[np.float64] = np.matmul(
        weights[:, None, :], values, dtype=np.float64, casting="same_kind"
    )[:, 0]
    return mean


def _padded(flat: npt.NDArray[Any], slots: Mask) -> npt.NDArray[Any]:
    table = np.zeros(slots.shape + flat.shape[1:], flat.dtype)
    table[slots] = flat
    return table


def _median(moves: Floats, among: Mask, number: npt.NDArray[np.integer[Any]]) -> Floats:
    """Per track and axis, of the chosen corners; anything where there are none."""
    ordered = np.sort(np.where(among[..., None], moves, np.float32(np.inf)), axis=1)
    rows = np.arange(len(moves))
    low = ordered[rows, np.maximum(number - 1, 0) // 2]
    high = ordered[rows, np.minimum(number // 2, moves.shape[1] - 1)]
    middle: Floats = np.where(number[:, None] > 0, (low + high) / 2, 0.0)
    return middle


def _growth(arms: Floats, stretch: Floats, weights: Floats, agree: Mask) -> Floats:
    """How the body grew: the spread of its corners after against before, cautiously."""
    spread = np.sqrt(_weighted(weights, arms**2).sum(axis=1))
    after = np.sqrt(_weighted(weights, (arms + stretch) ** 2).sum(axis=1))
    ratio = after / np.maximum(spread, 1e-6) - 1.0
    usable = (agree.sum(axis=1) >= _SCALE_POINTS) & (spread > _SCALE_SPREAD_PX)
    growth: Floats = 1.0 + np.where(usable, np.clip(0.5 * ratio, -_SCALE_STEP, _SCALE_STEP), 0.0)
    return growth


def _moved(box: PixelBox, pivot: list[float], move: list[float], scale: float) -> PixelBox:
    """About the middle of the corners the body grows or shrinks."""
    cx, cy = box.centre
    x = pivot[0] + (cx - pivot[0]) * scale + move[0]
    y = pivot[1] + (cy - pivot[1]) * scale + move[1]
    width, height = box.width * scale, box.height * scale
    return PixelBox(x - width / 2, y - height / 2, width, height)


def _unseen(track: Track, span_s: float) -> Expected:
    """Where it would be if it went on as before; its corners are lost."""
    step = track.velocity * span_s
    return Expected(
        track.box.moved(float(step[0]), float(step[1])), track.points[:0], track.point_ages[:0],
        track.foot + step, track.velocity, False,
    )  # fmt: skip
