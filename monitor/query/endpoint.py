"""One server of models as the scheduler sees it: what it may be asked, its health, its load."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from monitor.query.breaker import Breaker
from monitor.query.client import VisionClient

Mode = Literal["standard", "thinking"]

_RECENT: Final = 8
_LATELY_S: Final = 60.0
_HOPE: Final = 0.9  # of the shortest recent answer: with less time left, none is to be had


@dataclass(slots=True, eq=False)
class Endpoint:
    """``max_running`` queries at once are ours; the server may have others."""

    client: VisionClient
    modes: frozenset[Mode] = frozenset(get_args(Mode))
    max_running: int = 8
    breaker: Breaker = field(default_factory=Breaker)
    running: int = 0
    last_failure: str = ""  # a QueryError's reason
    _answered: dict[Mode, deque[tuple[float, float]]] = field(default_factory=dict)

    @property
    def well(self) -> bool:
        """Whether queries go there."""
        return self.breaker.state == "closed"

    @property
    def free(self) -> bool:
        """Whether one more may go there now."""
        return self.well and self.running < self.max_running

    def answered(self, mode: Mode, seconds: float, now_s: float) -> None:
        """How long a good answer took."""
        self._answered.setdefault(mode, deque(maxlen=_RECENT)).append((now_s, seconds))

    def hopeless(self, mode: Mode, left_s: float, now_s: float) -> bool:
        """Whether no answer is to be had in the time left, as answers go here lately."""
        recent = [took for at_s, took in self._answered.get(mode, ()) if now_s - at_s <= _LATELY_S]
        return bool(recent) and left_s < _HOPE * min(recent)

    def load(self, mode: Mode) -> tuple[float, float]:
        """To choose the least of: the share in use, then how long answers take."""
        recent = [took for _, took in self._answered.get(mode, ())]
        usual_s = sum(recent) / len(recent) if recent else 0.0
        return self.running / self.max_running, usual_s


def able(endpoints: Sequence[Endpoint], mode: Mode) -> tuple[Mode, list[Endpoint]]:
    """The endpoints that are well and serve the mode; where none does, those of the other mode.

    An explanation in the other mode is better than none.
    """
    other: Mode = "standard" if mode == "thinking" else "thinking"
    for asked in (mode, other):
        found = [one for one in endpoints if one.well and asked in one.modes]
        if found:
            return asked, found
    return mode, []
