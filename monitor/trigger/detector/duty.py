"""When a camera's detector is asked, and when it rests: it must never hold up the watching.

A failure or too much time per picture puts it to rest for a minute, then two, four, up to an
hour; meanwhile the classical tracks are measured. What is said of it changes only when its state
does, so that a log has one line and not one per picture.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np
import numpy.typing as npt

from monitor.config.models import DetectorSettings
from monitor.errors import DetectorError
from monitor.media.decode import Planes
from monitor.trigger.detector.fit import bgr
from monitor.trigger.detector.outputs import Detections
from monitor.trigger.detector.shelf import SharedDetector

Seen = tuple[Detections, npt.NDArray[np.bool_]]

_JUDGED: Final = 5  # pictures whose mean time is held against the budget
_REST_S: Final = 60.0
_LONGEST_REST_S: Final = 3600.0


class Duty:
    """Asks one camera's detector, at most every N-th time; never raises."""

    def __init__(self, shared: SharedDetector) -> None:
        self.note = ""
        """Empty while it works; else one sentence that says why it rests."""
        self._shared = shared
        self._turn = 0
        self._spent_ms: deque[float] = deque(maxlen=_JUDGED)
        self._rest_s = _REST_S
        self._until_s: float | None = None

    @property
    def resting(self) -> bool:
        """Whether it is not to be asked now."""
        return self._until_s is not None and self._shared.clock.monotonic_s() < self._until_s

    @property
    def well(self) -> bool:
        """Whether it has kept to its budget for some pictures, up to now."""
        return len(self._spent_ms) == _JUDGED and not self.resting

    @property
    def settings(self) -> DetectorSettings:
        """What the user asked for."""
        return self._shared.settings

    def see(self, picture: Planes) -> Seen | None:
        """What is in the picture; None where it is not its turn, rests or is being opened."""
        if self.resting or self._shared.opening:
            return None
        self._turn += 1
        if self._turn < self._shared.settings.every:
            return None
        self._turn = 0
        try:
            detector = self._shared.get()
            began_s = self._shared.clock.monotonic_s()
            seen = detector.detect(bgr(picture))
        except DetectorError as error:
            self.rest(str(error))
            return None
        self._spent_ms.append((self._shared.clock.monotonic_s() - began_s) * 1000)
        return None if self._too_slow() else self._well(seen)

    def rest(self, reason: str) -> None:
        """Leave it alone for a while, longer each time."""
        self.note = reason
        self._until_s = self._shared.clock.monotonic_s() + self._rest_s
        self._rest_s = min(2 * self._rest_s, _LONGEST_REST_S)
        self._spent_ms.clear()

    def _too_slow(self) -> bool:
        budget_ms = self._shared.settings.budget_ms
        mean_ms = sum(self._spent_ms) / len(self._spent_ms)
        if len(self._spent_ms) < _JUDGED or mean_ms <= budget_ms:
            return False
        # No present figure in it: the same state must read the same.
        self.rest(
            f"it takes more than the {budget_ms:g} ms per picture of detector.budget_ms; use a "
            "smaller model or input, a GPU, or raise `budget_ms` and `every`"
        )
        return True

    def _well(self, seen: Seen) -> Seen:
        if len(self._spent_ms) == _JUDGED:
            self.note, self._until_s, self._rest_s = "", None, _REST_S
        return seen
