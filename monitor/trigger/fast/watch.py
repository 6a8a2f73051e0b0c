"""From the cues' score, picture by picture, to pieces of evidence: one for each event."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from monitor.domain import Actor, Evidence, EvidenceKind
from monitor.domain.base import Box
from monitor.trigger.fast.cues import FastCues, Sudden

FLOOR: Final = 0.3
"""Scores below are not told."""

_EPISODE_S: Final = 3.0
_GROWN: Final = 1.2
_TIME_UNCERTAINTY_S: Final = 0.3
_NOTHING_S: Final = 2.0  # after the last sign of anything


class ImpulseWatch:
    """Evidence of kind ``impulse``; told again, under the same id, as its score grows."""

    def __init__(self) -> None:
        self._cues = FastCues()
        self._told: tuple[float, float, str] | None = None  # since, score, id
        self._sign_s = -_NOTHING_S

    def step(self, now_s: float, capture_ms: int, luma: npt.NDArray[np.uint8]) -> list[Evidence]:
        """Look at one picture, ``luma`` (h, w); times rise."""
        sudden = self._cues.step(now_s, luma)
        if sudden is None or sudden.score < FLOOR:
            return []
        self._sign_s = now_s
        told = self._told
        if told is not None and now_s - told[0] > _EPISODE_S:
            told = None
        if told is not None and sudden.score < _GROWN * told[1]:
            return []
        time_ms = capture_ms - round(1000 * (now_s - sudden.at_s))
        name = f"impulse-{time_ms}" if told is None else told[2]
        self._told = (now_s if told is None else told[0], sudden.score, name)
        return [_evidence(name, time_ms, sudden)]

    def is_tense(self, now_s: float) -> bool:
        """Whether something was noticed lately, so that it pays to look more often."""
        return now_s - self._sign_s < _NOTHING_S


def odds(strength: float) -> float:
    """The score that a strength stands for."""
    return strength / max(1e-6, 1.0 - strength)


def _evidence(name: str, time_ms: int, sudden: Sudden) -> Evidence:
    box: Box = sudden.box
    return Evidence(
        id=name,
        kind=EvidenceKind.IMPULSE,
        time_ms=time_ms,
        actor=Actor.UNKNOWN,
        strength=round(sudden.score / (1.0 + sudden.score), 4),
        value=round(sudden.impulse, 2),
        time_uncertainty_s=_TIME_UNCERTAINTY_S,
        box=box,
    )
