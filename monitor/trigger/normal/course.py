"""Which way vehicles drive in one cell. Pure arithmetic on its counts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from monitor.trigger.normal.grid import HEADINGS, Layer, Layers

KNOWN_VEHICLES: Final = 10.0
EXCLUSIVE_SHARE: Final = 0.95
ALONG_SHARE: Final = 0.8
CONTRARY_SHARE: Final = 0.1

_SOME_VEHICLES: Final = 2.5  # after which a direction is stated
_CONTRARY_COSINE: Final = -0.6
_ALONG_COSINE: Final = 0.3


@dataclass(frozen=True, slots=True)
class UsualDirection:
    """``dx``, ``dy``: a unit vector in square pixels. ``share`` of the vehicles go that way."""

    dx: float
    dy: float
    share: float
    spread_rad: float  # circular standard deviation of all of them
    vehicles: float  # how many this rests on, faded
    contrary: float  # share of them that go the other way

    @property
    def well_known(self) -> bool:
        """Whether it is the only direction, and enough vehicles say so."""
        return self.vehicles >= KNOWN_VEHICLES and self.share >= EXCLUSIVE_SHARE

    @property
    def is_one_way(self) -> bool:
        """Whether most go that way and hardly any the other: in the dark, reflections go any way
        and parts of bodies beside it, so that few directions are exclusive."""
        return (
            self.vehicles >= KNOWN_VEHICLES
            and self.share >= ALONG_SHARE
            and self.contrary <= CONTRARY_SHARE
        )

    def opposed(self, dx: float, dy: float) -> bool | None:
        """Whether a course (a unit vector) is against the one way.

        None where there is no one way, or the course is across it.
        """
        if not self.is_one_way:
            return None
        cosine = self.dx * dx + self.dy * dy
        if cosine < _CONTRARY_COSINE:
            return True
        return False if cosine > _ALONG_COSINE else None


def usual_direction(cell: Layers) -> UsualDirection | None:
    """From one cell's (COUNT,) counts; None before some vehicles have driven there.

    Where nearly all go one way it is their mean. Else it is the mean of the most frequent bin and
    its neighbours: the mean of two ways is neither.
    """
    vehicles = float(cell[Layer.VEHICLES])
    if vehicles < _SOME_VEHICLES:
        return None
    bins: list[float] = cell[Layer.HEADING : Layer.HEADING + HEADINGS].tolist()
    near = [bins[n - 1] + bins[n] + bins[(n + 1) % HEADINGS] for n in range(HEADINGS)]
    mode = max(range(HEADINGS), key=near.__getitem__)
    share = min(1.0, near[mode] / vehicles)
    contrary = near[(mode + HEADINGS // 2) % HEADINGS] / vehicles
    all_x, all_y = float(cell[Layer.COURSE_X]), float(cell[Layer.COURSE_Y])
    length = math.hypot(all_x, all_y)
    dx, dy = all_x, all_y
    if share < EXCLUSIVE_SHARE:
        dx = dy = 0.0
        for bin_ in (mode - 1, mode, mode + 1):
            angle, weight = bin_ * 2.0 * math.pi / HEADINGS, bins[bin_ % HEADINGS]
            dx += weight * math.cos(angle)
            dy += weight * math.sin(angle)
    size = math.hypot(dx, dy)
    if size <= 0.0:
        return None
    resultant = min(1.0, max(1e-9, length / vehicles))
    spread = math.sqrt(-2.0 * math.log(resultant))
    return UsualDirection(dx / size, dy / size, share, spread, vehicles, contrary)
