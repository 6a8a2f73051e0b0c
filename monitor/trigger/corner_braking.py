"""Hard braking of bodies that have no track: in dense traffic the picture joins them.

Corners are followed for the fast cues anyway, whatever they belong to. Those that moved together
and lose their speed together are a body that brakes; the same broken parabola is fitted as for
tracks. A corner lies above the road: that makes it seem farther and faster by its height's share
of the camera's, the same at every moment.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final, Protocol, cast

import numpy as np
import numpy.typing as npt

from monitor.domain import Actor, Box, Evidence, EvidenceKind
from monitor.trigger.blobs import PixelBox
from monitor.trigger.braking import (
    MIN_LOST_SHARE,
    MIN_SPEED_M_S,
    Judged,
    between_jolts,
    judged_hard,
    strength_of,
)
from monitor.trigger.moment import FAR_M_PER_PX, FLOW_PX, Moment
from monitor.trigger.motion import path_length

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LEAST_CORNERS: Final = 4
_SPAN_S: Final = 1.5  # for which a corner must have been followed
_SPEED_S: Final = 0.4
_REACH: Final = 0.04  # of the width, between corners of one body
_ALIKE: Final = 0.3  # of their speeds before
_AGREE: Final = 0.35  # of the speed lost
_MEASURE_S: Final = 0.3
_SAME_S: Final = 2.0
_SAME_PLACE: Final = 0.08  # of the width
MOST_M_S2: Final = 11.0  # corners that stick to what stands there stop faster than tyres can
_RIGID: Final = 0.25  # share by which a body's corners may draw together or apart
MIN_GAIN: Final = 0.985  # what brakes as one goes along a parabola; corners dragged along do not
MIN_SIGMAS: Final = 16.0
LEAST_M_S: Final = 5.0  # the last metres of every stop look abrupt
_ROOM: Final = 0.4  # of the corners' extent: a body is larger than its corners'


class Snapshot(Protocol):
    """One picture's corners: ``ids`` (n,) rising, ``points`` (n, 2) in pixels of some width."""

    at_s: float
    ids: Ints
    points: Array


class CornerBrakeWatch:
    """Looks at the corners' last second and a half."""

    def __init__(self) -> None:
        self._measured_s = -1e9
        self._told: list[tuple[float, float, float]] = []  # onset, and where

    def step(
        self,
        moment: Moment,
        trail: Sequence[Snapshot],
        width_px: int,
        recent: Iterable[Evidence],
    ) -> list[Evidence]:
        """``trail``: pictures in order of time, ``width_px`` wide; ``recent``: what tracks told."""
        if moment.now_s < self._measured_s + _MEASURE_S or len(trail) < 6:
            return []
        self._measured_s = moment.now_s
        times, places = _followed(trail, trail[-1].at_s - _SPAN_S)
        if len(times) < 6 or places.shape[1] < LEAST_CORNERS:
            return []
        places = places * (moment.width_px / width_px)
        near = _near_enough(moment, places)
        places = places[:, near]
        if places.shape[1] < LEAST_CORNERS:
            return []
        ground = moment.plane.to_ground(places.reshape(-1, 2)).reshape(places.shape)
        metres = moment.plane.metres(1.0)
        first = int(np.searchsorted(times, times[0] + _SPEED_S - 1e-6))
        last = int(np.searchsorted(times, times[-1] - _SPEED_S + 1e-6, "right")) - 1
        before = metres * (ground[first] - ground[0]) / (times[first] - times[0])
        after = metres * (ground[-1] - ground[last]) / (times[-1] - times[last])
        was, lost = np.hypot(*before.T), np.hypot(*before.T) - np.hypot(*after.T)
        braking = np.flatnonzero((was > MIN_SPEED_M_S) & (lost > MIN_LOST_SHARE * was))
        told = [
            one for one in recent if one.kind is EvidenceKind.HARD_BRAKE and one.box is not None
        ]
        self._told = [one for one in self._told if moment.now_s - one[0] < 2 * _SAME_S]
        found = []
        for body in _bodies(places[-1], before, lost, braking, moment.width_px):
            one = self._braking(moment, times, places[:, body], ground[:, body], told)
            if one is not None:
                found.append(one)
        return found

    def _braking(
        self,
        moment: Moment,
        times: Array,
        places: Array,
        ground: Array,
        told: Sequence[Evidence],
    ) -> Evidence | None:
        steps = np.median(np.diff(ground, axis=0), axis=1)
        path = np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)])
        middle, speed = _course(places)
        error = FLOW_PX * _units_per_px(moment, middle, speed)
        jolt = between_jolts(times, path_length(path), moment.plane.metres(1.0), error)
        box = _box(places[-1])
        low = float(box.y + box.height)
        judged = Judged(*jolt, error, moment.scale_error_at(low))
        fit = judged_hard(moment, judged)
        if (
            fit is None
            or fit.gain < MIN_GAIN
            or moment.plane.metres(fit.speed) < LEAST_M_S
            or fit.decel < MIN_SIGMAS * fit.decel_sigma
            or moment.plane.metres(fit.decel) > MOST_M_S2
        ):
            return None
        if not _is_rigid(moment, places) or self._was_told(moment, fit.onset_s, middle, box, told):
            return None
        self._told.append((fit.onset_s, *middle))
        decel, metric = moment.plane.metres(fit.decel), moment.plane.calibrated
        time_ms = moment.wall_ms(fit.onset_s)
        return Evidence(
            id=f"{EvidenceKind.HARD_BRAKE.value}-corners-{time_ms}-{round(middle[0])}",
            kind=EvidenceKind.HARD_BRAKE,
            time_ms=time_ms,
            actor=Actor.VEHICLE,
            strength=round(strength_of(decel), 3),
            value=round(decel if metric else fit.decel / fit.speed, 3),
            unit="m/s2" if metric else "1/s",
            uncertainty=round(fit.decel_sigma if metric else fit.decel_sigma / fit.speed, 3),
            time_uncertainty_s=round(fit.onset_sigma_s, 3),
            box=moment.fraction_box(box),
        )

    def _was_told(
        self,
        moment: Moment,
        onset_s: float,
        middle: tuple[float, float],
        box: PixelBox,
        told: Sequence[Evidence],
    ) -> bool:
        """Whether it was told before, of these corners or of a track."""
        reach = _SAME_PLACE * moment.width_px
        if any(
            abs(at_s - onset_s) < _SAME_S and np.hypot(x - middle[0], y - middle[1]) < reach
            for at_s, x, y in self._told
        ):
            return True
        here = moment.fraction_box(box)
        return any(
            one.box is not None
            and abs(one.time_ms - moment.wall_ms(onset_s)) < 1000 * _SAME_S
            and _near(one.box, here)
            for one in told
        )


def _followed(trail: Sequence[Snapshot], since_s: float) -> tuple[Array, Array]:
    """Times (k,) and places (k, n, 2) of the corners that are in every picture since a time."""
    first = max((i for i, one in enumerate(trail) if one.at_s <= since_s + 0.05), default=-1)
    if first < 0:
        return np.zeros(0), np.zeros((0, 0, 2))
    kept = trail[first:]
    ids = np.intersect1d(kept[0].ids, kept[-1].ids, assume_unique=True)
    for one in kept[1:-1]:
        ids = ids[np.isin(ids, one.ids, assume_unique=True)]
    places = np.stack([one.points[np.searchsorted(one.ids, ids)] for one in kept])
    return np.array([one.at_s for one in kept]), places


def _near_enough(moment: Moment, places: Array) -> npt.NDArray[np.bool_]:
    """Corners (n,) that were near enough to be measured all the time."""
    row = moment.plane.far_row(FAR_M_PER_PX, moment.width_px, moment.height_px)
    limit = max(row, moment.plane.horizon_px + 4.0)
    return cast(npt.NDArray[np.bool_], (places[..., 1] > limit).all(axis=0))


def _bodies(
    places: Array, before: Array, lost: Array, braking: npt.NDArray[np.intp], width: int
) -> list[npt.NDArray[np.intp]]:
    """Groups of the corners ``braking`` that are near, were as fast and lost as much."""
    left = list(braking[np.argsort(-lost[braking])])
    found = []
    while left:
        seed = left[0]
        some = np.array(left)
        speed = float(np.hypot(*before[seed]))
        alike = (
            (np.hypot(*(places[some] - places[seed]).T) < _REACH * width)
            & (np.hypot(*(before[some] - before[seed]).T) < _ALIKE * speed)
            & (np.abs(lost[some] - lost[seed]) < _AGREE * lost[seed])
        )
        body = some[alike]
        if len(body) >= LEAST_CORNERS:
            found.append(body)
        left = [one for one in left if one not in set(body.tolist()) and one != seed]
    return found


def _is_rigid(moment: Moment, places: Array) -> bool:
    """Whether the corners' extent grew or shrank as much as a body's does on that course."""
    first, last = places[0], places[-1]
    extents = [
        float(np.median(np.hypot(*(one - np.median(one, axis=0)).T))) for one in (first, last)
    ]
    if extents[0] < 1.0:
        return False
    expected = moment.plane.vehicle_size_px(float(last[:, 1].max())) / (
        moment.plane.vehicle_size_px(float(first[:, 1].max()))
    )
    return abs(math.log(extents[1] / extents[0] / expected)) < _RIGID


def _course(places: Array) -> tuple[tuple[float, float], Array]:
    """The body's middle in the picture at last, and how far it went."""
    middle = np.median(places, axis=1)
    return (float(middle[-1, 0]), float(middle[-1, 1])), middle[-1] - middle[0]


def _units_per_px(moment: Moment, middle: tuple[float, float], way: Array) -> float:
    length = float(np.hypot(*way))
    step = way / length if length > 0.0 else np.array([0.0, 1.0])
    there = moment.plane.to_ground(np.array([middle, np.array(middle) - step]))
    return float(np.hypot(*(there[1] - there[0])))


def _box(places: Array) -> PixelBox:
    low, high = places.min(axis=0), places.max(axis=0)
    room = _ROOM * (high - low) + 2.0
    left, top = low - room
    width, height = high - low + 2 * room
    return PixelBox(float(left), float(top), float(width), float(height))


def _near(a: Box, b: Box) -> bool:
    x, y = a[0] + a[2] / 2 - b[0] - b[2] / 2, a[1] + a[3] / 2 - b[1] - b[3] / 2
    return abs(x) < (a[2] + b[2]) / 2 + 0.03 and abs(y) < (a[3] + b[3]) / 2 + 0.03
