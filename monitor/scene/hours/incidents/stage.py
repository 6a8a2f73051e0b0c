"""What an incident works with: the town, its truth, and who is in a good place for it."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from monitor.domain import Box
from monitor.scene.hours.ledger import Ledger
from monitor.scene.hours.network import Turn
from monitor.scene.hours.stretch import Walking, cyclist_state
from monitor.scene.hours.town import Town
from monitor.scene.hours.users import Rider, Sideways, Walker
from monitor.scene.signals import Aspect

Spans = tuple[tuple[float, float], ...]
VIEW_Y_M: Final[dict[str, Spans]] = {
    "out": ((-3.0, 15.0), (52.0, 60.0)),
    "in": ((55.0, 74.0), (9.0, 24.0)),
}
"""Where a vehicle is well seen and has some road ahead, by direction."""
CLEARED_S: Final = (38.0, 55.0)
"""After this long what stands in the way drives off."""


class Incident(Protocol):
    """``ready`` looks for its moment; ``step`` runs it and says whether it is over."""

    kind: str

    def ready(self, stage: Stage) -> bool: ...

    def step(self, stage: Stage) -> bool: ...


@dataclass(slots=True)
class Stage:
    """Shared by all incidents of a stretch."""

    town: Town
    ledger: Ledger
    rng: random.Random
    start_s: float  # the town's time at the first frame

    @property
    def now(self) -> float:
        """The town's time."""
        return self.town.time_s

    def note(
        self, kind: str, at_s: float, body: Rider | Walker, *, box: Box | None = None,
        other: int | None = None, value: float | None = None, unit: str = "",
    ) -> None:  # fmt: skip
        """Write an event at a moment of the town's time, where somebody is now (or ``box``)."""
        number = body.person.id if isinstance(body, Walker) else body.id
        self.ledger.note(at_s - self.start_s, kind, number, box or self.box(body),
                         other=other, value=value, unit=unit)  # fmt: skip

    def box(self, body: Rider | Walker) -> Box | None:
        """Where somebody is in the picture now."""
        if isinstance(body, Walker):
            return self.ledger.box(Walking(body.person, body.state, body.lies))
        self.ledger.specs.setdefault(body.id, body.spec)
        if body.kind == "cycle":
            return self.ledger.box(cyclist_state(body))
        return self.ledger.box(body.state(self.now))

    def drivers(
        self, min_speed: float = 8.5, where: Mapping[str, Spans] = VIEW_Y_M
    ) -> Iterator[Rider]:
        """Cars on the main road that drive freely, straight on, well in view (or ``where``)."""
        for rider in self.town.riders:
            if rider.kind != "car" or rider.busy or rider.slide is not None or rider.held:
                continue
            if rider.route.group != "main" or rider.route.turn is not Turn.STRAIGHT:
                continue
            if rider.sideways is not None or rider.speed < min_speed:
                continue
            y = rider.place()[1]
            spans = where[rider.route.lane.split("_")[0]]
            if any(low < y < high for low, high in spans) and self._green(rider):
                yield rider

    def _green(self, rider: Rider) -> bool:
        """Nobody is about to stop at the signal anyway."""
        plan, group = self.town.plan, rider.route.group
        return rider.past_line or all(
            plan.of(group, self.now + ahead) is Aspect.GREEN for ahead in (0.0, 3.0, 6.0)
        )

    def behind(self, rider: Rider) -> tuple[Rider, float] | None:
        """Who follows in the lane, and the gap in metres."""
        return self._neighbour(rider, ahead=False)

    def ahead(self, rider: Rider) -> tuple[Rider, float] | None:
        """Who is ahead in the lane, and the gap in metres."""
        return self._neighbour(rider, ahead=True)

    def _neighbour(self, rider: Rider, *, ahead: bool) -> tuple[Rider, float] | None:
        sign = 1.0 if ahead else -1.0
        best: tuple[Rider, float] | None = None
        for other in self.town.riders:
            if other is rider or other.kind == "cycle" or other.slide is not None:
                continue
            if rider.route.id != other.route.id and rider.route.lane != other.route.lane:
                continue
            if (other.s - rider.s) * sign <= 0.0:
                continue
            gap = other.rear_s - rider.s if ahead else rider.rear_s - other.s
            if best is None or gap < best[1]:
                best = (other, gap)
        return best

    def alone(self, rider: Rider, behind_s: float, ahead_m: float) -> bool:
        """Nobody so close behind or ahead in the lane."""
        follower, leader = self.behind(rider), self.ahead(rider)
        if follower is not None and follower[1] < behind_s * follower[0].speed:
            return False
        return leader is None or leader[1] > ahead_m

    def beside_free(self, rider: Rider, lane: str, reach_m: float) -> bool:
        """Whether a parallel lane is free next to a rider."""
        x, y, _ = rider.place()
        return all(
            other is rider or abs(other.place()[1] - y) > reach_m
            for other in self.town.riders
            if (other.route.exit if other.past_line else other.route.lane)
            .removesuffix("/cycle") == lane and abs(other.place()[0] - x) < 6.0
        )  # fmt: skip


def drive_off(stage: Stage, rider: Rider) -> None:
    """Back to the road after an incident: it straightens as it goes."""
    rider.command, rider.reckless, rider.coasting, rider.busy = None, False, False, False
    rider.hazards_since_s, rider.standing_since_s = None, None
    if rider.slide is None:
        return
    x, y, heading = rider.place()
    rider.slide, rider.untouched_s = None, stage.now + 25.0
    middle = rider.route.s_near(x, y)
    px, py, along = rider.route.at(middle)
    rider.s = middle + rider.length_m / 2.0
    rider.offset = (y - py) * math.cos(along) - (x - px) * math.sin(along)
    rider.speed, rider.accel = 0.0, 0.0
    turned = math.remainder(heading - along, 2.0 * math.pi)
    rider.yaw = turned
    rider.sideways = Sideways(stage.now + 1.0, 6.0, rider.offset, 0.0, turned)


def remove_walker(stage: Stage, walker: Walker) -> None:
    """Helped up and gone."""
    stage.town.walkers = [w for w in stage.town.walkers if w is not walker]
