"""Vehicle or pedestrian, by what a box and its motion tell.

A person is upright (taller than wide), small against the vehicles seen on the same rows, and
slow. Each of the three gives a degree between 0 and 1; their product, averaged over the track's
life, decides. Cyclists come out as vehicles once they are fast.
"""

from __future__ import annotations

import math
from typing import Final

from monitor.domain import Actor
from monitor.trigger.ground import GroundPlane
from monitor.trigger.track import Track

_UPRIGHT: Final = (1.35, 0.12)  # height over width: middle and softness
_SMALL: Final = (0.68, 0.07)  # size over a vehicle's
_SLOW_M_S: Final = (3.6, 0.5)
_PERSON: Final = 0.4
_MEMORY: Final = 15  # samples
_VEHICLE_ASPECT: Final = 1.25
_VEHICLE_SPEED_M_S: Final = 4.5
_WHOLE: Final = 0.45
"""Of a typical vehicle's size: a motorcycle is larger, a lamp or a window is not."""


def classify(track: Track, plane: GroundPlane, speed_m_s: float) -> None:
    """Update the track's class from its present sample and speed."""
    sample = track.history[-1]
    if track.named:
        return
    if not sample.measured or not sample.apart or not sample.whole:
        if track.actor is Actor.UNKNOWN and sample.measured:
            track.actor = Actor.VEHICLE if track.person_score < _PERSON else Actor.PEDESTRIAN
        return
    now = person_likeness(
        sample.height / sample.width,
        track.box.size / plane.vehicle_size_px(float(track.foot[1])),
        max(speed_m_s, 0.7 * track.fastest_m_s),
    )
    track.judged_samples += 1
    weight = 1.0 / min(track.judged_samples, _MEMORY)
    track.person_score += weight * (now - track.person_score)
    track.actor = Actor.PEDESTRIAN if track.person_score > _PERSON else Actor.VEHICLE


def person_likeness(aspect: float, relative_size: float, speed_m_s: float) -> float:
    """Between 0 and 1."""
    return (
        _soft((aspect - _UPRIGHT[0]) / _UPRIGHT[1])
        * _soft((_SMALL[0] - relative_size) / _SMALL[1])
        * _soft((_SLOW_M_S[0] - speed_m_s) / _SLOW_M_S[1])
    )


def is_surely_vehicle(track: Track) -> bool:
    """Whether its size may teach how large vehicles are: wide for its height."""
    return track.box.height < _VEHICLE_ASPECT * track.box.width and track.person_score < 0.3


def is_part_only(track: Track, plane: GroundPlane) -> bool:
    """Whether it is too small for any vehicle where it is: a lamp, a reflection, a bus's window."""
    return track.box.size < _WHOLE * plane.vehicle_size_px(float(track.foot[1]))


def _soft(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, x))))
