"""Corners shared out evenly over the picture, so that what is large and sharp does not take all."""

from __future__ import annotations

from typing import cast

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


def evenly(
    corners: Points, taken: Points, shape: tuple[int, ...], cells: tuple[int, int]
) -> Points:
    """``corners`` (n, 2), strongest first, in the order in which they should be taken.

    The strongest of each cell come first, cells with few corners (``taken`` (m, 2) among them)
    before full ones. ``shape`` is the picture's, ``cells`` how many across and down.
    """
    cell = _cell(corners, shape, cells)
    have = np.bincount(_cell(taken, shape, cells), minlength=cells[0] * cells[1])
    order = np.argsort(cell, kind="stable")
    ordered = cell[order]
    rank = np.empty(len(corners), np.int64)
    rank[order] = np.arange(len(corners)) - np.searchsorted(ordered, ordered)
    return corners[np.argsort(rank + have[cell], kind="stable")]


def _cell(points: Points, shape: tuple[int, ...], cells: tuple[int, int]) -> Ints:
    height, width = shape
    across = np.minimum(points[:, 0] * cells[0] / width, cells[0] - 1).astype(np.int64)
    down = np.minimum(points[:, 1] * cells[1] / height, cells[1] - 1).astype(np.int64)
    return cast(Ints, down * cells[0] + across)
