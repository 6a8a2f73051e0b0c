"""What a camera's detector does well or ill, said once: in the log and in the camera's state."""

from __future__ import annotations

import logging
from typing import Final

from monitor.buffer.cameras import CameraStore
from monitor.clock import Clock
from monitor.trigger.detector import SharedDetector
from workers.watching.patience import Patience

log = logging.getLogger(__name__)

_TELL_S: Final = 15.0


class Detecting:
    """One camera's detector, None where it has none, and its last word."""

    def __init__(
        self,
        camera: str,
        shared: SharedDetector | None,
        store: CameraStore,
        patience: Patience,
        clock: Clock,
    ) -> None:
        self.shared = shared
        self.note = ""
        self._camera = camera
        self._store = store
        self._patience = patience
        self._clock = clock
        self._told_s: float | None = None

    async def tell(self, note: str) -> None:
        """``note`` is why it rests, or empty; a changed one is logged."""
        if self.shared is None:
            return
        now_s = self._clock.monotonic_s()
        if note != self.note and note:
            log.warning(
                "camera %s: the detector rests, bodies are followed without it: %s",
                self._camera, note,
            )  # fmt: skip
        elif note != self.note:
            log.info("camera %s: the detector works again", self._camera)
        if note == self.note and self._told_s is not None and now_s - self._told_s < _TELL_S:
            return
        self.note, self._told_s = note, now_s
        await self._patience.do(lambda: self._store.put_detector(self._camera, note))
