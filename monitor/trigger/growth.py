"""The horizon by how bodies grow on their way, and how large the whole ones are.

A body that comes nearer grows in the picture as its distance from the horizon does, and so does
whatever is taken for one: a lamp, a roof, a car with the pool of its headlights. So the horizon is
the row against which most bodies keep one size all the way, without a word on what they are. Then
their sizes can be compared over all rows, and the whole vehicle's is their median weighted by size
and by how long they were seen: parts of bodies are many, small, and soon lost again.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

FEWEST: Final = 20
"""Bodies followed over ``BANDS`` bands of rows, before which nothing is said."""

BANDS: Final = 3

_MOST: Final = 240  # bodies that are remembered
_LONG: Final = 20.0  # samples in a band, after which more say no more
_MOST_WEIGHT: Final = 3.0  # of one body's size in the median, against the plain median
_NEAREST: Final = 0.022  # of the height: nearer to the horizon nothing has a size
_UNLIKE: Final = 1.0  # of the logarithm: deviation of a body that crosses the horizon
_HORIZONS: Final = np.concatenate(
    [[-1.0, -0.7, -0.5, -0.35, -0.25, -0.18, -0.12, -0.06], np.arange(0.0, 0.25, 0.02)]
)
"""Picture heights; above the picture a row more or less hardly matters."""


class Growth:
    """Of one view; ``bands`` bands of rows make the picture."""

    def __init__(self, height_px: int, bands: int) -> None:
        self._height, self._bands = height_px, bands
        # Per body, per band: samples, mean row, mean logarithm of the size.
        self._ways: dict[int, Array] = {}

    def observe(self, track: int, band: int, row_px: float, size_px: float) -> None:
        """A body wholly in the picture, apart from others, ends on ``row_px``."""
        way = self._ways.get(track)
        if way is None:
            way = self._ways[track] = np.zeros((self._bands, 3))
            if len(self._ways) > _MOST:
                del self._ways[next(iter(self._ways))]
        mean = way[band]
        mean[0] += 1.0
        mean[1] += (row_px - mean[1]) / mean[0]
        mean[2] += (np.log(size_px) - mean[2]) / mean[0]

    def fit(self) -> tuple[float, float] | None:
        """Horizon (row) and a whole vehicle's size per row below it; None before enough is seen."""
        if len(self._ways) < FEWEST:
            return None
        ways = np.stack(list(self._ways.values()))
        far = ways[(ways[:, :, 0] > 0).sum(axis=1) >= BANDS]
        if len(far) < FEWEST:
            return None
        horizons = _HORIZONS * self._height
        horizon = float(horizons[int(np.argmin(self._unlike(far, horizons)))])
        seen = ways[ways[:, :, 0] > 0]
        seen = seen[seen[:, 1] - horizon > _NEAREST * self._height]
        shares = np.exp(seen[:, 2]) / (seen[:, 1] - horizon)
        weights = np.minimum(seen[:, 0], _LONG) * np.minimum(
            shares, _MOST_WEIGHT * np.median(shares)
        )
        order = np.argsort(shares)
        total = np.cumsum(weights[order])
        middle = order[int(np.searchsorted(total, 0.5 * total[-1]))]
        return horizon, float(shares[middle])

    def _unlike(self, ways: Array, horizons: Array) -> Array:
        """(h,): by how much a body's size changes on its way, against each horizon."""
        there = ways[:, :, 0] > 0
        below = ways[None, :, :, 1] - horizons[:, None, None]
        apart = _NEAREST * self._height
        size = ways[None, :, :, 2] - np.log(np.maximum(below, apart))
        count = there.sum(axis=1)
        mean = np.where(there, size, 0.0).sum(axis=2) / count
        off = np.where(there, np.abs(size - mean[:, :, None]), 0.0).sum(axis=2) / count
        crosses = (there & (below < apart)).any(axis=2)
        result: Array = np.median(np.where(crosses, _UNLIKE, np.minimum(off, _UNLIKE)), axis=1)
        return result
