"""Momentum continuity: a coherent body should still be where its momentum carries it.

A crash often destroys every feature on the bodies, so that following a feature's own deceleration
misses it. Asked instead is whether something still moves on near the place that the body must have
reached; and if not, what the features along its course do now. The impulse is the part of their
velocity that no driver and no perspective makes of the old one: perspective changes the speed in
the picture by exp(2 s dt), where s is the rate at which the body's own size grows, because the
speed in the picture goes as one over the distance squared.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from monitor.trigger.fast.ballot import Vote
from monitor.trigger.fast.bodies import Bodies
from monitor.trigger.fast.change import change_of, inside, weight_of
from monitor.trigger.fast.trail import Array, Motion
from monitor.trigger.motion import middle

HORIZONS_S: Final = (0.3, 0.4, 0.5)
NOW_S: Final = 0.2
_LEAST_SPEED: Final = 0.6  # own sizes per second
_LEAST_SIZE_PX: Final = 12.0
_GOES_ON: Final = 0.1
_SAME_VELOCITY: Final = 0.45
_LEAST_IMPULSE: Final = 0.3
_SEEN_SHARE: Final = 0.5
_FAR_CHANGED: Final = 0.4
_LEAST_FAR: Final = 6
_LEAST_SEEN: Final = 3


def momentum_votes(bodies: Bodies, now: Motion, width: int, height: int) -> list[Vote]:
    """One vote for every body that did not go on; ``bodies`` are those of a horizon ago."""
    ahead_s = now.at_s - bodies.motion.at_s
    if not len(bodies) or not len(now.ids) or ahead_s <= 0:
        return []
    half_span_s = bodies.motion.span_s / 2
    # The speeds compared are those in the middle of their spans.
    scale = np.exp(2 * bodies.growth * (ahead_s + half_span_s - now.span_s / 2))
    drift_s = ahead_s * np.exp(bodies.growth * (ahead_s + half_span_s))
    predicted = bodies.place + bodies.velocity * drift_s[:, None]
    radius = (
        0.8 * bodies.size * np.exp(bodies.growth * ahead_s) + 0.3 * bodies.speed * ahead_s + 4.0
    )
    asked = np.flatnonzero(
        (bodies.size >= _LEAST_SIZE_PX)
        & (bodies.speed >= _LEAST_SPEED * bodies.size)
        & inside(bodies.place, width, height)
        & inside(predicted, width, height)
    )
    if not len(asked):
        return []
    near = _squared_away(predicted[asked], now.points) < (radius[asked] ** 2)[:, None]
    velocity, grown = bodies.velocity[asked], scale[asked]
    unlike = np.minimum(
        _squared_away(velocity, now.velocities),
        _squared_away(grown[:, None] * velocity, now.velocities),
    )
    limit = _SAME_VELOCITY * bodies.speed[asked] * np.maximum(1.0, grown)
    going_on = np.count_nonzero(near & (unlike < (limit**2)[:, None]), axis=1)
    votes = []
    for body in asked[going_on <= _GOES_ON * bodies.count[asked]].tolist():
        vote = _impulse(bodies, body, now, float(scale[body]), predicted[body], width)
        if vote is not None:
            votes.append(vote)
    return votes


def _impulse(
    bodies: Bodies, body: int, now: Motion, scale: float, predicted: Array, width: int
) -> Vote | None:
    then = bodies.motion
    place, velocity = bodies.place[body], bodies.velocity[body]
    speed, size, count = float(bodies.speed[body]), float(bodies.size[body]), bodies.count[body]
    slot = np.clip(np.searchsorted(then.ids, now.ids), 0, len(then.ids) - 1)
    known = then.ids[slot] == now.ids
    own = known & (bodies.of[slot] == body)
    changed = np.hypot(*(now.velocities - then.velocities[slot]).T)
    far = known & (np.hypot(*(then.points[slot] - place).T) > max(3 * size, 0.2 * width))
    far &= then.speeds[slot] > 0.2 * speed
    if far.sum() >= _LEAST_FAR and (
        float(np.mean(changed[far] > 0.5 * then.speeds[slot][far])) > _FAR_CHANGED
    ):
        return None  # all of the picture changes: a shake, a cut, a lost second
    course = velocity / speed
    relative = now.points - place
    along = relative @ course
    across = np.abs(relative[:, 0] * course[1] - relative[:, 1] * course[0])
    run = float(np.hypot(*(predicted - place)))
    seen = (along > -0.8 * size) & (along < run + 0.8 * size) & (across < 0.9 * size + 4.0)
    others = known & ~own & (changed < 0.5 * np.maximum(then.speeds[slot], 0.3 * speed))
    seen &= ~others  # bodies that go their own way unchanged
    if seen.sum() < _LEAST_SEEN:
        return None
    present = middle(now.velocities[seen])
    perspective = (min(1.0, scale), max(1.0, scale))
    impulse = change_of(present, velocity, speed, perspective)
    if impulse <= _LEAST_IMPULSE:
        return None
    # A body of many features that leaves three behind is out of sight, not struck.
    shown = min(1.0, float(seen.sum()) / (_SEEN_SHARE * float(count)))
    weight = weight_of(int(count), impulse, _LEAST_IMPULSE) * shown
    return Vote(now.at_s, weight, place, size, impulse)


def _squared_away(some: Array, others: Array) -> Array:
    across = some[:, None, 0] - others[None, :, 0]
    down = some[:, None, 1] - others[None, :, 1]
    squared: Array = across * across + down * down
    return squared
