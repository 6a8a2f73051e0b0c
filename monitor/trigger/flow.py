"""Following corners from one picture to the next: pyramidal Lucas-Kanade, checked both ways.

A corner is kept when tracking it back ends where it began (Kalal, Mikolajczyk, Matas,
"Forward-backward error", ICPR 2010) and, where a ``Manner`` asks for it, its surroundings still
look the same. Both checks matter where one vehicle hides another and where a recording jumps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float32]

WINDOW: Final = (13, 13)
"""Pixels around a corner. 16 by 11 take 0.6 of the time, since OpenCV works on eight pixels of a
row at once, but contacts were then timed within 0.42 s instead of 0.29 (p80, labelled clips)."""

STOP: Final = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 10, 0.03)
_MARGIN_PX: Final = 10  # around the corners, at the coarsest level: window and search
_SLOW_PX: Final = (17, 17)
_PATCH: Final = 4  # pixels to each side
_ALIKE: Final = 0.75  # correlation
_CORNER_QUALITY: Final = 0.02
_CORNER_SPACING_PX: Final = 4


@dataclass(frozen=True, slots=True)
class Manner:
    """How corners are followed, and which are believed."""

    levels: int  # of the pyramid, above full size
    back_px: float  # largest error, per axis, of following it back
    border_px: float  # nearer to the picture's edge nothing is believed
    looks: float | None = None  # largest mean difference, in levels, of the surroundings


BODIES: Final = Manner(levels=2, back_px=0.8, border_px=2.0, looks=24.0)
"""For the corners of one body after the other, on pictures without their slow part."""


@dataclass(frozen=True, slots=True)
class Flow:
    """Where points went; ``good`` marks those to be believed."""

    points: Points
    good: npt.NDArray[np.bool_]


def detail(luma: Image) -> Image:
    """Luma without its slow part: lamps that light up, shadows and exposure leave it as it was."""
    slow = cv2.blur(luma, _SLOW_PX)
    return cast(Image, cv2.addWeighted(luma, 1.0, slow, -1.0, 128.0))


def follow(
    before: Image, after: Image, points: Points, guess: Points, manner: Manner = BODIES
) -> Flow:
    """Track (n, 2) points; ``guess`` is where each is expected."""
    if not len(points):
        return Flow(points, np.zeros(0, np.bool_))
    rows, columns, corner = _around(points, guess, after.shape, manner.levels)
    old, new = before[rows, columns], after[rows, columns]
    start = (points - corner).reshape(-1, 1, 2)
    moved, found, looks = cv2.calcOpticalFlowPyrLK(
        old, new, start, (guess - corner).reshape(-1, 1, 2), winSize=WINDOW,
        maxLevel=manner.levels, criteria=STOP, flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )  # fmt: skip
    back, returned, _ = cv2.calcOpticalFlowPyrLK(
        new, old, moved, start.copy(), winSize=WINDOW, maxLevel=0, criteria=STOP,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )  # fmt: skip
    error = np.abs(back - start).reshape(-1, 2).max(axis=1)
    ends = cast(Points, moved.reshape(-1, 2) + corner)
    low = manner.border_px - 1.0
    high = np.array(after.shape[::-1], np.float32) - np.float32(manner.border_px)
    good = (found.ravel() == 1) & (returned.ravel() == 1) & (error < manner.back_px)
    good &= ((ends > low) & (ends < high)).all(axis=1)
    if manner.looks is not None:
        good &= looks.ravel() < manner.looks
    return Flow(ends, cast(npt.NDArray[np.bool_], good))


def _around(
    points: Points, guess: Points, shape: tuple[int, ...], levels: int
) -> tuple[slice, slice, Points]:
    """The part of the picture that matters, and its corner: pyramids of the rest are not built."""
    margin, align = _MARGIN_PX << levels, 1 << levels  # a pyramid's pixels stay where they are
    both = np.concatenate([points, guess])
    low = np.clip(both.min(axis=0) - margin, 0, None).astype(np.intp) // align * align
    high = both.max(axis=0).astype(np.intp) + margin
    x, y = (min(int(first), size - 1) for first, size in zip(low, shape[::-1], strict=True))
    right, bottom = max(x + 1, int(high[0])), max(y + 1, int(high[1]))
    return slice(y, bottom), slice(x, right), np.array([x, y], np.float32)


def corners(luma: Image, mask: Image, box: tuple[int, int, int, int], wanted: int) -> Points:
    """Up to ``wanted`` corners (n, 2) within a pixel box, where ``mask`` is set."""
    x, y, width, height = box
    if width < 4 or height < 4 or wanted < 1:
        return np.zeros((0, 2), np.float32)
    region = luma[y : y + height, x : x + width]
    found = cv2.goodFeaturesToTrack(
        region, wanted, _CORNER_QUALITY, _CORNER_SPACING_PX,
        mask=mask[y : y + height, x : x + width], blockSize=5,
    )  # fmt: skip
    if found is None:
        return np.zeros((0, 2), np.float32)
    return cast(Points, found.reshape(-1, 2) + np.array([x, y], np.float32))


def not_of(empty: Image, luma: Image, points: Points) -> npt.NDArray[np.bool_]:
    """Which points show something that the empty scene does not.

    A road marking in a vehicle's shadow is foreground and a good corner, but it stands still. The
    correlation of the surroundings tells it, whatever the light.
    """
    height, width = luma.shape
    x = np.clip(np.rint(points[:, 0]).astype(np.intp), _PATCH, width - 1 - _PATCH)
    y = np.clip(np.rint(points[:, 1]).astype(np.intp), _PATCH, height - 1 - _PATCH)
    reach = np.arange(-_PATCH, _PATCH + 1)
    rows = (y[:, None] + reach)[:, :, None]
    columns = (x[:, None] + reach)[:, None, :]
    now, before = (
        picture[rows, columns].reshape(len(points), reach.size**2).astype(np.float32)
        for picture in (luma, empty)
    )
    now -= now.mean(axis=1, keepdims=True)
    before -= before.mean(axis=1, keepdims=True)
    power = np.sqrt((now**2).sum(axis=1) * (before**2).sum(axis=1)) + 1.0
    alike: npt.NDArray[np.bool_] = (now * before).sum(axis=1) / power < _ALIKE
    return alike


class Steady:
    """Where the camera has been pushed to: the shift of the whole picture against a reference.

    Wind and passing lorries shake a mast; the shift is measured on fixed corners of the empty
    scene and taken out of the picture, so that a shake is not seen as motion.
    """

    def __init__(self, wanted: int = 24) -> None:
        self._wanted = wanted
        self._reference: Image | None = None
        self._corners: Points = np.zeros((0, 2), np.float32)
        self._shift = np.zeros(2, np.float32)

    def refer_to(self, empty: Image, usable: Image) -> None:
        """Take the empty scene as the reference; ``usable`` is 255 where nothing moves."""
        width = empty.shape[1]
        found = cv2.goodFeaturesToTrack(
            empty, self._wanted, 0.02, width // 14, mask=usable, blockSize=5
        )
        self._reference = empty
        self._corners = (
            np.zeros((0, 2), np.float32) if found is None else cast(Points, found.reshape(-1, 2))
        )

    def shift(self, luma: Image) -> tuple[float, float] | None:
        """(dx, dy) in pixels against the reference; None where it cannot be told."""
        if self._reference is None or len(self._corners) < 8:
            return None
        start = self._corners.reshape(-1, 1, 2)
        moved, found, _ = cv2.calcOpticalFlowPyrLK(
            self._reference, luma, start, (start + self._shift).astype(np.float32),
            winSize=(11, 11), maxLevel=2, criteria=STOP, flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
        )  # fmt: skip
        steps = (moved - start).reshape(-1, 2)[found.ravel() == 1]
        if len(steps) < 8:
            return None
        middle = np.median(steps, axis=0)
        agree = np.abs(steps - middle).max(axis=1) < 1.0
        if agree.mean() < 0.5:
            return None
        self._shift = steps[agree].mean(axis=0).astype(np.float32)
        return float(self._shift[0]), float(self._shift[1])
