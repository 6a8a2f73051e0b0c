"""Headway: the time from the leader's passing a point to the follower's passing it.

Both are taken at the same part of the body (the middle of the box's foot), so neither a scale nor
a vehicle's length is needed. It is stated when it is stable and short, and again for the moment
the leader begins to brake, which is when it matters.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import Final

import numpy as np

from monitor.domain import Evidence, EvidenceKind
from monitor.trigger.moment import Moment
from monitor.trigger.track import Array, Track

SHORT_S: Final = 2.5
_PATH_S: Final = 6.0
_BESIDE_M: Final = 1.5
_SAME_WAY: Final = 0.8  # cosine
_MIN_SPEED_M_S: Final = 2.0
_POSITION_M: Final = 0.5  # of a foot against the true one, from picture to picture
_STABLE: Final = 3
_STABLE_S: Final = 0.2
_TELL_AGAIN_S: Final = 3.0
_TELL_AGAIN_SHARE: Final = 0.2
_AFTER_ONSET_S: Final = 1.1
"""What the leader passed before it braked the follower still passes then: a good headway."""
_ONSETS: Final = frozenset({EvidenceKind.HARD_BRAKE, EvidenceKind.BRAKE_LIGHT_ONSET})


@dataclass(slots=True)
class _Pair:
    seen: deque[tuple[float, float, float]] = field(default_factory=lambda: deque(maxlen=40))
    told_s: float = -1e9
    told: float = 0.0
    onset_s: float = -1e9


class HeadwayWatch:
    """Measures every follower against the vehicle whose path it follows."""

    def __init__(self) -> None:
        self._pairs: dict[tuple[int, int], _Pair] = {}

    def step(self, moment: Moment, just_found: Iterable[Evidence]) -> list[Evidence]:
        """``just_found``: this moment's other evidence; a leader's braking is looked for in it."""
        vehicles = {track.id: track for track in moment.vehicles()}
        ways = _Ways(moment)
        onsets = [one for one in just_found if one.kind in _ONSETS and one.track is not None]
        self._pairs = {key: pair for key, pair in self._pairs.items() if key[0] in vehicles}
        found = []
        for follower in vehicles.values():
            nearest = self._nearest_leader(moment, follower, vehicles.values(), ways)
            if nearest is None:
                continue
            leader, headway, sigma = nearest
            pair = self._pairs.setdefault((follower.id, leader.id), _Pair())
            pair.seen.append((moment.now_s, headway, sigma))
            stated = _stable(pair, moment.now_s)
            if stated is None or stated[0] > SHORT_S:
                continue
            told_before = moment.now_s - pair.told_s < _TELL_AGAIN_S
            if told_before or abs(stated[0] - pair.told) < _TELL_AGAIN_SHARE * pair.told:
                continue
            pair.told_s, pair.told = moment.now_s, stated[0]
            found.append(_headway(moment, follower, leader, moment.now_s, stated))
        for onset in onsets:
            found += self._at_onset(moment, vehicles, onset)
        return found

    def _at_onset(
        self, moment: Moment, vehicles: dict[int, Track], onset: Evidence
    ) -> list[Evidence]:
        onset_s = (onset.time_ms - moment.origin_ms) / 1000
        found = []
        for (behind, ahead), pair in self._pairs.items():
            if ahead != onset.track or ahead not in vehicles or abs(pair.onset_s - onset_s) < 2.0:
                continue
            stated = _stable(pair, onset_s + 0.15, span_s=1.8) or _stable(
                pair, onset_s + _AFTER_ONSET_S, span_s=_AFTER_ONSET_S
            )
            if stated is None or stated[0] > SHORT_S:
                continue
            pair.onset_s = onset_s
            at_s = min((time_s for time_s, _, _ in pair.seen), key=lambda t: abs(t - onset_s))
            found.append(_headway(moment, vehicles[behind], vehicles[ahead], at_s, stated))
        return found

    @staticmethod
    def _nearest_leader(
        moment: Moment, follower: Track, vehicles: Iterable[Track], ways: _Ways
    ) -> tuple[Track, float, float] | None:
        fit = follower.speed_fit(moment.plane, moment.now_s)
        if fit is None or follower.seen_s < moment.now_s:
            return None
        speed = float(np.hypot(*fit.velocity))
        if moment.plane.metres(speed) < _MIN_SPEED_M_S:
            return None
        here = moment.plane.to_ground(follower.foot[None, :])[0]
        best: tuple[Track, float, float] | None = None
        for leader in vehicles:
            if leader is follower:
                continue
            # Ahead in the picture, as far as a second or two of driving goes.
            ahead = (leader.foot - follower.foot) @ follower.velocity
            if ahead <= 0.0:
                continue
            headway = _time_since_passing(moment, ways.of(leader), here, fit.velocity / speed)
            if headway is None or (best is not None and headway >= best[1]):
                continue
            position = 2**0.5 * _POSITION_M / moment.plane.metres(speed)
            best = (leader, headway, math.hypot(position, 0.05))
        return best


@dataclass(frozen=True, slots=True)
class _Way:
    """Where one body was on the ground, step by step."""

    times: Array
    path: Array  # (n, 2)
    step: Array  # (n - 1, 2)
    length: Array  # (n - 1,), squared


class _Ways:
    """The ways of one moment's vehicles: each leads many followers, and is asked for once."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment
        self._known: dict[int, _Way | None] = {}

    def of(self, track: Track) -> _Way | None:
        """None where too little was seen."""
        if track.id not in self._known:
            times, path = track.ground(self._moment.plane, self._moment.now_s - _PATH_S)
            way = None
            if len(times) >= 4:
                step = path[1:] - path[:-1]
                way = _Way(times, path, step, (step**2).sum(axis=1) + 1e-12)
            self._known[track.id] = way
        return self._known[track.id]


def _time_since_passing(
    moment: Moment, leader: _Way | None, here: Array, heading: Array
) -> float | None:
    """Seconds since the leader's foot passed ``here``; None if its path does not lead there."""
    if leader is None:
        return None
    times, path, step = leader.times, leader.path, leader.step
    away = here - path[:-1]
    along = np.minimum(np.maximum((away * step).sum(axis=1) / leader.length, 0.0), 1.0)
    away -= along[:, None] * step
    beside = (away * away).sum(axis=1)
    index = int(beside.argmin())
    if moment.plane.metres(math.sqrt(float(beside[index]))) > _BESIDE_M:
        return None
    at_start = index == 0 and along[0] == 0.0
    at_end = index == len(step) - 1 and along[-1] == 1.0
    if at_start or at_end:
        return None
    low, high = max(0, index - 2), min(len(path) - 1, index + 3)
    way = path[high] - path[low]
    if float(way @ heading) < _SAME_WAY * float(np.hypot(*way)):
        return None
    passed_s = times[index] + along[index] * (times[index + 1] - times[index])
    headway = moment.now_s - float(passed_s)
    return headway if headway > 0.15 else None


def _stable(pair: _Pair, until_s: float, span_s: float = 1.4) -> tuple[float, float] | None:
    """Median headway of the last moments and one standard deviation, if it holds still."""
    recent = [
        (headway, sigma)
        for time_s, headway, sigma in pair.seen
        if until_s - span_s <= time_s <= until_s
    ][-_STABLE:]
    if len(recent) < _STABLE:
        return None
    values = [headway for headway, _ in recent]
    mean = fmean(values)
    spread = math.sqrt(fmean((value - mean) ** 2 for value in values))
    if spread > max(_STABLE_S, 0.15 * mean):
        return None
    return median(values), math.hypot(spread, recent[-1][1])


def _headway(
    moment: Moment, follower: Track, leader: Track, at_s: float, stated: tuple[float, float]
) -> Evidence:
    value, sigma = stated
    return moment.evidence(
        EvidenceKind.HEADWAY,
        follower,
        at_s,
        other=leader,
        strength=1.0 - min(0.8, sigma / value),
        time_uncertainty_s=0.15,
        value=value,
        unit="s",
        uncertainty=sigma,
    )
