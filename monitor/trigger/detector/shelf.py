"""The detectors of a process: cameras with the same settings share one, since weights are large."""

from __future__ import annotations

import threading
from contextlib import suppress

from monitor.clock import Clock
from monitor.config.models import DetectorSettings
from monitor.errors import DetectorError
from monitor.trigger.detector.model import Detector


class SharedDetector:
    """A detector that is opened when it is first asked for; a failure is final and said again."""

    def __init__(self, settings: DetectorSettings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self._lock = threading.Lock()
        self._aside: threading.Thread | None = None
        self._detector: Detector | None = None
        self._failure: str | None = None

    def open_aside(self) -> None:
        """Open it in a thread of its own: that takes seconds, and nobody shall wait."""
        self._aside = threading.Thread(target=self._open, name="open detector", daemon=True)
        self._aside.start()

    @property
    def opening(self) -> bool:
        """Whether ``get`` would have to wait."""
        return self._aside is not None and self._aside.is_alive()

    def get(self) -> Detector:
        """The detector; ``DetectorError`` where it cannot be opened."""
        with self._lock:
            if self._failure is not None:
                raise DetectorError(self._failure)
            if self._detector is None:
                try:
                    self._detector = Detector(self.settings, self.clock)
                except DetectorError as error:
                    self._failure = str(error)
                    raise
            return self._detector

    def _open(self) -> None:
        with suppress(DetectorError):  # whoever asks is told
            self.get()


class Shelf:
    """One detector for each different section of settings."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._shared: dict[DetectorSettings, SharedDetector] = {}

    def of(self, settings: DetectorSettings) -> SharedDetector | None:
        """The one for these settings, being opened; None where they name no model."""
        if settings.model is None:
            return None
        shared = self._shared.get(settings)
        if shared is None:
            shared = self._shared[settings] = SharedDetector(settings, self._clock)
            shared.open_aside()
        return shared
