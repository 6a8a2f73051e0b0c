"""Evidence and words of somebody who was struck."""

from __future__ import annotations

import math
from typing import Final

from monitor.domain import Actor, Evidence, EvidenceKind
from monitor.trigger.forensic.struck import GONE_AFTER_S, Struck
from monitor.trigger.forensic.window import Window
from monitor.trigger.forensic.wording import fractions

_RIDES_M_S: Final = 2.6  # faster than a person walks
_RUNS_M_S: Final = 5.5  # people run no faster across a road
_ACROSS_DEG: Final = 40.0  # as in approach.py
_COURSE_DEG: Final = 30.0  # of a direction from a few boxes
_TOLD_S: Final = 0.4  # two boxes a tenth of a second apart tell no speed: a pixel is metres
_UNTOLD_DEG: Final = 90.0
_STRENGTH: Final = 0.6


def struck_reason(struck: Struck) -> str:
    """Who came over whom, and what became of both."""
    return (
        "a moving vehicle came over somebody upright, who is nowhere to be seen any more "
        f"{GONE_AFTER_S} s later, and it lost {100 * struck.lost:.0f} % of its speed"
    )


def contact_of(struck: Struck, window: Window, strength: float) -> Evidence:
    """The contact of the vehicle with whom it struck; ``value`` is the share of speed it lost."""
    time_ms = window.wall_ms(struck.time_s)
    return Evidence(
        id=f"{EvidenceKind.CONTACT.value}-{struck.vehicle}-{time_ms}",
        kind=EvidenceKind.CONTACT, time_ms=time_ms, actor=Actor.VEHICLE, strength=strength,
        track=struck.vehicle, other=struck.person, value=round(struck.lost, 3),
        time_uncertainty_s=struck.sigma_s, box=fractions(struck.box, window),
    )  # fmt: skip


def course_of(struck: Struck, window: Window) -> Evidence:
    """How the struck one went: for where no way of theirs was found."""
    across, along = struck.going_m_s
    time_ms = window.wall_ms(struck.time_s)
    rides = _rides(struck)
    return Evidence(
        id=f"{EvidenceKind.COURSE.value}-{struck.person}-{time_ms}", kind=EvidenceKind.COURSE,
        time_ms=time_ms, actor=Actor.CYCLIST if rides else Actor.PEDESTRIAN, strength=_STRENGTH,
        track=struck.person, other=struck.vehicle,
        value=round(math.degrees(math.atan2(along, across)), 2), unit="deg",
        uncertainty=_COURSE_DEG if struck.seen_s >= _TOLD_S else _UNTOLD_DEG,
        time_uncertainty_s=struck.sigma_s,
        box=fractions(struck.box, window),
    )  # fmt: skip


def _rides(struck: Struck) -> bool:
    """Who goes along with the vehicle, faster than a walk, rides; who crosses may run.

    Where their speed is not known they are taken to be on foot: nothing says that they ride.
    """
    if struck.seen_s < _TOLD_S:
        return False
    speed = math.hypot(*struck.going_m_s)
    turned = abs(_degrees(struck.going_m_s) - _degrees(struck.driven_m_s)) % 180.0
    crosses = min(turned, 180.0 - turned) > _ACROSS_DEG
    return speed > (_RUNS_M_S if crosses else _RIDES_M_S)


def _degrees(velocity: tuple[float, float]) -> float:
    return math.degrees(math.atan2(velocity[1], velocity[0]))
