"""Whether the camera could see a crash: inside the picture, and not behind anybody or anything.

No trigger can see what a bus hides, so such a contact says nothing of one. Called by ``crash``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import numpy as np

from monitor.domain import Box
from monitor.scene.backdrop import paint_backdrop
from monitor.scene.drawing import Depth
from monitor.scene.hours.ledger import Ledger
from monitor.scene.hours.stretch import HourFrame, Walking
from monitor.scene.hours.users import CyclistState
from monitor.scene.light import Light
from monitor.scene.record import VehicleState

HIDDEN: Final = 0.35
"""Of either of the two, at most, from half a second before the contact to a second after it."""

_BORDER: Final = 0.06  # of the picture's sides: what happens at its border leaves it at once
_GRID: Final = 16  # points a side of a box that are asked
_LOOK: Final = (320, 180)  # pixels; where trees and posts stand
_NEARER_M: Final = 1.0


class Sight:
    """What hides what, from one camera."""

    def __init__(self, ledger: Ledger, light: Light) -> None:
        self._ledger = ledger
        self._scenery: Depth = paint_backdrop(ledger.camera, light, *_LOOK, caption=False)[1]

    def shows(self, frames: Sequence[HourFrame], parties: Collection[int], place: Box) -> bool:
        """Whether ``place`` lies well inside the picture and nobody of the two is hidden there."""
        left, top, width, height = place
        inside = min(left, top) >= _BORDER and max(left + width, top + height) <= 1.0 - _BORDER
        return inside and all(
            self._hidden(frame, party, parties) <= HIDDEN for frame in frames for party in parties
        )

    def _hidden(self, frame: HourFrame, party: int, parties: Collection[int]) -> float:
        """The share of a body's box that something nearer to the camera covers."""
        boxes = self._boxes(frame)
        if party not in boxes:
            return 1.0
        far_m, (left, top, width, height) = boxes[party]
        steps = (np.arange(_GRID) + 0.5) / _GRID
        x, y = (part.ravel() for part in np.meshgrid(left + width * steps, top + height * steps))
        columns = np.clip((x * _LOOK[0]).astype(int), 0, _LOOK[0] - 1)
        rows = np.clip((y * _LOOK[1]).astype(int), 0, _LOOK[1] - 1)
        covered = self._scenery[rows, columns] < far_m - _NEARER_M
        for number, (distance_m, (a, b, wide, high)) in boxes.items():
            if number not in parties and distance_m < far_m - _NEARER_M:
                covered |= (x >= a) & (x <= a + wide) & (y >= b) & (y <= b + high)
        return float(covered.mean())

    def _boxes(self, frame: HourFrame) -> dict[int, tuple[float, Box]]:
        """How far everybody is, in metres, and where in the picture."""
        eye = self._ledger.camera.position
        movers: list[tuple[int, VehicleState | CyclistState | Walking, float, float]] = [
            (one.person.id, one, one.state.x, one.state.y) for one in frame.people
        ]
        movers += [(one.id, one, one.x, one.y) for one in frame.vehicles]
        movers += [(one.id, one, one.x, one.y) for one in frame.cyclists]
        found = ((number, self._ledger.box(one), x, y) for number, one, x, y in movers)
        return {
            number: (float(np.hypot(x - eye[0], y - eye[1])), box)
            for number, box, x, y in found
            if box is not None
        }
