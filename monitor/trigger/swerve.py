"""A swerve: thrown aside from its own course and from where vehicles drive there.

On the ground, a vehicle's path is a straight course and then, from some moment on, a parabola
across it. Changing lanes at ease takes 1 to 2 m/s2 across, evading 4 and more; a turn takes up to
3 or 4, but vehicles turn there every day and the memory's directions show it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from monitor.domain import Evidence, EvidenceKind
from monitor.trigger.moment import Moment
from monitor.trigger.normal import UsualDirection
from monitor.trigger.track import Track

MIN_M_S2: Final = 4.0
MIN_ASIDE_M: Final = 0.8
MIN_SPEED_M_S: Final = 5.0
MAX_SPREAD_RAD: Final = 0.25
MIN_TURN_RAD: Final = 0.14

_MOST_M_S2: Final = 16.0  # no tyre does this even if the scale errs by half
_WINDOW_S: Final = 3.0
_BEFORE_S: Final = 0.8  # of straight course that must be seen
_AFTER_S: Final = (0.5, 1.6)  # of leaving it; longer ones are changes of lane
_MIN_SIGMAS: Final = 4.0
_STRAIGHT: Final = 0.15  # error of the course before, against how far it leaves it
_MIN_ASIDE_PX: Final = 4.0
_JOINED_S: Final = 0.3  # while it is one region with another body its box is not its own
_TELL_AGAIN_S: Final = 5.0
_FOOT: Final = 0.1
_BENT_S: Final = 0.8

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SwerveFit:
    """From ``onset_s`` on accelerated across the course; ground units and seconds."""

    onset_s: float
    accel: float
    accel_sigma: float
    aside: float  # how far off the straight course it is at the end
    residual: float  # of the course before, root mean square


class SwerveWatch:
    """Looks at every vehicle's last seconds."""

    def __init__(self) -> None:
        self._told_s: dict[int, float] = {}

    def step(self, moment: Moment) -> list[Evidence]:
        vehicles = moment.vehicles()
        present = {track.id for track in vehicles}
        self._told_s = {key: at for key, at in self._told_s.items() if key in present}
        found = []
        for track in vehicles:
            if moment.now_s - self._told_s.get(track.id, -1e9) < _TELL_AGAIN_S:
                continue
            evidence = _swerve(moment, track)
            if evidence is not None:
                self._told_s[track.id] = moment.now_s
                found.append(evidence)
        return found


def _swerve(moment: Moment, track: Track) -> Evidence | None:
    if (
        not track.moving
        or track.seen_s < moment.now_s
        or moment.now_s - track.joined_s < _JOINED_S
        or not _bends(track, moment.now_s)
        or not moment.is_measurable(track)
    ):
        return None
    times, path = track.ground(moment.plane, moment.now_s - _WINDOW_S, by_flow=True)
    fit = swerve_fit(times, path)
    if fit is None:
        return None
    metres = moment.plane.metres
    accel, aside = metres(fit.accel), metres(fit.aside)
    speed = metres(float(np.hypot(*(path[-1] - path[0]))) / (times[-1] - times[0]))
    if (
        not MIN_M_S2 <= accel <= _MOST_M_S2
        or aside < MIN_ASIDE_M
        or speed < MIN_SPEED_M_S
        or fit.accel < _MIN_SIGMAS * fit.accel_sigma
        or fit.residual > _STRAIGHT * fit.aside
        or not _leaves_the_usual(moment, track, fit.onset_s)
    ):
        return None
    # Half of a t squared is how far it is aside, so its error is that of the acceleration.
    unit = 1.0 if moment.plane.calibrated else moment.plane.metres(1.0)
    return moment.evidence(
        EvidenceKind.SWERVE,
        track,
        fit.onset_s,
        strength=0.3 + 0.25 * (accel / MIN_M_S2 - 1.0) + 0.2 * min(1.0, aside / 2.0),
        time_uncertainty_s=0.2,
        value=aside / unit,
        unit="m" if moment.plane.calibrated else "sizes",
        uncertainty=aside / unit * fit.accel_sigma / fit.accel,
    )


def swerve_fit(times: Array, path: Array) -> SwerveFit | None:
    """The best course and parabola across it; None with too little to go by.

    ``times`` (n,), ``path`` (n, 2). For every possible onset the course is a straight line at
    constant speed through what is before; what comes after is compared with it, across it.
    """
    if len(times) < 8 or times[-1] - times[0] < _BEFORE_S + _AFTER_S[0]:
        return None
    best: SwerveFit | None = None
    best_error = math.inf
    for back_s in np.linspace(*_AFTER_S, 12):
        onset_s = float(times[-1] - back_s)
        before, after = times <= onset_s, times > onset_s
        if before.sum() < 5 or after.sum() < 3 or onset_s - times[0] < _BEFORE_S:
            continue
        centred = times[before] - times[before].mean()
        middle = path[before].mean(axis=0)
        velocity = centred @ path[before] / float(centred @ centred)
        speed = float(np.hypot(*velocity))
        if speed <= 0.0:
            continue
        normal = np.array([-velocity[1], velocity[0]]) / speed
        across = (path - middle) @ normal
        bend = 0.5 * (times[after] - onset_s) ** 2
        power = float(bend @ bend)
        accel = float(bend @ across[after]) / power
        left = across[after] - accel * bend
        error = float(left @ left) + float(across[before] @ across[before])
        if error >= best_error:
            continue
        best_error = error
        residual = math.sqrt(float(across[before] @ across[before]) / float(before.sum()))
        noise = error / max(1, len(times) - 4)
        # The course's own error grows with the time it is carried on.
        reach = float(times[-1] - times[before].mean())
        course = reach**2 / float(centred @ centred) + 1.0 / float(before.sum())
        sigma = math.sqrt(noise * (1.0 / power + course * float(bend.sum()) ** 2 / power**2))
        best = SwerveFit(
            onset_s, abs(accel), sigma, abs(accel) * float(bend[-1]), residual
        )  # fmt: skip
    return best


def _bends(track: Track, now_s: float) -> bool:
    """Whether it leaves its straight course at all lately: cheap, and nearly never true."""
    samples = track.samples(now_s - 2.0)
    if len(samples) < 8:
        return False
    first, last = samples[0], samples[-1]
    middle = next(one for one in samples if one.time_s >= last.time_s - _BENT_S)
    way = np.array([middle.foot_x - first.foot_x, middle.foot_y - first.foot_y])
    length = float(np.hypot(*way))
    if length <= 0.0:
        return False
    off = np.array([last.foot_x - middle.foot_x, last.foot_y - middle.foot_y])
    return abs(float(way[0] * off[1] - way[1] * off[0])) / length >= _MIN_ASIDE_PX


def _leaves_the_usual(moment: Moment, track: Track, onset_s: float) -> bool:
    """Whether its course is off the usual one of a place where vehicles do not turn."""
    samples: Sequence[tuple[float, float]] = [
        track.foot_of(sample) for sample in track.samples(moment.now_s - 0.6)
    ]
    if len(samples) < 3:
        return False
    (x0, y0), (x1, y1) = samples[0], samples[-1]
    length = math.hypot(x1 - x0, y1 - y0)
    # Beside the road nothing is usual; then where it came from tells.
    usual = _usual(moment, track, x1, y1) or _usual(moment, track, *track.box_at(onset_s).foot)
    if usual is None or not usual.well_known or length <= 0.0:
        return False
    cosine = (usual.dx * (x1 - x0) + usual.dy * (y1 - y0)) / length
    turned = math.acos(min(1.0, max(-1.0, cosine)))
    return usual.spread_rad <= MAX_SPREAD_RAD and turned >= max(
        MIN_TURN_RAD, 2.0 * usual.spread_rad
    )


def _usual(moment: Moment, track: Track, x_px: float, y_px: float) -> UsualDirection | None:
    y_px -= _FOOT * track.box.height
    return moment.memory.usual_direction(x_px / moment.width_px, y_px / moment.height_px)
