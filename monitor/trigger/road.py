"""Where vehicles drive, which way, and where they wait: learned from their tracks.

A grid over the picture. Nothing is assumed of the road's shape; a cell is roadway once vehicles
have driven over it, and a waiting place once vehicles have stood there and gone on.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from monitor.trigger.blobs import PixelBox

_COLUMNS: Final = 48
_ROADWAY_VEHICLES: Final = 1.6  # two of them count until 200 others have gone elsewhere
_WAITING_VEHICLES: Final = 2
_EDGE_SHARE: Final = 0.3  # of the busiest cell near; less is a kerb that boxes hang over
_FORGET: Final = 0.999  # per vehicle; a lane closed for a day is forgotten


class Road:
    """The learned roadway of one camera."""

    def __init__(self, width_px: int, height_px: int) -> None:
        self._cell = width_px / _COLUMNS
        rows = int(np.ceil(height_px / self._cell))
        self._visits: npt.NDArray[np.float64] = np.zeros((rows, _COLUMNS))
        self._waits: npt.NDArray[np.float64] = np.zeros((rows, _COLUMNS))
        self._flow: npt.NDArray[np.float64] = np.zeros((rows, _COLUMNS, 2))
        self._counted: dict[int, set[tuple[int, int]]] = {}

    def drive(self, track: int, box: PixelBox, velocity: npt.NDArray[np.float64]) -> None:
        """A vehicle moves here; each counts once per cell."""
        counted = self._counted.setdefault(track, set())
        speed = float(np.hypot(*velocity)) + 1e-9
        for cell in self._footprint(box):
            self._flow[cell] += velocity / speed
            if cell not in counted:
                counted.add(cell)
                self._visits[cell] += 1.0

    def waited(self, box: PixelBox) -> None:
        """A vehicle stood here for a while and has gone on."""
        for cell in self._footprint(box):
            self._waits[cell] += 1.0

    def keep_only(self, present: set[int]) -> None:
        """Vehicles that are gone need not be told apart any more."""
        for track in [key for key in self._counted if key not in present]:
            del self._counted[track]
            self._visits *= _FORGET

    def is_roadway(self, x: float, y: float) -> bool:
        """Whether vehicles drive over this point of the picture."""
        row, column = self._at(x, y)
        around = self._visits[max(0, row - 2) : row + 3, max(0, column - 3) : column + 4]
        needed = max(_ROADWAY_VEHICLES, _EDGE_SHARE * float(around.max()))
        return bool(self._visits[row, column] >= needed)

    def is_waiting_place(self, box: PixelBox) -> bool:
        """Whether standing here is usual."""
        cells = self._footprint(box)
        usual = sum(bool(self._waits[cell] >= _WAITING_VEHICLES) for cell in cells)
        return 2 * usual >= len(cells)

    def direction(self, x: float, y: float) -> npt.NDArray[np.float64] | None:
        """The usual direction of travel in the picture; None where there is none."""
        flow = self._flow[self._at(x, y)]
        length = float(np.hypot(*flow))
        if length < 3.0:
            return None
        result: npt.NDArray[np.float64] = flow / length
        return result

    def _at(self, x: float, y: float) -> tuple[int, int]:
        rows, columns = self._visits.shape
        row = min(rows - 1, max(0, int(y / self._cell)))
        return row, min(columns - 1, max(0, int(x / self._cell)))

    def _footprint(self, box: PixelBox) -> list[tuple[int, int]]:
        """Cells under the middle of the box's lowest part: its sides may hang over a kerb."""
        top, left = self._at(box.x + 0.25 * box.width, box.y + 0.8 * box.height)
        bottom, right = self._at(box.x + 0.75 * box.width, box.y + box.height - 1)
        return [(r, c) for r in range(top, bottom + 1) for c in range(left, right + 1)]
