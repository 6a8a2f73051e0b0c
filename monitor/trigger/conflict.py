"""Near misses: two bodies on a course to meet within about a second that then do not.

Time to collision (Hayward, "Near-miss determination through use of a scale of danger", 1972):
with both going on as now, the time until their distance is less than a body's width.

Post-encroachment time (Allen, Shin, Cooper, "Analysis of traffic conflicts and collisions", 1978):
where two courses cross, the time between the first one's leaving the place and the second one's
coming to it. Two paths in the picture cross where they cross on the ground, so no scale is needed
for it but that of a vehicle's length.
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
SHORT_PET_S: Final = 1.0
_CROSSED_S: Final = 2.5  # ago, at most
_NEWEST_S: Final = 0.5  # of the second one's path: what was not asked about yet, and some of that
_SEEN_S: Final = 0.8  # of either path
_LEAST_SIZE: Final = 0.6  # of a typical vehicle there
_MIN_SINE: Final = 0.5  # of the angle at which the courses cross
_MIN_CROSSING_M_S: Final = 3.0
_HALF_LENGTH_M: Final = 2.2  # of a car
_PLACE_M: Final = 0.7  # error of a foot against the middle of the body's ground


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
        self._crossed: dict[tuple[int, int], float] = {}

    def step(self, moment: Moment, touched: set[frozenset[int]]) -> list[Evidence]:
        """``touched``: pairs in contact; theirs is no near miss."""
        moving: list[tuple[Track, Array, Array]] = []
        for track in moment.tracks:
            fit = track.speed_fit(moment.plane, moment.now_s)
            if (
                fit is not None
                and track.seen_s >= moment.now_s
                and track.history[-1].whole
                and moment.is_measurable(track)
            ):
                place = moment.plane.to_ground(track.foot[None, :])[0]
                moving.append((track, place, fit.velocity))
        for index, (first, a, va) in enumerate(moving):
            for second, b, vb in moving[index + 1 :]:
                if Actor.VEHICLE in (first.actor, second.actor):
                    self._follow(moment, (first.id, second.id), b - a, vb - va)
        return self._over(moment, touched) + self._crossings(moment, touched)

    def _crossings(self, moment: Moment, touched: set[frozenset[int]]) -> list[Evidence]:
        """Of vehicles that came over another's path just now, so shortly after it."""
        self._crossed = {
            key: at_s for key, at_s in self._crossed.items() if moment.now_s - at_s < _CROSSED_S
        }
        paths: list[tuple[Track, Array, Array]] = []
        for track in moment.vehicles():
            if track.seen_s >= moment.now_s - _CROSSED_S and _is_whole_vehicle(moment, track):
                known = _path(track, moment.now_s - _CROSSED_S)
                if known is not None:
                    paths.append((track, *known))
        found = []
        for second, times, path in paths:
            newest = int(np.searchsorted(times, moment.now_s - _NEWEST_S))
            if not second.moving or len(times) - newest < 2 or second.seen_s < moment.now_s:
                continue
            for first, earlier, before in paths:
                key = (first.id, second.id)
                if first is second or key in self._crossed or frozenset(key) in touched:
                    continue
                crossing = _crossing(earlier, before, times[newest:], path[newest:])
                if crossing is None:
                    continue
                pet = _encroachment(moment, first, second, *crossing)
                if pet is None or pet[0] > SHORT_PET_S:
                    continue
                self._crossed[key] = self._crossed[key[::-1]] = moment.now_s
                found.append(_close_crossing(moment, first, second, crossing[1], *pet))
        return found

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


def _is_whole_vehicle(moment: Moment, track: Track) -> bool:
    """Whether it is near enough, and not a part of a vehicle: parts cross one another's paths."""
    usual = moment.plane.vehicle_size_px(float(track.foot[1]))
    return moment.is_measurable(track) and track.box.size >= _LEAST_SIZE * usual


def _path(track: Track, since_s: float) -> tuple[Array, Array] | None:
    """Times (n,) and feet (n, 2) in the picture, of a body that was followed well."""
    samples = [one for one in track.samples(since_s) if one.whole]
    if len(samples) < 5 or samples[-1].time_s - samples[0].time_s < _SEEN_S:
        return None
    times = np.array([one.time_s for one in samples])
    return times, np.array([track.foot_of(one) for one in samples])


def _crossing(
    earlier: Array, before: Array, times: Array, path: Array
) -> tuple[float, float] | None:
    """When the first one was where two paths cross, and when the second; None where they do not.

    Times (n,), paths (n, 2) and times (m,), paths (m, 2); every step of the one against every
    step of the other.
    """
    if (
        before[:, 0].min() > path[:, 0].max() or before[:, 0].max() < path[:, 0].min()
        or before[:, 1].min() > path[:, 1].max() or before[:, 1].max() < path[:, 1].min()
    ):  # fmt: skip
        return None
    a, b = before[:-1, None], path[None, :-1]
    da, db = np.diff(before, axis=0)[:, None], np.diff(path, axis=0)[None, :]
    sine = da[..., 0] * db[..., 1] - da[..., 1] * db[..., 0]
    gap = b - a
    parallel = np.abs(sine) < 1e-9
    sine = np.where(parallel, 1.0, sine)
    along_a = (gap[..., 0] * db[..., 1] - gap[..., 1] * db[..., 0]) / sine
    along_b = (gap[..., 0] * da[..., 1] - gap[..., 1] * da[..., 0]) / sine
    hit = ~parallel & (along_a >= 0) & (along_a <= 1) & (along_b >= 0) & (along_b <= 1)
    if not hit.any():
        return None
    i, j = (int(index) for index in np.argwhere(hit)[-1])
    first_s = earlier[i] + along_a[i, j] * (earlier[i + 1] - earlier[i])
    second_s = times[j] + along_b[i, j] * (times[j + 1] - times[j])
    return float(first_s), float(second_s)


def _encroachment(
    moment: Moment, first: Track, second: Track, first_s: float, second_s: float
) -> tuple[float, float] | None:
    """Seconds from the first one's rear to the second one's front, and one standard deviation.

    None where they did not cross at an angle, or one stood there.
    """
    fits = [
        track.speed_fit(moment.plane, at_s + 0.3, 0.6)
        for track, at_s in ((first, first_s), (second, second_s))
    ]
    if second_s <= first_s or fits[0] is None or fits[1] is None:
        return None
    a, b = fits[0].velocity, fits[1].velocity
    speeds = [moment.plane.metres(float(np.hypot(*one))) for one in (a, b)]
    if min(speeds) < _MIN_CROSSING_M_S:
        return None
    sine = abs(float(a[0] * b[1] - a[1] * b[0])) / float(np.hypot(*a) * np.hypot(*b))
    if sine < _MIN_SINE:
        return None
    pet = second_s - first_s - sum(_HALF_LENGTH_M / speed for speed in speeds)
    return max(0.0, pet), math.hypot(*(_PLACE_M / (sine * speed) for speed in speeds))


def _close_crossing(
    moment: Moment, first: Track, second: Track, at_s: float, pet: float, sigma: float
) -> Evidence:
    return moment.evidence(
        EvidenceKind.NEAR_MISS,
        second,
        at_s,
        other=first,
        strength=0.2 + 0.5 * (1.0 - pet / SHORT_PET_S),
        time_uncertainty_s=0.2,
        value=pet,
        unit="s",
        uncertainty=sigma,
    )
