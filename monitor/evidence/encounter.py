"""How two bodies met: the angle between their ways, and what each of them was.

Called by ``parties`` and, through it, by the rules. It reads the two courses that the second
look measured just before a contact; without both, nothing is decided.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from monitor.domain import Actor, Evidence, EvidenceKind
from monitor.evidence.timeline import Timeline

SAME_WAY_DEG = 40.0
"""Two whose directions differ by less went the same way: a lane change turns no further."""
AGAINST_DEG = 150.0
"""From here on two came towards one another: 30 degrees to either side of opposite, as crash
statistics count head-on; between the two limits their ways crossed."""

TURNED_DEG = 25.0
"""Who changed direction by more, turned: across the way of who came towards them, not head-on."""

_TURNING_S = 8.0  # a turn that led to a contact began at most so long before it
_JUST_BEFORE_S = 1.8  # a course is measured at most so long before its contact
_ROUNDING_S = 0.1


class Manner(StrEnum):
    """How two ways lay to one another."""

    SAME_WAY = "same_way"
    CROSSING = "crossing"
    HEAD_ON = "head_on"
    OPEN = "open"  # not measured, or within its uncertainty of a limit


@dataclass(frozen=True, slots=True)
class Encounter:
    """Two courses just before a contact; ``angle_deg`` from 0 (same way) to 180 (head-on)."""

    courses: tuple[Evidence, ...] = ()  # one or two, the surer first
    angle_deg: float | None = None
    spread_deg: float = 0.0
    turned: bool = False  # one of them turned on its way there

    @property
    def manner(self) -> Manner:
        """Decided only where one standard deviation to either side says the same.

        Who turns in front of somebody who comes may meet them nearly head-on: it is a crossing.
        """
        if self.angle_deg is None:
            return Manner.OPEN
        if self.turned and self.parted:
            return Manner.CROSSING
        low, high = _kind(self.angle_deg - self.spread_deg), _kind(self.angle_deg + self.spread_deg)
        return low if low is high else Manner.OPEN

    @property
    def parted(self) -> bool:
        """Whether they surely did not go the same way."""
        return self.angle_deg is not None and self.angle_deg - self.spread_deg >= SAME_WAY_DEG

    @property
    def tracks(self) -> tuple[int, ...]:
        """Of those whose course was measured."""
        return tuple(one.track for one in self.courses if one.track is not None)

    def who(self, actor: Actor) -> int | None:
        """The track of the one that is a pedestrian, a cyclist, ..."""
        return next((one.track for one in self.courses if one.actor is actor), None)


def encounter_of(timeline: Timeline, contact: Evidence, t_s: float) -> Encounter:
    """The courses that lead into a contact: its own tracks' first, else the last two before it."""
    own = {contact.track, contact.other} - {None}
    near = [
        one
        for one in timeline.of(
            EvidenceKind.COURSE, since_s=t_s - _JUST_BEFORE_S, until_s=t_s + _ROUNDING_S
        )
        if one.value is not None
    ]
    near.sort(key=lambda one: (one.track not in own, -one.time_ms, one.uncertainty or 0.0, one.id))
    if not near:
        return Encounter()
    first = near[0]
    second = next(
        (
            one
            for one in near[1:]
            if one.track != first.track and first.track in (one.other, None, one.track)
        ),
        None,
    )
    if second is None or first.value is None or second.value is None:
        return Encounter((first,))
    turned = abs(first.value - second.value) % 360.0
    spread = math.hypot(first.uncertainty or 0.0, second.uncertainty or 0.0)
    return Encounter(
        (first, second), min(turned, 360.0 - turned), spread,
        _turned(timeline, first) or _turned(timeline, second),
    )  # fmt: skip


def _turned(timeline: Timeline, last: Evidence) -> bool:
    """Whether the same body's earlier course surely was another one."""
    until_s = timeline.t_s(last)
    for one in timeline.of(EvidenceKind.COURSE, since_s=until_s - _TURNING_S, until_s=until_s):
        if one.track != last.track or one.value is None or last.value is None:
            continue
        angle = abs((one.value - last.value + 180.0) % 360.0 - 180.0)
        if angle >= TURNED_DEG:
            return True
    return False


def _kind(angle_deg: float) -> Manner:
    if angle_deg < SAME_WAY_DEG:
        return Manner.SAME_WAY
    return Manner.CROSSING if angle_deg < AGAINST_DEG else Manner.HEAD_ON
