"""A body's own features a second later: hard braking, a sharp turn, a crash that spares them.

Weaker than momentum continuity alone, since lawful braking and turning show here too, but it fails
on other scenes.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from monitor.trigger.fast.ballot import Vote
from monitor.trigger.fast.bodies import Bodies
from monitor.trigger.fast.change import change_of, inside, weight_of
from monitor.trigger.fast.trail import Motion
from monitor.trigger.motion import middle

HORIZON_S: Final = 1.0
NOW_S: Final = 0.3
_LEAST_SPEED: Final = 0.5  # own sizes per second
_LEAST_SIZE_PX: Final = 12.0
_LEAST_FOUND: Final = 3
_FOUND_SHARE: Final = 0.25
_LEAST_CHANGE: Final = 0.35
_EASING: Final = 0.9  # nobody holds their speed exactly


def slowing_votes(bodies: Bodies, now: Motion, width: int, height: int) -> list[Vote]:
    """One vote for every body whose own features changed their velocity much."""
    votes: list[Vote] = []
    fit = (
        (bodies.size >= _LEAST_SIZE_PX)
        & (bodies.speed >= _LEAST_SPEED * bodies.size)
        & inside(bodies.place, width, height)
    )
    if not fit.any():
        return votes
    ahead_s = now.at_s - bodies.motion.at_s
    belongs = bodies.whose(now.ids)
    found_of = np.bincount(belongs[belongs >= 0], minlength=len(bodies))
    fit &= found_of >= np.maximum(_LEAST_FOUND, _FOUND_SHARE * bodies.count)
    for body in np.flatnonzero(fit).tolist():
        found = int(found_of[body])
        velocity, speed = bodies.velocity[body], float(bodies.speed[body])
        present = middle(now.velocities[belongs == body])
        scale = math.exp(2 * float(bodies.growth[body]) * ahead_s)
        perspective = (_EASING * min(1.0, scale), max(1.0, scale))
        change = change_of(present, velocity, speed, perspective)
        if change > _LEAST_CHANGE:
            weight = weight_of(found, change, _LEAST_CHANGE)
            votes.append(
                Vote(now.at_s, weight, bodies.place[body], float(bodies.size[body]), change)
            )
    return votes
