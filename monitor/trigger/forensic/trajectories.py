"""Where corners of moving things went, picture by picture, over a whole window.

Pyramidal Lucas-Kanade on every picture, started where a corner's own velocity takes it and
checked backwards (Kalal, Mikolajczyk, Matas, "Forward-backward error", ICPR 2010). At thirty
pictures a second many corners live through a crash, and a corner that is new after it tells the
motion from then on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

import cv2
import numpy as np
import numpy.typing as npt

from monitor.config.models import Camera
from monitor.trigger.forensic.window import Image, Times, Window

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

_WINDOW: Final = (15, 15)
_LEVELS: Final = 3
_BACK_LEVELS: Final = 1
_STOP: Final = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 12, 0.03)
_BACK_ERROR_PX: Final = 0.8
_MOST: Final = 600  # corners at a time
_PLANT_S: Final = 0.1
_COMPARE_S: Final = 0.1
_MOVED_LEVELS: Final = 5
_SPACING_PX: Final = 5
_QUALITY: Final = 0.01
_STILL_S: Final = 0.4  # a corner that has not moved by then is dropped
_STILL_PX: Final = 1.2
_BORDER_PX: Final = 3
_GAP_S: Final = 0.35
_SQUARE: Final = np.ones((5, 5), np.uint8)


@dataclass(frozen=True, slots=True)
class Trajectories:
    """``places`` (pictures, corners, 2) in pixels; NaN where a corner was not followed."""

    times_s: Times
    places: Floats

    def at(self, index: int) -> npt.NDArray[np.intp]:
        """The corners that were followed into a picture."""
        return np.flatnonzero(~np.isnan(self.places[index, :, 0]))

    def velocities(
        self, corners: npt.NDArray[np.intp], start_s: float, end_s: float, least_s: float
    ) -> tuple[Floats, Mask]:
        """Least-squares velocities (n, 2) in px/s within a span, and which (n,) are known.

        Known where three pictures over at least ``least_s`` follow the corner.
        """
        first = int(self.times_s.searchsorted(start_s - 1e-6))
        last = int(self.times_s.searchsorted(end_s + 1e-6))
        times = (self.times_s[first:last] - start_s).astype(np.float32)[:, None]
        places = self.places[first:last, corners]
        seen = ~np.isnan(places[..., 0])
        count = seen.sum(axis=0)
        here = np.where(seen, times, np.float32(0.0))
        centre = here.sum(axis=0) / np.maximum(count, 1)
        offset = np.where(seen, times - centre, np.float32(0.0))
        spread = (offset**2).sum(axis=0)
        filled = np.where(seen[..., None], places, np.float32(0.0))
        velocity = (offset[..., None] * filled).sum(axis=0) / np.maximum(spread, 1e-9)[:, None]
        if len(times):
            latest = np.where(seen, times, np.float32(-1e9)).max(axis=0)
            earliest = np.where(seen, times, np.float32(1e9)).min(axis=0)
            known = (count >= 3) & (latest - earliest >= least_s)
        else:
            known = np.zeros(places.shape[1], np.bool_)
        return velocity, known


@dataclass(slots=True)
class _Corners:
    """Those followed now."""

    ids: npt.NDArray[np.intp]
    places: Floats
    velocity: Floats
    planted: Floats  # where
    planted_s: Times

    def keep(self, which: Mask) -> _Corners:
        return _Corners(
            self.ids[which], self.places[which], self.velocity[which],
            self.planted[which], self.planted_s[which],
        )  # fmt: skip


def masked(camera: Camera, window: Window) -> Image | None:
    """0 inside the camera's masks, 255 elsewhere; None without masks."""
    if not camera.masks:
        return None
    usable = np.full((window.height, window.width), 255, np.uint8)
    for polygon in camera.masks:
        corners = [(round(x * window.width), round(y * window.height)) for x, y in polygon]
        cv2.fillPoly(usable, [np.array(corners, np.int32)], 0)
    return usable


def trace(window: Window, usable: Image | None = None) -> Trajectories:
    """Follow up to 600 corners at a time through all pictures; none begins outside ``usable``."""
    found: list[tuple[npt.NDArray[np.intp], Floats]] = []
    corners = _nothing()
    total = 0
    planted_s = -1e9
    reference = 0
    for index, (time_s, luma) in enumerate(zip(window.times_s, window.luma, strict=True)):
        if index:
            step_s = float(time_s - window.times_s[index - 1])
            if step_s > _GAP_S:
                corners, reference = _nothing(), index
            elif len(corners.ids):
                corners = _followed(window.luma[index - 1], luma, corners, step_s, float(time_s))
        while window.times_s[min(reference + 1, index)] <= time_s - _COMPARE_S + 1e-6:
            reference += 1
        wanted = _MOST - len(corners.ids)
        if reference < index and time_s - planted_s >= _PLANT_S and wanted > 0:
            planted_s = float(time_s)
            new = _planted(window.luma[reference], luma, corners.places, wanted, usable)
            corners = _with(corners, new, total, float(time_s))
            total += len(new)
        found.append((corners.ids, corners.places))
    places = np.full((len(found), total, 2), np.nan, np.float32)
    for index, (ids, where) in enumerate(found):
        places[index, ids] = where
    return Trajectories(window.times_s, places)


def _nothing() -> _Corners:
    none = np.zeros((0, 2), np.float32)
    return _Corners(np.zeros(0, np.intp), none, none, none, np.zeros(0, np.float64))


def _followed(before: Image, after: Image, was: _Corners, step_s: float, time_s: float) -> _Corners:
    start = np.ascontiguousarray(was.places)[:, None, :]
    expected = was.places + was.velocity * np.float32(step_s)
    guess = np.ascontiguousarray(expected, np.float32)[:, None, :].copy()
    moved, found, _ = cv2.calcOpticalFlowPyrLK(
        before, after, start, guess, winSize=_WINDOW, maxLevel=_LEVELS, criteria=_STOP,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )  # fmt: skip
    back, returned, _ = cv2.calcOpticalFlowPyrLK(
        after, before, moved, start.copy(), winSize=_WINDOW, maxLevel=_BACK_LEVELS,
        criteria=_STOP, flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )  # fmt: skip
    places = cast(Floats, moved[:, 0, :])
    height, width = after.shape
    good = (
        (found.ravel() == 1) & (returned.ravel() == 1)
        & (np.abs(back - start).reshape(-1, 2).max(axis=1) < _BACK_ERROR_PX)
        & (places.min(axis=1) >= _BORDER_PX)
        & (places[:, 0] < width - _BORDER_PX) & (places[:, 1] < height - _BORDER_PX)
        & ~(
            (time_s - was.planted_s > _STILL_S)
            & (np.hypot(*(places - was.planted).T) < _STILL_PX)
        )
    )  # fmt: skip
    velocity = 0.5 * was.velocity + 0.5 * (places - was.places) / np.float32(step_s)
    now = _Corners(was.ids, places, velocity.astype(np.float32), was.planted, was.planted_s)
    return now.keep(good)


def _planted(before: Image, now: Image, taken: Floats, wanted: int, usable: Image | None) -> Floats:
    """New corners (n, 2) where the picture changes, apart from those there are."""
    changed = cv2.blur(cv2.absdiff(now, before), (5, 5))
    _, mask = cv2.threshold(changed, _MOVED_LEVELS, 255, cv2.THRESH_BINARY)
    mask = cv2.dilate(mask, _SQUARE)
    if usable is not None:
        mask = cv2.bitwise_and(mask, usable)
    for x, y in taken.astype(np.intp).tolist():
        cv2.circle(mask, (x, y), _SPACING_PX, 0, -1)
    new = cv2.goodFeaturesToTrack(now, wanted, _QUALITY, _SPACING_PX, mask=mask, blockSize=5)
    if new is None:
        return np.zeros((0, 2), np.float32)
    return cast(Floats, new[:, 0, :])


def _with(corners: _Corners, new: Floats, first_id: int, time_s: float) -> _Corners:
    return _Corners(
        np.concatenate([corners.ids, first_id + np.arange(len(new))]),
        np.concatenate([corners.places, new]),
        np.concatenate([corners.velocity, np.zeros_like(new)]),
        np.concatenate([corners.planted, new]),
        np.concatenate([corners.planted_s, np.full(len(new), time_s)]),
    )
