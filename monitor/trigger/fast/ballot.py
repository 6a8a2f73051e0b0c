"""Weak signs that agree in place and time add up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from monitor.trigger.fast.trail import Array, carried
from monitor.trigger.motion import middle

KEEP_S: Final = 0.8
_NEAR_SIZES: Final = 2.5
_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Vote:
    """One sign: when, how much it counts, where (px) and how large the body is (px)."""

    at_s: float
    weight: float
    place: Array
    size: float
    impulse: float  # share of its momentum that the body lost or turned


@dataclass(frozen=True, slots=True)
class Sum:
    """Votes of one place."""

    total: float
    mean_s: float
    place: Array
    size: float
    impulse: float


class Ballot:
    """The votes of the last ``KEEP_S`` seconds."""

    def __init__(self) -> None:
        self._votes: list[Vote] = []

    def clear(self) -> None:
        """Across a gap nothing adds up."""
        self._votes.clear()

    def carry(self, camera: Array) -> None:
        """The camera moved: the votes' places with it."""
        self._votes = [
            replace(vote, place=carried(vote.place[None], camera)[0]) for vote in self._votes
        ]

    def cast(self, votes: list[Vote], share: float) -> None:
        """Add votes, each counting ``share`` of its weight."""
        self._votes += [
            replace(vote, weight=share * vote.weight) for vote in votes if share * vote.weight > 0
        ]

    def best(self, now_s: float) -> Sum | None:
        """The place with the most votes."""
        self._votes = [vote for vote in self._votes if now_s - vote.at_s <= KEEP_S][-_MOST:]
        if not self._votes:
            return None
        places = np.array([vote.place for vote in self._votes])
        sizes = np.array([vote.size for vote in self._votes])
        weights = np.array([vote.weight for vote in self._votes])
        away = np.hypot(
            places[:, None, 0] - places[None, :, 0], places[:, None, 1] - places[None, :, 1]
        )
        near = away < _NEAR_SIZES * np.minimum(sizes[:, None], sizes[None, :])
        totals = near @ weights
        best = int(totals.argmax())
        member = near[best]
        share = weights[member] / weights[member].sum()
        impulses = np.array([vote.impulse for vote in self._votes])[member]
        return Sum(
            float(totals[best]),
            float(share @ np.array([vote.at_s for vote in self._votes])[member]),
            share @ places[member],
            float(sizes[member].max()),
            float(middle(impulses)),
        )
