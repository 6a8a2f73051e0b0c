"""What is worth telling: not what was said already, and less where candidates were dismissed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from monitor.domain import Evidence, EvidenceKind, Level, Trigger
from monitor.trigger.judge import judge
from monitor.trigger.normal import SceneMemory

_RECENT_MS: Final = 20_000
_MOST_RECENT: Final = 400
_SAME_MS: Final = 5_000
_STRONGER: Final = 1.2
_SAID: Final = 64


class News:
    """What was measured and said of late."""

    def __init__(self) -> None:
        self._recent: deque[Evidence] = deque(maxlen=_MOST_RECENT)
        self._said: dict[tuple[EvidenceKind, tuple[int, ...]], Trigger] = {}

    @property
    def recent(self) -> tuple[Evidence, ...]:
        """The evidence of the last seconds."""
        return tuple(self._recent)

    def judged(
        self, evidence: Sequence[Evidence], capture_ms: int, memory: SceneMemory
    ) -> list[Trigger]:
        """Raw scores of what one picture brought; less where candidates were dismissed."""
        self._recent.extend(evidence)
        while self._recent and self._recent[0].time_ms < capture_ms - _RECENT_MS:
            self._recent.popleft()
        return [_discounted(one, memory) for one in judge(evidence, self.recent, capture_ms)]

    def of(self, triggers: Iterable[Trigger], memory: SceneMemory) -> list[Trigger]:
        """Without those that say what was said already, no stronger.

        Around what is told the memory learns nothing for a while.
        """
        news = []
        for trigger in triggers:
            key = (trigger.kind, trigger.tracks)
            said = self._said.get(key)
            if (
                said is None
                or abs(trigger.time_ms - said.time_ms) > _SAME_MS
                or trigger.score > _STRONGER * said.score
                or trigger.level is not said.level
            ):
                self._said[key] = trigger
                news.append(trigger)
                if trigger.box is not None:
                    memory.suspend(trigger.box, alert=trigger.level is Level.ALERT)
        while len(self._said) > _SAID:
            del self._said[next(iter(self._said))]
        return news


def _discounted(trigger: Trigger, memory: SceneMemory) -> Trigger:
    """Less where candidates were dismissed before."""
    if trigger.box is None:
        return trigger
    x, y, width, height = trigger.box
    wolf = memory.wolf(x + width / 2, y + height / 2)
    return trigger if wolf == 0.0 else replace(trigger, score=trigger.score * (1.0 - wolf))
