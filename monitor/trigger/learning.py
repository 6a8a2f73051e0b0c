"""What the tracks teach of the scene: the ground plane, and the view's memory.

Called by ``CameraTrigger`` after every picture in which bodies were followed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from monitor.config.models import Camera
from monitor.domain import Actor
from monitor.domain.base import Box
from monitor.trigger.blobs import PixelBox
from monitor.trigger.classify import classify, is_part_only, is_surely_vehicle
from monitor.trigger.ground import GroundPlane, SizeByRow, calibrated_plane
from monitor.trigger.moment import UNSEEN_M_PER_PX
from monitor.trigger.normal import SceneMemory
from monitor.trigger.track import Track
from monitor.trigger.tracker import Tracker

_PLANE_S: Final = 2.0
_LOOK_S: Final = 1.0  # between looks at what moves where
_FAR_AFTER_S: Final = 6.0  # the first vehicles do not tell yet how far off things are


class Learning:
    """Of one view; ``memory`` is taught and outlives it."""

    def __init__(
        self, camera: Camera, width_px: int, height_px: int, memory: SceneMemory, now_s: float
    ) -> None:
        self.memory = memory
        self._camera = camera
        self._width, self._height = width_px, height_px
        self._sizes = SizeByRow(width_px, height_px)
        self.plane = self._best_plane()
        self._began_s = self._plane_s = self._look_s = now_s
        self._parity = False

    def begin(self, memory: SceneMemory, now_s: float) -> None:
        """The empty scene is known now, and with it whose memory holds."""
        self.memory, self._began_s = memory, now_s

    def step(
        self,
        now_s: float,
        now_ms: int,
        tracker: Tracker,
        foreground: npt.NDArray[np.uint8],
        detected: Sequence[Track] | None = None,
    ) -> None:
        """Classify the bodies and learn from them; ``detected`` ones in place of the tracker's."""
        if now_s - self._plane_s > _PLANE_S:
            self._plane_s, self.plane = now_s, self._best_plane()
            if now_s - self._began_s > _FAR_AFTER_S:
                tracker.far_row = self.plane.far_row(UNSEEN_M_PER_PX, self._width, self._height)
        teaches = self.memory.tick(now_ms)
        if teaches and now_s >= self._look_s:
            self._look_s = now_s + _LOOK_S
            self.memory.look(foreground, tracker.owned())
        self._parity = not self._parity
        present = set()
        for track in tracker.tracks if detected is None else detected:
            present.add(track.id)
            if track.id % 2 == self._parity and len(track.history) > 12:
                continue  # what is known of it changes slowly
            classify(track, self.plane, track.update_standing(self.plane, now_s))
            sample = track.history[-1]
            if track.actor is not Actor.VEHICLE or not sample.measured or not track.moving:
                continue
            if teaches and not is_part_only(track, self.plane):
                dx, dy = (track.velocity / self._width).tolist()
                size = track.box.size / self._width
                self.memory.drive(track.id, self._fractions(track.box), (dx, dy), size)
            if sample.whole and sample.apart and is_surely_vehicle(track):
                self._sizes.observe(track.id, float(track.foot[1]), track.box.size)
        self.memory.keep_only(present)

    def pass_over(self, now_s: float, now_ms: int) -> None:
        """A picture in which nobody was, slept through: that too is how the view usually is."""
        self._parity = not self._parity
        if now_s - self._plane_s > _PLANE_S:
            self._plane_s = now_s
        if self.memory.tick(now_ms) and now_s >= self._look_s:
            self._look_s = now_s + _LOOK_S
            nothing = np.zeros((9, 16), np.uint8)
            self.memory.look(nothing, nothing)

    def _fractions(self, box: PixelBox) -> Box:
        width, height = self._width, self._height
        return box.x / width, box.y / height, box.width / width, box.height / height

    def _best_plane(self) -> GroundPlane:
        learned = self._sizes.plane()
        if not self._camera.calibration:
            return learned
        return calibrated_plane(self._camera.calibration, self._width, self._height, learned)
