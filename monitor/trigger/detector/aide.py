"""The detector beside the classical tracks: which bodies are measured.

Called by ``CameraTrigger`` for every picture it looks at. Once the detector has done well for
some pictures its bodies are measured, and with them the classical tracks of what it does not
see: a class it never learned, a body in the dark. So a blind detector takes nothing away, and
when it rests the classical tracks are there at once, with their past.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from monitor.errors import DetectorError
from monitor.media.decode import Planes
from monitor.trigger.detector.bodies import DetectedBodies
from monitor.trigger.detector.duty import Duty
from monitor.trigger.track import Track

Image = npt.NDArray[np.uint8]

_SHARED: Final = 0.3  # of the smaller box: a classical track and a detected body are one
_UNSEEN_S: Final = 2.0  # so long must the detector not have seen a classical track's body


class Aide:
    """Of one view; without a duty it does nothing."""

    def __init__(
        self, duty: Duty | None, width_px: int, height_px: int, new_id: Callable[[], int]
    ) -> None:
        """``new_id`` numbers the detector's tracks, apart from the classical ones."""
        self._duty = duty
        self._size = (width_px, height_px)
        self._new_id = new_id
        self._bodies: DetectedBodies | None = None
        self._shared_s: dict[int, float] = {}  # classical track -> when it was detected too
        self._tracks: Sequence[Track] | None = None

    @property
    def tracks(self) -> Sequence[Track] | None:
        """What to measure; None while that is the classical tracks alone."""
        return self._tracks

    def step(
        self, time_s: float, picture: Planes, empty: Image, classical: Sequence[Track]
    ) -> bool:
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
        before = self._tracks is not None
        if self._duty.well and self._bodies is not None:
            self._tracks = [*self._bodies.tracks, *self._others(time_s, self._bodies, classical)]
        else:
            self._tracks = None
        return before is not (self._tracks is not None)

    def forget(self) -> None:
        """Bodies cannot be followed across this."""
        self._shared_s.clear()
        if self._bodies is not None:
            self._bodies.forget()
        if self._tracks is not None:
            self._tracks = []

    def _others(
        self, time_s: float, bodies: DetectedBodies, classical: Sequence[Track]
    ) -> list[Track]:
        """Classical tracks of what the detector has not seen for a while."""
        present = {track.id for track in classical}
        self._shared_s = {i: at for i, at in self._shared_s.items() if i in present}
        for track in classical:
            for box in bodies.boxes:
                if track.box.overlap(box) > _SHARED * min(track.box.area, box.area):
                    self._shared_s[track.id] = time_s
                    break
        return [
            track for track in classical
            if time_s - self._shared_s.get(track.id, -_UNSEEN_S) >= _UNSEEN_S
        ]  # fmt: skip
