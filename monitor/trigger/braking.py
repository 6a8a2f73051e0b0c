"""Hard braking and sudden stops of single vehicles.

Braking is hard when it takes a large share of the vehicle's own speed per second and, at the
scale of vehicles in this picture, exceeds what drivers do by choice (3 m/s^2 is already unusual;
ordinary stops at a signal stay near 2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from monitor.domain import Evidence, EvidenceKind
from monitor.trigger.moment import Moment
from monitor.trigger.motion import BrakeFit, brake_fit, path_length
from monitor.trigger.track import Array, Track

MIN_DECEL_M_S2: Final = 3.6
_WINDOW_S: Final = 2.6
_MIN_SPEED_M_S: Final = 3.0
_MIN_LOST_M_S: Final = 2.2
_MIN_LOST_SHARE: Final = 0.35
_MIN_RATE: Final = 0.28  # of its speed per second
_MIN_SAMPLES: Final = 9
_MIN_FLOW: Final = 0.8  # of the samples
_LEAST_SIDE_PX: Final = 11.0  # a body narrower than the flow's window moves as what is behind it
_MAX_GROWTH: Final = 2.2  # of a box within the window, either way
_MAX_DECEL_M_S2: Final = 16.0  # no tyre does this, even if the scale errs by half
_JOLT_M_S2: Final = 25.0
_JOLT_SIGMAS: Final = 3.0  # of what errors of three positions make of it
_FAR_M_PER_PX: Final = 2.0  # so far off only what is followed without a fault is measured
_FAR_SIZES: Final = 1.5  # of a vehicle's there: larger ones are nearer than the plane says
_FAR_FLOW: Final = 0.95
_FAR_GAIN: Final = 0.9
_FAR_SIGMAS: Final = 8.0
_FAR_MOST_M_S2: Final = 10.0  # what tyres can do
_CALL_M_S: Final = 1.0
_MIN_SIGMAS: Final = 4.0
_MIN_GAIN: Final = 0.6
_REMEASURE_S: Final = 2.0
_PAUSE_S: Final = 4.0
_SUDDEN_S: Final = 3.0


@dataclass(slots=True)
class _Braking:
    key_s: float
    first_s: float
    best: BrakeFit
    stop_told: bool = False


class BrakeWatch:
    """Watches every vehicle's motion along its path."""

    def __init__(self) -> None:
        self._braking: dict[int, _Braking] = {}

    def step(self, moment: Moment) -> list[Evidence]:
        found: list[Evidence] = []
        present = {track.id for track in moment.tracks}
        self._braking = {key: one for key, one in self._braking.items() if key in present}
        for track in moment.vehicles():
            known = self._braking.get(track.id)
            if known is not None and moment.now_s - known.first_s > _PAUSE_S and track.moving:
                del self._braking[track.id]
                known = None
            if known is not None and moment.now_s - known.first_s > _REMEASURE_S:
                found += self._stop(moment, track, known)
                continue
            fit = None
            if track.slowed() and moment.is_measurable(track, _FAR_M_PER_PX):
                fit = measure_braking(moment, track)
            if fit is not None and (known is None or _is_better(fit, known.best)):
                if known is None:
                    known = _Braking(fit.onset_s, moment.now_s, fit)
                    self._braking[track.id] = known
                known.best = fit
                found.append(self._hard_brake(moment, track, known))
            if known is not None:
                found += self._stop(moment, track, known)
        return found

    @staticmethod
    def _hard_brake(moment: Moment, track: Track, known: _Braking) -> Evidence:
        fit = known.best
        decel = moment.plane.metres(fit.decel)
        metric = moment.plane.calibrated
        rate = fit.decel / fit.speed
        return moment.evidence(
            EvidenceKind.HARD_BRAKE,
            track,
            fit.onset_s,
            key_s=known.key_s,
            strength=_strength_of((1.0 - moment.scale_error(track)) * decel),
            time_uncertainty_s=fit.onset_sigma_s,
            value=decel if metric else rate,
            unit="m/s2" if metric else "1/s",
            uncertainty=fit.decel_sigma if metric else fit.decel_sigma / fit.speed,
        )

    @staticmethod
    def _stop(moment: Moment, track: Track, known: _Braking) -> list[Evidence]:
        rest_s = track.standing_since_s
        if known.stop_told or rest_s is None:
            return []
        took = rest_s - known.best.onset_s
        if not 0.0 < took < _SUDDEN_S:
            return []
        known.stop_told = True
        return [
            moment.evidence(
                EvidenceKind.SUDDEN_STOP,
                track,
                rest_s,
                strength=0.3 + 0.5 * (1.0 - took / _SUDDEN_S),
                time_uncertainty_s=0.3,
                value=took,
                unit="s",
                uncertainty=float(np.hypot(0.25, known.best.onset_sigma_s)),
            )
        ]


def _strength_of(decel_m_s2: float) -> float:
    """How hard, 0 to 1."""
    return min(1.0, max(0.0, 0.35 + (decel_m_s2 - MIN_DECEL_M_S2) / 7.0))


def is_braking(moment: Moment, track: Track) -> bool:
    """Cheaply and too often: whether it may be, so that it is worth looking more often."""
    if not track.slowed() or not track.moving or not moment.is_measurable(track):
        return False
    now = track.speed_fit(moment.plane, moment.now_s, 0.45)
    before = track.speed_fit(moment.plane, moment.now_s - 0.45, 0.65)
    if now is None or before is None:
        return False
    was, lost = (
        moment.plane.metres(float(speed))
        for speed in (
            np.hypot(*before.velocity),
            np.hypot(*before.velocity) - np.hypot(*now.velocity),
        )
    )
    return was > _MIN_SPEED_M_S and lost > _CALL_M_S


def measure_braking(moment: Moment, track: Track) -> BrakeFit | None:
    """The track's braking within the last seconds, if it is hard; else None."""
    if min(track.box.width, track.box.height) < _LEAST_SIDE_PX:
        return None
    times, points = track.ground(moment.plane, moment.now_s - _WINDOW_S)
    near = moment.is_measurable(track)
    if not near and not _is_small(moment, track):
        return None
    flow = _MIN_FLOW if near else _FAR_FLOW
    if len(times) < _MIN_SAMPLES or not _followed_well(track, float(times[0]), flow):
        return None
    distance = path_length(points)
    error = moment.position_sigma_m(track) / moment.plane.metres(1.0)
    times, distance = _between_jolts(times, distance, moment.plane.metres(1.0), error)
    if len(times) < _MIN_SAMPLES - 2:
        return None
    recent = _mean_speed(times, distance, times[-1] - 0.4, times[-1])
    fastest = max(
        _mean_speed(times, distance, start, start + 0.5)
        for start in np.arange(times[0], times[-1] - 0.5, 0.3)
    ) if times[-1] - times[0] > 0.6 else 0.0  # fmt: skip
    metres = moment.plane.metres
    if metres(fastest) < _MIN_SPEED_M_S or recent > (1.0 - _MIN_LOST_SHARE) * fastest:
        return None
    fit = brake_fit(times, distance, error)
    if fit is None or fit.speed <= 0.0 or fit.gain < (_MIN_GAIN if near else _FAR_GAIN):
        return None
    lost = fit.speed - max(0.0, fit.end_speed)
    hard = (
        metres(fit.speed) >= _MIN_SPEED_M_S
        and metres(lost) >= _MIN_LOST_M_S
        and lost >= _MIN_LOST_SHARE * fit.speed
        and (1.0 - moment.scale_error(track)) * metres(fit.decel) >= MIN_DECEL_M_S2
        and metres(fit.decel) <= (_MAX_DECEL_M_S2 if near else _FAR_MOST_M_S2)
        and fit.decel >= _MIN_RATE * fit.speed
        and fit.decel >= (_MIN_SIGMAS if near else _FAR_SIGMAS) * fit.decel_sigma
    )
    return fit if hard and _slows_in_the_picture(track, fit) else None


def _is_small(moment: Moment, track: Track) -> bool:
    """Whether it is as small as vehicles are so far off."""
    return track.box.size <= _FAR_SIZES * moment.plane.vehicle_size_px(float(track.foot[1]))


def _between_jolts(
    times: Array, distance: Array, unit_m: float, error: float
) -> tuple[Array, Array]:
    """The longest stretch in which no speed falls from one picture to the next as no brake could.

    Where one does the body struck something, or was lost, or had just been found; what it did
    before or after is still its own driving. ``unit_m``: metres per unit of ``distance``;
    ``error``: of a position, by which speeds jump too.
    """
    spans = np.diff(times)
    speeds = np.diff(distance) / spans
    by_chance = _JOLT_SIGMAS * error * np.sqrt(6.0) / (spans[1:] * spans[:-1])
    limit = np.maximum(
        np.maximum(_JOLT_M_S2 / unit_m, 0.25 * float(speeds.max()) / spans[1:]), by_chance
    )
    where = np.flatnonzero(-np.diff(speeds) / spans[1:] > limit)
    ends = [*(where + 2).tolist(), len(times)]
    begins = [0, *(where + 1).tolist()]
    begin, end = max(zip(begins, ends, strict=True), key=lambda one: one[1] - one[0])
    return times[begin:end], distance[begin:end]


def _followed_well(track: Track, since_s: float, least_flow: float) -> bool:
    """Whether its own corners carried it, and it stayed about the same body."""
    samples = track.samples(since_s)
    sizes = [s.width * s.height for s in samples]
    return sum(s.by_flow for s in samples) >= least_flow * len(samples) and max(
        sizes
    ) < _MAX_GROWTH**2 * min(sizes)


def _mean_speed(times: Array, distance: Array, start: float, end: float) -> float:
    inside = (times >= start - 1e-6) & (times <= end + 1e-6)
    if inside.sum() < 2:
        return 0.0
    span = times[inside]
    return float((distance[inside][-1] - distance[inside][0]) / (span[-1] - span[0]))


def _slows_in_the_picture(track: Track, fit: BrakeFit) -> bool:
    """In own sizes per second it slows too, so that it is not the ground plane's error."""
    samples = track.samples(fit.onset_s - 0.8)
    before = [s for s in samples if s.time_s <= fit.onset_s + 0.1]
    after = samples[-4:]
    if len(before) < 3 or len(after) < 3:
        return True
    rates = []
    for part in (before, after):
        moved = np.hypot(part[-1].foot_x - part[0].foot_x, part[-1].foot_y - part[0].foot_y)
        size = np.sqrt(part[-1].width * part[-1].height)
        rates.append(float(moved / size / (part[-1].time_s - part[0].time_s)))
    return rates[1] < 0.8 * rates[0]


def _is_better(fit: BrakeFit, than: BrakeFit) -> bool:
    """Of the same braking, with more of it seen."""
    return abs(fit.onset_s - than.onset_s) < 0.8 and (
        fit.decel_sigma / fit.decel < 0.9 * than.decel_sigma / than.decel
    )
