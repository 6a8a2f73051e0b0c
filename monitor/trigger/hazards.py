"""Hazard lamps: a vehicle that came to rest and flashes on both sides at once is in the way.

Its driver says so: neither a red light nor a queue makes anybody switch them on, so nothing has to
be known of the place but that vehicles drive there, and nobody has to pass. What flashes is looked
for in a box that stays as it was when the vehicle came to rest, since what follows it breathes with
its lamps; pixel by pixel, because brake lamps outshine it all the while; and far enough apart, so
that a single indicator does not count. Flashing lamps flash 90 times a minute, give or take 30,
everywhere (UN Regulation 48, 6.5.9 and 6.6.9).
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Final, cast

import cv2
import numpy as np
import numpy.typing as npt

from monitor.domain import Evidence, EvidenceKind
from monitor.trigger.blobs import PixelBox
from monitor.trigger.classify import is_part_only
from monitor.trigger.moment import Moment
from monitor.trigger.track import Track

Image = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

PERIOD_S: Final = (0.45, 1.1)
"""60 to 120 a minute, give or take a picture."""

MIN_SWING: Final = 12.0
"""Levels of luma between dark and lit."""

LOOKS_S: Final = 15.0
"""Lamps are looked at for so long: who breaks down switches them on soon."""

_UNEVEN_S: Final = 0.25  # periods differ by the spacing of pictures, no more
_PERIODS: Final = 3
_KEPT_S: Final = 3.4
_ASKED_S: Final = 0.5
_MOST: Final = 100  # pictures
_FEWEST: Final = 16
_LOOK_PX: Final = (24, 16)
_LEAST_PX: Final = 8
_LAMPS_SHARE: Final = 0.02  # of the box
_ALIKE: Final = 0.8  # correlation with what flashes most
_LIT_SHARE: Final = 0.25  # of its swing
_MOST_LIT: Final = 0.5  # of the box: a beacon or a sign lights all of a body at once
_APART: Final = 0.4  # of the body's width: lamps are at its sides
_DROVE_M_S: Final = 3.0  # before it stood
_LEFT_SIZES: Final = 0.5  # of its own, from where it came to rest: nearer it only jitters
_STRENGTH: Final = 0.6
_TELL_AGAIN_S: Final = 10.0


class Flashing:
    """How one vehicle's place looked over the last seconds, coarsely."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=_MOST)
        self._looks: deque[Image] = deque(maxlen=_MOST)
        self._asked_s = 0.0
        self._sure = False

    def look(self, now_s: float, luma: Image, box: PixelBox) -> None:
        """One picture (h, w); ``box`` where the vehicle stands."""
        x, y, width, height = box.clipped(luma.shape[1], luma.shape[0])
        if self._sure or width < _LEAST_PX or height < _LEAST_PX:
            return
        size = min(width, _LOOK_PX[0]), min(height, _LOOK_PX[1])
        region = luma[y : y + height, x : x + width]
        self._looks.append(cast(Image, cv2.resize(region, size, interpolation=cv2.INTER_AREA)))
        self._times.append(now_s)
        while self._times[0] < now_s - _KEPT_S:
            self._times.popleft()
            self._looks.popleft()

    def decide(self) -> bool:
        """Whether it flashes, or did before: lamps may be hidden for a while."""
        if self._sure or len(self._times) < _FEWEST:
            return self._sure
        if self._times[-1] - self._times[0] < _KEPT_S - _ASKED_S:
            return False
        if self._times[-1] >= self._asked_s + _ASKED_S:
            self._asked_s = self._times[-1]
            self._sure = flash_on_both_sides(np.array(self._times), np.stack(self._looks))
        return self._sure


@dataclass(slots=True)
class _Rest:
    since_s: float
    box: PixelBox
    flashing: Flashing = field(default_factory=Flashing)
    told_s: float = -1e9


class HazardWatch:
    """Looks at the lamps of every vehicle that has just come to rest."""

    def __init__(self) -> None:
        self._rests: dict[int, _Rest] = {}

    def look(self, moment: Moment, luma: Image) -> None:
        """``luma``: (h, w) of one picture. For every picture; ``step`` now and then."""
        for rest in self._rests.values():
            if moment.now_s - rest.since_s < LOOKS_S:
                rest.flashing.look(moment.now_s, luma, rest.box)

    def step(self, moment: Moment) -> list[Evidence]:
        found = []
        rests: dict[int, _Rest] = {}
        for track in moment.vehicles():
            rest = self._rests.get(track.id)
            if rest is None or (track.moving and _has_left(track, rest)):
                if track.standing_since_s is None or track.drove_m_s < _DROVE_M_S:
                    continue
                rest = _Rest(track.standing_since_s, track.box)
            rests[track.id] = rest
            if (
                moment.now_s - rest.told_s >= _TELL_AGAIN_S
                and rest.flashing.decide()
                and _is_in_lane(moment, track)
            ):
                rest.told_s = moment.now_s
                found.append(_stopped_in_lane(moment, track, rest))
        self._rests = rests
        return found


def flash_on_both_sides(times_s: Floats, looks: Image) -> bool:
    """Whether something at either side of a body flashes together. ``looks``: (n, h, w)."""
    count, _, width = looks.shape
    levels = looks.reshape(count, -1).astype(np.float64)
    off = levels - levels.mean(axis=0)
    swing = np.sqrt((off**2).mean(axis=0))
    most = np.argsort(swing)[-max(2, round(_LAMPS_SHARE * swing.size)) :]
    lamp = off[:, most].mean(axis=1)
    if not flashes(times_s, lamp):
        return False
    power = float(np.sqrt((lamp**2).mean()))
    alike = (lamp @ off) / count / (power * np.maximum(swing, 1e-6))
    lit = (alike > _ALIKE) & (swing > _LIT_SHARE * power)
    if lit.mean() > _MOST_LIT:
        return False
    columns = np.flatnonzero(lit) % width
    return bool(columns.size and np.ptp(columns) >= _APART * width)


def flashes(times_s: Floats, levels: Floats) -> bool:
    """Whether levels (n,) go on and off in the rhythm of flashing lamps, three times in a row."""
    if np.ptp(levels) < MIN_SWING:
        return False  # nearly always: quantiles cost more than all else here
    dark, lit = np.quantile(levels, (0.15, 0.85)).tolist()
    if lit - dark < MIN_SWING:
        return False
    on = levels > (dark + lit) / 2
    changes = np.flatnonzero(on[1:] != on[:-1]) + 1
    if len(changes) < 2 * _PERIODS:
        return False
    periods = times_s[changes[2:]] - times_s[changes[:-2]]
    return bool(
        periods.min() >= PERIOD_S[0]
        and periods.max() <= PERIOD_S[1]
        and periods.max() - periods.min() <= _UNEVEN_S + 1e-6
    )


def _has_left(track: Track, rest: _Rest) -> bool:
    """Whether it drove off: far off, and where lamps flash, a box that jitters looks like it."""
    return math.dist(track.box.foot, rest.box.foot) > _LEFT_SIZES * rest.box.size


def _is_in_lane(moment: Moment, track: Track) -> bool:
    x, y = track.foot
    on_roadway = moment.on_roadway(float(x), float(y) - 0.1 * track.box.height)
    return on_roadway and not is_part_only(track, moment.plane)


def _stopped_in_lane(moment: Moment, track: Track, rest: _Rest) -> Evidence:
    stood_s = moment.now_s - rest.since_s
    return moment.evidence(
        EvidenceKind.STOPPED_IN_LANE,
        track,
        rest.since_s,
        strength=_STRENGTH,
        time_uncertainty_s=0.5,
        value=stood_s,
        unit="s",
        uncertainty=0.5,
        box=rest.box,
    )
