"""Where vehicles usually wait, for how long, whether others drive past them; and where people
cross. Pure arithmetic on the counts of some cells: (COUNT, rows, columns)."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from monitor.trigger.normal.grid import Layer, Layers

WAITING_VEHICLES: Final = 1.6
WAITING_SHARE: Final = 0.01
PASSED_SHARE: Final = 0.1


def is_usual(cells: Layers) -> bool:
    """Whether standing there is usual: two have, and not by accident."""
    return _mostly(cells[Layer.WAITED] >= _least(cells))


def is_passed(cells: Layers) -> bool:
    """Whether others usually drive past who waits there."""
    least = np.maximum(WAITING_VEHICLES, PASSED_SHARE * cells[Layer.WAITED])
    return _mostly(cells[Layer.PASSED] >= least)


def mean_s(cells: Layers) -> float:
    """How long who waits there stands; 0 where nobody has."""
    waited = float(cells[Layer.WAITED].sum())
    return float(cells[Layer.WAITED_S].sum()) / waited if waited >= 1.0 else 0.0


def usual_s(cells: Layers) -> float:
    """The same where standing is usual, else 0."""
    return mean_s(cells) if is_usual(cells) else 0.0


def is_crossing(cells: Layers) -> bool:
    """Whether people usually walk across the traffic there."""
    return _mostly(cells[Layer.CROSSED] >= _least(cells))


def _least(cells: Layers) -> npt.NDArray[np.float32]:
    least: npt.NDArray[np.float32] = np.maximum(
        np.float32(WAITING_VEHICLES), np.float32(WAITING_SHARE) * cells[Layer.VEHICLES]
    )
    return least


def _mostly(cells: npt.NDArray[np.bool_]) -> bool:
    return bool(2 * np.count_nonzero(cells) >= cells.size)
