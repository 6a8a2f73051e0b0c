"""What surrounds a sudden change of momentum: who was met, and whether the change is real.

A body that strikes another gives it what it loses; a corner that slipped onto something else
does not. With hindsight three more questions can be asked: does something still go on where the
body would be by now, was the body there before, and did everything else change at that moment too?
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from monitor.trigger.forensic.impulse import (
    SPAN_S,
    Impulse,
    Indices,
    Moment,
    group,
    scenery_likeness,
)
from monitor.trigger.forensic.trajectories import Mask
from monitor.trigger.forensic.window import Image, Window

_AHEAD_S: Final = 0.3
_ALIKE: Final = 0.3
_ALIKE_PX: Final = 8.0
_NEAR_SIZES: Final = 0.5
_NEAR_WIDTH: Final = 0.02
_LEAST_CORNERS: Final = 4
_FAR_SIZES: Final = 2.0
_CHANGED: Final = 0.4


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Of one impulse; shares are of the body's corners or of its impulse."""

    goes_on: float  # share that moves on as before where the body would be
    was_there: float  # share that moved so where the body was
    response: float  # of another body, against the change, as a share of it
    closing: float  # speed at which it neared the other, as a share of its own; 0: nobody
    together: float  # relative speed after, as a share of the closing
    elsewhere: float  # share of what moves far off that changed at the same moment
    likeness: float  # of the body to the scenery close by, up to 1
    border: float  # distance of the body from the picture's border, in its sizes


def surroundings(
    impulse: Impulse,
    here: Moment,
    moments: Sequence[Moment],
    window: Window,
    empty: tuple[Image, Image],
) -> Surroundings:
    """Look before, after and around it. ``moments``: all, in order of time."""
    width, height = window.width, window.height
    later = _at(moments, impulse.time_s + _AHEAD_S)
    earlier = _at(moments, impulse.time_s - _AHEAD_S)
    goes_on = 0.0 if later is None else _moving_so(impulse, later) / len(impulse.members)
    was_there = 0.0 if earlier is None else _moving_so(impulse, earlier) / len(impulse.members)
    inside = np.isin(here.corners, impulse.members)
    response, closing, together = _met(impulse, here, ~inside, width)
    likeness = scenery_likeness(window.luma[here.index], empty, here.places[inside])
    left, top, right, bottom = impulse.box
    ahead = SPAN_S * np.array(impulse.before)
    border = min(
        left + min(0.0, ahead[0]), top + min(0.0, ahead[1]),
        width - right - max(0.0, ahead[0]), height - bottom - max(0.0, ahead[1]),
    )  # fmt: skip
    return Surroundings(
        min(1.0, goes_on), min(1.0, was_there), response, closing, together,
        _elsewhere(impulse, here), likeness, float(border) / impulse.size,
    )  # fmt: skip


def _at(moments: Sequence[Moment], time_s: float) -> Moment | None:
    times = np.array([moment.time_s for moment in moments])
    nearest = int(np.abs(times - time_s).argmin())
    return moments[nearest] if abs(times[nearest] - time_s) < 0.12 else None


def _moving_so(impulse: Impulse, moment: Moment) -> int:
    """Corners that move as the body did, where it would be then."""
    velocity = np.array(impulse.before)
    step = moment.time_s - impulse.time_s
    left, top, right, bottom = impulse.box
    dx, dy = velocity * step
    slack = 0.25 * impulse.size + 0.25 * abs(step) * impulse.speed
    x, y = moment.places.T
    inside = (
        (x > left + dx - slack) & (x < right + dx + slack)
        & (y > top + dy - slack) & (y < bottom + dy + slack)
    )  # fmt: skip
    limit = min(_ALIKE * impulse.speed + _ALIKE_PX, 0.5 * impulse.amount)
    alike = np.zeros(len(x), np.bool_)
    for known, measured in (
        (moment.known_before, moment.before),
        (moment.known_after, moment.after),
    ):
        alike |= known & (np.hypot(*(measured - velocity).T) < limit)
    return int((inside & alike).sum())


def _near(impulse: Impulse, moment: Moment, width: int) -> Mask:
    left, top, right, bottom = impulse.box
    reach = max(_NEAR_SIZES * impulse.size, _NEAR_WIDTH * width)
    x, y = moment.places.T
    near: Mask = (x > left - reach) & (x < right + reach) & (y > top - reach) & (y < bottom + reach)
    return near


def _met(impulse: Impulse, moment: Moment, outside: Mask, width: int) -> tuple[float, float, float]:
    """Response, closing and relative speed after, of the body that answers most."""
    candidates = np.flatnonzero(
        outside & _near(impulse, moment, width) & moment.own & moment.known_after
    )
    best = (0.0, 0.0, 1.0)
    if len(candidates) < _LEAST_CORNERS:
        return best
    was = np.where(moment.known_before[:, None], moment.before, np.float32(0.0))
    labels = group(moment.places[candidates], moment.after[candidates], width)
    middle = np.array(
        [(impulse.box[0] + impulse.box[2]) / 2, (impulse.box[1] + impulse.box[3]) / 2]
    )
    for label in np.unique(labels):
        body: Indices = candidates[labels == label]
        told = body[moment.known_before[body]]
        if len(body) < _LEAST_CORNERS:
            continue
        basis = told if len(told) >= 2 else body
        before = np.median(was[basis], axis=0)
        after = np.median(moment.after[body], axis=0)
        change = np.array(impulse.change)
        answer = -float((after - before) @ change) / float(change @ change)
        way = np.median(moment.places[body], axis=0) - middle
        way = way / (np.hypot(*way) + 1e-6)
        closing = float((np.array(impulse.before) - before) @ way)
        left = float(np.hypot(*(np.array(impulse.after) - after)))
        apart = float(np.hypot(*(np.array(impulse.before) - before))) + 1e-6
        if answer > best[0]:
            best = (answer, closing / impulse.speed, left / apart)
    return best


def _elsewhere(impulse: Impulse, moment: Moment) -> float:
    left, top, right, bottom = impulse.box
    reach = _FAR_SIZES * impulse.size
    x, y = moment.places.T
    far = (x < left - reach) | (x > right + reach) | (y < top - reach) | (y > bottom + reach)
    fastest = np.maximum(np.hypot(*moment.before.T), np.hypot(*moment.after.T))
    told = far & moment.known_before & moment.known_after & moment.own
    told &= fastest > _CHANGED * impulse.amount
    if told.sum() < 2 * _LEAST_CORNERS:
        return 0.0
    change = np.hypot(*(moment.after[told] - moment.before[told]).T)
    return float((change > _CHANGED * fastest[told]).mean())
