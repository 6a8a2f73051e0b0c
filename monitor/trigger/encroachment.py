"""Near misses of courses that cross: the second body came over the place just after the first.

Post-encroachment time (Allen, Shin, Cooper, "Analysis of traffic conflicts and collisions", 1978):
where two courses cross, the time between the first one's leaving the place and the second one's
coming to it. Two paths in the picture cross where they cross on the ground, so no scale is needed
for it but that of a vehicle's length. Called by ``Measuring``; step against step only where the
boxes around two paths overlap.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from monitor.domain import Evidence, EvidenceKind
from monitor.trigger.moment import Moment
from monitor.trigger.track import Array, Track

SHORT_PET_S: Final = 1.0
_CROSSED_S: Final = 2.5  # ago, at most
_NEWEST_S: Final = 0.5  # of the second one's path: what was not asked about yet, and some of that
_SEEN_S: Final = 0.8  # of either path
_LEAST_SAMPLES: Final = 5
_LEAST_SIZE: Final = 0.6  # of a typical vehicle there
_MIN_SINE: Final = 0.5  # of the angle at which the courses cross
_MIN_CROSSING_M_S: Final = 3.0
_HALF_LENGTH_M: Final = 2.2  # of a car
_PLACE_M: Final = 0.7  # error of a foot against the middle of the body's ground


class CrossingWatch:
    """Looks for vehicles that came over another's path just now, so shortly after it."""

    def __init__(self) -> None:
        self._crossed: dict[tuple[int, int], float] = {}

    def step(self, moment: Moment, touched: set[frozenset[int]]) -> list[Evidence]:
        """``touched``: pairs in contact; theirs is no near miss."""
        now_s = moment.now_s
        self._crossed = {
            key: at_s for key, at_s in self._crossed.items() if now_s - at_s < _CROSSED_S
        }
        tracks, paths, newest = _paths(moment)
        found = []
        for one, other in _overlapping(paths, newest):
            first, second = tracks[one], tracks[other]
            key = (first.id, second.id)
            if key in self._crossed or frozenset(key) in touched:
                continue
            crossing = _crossing(*paths[one], *newest[other])
            if crossing is None:
                continue
            pet = _encroachment(moment, first, second, *crossing)
            if pet is None or pet[0] > SHORT_PET_S:
                continue
            self._crossed[key] = self._crossed[key[::-1]] = now_s
            found.append(_close_crossing(moment, first, second, crossing[1], *pet))
        return found


Path = tuple[Array, Array]
"""Times (n,) and feet (n, 2) in the picture."""


def _paths(moment: Moment) -> tuple[list[Track], list[Path], dict[int, Path]]:
    """Vehicles followed well, their paths, and by index what is new of those that drive now."""
    tracks: list[Track] = []
    paths: list[Path] = []
    newest: dict[int, Path] = {}
    for track in moment.vehicles():
        if track.seen_s < moment.now_s - _CROSSED_S or not _is_whole_vehicle(moment, track):
            continue
        times, feet = track.feet(moment.now_s - _CROSSED_S)
        if len(times) < _LEAST_SAMPLES or times[-1] - times[0] < _SEEN_S:
            continue
        first = int(times.searchsorted(moment.now_s - _NEWEST_S))
        if track.moving and track.seen_s >= moment.now_s and len(times) - first >= 2:
            newest[len(paths)] = times[first:], feet[first:]
        tracks.append(track)
        paths.append((times, feet))
    return tracks, paths, newest


def _overlapping(paths: list[Path], newest: dict[int, Path]) -> list[tuple[int, int]]:
    """Pairs (first, second): the box around the first's path meets that of the second's newest."""
    if len(paths) < 2 or not newest:
        return []
    low = np.array([feet.min(axis=0) for _, feet in paths])
    high = np.array([feet.max(axis=0) for _, feet in paths])
    pairs = []
    for second, (_, feet) in newest.items():
        meet = (low <= feet.max(axis=0)).all(axis=1) & (high >= feet.min(axis=0)).all(axis=1)
        pairs += [(first, second) for first in np.flatnonzero(meet).tolist() if first != second]
    return pairs


def _is_whole_vehicle(moment: Moment, track: Track) -> bool:
    """Whether it is near enough, and not a part of a vehicle: parts cross one another's paths."""
    usual = moment.plane.vehicle_size_px(float(track.foot[1]))
    return track.box.size >= _LEAST_SIZE * usual and moment.is_measurable(track)


def _crossing(
    earlier: Array, before: Array, times: Array, path: Array
) -> tuple[float, float] | None:
    """When the first one was where two paths cross, and when the second; None where they do not.

    Times (n,), paths (n, 2) and times (m,), paths (m, 2); every step of the one against every
    step of the other.
    """
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
