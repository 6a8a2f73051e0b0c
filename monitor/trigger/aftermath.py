"""What stands around a vehicle that came to rest, and how unusual that is here.

The aftermath of an incident is surer than the incident: a vehicle stands where the view's memory
knows that none ever does, others pile up behind it or drive round it, another stands beside it,
people walk on the roadway. Every sign counts for itself and all of them by how well the place is
known: at a crossing seen for the first time a red light looks just the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from monitor.domain import Actor
from monitor.trigger.moment import Moment
from monitor.trigger.track import Track

KNOWN_VEHICLES: Final = 30.0
UNEXPECTED: Final = 0.5
PLACE, BEHIND, BESIDE, ANGLE, PERSON, PASS = 0.35, 0.2, 0.2, 0.2, 0.2, 0.15

_MOST_PASSES: Final = 3
_PATIENCE_S: Final = 60.0  # standing so long weighs 1 by itself, at most _MOST_PATIENCE
_MOST_PATIENCE: Final = 0.2
_ODD_ANGLE_COSINE: Final = 0.9  # 26 degrees off the usual direction
_LAST_WAY_S: Final = 1.0
_NEAR_SIZES: Final = 1.6
_FOOT: Final = 0.1


@dataclass(frozen=True, slots=True)
class Signs:
    """Of one standing vehicle."""

    known: float  # 0 to 1: how well the place is
    stood_s: float
    passes: int
    queue_behind: bool
    another_beside: bool
    odd_angle: bool
    person_near: bool

    @property
    def weight(self) -> float:
        """From ``UNEXPECTED`` on it is no usual stop."""
        return self.known * (
            PLACE
            + PASS * min(self.passes, _MOST_PASSES)
            + BEHIND * self.queue_behind
            + BESIDE * self.another_beside
            + ANGLE * self.odd_angle
            + PERSON * self.person_near
            + min(_MOST_PATIENCE, self.stood_s / _PATIENCE_S)
        )


def known_place(moment: Moment, track: Track) -> float:
    """How well the memory knows the place under its foot as one where vehicles drive."""
    return min(1.0, moment.memory.vehicles(moment.fractions(track.box)) / KNOWN_VEHICLES)


def stands_at_odd_angle(moment: Moment, track: Track, rest_s: float) -> bool:
    """Whether its last way before it stood was off the only usual direction."""
    feet = [
        track.foot_of(sample)
        for sample in track.history
        if sample.measured and rest_s - _LAST_WAY_S <= sample.time_s <= rest_s
    ]
    if len(feet) < 3:
        return False
    dx, dy = feet[-1][0] - feet[0][0], feet[-1][1] - feet[0][1]
    length = math.hypot(dx, dy)
    usual = moment.memory.usual_direction(*_asked_at(moment, track))
    if usual is None or not usual.well_known or length < 0.3 * track.box.size:
        return False
    return (usual.dx * dx + usual.dy * dy) / length < _ODD_ANGLE_COSINE


def another_beside(track: Track, others: list[Track], in_line: set[int]) -> bool:
    """Whether another body stands within reach and not in one line with it."""
    return any(
        other is not track and not other.moving and other.id not in in_line and _near(track, other)
        for other in others
    )


def person_near(moment: Moment, track: Track) -> bool:
    """Whether somebody is on the roadway within reach of it."""
    return any(
        other.actor is Actor.PEDESTRIAN
        and _near(track, other)
        and moment.on_roadway(float(other.foot[0]), float(other.foot[1]))
        for other in moment.tracks
    )


def _near(track: Track, other: Track) -> bool:
    return float(np.hypot(*(other.foot - track.foot))) < _NEAR_SIZES * track.box.size


def _asked_at(moment: Moment, track: Track) -> tuple[float, float]:
    x, y = track.foot
    return float(x) / moment.width_px, (float(y) - _FOOT * track.box.height) / moment.height_px
