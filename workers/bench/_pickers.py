"""Other ways to choose pictures, as others do it, for ``bench sampling`` to compare with.

Each gets the times of all pictures and as many pictures as ours may send. None sees a label.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

Grey = npt.NDArray[np.uint8]

VSS_TAIL_S: Final = 15.0
VSS_FPS: Final = 4.0

_K1, _K2, _LEVELS = 0.005, 0.015, 255.0


def uniform(times_s: Sequence[float], budget: int) -> list[float]:
    """Evenly over the window, first and last included: the field's default."""
    return _nearest(times_s, np.linspace(times_s[0], times_s[-1], budget))


def tail(times_s: Sequence[float], budget: int) -> list[float]:
    """The last 15 s at 4 a second, or as many as the budget has of them, evenly.

    NVIDIA's VSS blueprint for smart cities sends such a stretch with an alert.
    """
    start_s = max(times_s[0], times_s[-1] - VSS_TAIL_S)
    most = int((times_s[-1] - start_s) * VSS_FPS) + 1
    return _nearest(times_s, np.linspace(start_s, times_s[-1], max(1, min(budget, most))))


def lowest_similarity(times_s: Sequence[float], score: Sequence[float], budget: int) -> list[float]:
    """The pictures least like the one before them: Home Assistant's LLM Vision.

    ``score[i]`` is :func:`similarity` of picture i to the one before; the first has none.
    """
    order = sorted(range(1, len(times_s)), key=lambda index: (score[index], index))
    return sorted(times_s[index] for index in order[:budget])


def candidate_step_s(duration_s: float) -> float:
    """How far apart LLM Vision takes the pictures that it compares (``record``)."""
    for longest_s, step_s in ((3, 1.0), (10, 2.0), (30, 4.0), (60, 6.0)):
        if duration_s < longest_s:
            return step_s
    return 10.0


def similarity(before: Grey, after: Grey) -> float:
    """LLM Vision's score: SSIM over the whole picture at once (Wang et al. 2004, eq. 13)."""
    a, b = before.astype(np.float64).ravel(), after.astype(np.float64).ravel()
    c1, c2 = (_K1 * _LEVELS) ** 2, (_K2 * _LEVELS) ** 2
    covariance = float(((a - a.mean()) * (b - b.mean())).sum() / max(1, a.size - 1))
    top = (2 * a.mean() * b.mean() + c1) * (2 * covariance + c2)
    return float(top / ((a.mean() ** 2 + b.mean() ** 2 + c1) * (a.var() + b.var() + c2)))


def _nearest(times_s: Sequence[float], wanted_s: npt.NDArray[np.float64]) -> list[float]:
    found = set()
    for want in wanted_s:
        at = bisect_left(times_s, float(want))
        around = times_s[max(0, at - 1) : at + 1]
        found.add(min(around, key=lambda each: abs(each - float(want))))
    return sorted(found)
