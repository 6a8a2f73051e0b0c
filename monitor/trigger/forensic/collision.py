"""Where and when two bodies met, if they did: the sudden changes of momentum add up.

Each body's change at each moment gets a vote, a product of four questions, each answered
between 0 and about 1: how violent was it, can the measurement be trusted, was it this body alone
and for good, and did another body answer it? Votes near in time and place belong to one contact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from monitor.trigger.forensic.impulse import Impulse, Moment, impulses
from monitor.trigger.forensic.meeting import Surroundings, surroundings
from monitor.trigger.forensic.window import Image, Window
from monitor.trigger.ground import METRES_PER_SIZE, GroundPlane

SEARCH_S: Final = 3.0  # to either side of the trigger's time

# Parameters of the model; docs/forensic.md tells their sources.
_LEAST_SHARE: Final = 0.2  # less than this of its speed is traffic
_LEAST_SIZES: Final = 0.3  # of its size per second, likewise
_MOST_SHARE: Final = 1.25
_FORESHORTENED: Final = 3.0  # of a road along the line of sight, at most
_SHORT_S: Final = 0.05
_MOST_SIZES: Final = 3.0
_CORNERS: Final = (3, 12)
_SIZE: Final = (0.02, 0.06)  # of the width
_ELSEWHERE: Final = (0.2, 0.6)
_LIKENESS: Final = (0.55, 0.75)
_BORDER: Final = (0.0, 0.5)  # sizes
_ALONE: Final = 0.5  # weight of a change that nobody answered, against one that was
_LEAST_CLOSING: Final = 0.1
_MOST_TOGETHER: Final = 0.9
_POOL_S: Final = 0.2
_POOL_SIZES: Final = 1.5
_POOL_WEIGHT: Final = 0.25
_LEAST_VOTE: Final = 0.03
_PULSE_S: Final = 0.12  # a vehicle's crash pulse; the change is seen at its middle
_THRESHOLD: Final = 1.0  # sum of votes that is a collision
_LATER_S: Final = 1.0  # a contact so long after the trigger is e times less likely
_EARLIER_S: Final = 4.0  # and before it


@dataclass(frozen=True, slots=True)
class Vote:
    """One body's change of momentum and what speaks for a collision."""

    impulse: Impulse
    around: Surroundings
    weight: float


@dataclass(frozen=True, slots=True)
class Collision:
    """The most likely contact. ``score`` 1.0 is the threshold."""

    time_s: float
    sigma_s: float
    score: float
    vote: Vote
    box: tuple[float, float, float, float]  # left, top, right, bottom, of all that voted


def find_votes(
    window: Window, empty: tuple[Image, Image], moments: Sequence[Moment], about_s: float,
    plane: GroundPlane | None = None,
) -> list[Vote]:  # fmt: skip
    """Of all bodies at all moments near a time; with a ``plane`` as large as on the ground."""
    found = []
    for moment in moments:
        if abs(moment.time_s - about_s) > SEARCH_S:
            continue
        for impulse in impulses(moment, window.width):
            if impulse.share < _LEAST_SHARE and impulse.sizes < _LEAST_SIZES:
                continue
            around = surroundings(impulse, moment, moments, window, empty)
            weight = vote(impulse, around, window.width, sizes_on_ground(impulse, plane))
            if weight > _LEAST_VOTE:
                found.append(Vote(impulse, around, weight))
    return found


def sizes_on_ground(impulse: Impulse, plane: GroundPlane | None) -> float:
    """The change in vehicle sizes a second, along the road as much as across it.

    In the picture what happens along the line of sight is foreshortened, often to a third: a
    body that is stopped while it drives away from the camera hardly moves there. Never less than
    in the picture, and at most three times that, since planes are learned.
    """
    if plane is None:
        return impulse.sizes
    left, _, right, bottom = impulse.box
    foot = np.array([(left + right) / 2, bottom])
    step = np.array([foot, foot + _SHORT_S * np.array(impulse.change)])
    there = plane.to_ground(step)
    metres = plane.metres(float(np.hypot(*(there[1] - there[0])))) / _SHORT_S
    if not math.isfinite(metres):
        return impulse.sizes
    return max(impulse.sizes, min(_FORESHORTENED * impulse.sizes, metres / METRES_PER_SIZE))


def vote(impulse: Impulse, around: Surroundings, width: int, sizes: float | None = None) -> float:
    """How much one change of momentum speaks for a collision.

    ``sizes``: how large it is, in sizes a second; None: as in the picture.
    """
    share = min(_MOST_SHARE, impulse.share)
    sizes = min(_MOST_SIZES, impulse.sizes if sizes is None else sizes)
    trust = (
        _ramp(len(impulse.kept), _CORNERS)
        * _ramp(impulse.size / width, _SIZE)
        * max(0.0, 1.0 - impulse.spread / impulse.amount)
        * (1.0 - _ramp(around.likeness, _LIKENESS))
        * _ramp(around.border, _BORDER)
    )
    own = (1.0 - around.goes_on) * (1.0 - _ramp(around.elsewhere, _ELSEWHERE))
    return trust * own * sizes * (_ALONE * share + math.sqrt(share) * answered(around))


def answered(around: Surroundings) -> float:
    """How far another body that was neared took the momentum over, 0 to 1."""
    if around.closing < _LEAST_CLOSING or around.together > _MOST_TOGETHER:
        return 0.0
    return min(1.0, around.response)


def _ramp(value: float, span: tuple[float, float]) -> float:
    return min(1.0, max(0.0, (value - span[0]) / (span[1] - span[0])))


def find_collision(votes: Sequence[Vote], about_s: float) -> Collision | None:
    """The likeliest group of votes; None without any.

    Of several strong ones the nearest to the trigger's time, rather before it than after.
    """
    if not votes:
        return None
    times = np.array([one.impulse.time_s for one in votes])
    sizes = np.array([one.impulse.size for one in votes])
    boxes = np.array([one.impulse.box for one in votes])
    weights = np.array([one.weight for one in votes])
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    offsets = middles[:, None, :] - middles[None, :, :]
    near = (np.abs(times[:, None] - times[None, :]) <= _POOL_S + 1e-6) & (
        np.hypot(offsets[..., 0], offsets[..., 1]) < _POOL_SIZES * (sizes[:, None] + sizes[None, :])
    )
    totals = weights + _POOL_WEIGHT * (near * weights[None, :]).sum(axis=1)
    late = times - about_s
    likely = np.exp(-np.where(late > 0.0, late / _LATER_S, -late / _EARLIER_S))
    enough = totals >= min(_THRESHOLD, float(totals.max()))
    best = int(np.where(enough, totals * likely, 0.0).argmax())
    pool = np.flatnonzero(near[best])
    share = weights[pool] / weights[pool].sum()
    middle = float((share * times[pool]).sum())
    spread = float(np.sqrt((share * (times[pool] - middle) ** 2).sum()))
    low, high = boxes[pool, :2].min(axis=0), boxes[pool, 2:].max(axis=0)
    return Collision(
        float(times[best]) - _PULSE_S / 2, float(np.hypot(spread, 0.07)),
        float(totals[best]) / _THRESHOLD, votes[best],
        (float(low[0]), float(low[1]), float(high[0]), float(high[1])),
    )  # fmt: skip
