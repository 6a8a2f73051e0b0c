"""Near misses: two bodies on a course to meet within about a second that then do not.

Time to collision (Hayward, "Near-miss determination through use of a scale of danger", 1972):
with both going on as now, the time until their distance is less than a body's width.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from monitor.domain import Actor, Evidence, EvidenceKind
from monitor.trigger.moment import Moment
from monitor.trigger.track import Array, Track

_SHORT_S: Final = 1.2
_RADIUS_M: Final = 1.6
_MIN_CLOSING_M_S: Final = 3.0
_MIN_MOMENTS: Final = 2
_OVER_S: Final = 0.8  # after the smallest TTC
_REACH_M: Final = 25.0


@dataclass(slots=True)
class _Course:
    least_s: float
    at_s: float
    moments: int
    last_s: float
    closing_m_s: float


class ConflictWatch:
    """Follows every two bodies on a collision course."""

    def __init__(self) -> None:
        self._courses: dict[tuple[int, int], _Course] = {}

    def step(self, moment: Moment, touched: set[frozenset[int]]) -> list[Evidence]:
        """``touched``: pairs in contact; theirs is no near miss."""
        moving: list[Track] = []
        velocities: list[Array] = []
        for track in moment.tracks:
            if (
                track.seen_s < moment.now_s
                or not track.history[-1].whole
                or not moment.is_measurable(track)
            ):
                continue
            fit = track.speed_fit(moment.plane, moment.now_s)
            if fit is not None:
                moving.append(track)
                velocities.append(fit.velocity)
        if len(moving) > 1:
            self._follow_all(moment, moving, np.array(velocities))
        return self._over(moment, touched)

    def _follow_all(self, moment: Moment, moving: list[Track], velocities: Array) -> None:
        """Every two; most go apart, which is told of all at once."""
        places = moment.plane.to_ground(np.array([track.foot for track in moving]))
        gaps = places[None, :] - places[:, None]
        speeds = velocities[None, :] - velocities[:, None]
        nearing = np.triu((gaps * speeds).sum(axis=2) < 0.0)
        for one, other in np.argwhere(nearing).tolist():
            first, second = moving[one], moving[other]
            if Actor.VEHICLE in (first.actor, second.actor):
                self._follow(moment, (first.id, second.id), gaps[one, other], speeds[one, other])

    def _follow(self, moment: Moment, key: tuple[int, int], gap: Array, speed: Array) -> None:
        metres = moment.plane.metres
        ttc = time_to_collision(gap, speed, _RADIUS_M / metres(1.0))
        closing = metres(float(np.hypot(*speed)))
        if ttc is None or ttc > _SHORT_S or closing < _MIN_CLOSING_M_S:
            return
        if metres(float(np.hypot(*gap))) > _REACH_M:
            return
        course = self._courses.get(key)
        if course is None:
            self._courses[key] = _Course(ttc, moment.now_s, 1, moment.now_s, closing)
            return
        course.moments += 1
        course.last_s = moment.now_s
        if ttc < course.least_s:
            course.least_s, course.at_s, course.closing_m_s = ttc, moment.now_s, closing

    def _over(self, moment: Moment, touched: set[frozenset[int]]) -> list[Evidence]:
        tracks = {track.id: track for track in moment.tracks}
        found = []
        for key, course in list(self._courses.items()):
            if moment.now_s - course.last_s < _OVER_S:
                continue
            del self._courses[key]
            first, second = tracks.get(key[0]), tracks.get(key[1])
            if first is None or second is None or course.moments < _MIN_MOMENTS:
                continue
            if frozenset(key) in touched:
                continue
            found.append(
                moment.evidence(
                    EvidenceKind.NEAR_MISS,
                    first,
                    course.at_s,
                    other=second,
                    strength=0.2 + 0.5 * (1.0 - course.least_s / _SHORT_S),
                    time_uncertainty_s=0.3,
                    value=course.least_s,
                    unit="s",
                    uncertainty=0.3,
                )
            )
        return found


def time_to_collision(gap: Array, speed: Array, radius: float) -> float | None:
    """Seconds until two points ``gap`` apart, moving by ``speed``, are within ``radius``.

    Solves |gap + speed t| = radius for the smaller t; None where they never get so near.
    """
    a = float(speed @ speed)
    b = 2.0 * float(gap @ speed)
    c = float(gap @ gap) - radius * radius
    root = b * b - 4.0 * a * c
    if a < 1e-12 or b >= 0.0 or root < 0.0:
        return None
    return max(0.0, (-b - math.sqrt(root)) / (2.0 * a))
