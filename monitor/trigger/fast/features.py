"""Corners where something moves, followed from picture to picture.

Pyramidal Lucas-Kanade (Bouguet, 2000) started from each corner's own last velocity, checked
forward and backward (Kalal, Mikolajczyk, Matas, ICPR 2010). New corners (Shi and Tomasi, 1994)
are taken where consecutive pictures differ, evenly over the picture, so that a small far vehicle
gets its share beside a large near one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

import cv2
import numpy as np
import numpy.typing as npt

from monitor.trigger.fast.camera_motion import CameraMotion
from monitor.trigger.fast.corners import evenly
from monitor.trigger.flow import Manner, follow

Luma = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]

MAX_FEATURES: Final = 240
_DIFFERS: Final = 15  # levels between consecutive pictures, at half size
_RENEW_S: Final = 0.18  # between searches for new corners
_BACKWARD_PX: Final = 1.0
_MANNER: Final = Manner(levels=3, back_px=_BACKWARD_PX, border_px=3.0)
_MOVED_PX: Final = 2.0
_NEVER_MOVED_S: Final = 0.45  # a corner that does not move is background
_STOPPED_S: Final = 2.0  # one that did is kept for so long after it stops
_APART_PX: Final = 5
_CELLS: Final = (12, 7)  # across and down, for the even share
_SEARCHED: Final = 600
_SAME_BODY_PX: Final = 25.0  # a new corner starts with the velocity of a neighbour so near
_LEAST_TO_TELL: Final = 20
_CUT_SHARE: Final = 0.2
_EXPOSURE_STEP: Final = 0.1  # share of the mean, from one picture to the next
_QUALITY: Final = 0.015
_AROUND_PX: Final = 8  # of what moves, so that corners at its edge are whole
_SQUARE: Final = cast(npt.NDArray[np.uint8], np.ones((5, 5), np.uint8))  # at half size


@dataclass(frozen=True, slots=True)
class Features:
    """Where the corners are now: ``ids`` (n,) rising, ``points`` (n, 2) in pixels, x first."""

    at_s: float
    ids: Ids
    points: Points
    camera: npt.NDArray[np.float64] | None  # (2, 3), the last picture's pixels to this one's
    change: float  # mean difference from the last picture, levels; 0 when it is the same picture
    is_cut: bool = False  # hardly any corner was found again, or the light stepped


class FeaturePool:
    """At most ``MAX_FEATURES`` corners of one camera."""

    def __init__(self) -> None:
        self._next = 0
        self._last: Luma | None = None
        self._half: Luma | None = None
        self._at_s = self._renewed_s = 0.0
        self._level = 0.0  # mean of the last picture
        self._clear()

    def _clear(self) -> None:
        self._found = 0
        self._points = np.zeros((0, 2), np.float32)
        self._velocities = np.zeros((0, 2), np.float32)
        self._origins = np.zeros((0, 2), np.float32)
        self._moved_s = np.zeros(0)  # when it was last seen to move, or found
        self._moved = np.zeros(0, bool)
        self._ids: Ids = np.zeros(0, np.int64)
        self._camera = CameraMotion()

    def step(self, now_s: float, luma: Luma) -> Features:
        """Follow the corners into the next picture; the same size as before, later than it."""
        half = cast(Luma, cv2.resize(luma, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
        last, last_half = self._last, self._half
        self._last, self._half = luma, half
        if last is None or last_half is None:
            self._at_s, self._level = now_s, float(cv2.mean(half)[0])
            return Features(now_s, self._ids, self._points, None, 0.0)
        spent_s = max(now_s - self._at_s, 1e-3)
        self._at_s = now_s
        difference = cast(Luma, cv2.absdiff(half, last_half))
        change = float(cv2.mean(difference)[0])
        camera = self._camera.between(now_s, last_half, half)
        had = len(self._points)
        self._follow(now_s, spent_s, last, luma)
        is_cut = had >= _LEAST_TO_TELL and self._found < _CUT_SHARE * had
        level = float(cv2.mean(half)[0])
        # Flow takes the same brightness for granted.
        is_cut |= abs(level - self._level) > _EXPOSURE_STEP * self._level
        self._level = level
        if now_s - self._renewed_s >= _RENEW_S:
            self._renewed_s = now_s
            self._renew(now_s, luma, difference)
        return Features(now_s, self._ids.copy(), self._points.copy(), camera, change, is_cut)

    def _follow(self, now_s: float, spent_s: float, last: Luma, luma: Luma) -> None:
        if not len(self._points):
            return
        guess = self._points + self._velocities * np.float32(spent_s)
        flow = follow(last, luma, self._points, guess, _MANNER)
        self._velocities = (flow.points - self._points) / np.float32(spent_s)
        self._points = flow.points
        self._keep(flow.good)
        self._found = len(self._points)
        moved = np.hypot(*(self._points - self._origins).T) > _MOVED_PX
        self._origins[moved] = self._points[moved]
        self._moved_s[moved] = now_s
        self._moved |= moved
        idle_s = now_s - self._moved_s
        self._keep(np.where(self._moved, idle_s < _STOPPED_S, idle_s < _NEVER_MOVED_S))

    def _keep(self, mask: npt.NDArray[np.bool_]) -> None:
        self._points, self._velocities = self._points[mask], self._velocities[mask]
        self._origins, self._moved_s = self._origins[mask], self._moved_s[mask]
        self._moved, self._ids = self._moved[mask], self._ids[mask]

    def _renew(self, now_s: float, luma: Luma, difference: Luma) -> None:
        room = MAX_FEATURES - len(self._points)
        if room <= 0:
            return
        fresh = evenly(_corners(luma, difference, self._points), self._points, luma.shape, _CELLS)
        fresh = fresh[:room]
        count = len(fresh)
        self._velocities = np.vstack([self._velocities, self._neighbours_velocity(fresh)])
        self._points = np.vstack([self._points, fresh])
        self._origins = np.vstack([self._origins, fresh])
        self._moved_s = np.concatenate([self._moved_s, np.full(count, now_s)])
        self._moved = np.concatenate([self._moved, np.zeros(count, bool)])
        self._ids = np.concatenate([self._ids, np.arange(self._next, self._next + count)])
        self._next += count

    def _neighbours_velocity(self, fresh: Points) -> Points:
        if not len(self._points) or not len(fresh):
            return np.zeros((len(fresh), 2), np.float32)
        away = np.hypot(
            fresh[:, None, 0] - self._points[None, :, 0],
            fresh[:, None, 1] - self._points[None, :, 1],
        )
        nearest = away.argmin(axis=1)
        near = away[np.arange(len(fresh)), nearest] < _SAME_BODY_PX
        return np.where(near[:, None], self._velocities[nearest], 0).astype(np.float32)


def _corners(luma: Luma, difference: Luma, taken: Points) -> Points:
    """Corners (n, 2), strongest first, where the half-size ``difference`` shows that it moves.

    None within about ``_APART_PX`` of those ``taken``.
    """
    _, moving = cv2.threshold(difference, _DIFFERS, 255, cv2.THRESH_BINARY)
    near = np.zeros_like(difference)
    x, y = (taken / 2).astype(np.intp).T
    near[np.minimum(y, near.shape[0] - 1), np.minimum(x, near.shape[1] - 1)] = 255
    moving = cv2.subtract(cv2.dilate(moving, _SQUARE), cv2.dilate(near, _SQUARE))
    left, top, width, height = cv2.boundingRect(moving)
    if not width:
        return np.zeros((0, 2), np.float32)
    left, top = max(0, left - _AROUND_PX // 2), max(0, top - _AROUND_PX // 2)
    part = moving[top : top + height + _AROUND_PX, left : left + width + _AROUND_PX]
    region = luma[2 * top : 2 * (top + part.shape[0]), 2 * left : 2 * (left + part.shape[1])]
    size = (region.shape[1], region.shape[0])
    mask = cv2.resize(part, size, interpolation=cv2.INTER_NEAREST)
    found = cv2.goodFeaturesToTrack(region, _SEARCHED, _QUALITY, _APART_PX, mask=mask, blockSize=5)
    if found is None:
        return np.zeros((0, 2), np.float32)
    return cast(Points, found.reshape(-1, 2) + np.array([2 * left, 2 * top], np.float32))
