"""The coarse grid over the picture on which everything is learned. Pure arithmetic.

Coordinates are fractions of the picture, so what was learned at one resolution holds at another.
Directions are in square pixels: speeds count in picture widths per second on both axes.
"""

from __future__ import annotations

import math
from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from monitor.domain.base import Box

COLUMNS: Final = 48
ROWS: Final = 27
HEADINGS: Final = 8  # bins of 45 degrees

Layers = npt.NDArray[np.float32]
Slices = tuple[slice, slice]

_TAU: Final = 2.0 * math.pi


class Layer(IntEnum):
    """What is counted in every cell; all of it fades alike."""

    VEHICLES = 0  # distinct ones that drove over it
    HEADING = 1  # and the next seven: those vehicles by direction
    COURSE_X = HEADING + HEADINGS  # sums of their unit directions
    COURSE_Y = COURSE_X + 1
    SIZES = COURSE_Y + 1  # sum of their speeds in own sizes per second
    WIDTHS = SIZES + 1  # and in picture widths per second
    WAITED = WIDTHS + 1  # vehicles that stood here and went on
    WAITED_S = WAITED + 1  # and how long, summed
    PASSED = WAITED_S + 1  # those that others drove past meanwhile
    CROSSED = PASSED + 1  # people who walked across the traffic here
    CRIED = CROSSED + 1  # candidates that were dismissed here
    CONFIRMED = CRIED + 1  # and those that were right
    BUSY = CONFIRMED + 1  # looks in which something moved here
    STRAY = BUSY + 1  # looks in which that was no body that drives or walks through


COUNT: Final = len(Layer) + HEADINGS - 1


def nothing_learned() -> Layers:
    """(COUNT, ROWS, COLUMNS) of zeros."""
    return np.zeros((COUNT, ROWS, COLUMNS), np.float32)


def cell_of(x: float, y: float) -> tuple[int, int]:
    """Row and column of a point; points outside the picture count to its border."""
    return min(ROWS - 1, max(0, int(y * ROWS))), min(COLUMNS - 1, max(0, int(x * COLUMNS)))


def footprint(box: Box) -> Slices:
    """Cells under the middle of the box's lowest part: its sides may hang over a kerb."""
    x, y, width, height = box
    top, left = cell_of(x + 0.25 * width, y + 0.8 * height)
    bottom, right = cell_of(x + 0.75 * width, y + height - 0.003)
    return slice(top, bottom + 1), slice(left, right + 1)


def covering(box: Box) -> Slices:
    """All cells that the box touches."""
    x, y, width, height = box
    top, left = cell_of(x, y)
    bottom, right = cell_of(x + width, y + height)
    return slice(top, bottom + 1), slice(left, right + 1)


def lesson(dx: float, dy: float, sizes_s: float, widths_s: float) -> Layers:
    """What one vehicle adds to a cell: (COUNT,); its direction is split between two bins."""
    one = np.zeros(COUNT, np.float32)
    one[Layer.VEHICLES] = 1.0
    place = (math.atan2(dy, dx) % _TAU) / _TAU * HEADINGS
    low, share = int(place), place - int(place)
    one[Layer.HEADING + low % HEADINGS] = 1.0 - share
    one[Layer.HEADING + (low + 1) % HEADINGS] = share
    one[Layer.COURSE_X], one[Layer.COURSE_Y] = dx, dy
    one[Layer.SIZES], one[Layer.WIDTHS] = sizes_s, widths_s
    return one
