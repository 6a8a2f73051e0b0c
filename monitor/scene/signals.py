"""The traffic signal's plan: which group shows what, when."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Aspect(StrEnum):
    """What a signal head shows."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


AMBER_S = 4.0
CLEARANCE_S = 2.0  # all groups red between two greens


@dataclass(frozen=True, slots=True)
class SignalPlan:
    """The main road is green except in ``side_phases`` (start of its amber, end of its red)."""

    side_phases: tuple[tuple[float, float], ...] = ()

    def main(self, time_s: float) -> Aspect:
        """The main road's aspect."""
        for start, end in self.side_phases:
            if start <= time_s < start + AMBER_S:
                return Aspect.AMBER
            if start + AMBER_S <= time_s < end:
                return Aspect.RED
        return Aspect.GREEN

    def side(self, time_s: float) -> Aspect:
        """The side road's aspect."""
        for start, end in self.side_phases:
            green, amber = start + AMBER_S + CLEARANCE_S, end - CLEARANCE_S - AMBER_S
            if green <= time_s < amber:
                return Aspect.GREEN
            if amber <= time_s < amber + AMBER_S:
                return Aspect.AMBER
        return Aspect.RED

    def walk(self, time_s: float) -> bool:
        """Whether people may cross the main road."""
        return self.side(time_s) is Aspect.GREEN

    def of(self, group: str, time_s: float) -> Aspect:
        """The aspect of a lane's signal group."""
        return self.main(time_s) if group == "main" else self.side(time_s)
