"""All detectors of one camera, and the rhythm in which they measure.

Called by ``CameraTrigger`` for every picture in which bodies are followed without disturbance.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

from monitor.domain import Evidence, EvidenceKind
from monitor.trigger.braking import BrakeWatch, is_braking
from monitor.trigger.conflict import ConflictWatch
from monitor.trigger.contact import ContactWatch
from monitor.trigger.encroachment import CrossingWatch
from monitor.trigger.following import HeadwayWatch
from monitor.trigger.hazards import HazardWatch
from monitor.trigger.lamps import LampWatch
from monitor.trigger.moment import Moment
from monitor.trigger.people import PeopleWatch
from monitor.trigger.standing import StandingWatch
from monitor.trigger.swerve import SwerveWatch
from monitor.trigger.wrong_way import WrongWayWatch

Image = npt.NDArray[np.uint8]

_MEASURE_S: Final = 0.3  # between measurements; all of them are back-dated anyway


class Measuring:
    """The detectors' state since the last disturbance."""

    def __init__(self, now_s: float) -> None:
        self._braking, self._lamps = BrakeWatch(), LampWatch()
        self._headways, self._contacts = HeadwayWatch(), ContactWatch()
        self._standing, self._people = StandingWatch(), PeopleWatch()
        self._wrong_way, self._swerves = WrongWayWatch(), SwerveWatch()
        self._conflicts, self._crossings = ConflictWatch(), CrossingWatch()
        self._hazards = HazardWatch()
        self._lit: list[Evidence] = []
        self._measured_s = now_s

    def pass_over(self, now_s: float) -> None:
        """A picture in which nobody was, slept through: only the rhythm goes on."""
        self._lamps.pass_over()
        if now_s >= self._measured_s + _MEASURE_S:
            self._measured_s = now_s

    def is_tense(self, moment: Moment, red: Image, luma: Image | None = None) -> bool:
        """Whether lamps lit up or somebody brakes; ``red`` is the V plane. For every picture.

        Without ``luma`` nobody's hazard lamps are looked at.
        """
        self._lit += self._lamps.step(moment, red)
        if luma is not None:
            self._hazards.look(moment, luma)
        return bool(self._lit) or any(is_braking(moment, track) for track in moment.vehicles())

    def step(self, moment: Moment, recent: Iterable[Evidence]) -> list[Evidence]:
        """What was measured; ``recent`` is the evidence of the last seconds."""
        if moment.now_s < self._measured_s + _MEASURE_S:
            return []  # the history keeps what happens meanwhile
        self._measured_s = moment.now_s
        found, self._lit = self._lit, []
        found += self._people.step(moment)
        found += self._braking.step(moment)
        found += self._contacts.step(moment)
        found += self._headways.step(moment, found)
        found += self._standing.step(moment)
        found += self._hazards.step(moment)
        found += self._wrong_way.step(moment)
        found += self._swerves.step(moment)
        touched = {
            frozenset((e.track, e.other))
            for e in (*recent, *found)
            if e.kind is EvidenceKind.CONTACT and e.track is not None and e.other is not None
        }
        found += self._conflicts.step(moment, touched)
        return found + self._crossings.step(moment, touched)
