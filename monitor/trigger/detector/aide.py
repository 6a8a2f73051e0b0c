"""The detector beside the classical tracks: which of the two are measured.

Called by ``CameraTrigger`` for every picture it looks at. The classical tracks are always kept,
so that they are there at once when the detector rests; the detector's are measured from when it
has done well for some pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from monitor.errors import DetectorError
from monitor.media.decode import Planes
from monitor.trigger.detector.bodies import DetectedBodies
from monitor.trigger.detector.duty import Duty
from monitor.trigger.track import Track

Image = npt.NDArray[np.uint8]


class Aide:
    """Of one view; without a duty it does nothing."""

    def __init__(
        self, duty: Duty | None, width_px: int, height_px: int, new_id: Callable[[], int]
    ) -> None:
        self._duty = duty
        self._size = (width_px, height_px)
        self._new_id = new_id
        self._bodies: DetectedBodies | None = None
        self._live = False

    @property
    def tracks(self) -> Sequence[Track] | None:
        """What to measure; None while that is the classical tracks."""
        return self._bodies.tracks if self._live and self._bodies is not None else None

    def step(self, time_s: float, picture: Planes, empty: Image) -> bool:
        """Look at one picture; whether the tracks to be measured are others from here on.

        ``empty`` is the luma of the scene without bodies. Never raises.
        """
        if self._duty is None:
            return False
        seen = self._duty.see(picture)
        try:
            if seen is not None and self._bodies is None:
                width, height = self._size
                self._bodies = DetectedBodies(width, height, self._duty.settings, self._new_id)
            if self._bodies is not None and not self._duty.resting:
                self._bodies.update(time_s, picture.y, empty, seen)
        except DetectorError as error:
            self._duty.rest(str(error))
        if self._duty.resting:
            self.forget()
        before, self._live = self._live, self._duty.well
        return before is not self._live

    def forget(self) -> None:
        """Bodies cannot be followed across this."""
        if self._bodies is not None:
            self._bodies.forget()
