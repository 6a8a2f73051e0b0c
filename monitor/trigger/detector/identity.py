"""Which box is which body over time: ByteTrack, from the package ``trackers``.

Zhang et al., *ByteTrack: multi-object tracking by associating every detection box*, ECCV 2022.
Vehicles and people are matched apart, so that a person never becomes the car behind.
"""

from __future__ import annotations

import importlib
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from monitor.errors import DetectorError
from monitor.trigger.detector.model import INSTALL
from monitor.trigger.detector.outputs import Detections

Key = tuple[bool, int]
"""A person or not, and ByteTrack's number."""

_MARGIN: Final = 0.3  # of a box on every side: at six pictures a second fast cars hardly overlap
_OVERLAP: Final = 0.1  # least IoU of the widened boxes
_RATE: Final = 1 / 0.15  # pictures a second; at a video's rate its filter would trust no course
_BUFFER_RATE: Final = 30.0  # at which the package counts how long a lost body is kept


class Identities:
    """ByteTrack's state for one camera."""

    def __init__(self, min_score: float, lost_s: float) -> None:
        """A body is looked for where it was going for ``lost_s``.

        ``DetectorError`` where the package is missing.
        """
        try:
            trackers = importlib.import_module("trackers")
            self._supervision = importlib.import_module("supervision")
        except ImportError as error:
            raise DetectorError(INSTALL) from error
        self._trackers: dict[bool, Any] = {
            is_person: trackers.ByteTrackTracker(
                lost_track_buffer=round(lost_s * _BUFFER_RATE),
                frame_rate=_RATE,
                track_activation_threshold=min_score,
                high_conf_det_threshold=min_score,
                minimum_consecutive_frames=1,
                minimum_iou_threshold=_OVERLAP,
                iou=trackers.BIoU(_MARGIN),
            )
            for is_person in (False, True)
        }

    def update(
        self, time_s: float, found: Detections, people: npt.NDArray[np.bool_]
    ) -> dict[Key, int]:
        """Which row of ``found`` each known body is. Times must rise."""
        keys: dict[Key, int] = {}
        for is_person, tracker in self._trackers.items():
            rows = np.flatnonzero(people == is_person)
            part = found.only(rows)
            boxes = self._supervision.Detections(
                xyxy=part.boxes,
                confidence=part.scores,
                class_id=part.classes.astype(int),
                data={"row": rows},
            )
            try:
                tracked = tracker.update(boxes, timestamp=time_s)
            except (ValueError, IndexError, ArithmeticError) as error:
                raise DetectorError(f"its boxes cannot be tracked: {error}") from error
            if not len(tracked):
                continue
            for number, row in zip(tracked.tracker_id, tracked.data["row"], strict=True):
                if number >= 0:
                    keys[is_person, int(number)] = int(row)
        return keys

    def forget(self) -> None:
        """Nothing known of before holds; numbers begin again."""
        for tracker in self._trackers.values():
            tracker.reset()
