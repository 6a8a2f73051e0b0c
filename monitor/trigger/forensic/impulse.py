"""Sudden changes of momentum: bodies that moved as one, and within a quarter second do not.

At one moment corners are grouped into bodies by place and velocity before it. A body's impulse
is what its corners' velocity after the moment differs from what it was, with two things left
out: speeding up by perspective alone (image speed grows as the square of image size), and corners
of the scenery, which an edge that passes by drags along. Lengths are shares of the body's own
size, so that no calibration is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

import numpy as np
import numpy.typing as npt

from monitor.trigger.forensic.trajectories import Floats, Mask, Trajectories
from monitor.trigger.forensic.window import Image, Window

Indices = npt.NDArray[np.intp]

SPAN_S: Final = 0.2  # over which a velocity is measured, on either side
_LEAST_S: Final = 0.09
_STEP_S: Final = 0.06
_EDGE_S: Final = 0.15  # of pictures that must lie on either side
_REACH: Final = 0.05  # of the width, between neighbouring corners of one body
_ALIKE: Final = 0.25  # of the slower one's speed
_ALIKE_PX: Final = 7.0  # and this much, px/s at 640 wide
_MOVING: Final = 0.02  # of the width per second
_LEAST_CORNERS: Final = 5
_LEAST_KEPT: Final = 3
_KEPT_SHARE: Final = 0.15
_LEAST_SIZE: Final = 0.02  # of the width
_PATCH: Final = 4
_SCENERY: Final = 0.75  # correlation of a corner's surroundings with the empty scene
_SAME_LEVELS: Final = 7.0  # or their mean difference, brightness apart
_NEIGHBOURS: Final = (-2.0, 0.0, 2.0)  # pixels
_MOST_RATE: Final = 2.0  # of growth per second


@dataclass(frozen=True, slots=True)
class Impulse:
    """One body at one moment. Pixels and px/s."""

    time_s: float
    index: int
    members: Indices
    kept: Indices
    box: tuple[float, float, float, float]  # left, top, right, bottom
    before: tuple[float, float]
    after: tuple[float, float]
    change: tuple[float, float]  # of velocity, perspective left out
    spread: float  # how much the corners disagree on the change
    turn: float  # of its rate of rotation in the picture, rad/s
    size: float

    @property
    def speed(self) -> float:
        return float(np.hypot(*self.before))

    @property
    def amount(self) -> float:
        return float(np.hypot(*self.change))

    @property
    def share(self) -> float:
        """Of its speed."""
        return self.amount / self.speed

    @property
    def sizes(self) -> float:
        """In own sizes per second: an all-out brake takes 0.6 in a fifth of a second."""
        return self.amount / self.size


@dataclass(frozen=True, slots=True)
class Moment:
    """All corners at one moment, and what the scenery is not."""

    time_s: float
    index: int
    corners: Indices
    places: Floats
    before: Floats
    after: Floats
    known_before: Mask
    known_after: Mask
    own: Mask  # shows something that is not scenery


def moments(window: Window, paths: Trajectories, empty: tuple[Image, Image]) -> list[Moment]:
    """Every second picture or so."""
    found = []
    last_s = -1e9
    end_s = float(window.times_s[-1])
    for index, time_s in enumerate(window.times_s.tolist()):
        if time_s - last_s < _STEP_S or not _EDGE_S <= time_s <= end_s - _EDGE_S:
            continue
        corners = paths.at(index)
        if len(corners) < _LEAST_CORNERS:
            continue
        last_s = time_s
        places = cast(Floats, paths.places[index, corners])
        before, known_before = paths.velocities(corners, time_s - SPAN_S, time_s, _LEAST_S)
        after, known_after = paths.velocities(corners, time_s, time_s + SPAN_S, _LEAST_S)
        own = ~is_scenery(window.luma[index], empty, places)
        found.append(
            Moment(
                time_s, index, corners, places, before, after, known_before, known_after, own
            )
        )  # fmt: skip
    return found


def impulses(moment: Moment, width: int) -> list[Impulse]:
    """Of every body that moves then."""
    speed = np.hypot(*moment.before.T)
    usable = np.flatnonzero(moment.known_before & moment.own & (speed > _MOVING * width))
    if len(usable) < _LEAST_CORNERS:
        return []
    labels = group(moment.places[usable], moment.before[usable], width)
    found = []
    for label in np.unique(labels):
        members = usable[labels == label]
        if len(members) >= _LEAST_CORNERS:
            impulse = _impulse(moment, members, width)
            if impulse is not None:
                found.append(impulse)
    return found


def _impulse(moment: Moment, members: Indices, width: int) -> Impulse | None:
    kept = members[moment.known_after[members]]
    if len(kept) < max(_LEAST_KEPT, _KEPT_SHARE * len(members)):
        return None
    low, high = np.percentile(moment.places[members], [5, 95], axis=0)
    margin = 0.05 * (high - low) + 2.0
    low, high = low - margin, high + margin
    size = float(np.sqrt(np.prod(high - low)))
    if size < _LEAST_SIZE * width:
        return None
    was = np.median(moment.before[kept], axis=0)
    now = np.median(moment.after[kept], axis=0)
    growth, spin = _affine(moment.places[members], moment.before[members])
    _, spin_after = _affine(moment.places[kept], moment.after[kept])
    scale = float(np.exp(2.0 * np.clip(growth, -_MOST_RATE, _MOST_RATE) * SPAN_S))
    along = float(now @ was) / (float(was @ was) + 1e-6)
    change = now - np.clip(along, min(1.0, scale), max(1.0, scale)) * was
    each = moment.after[kept] - moment.before[kept]
    spread = float(np.median(np.hypot(*(each - np.median(each, axis=0)).T)))
    return Impulse(
        moment.time_s, moment.index, moment.corners[members], moment.corners[kept],
        (float(low[0]), float(low[1]), float(high[0]), float(high[1])),
        _pair(was), _pair(now), _pair(change), spread, spin_after - spin, size,
    )  # fmt: skip


def _pair(vector: npt.NDArray[np.floating]) -> tuple[float, float]:
    return float(vector[0]), float(vector[1])


def _affine(places: Floats, velocities: Floats) -> tuple[float, float]:
    """Rates of growth and of rotation, 1/s, of a body whose corners move so."""
    arm = places - np.median(places, axis=0)
    rest = velocities - np.median(velocities, axis=0)
    inertia = float((arm**2).sum()) + 1e-6
    growth = float((arm * rest).sum()) / inertia
    spin = float((arm[:, 0] * rest[:, 1] - arm[:, 1] * rest[:, 0]).sum()) / inertia
    return growth, spin


def group(places: Floats, velocities: Floats, width: int) -> Indices:
    """Labels (n,) of bodies: corners linked when near each other and moving alike."""
    speed = np.hypot(*velocities.T)
    near = _apart(places) < _REACH * width
    limit = _ALIKE * np.minimum(speed[:, None], speed[None, :]) + _ALIKE_PX * width / 640
    return components(near & (_apart(velocities) < limit))


def _apart(points: Floats) -> Floats:
    x, y = points[:, 0], points[:, 1]
    return cast(Floats, np.hypot(x[:, None] - x[None, :], y[:, None] - y[None, :]))


def components(linked: npt.NDArray[np.bool_]) -> Indices:
    """Labels of connected components of a symmetric, reflexive relation (n, n)."""
    count = len(linked)
    labels = np.arange(count)
    while True:
        least = np.where(linked, labels[None, :], count).min(axis=1)
        least = least[np.minimum(least, labels)]
        if (least == labels).all():
            return labels
        labels = least


def is_scenery(luma: Image, empty: tuple[Image, Image], places: Floats) -> Mask:
    """Which points (n, 2) show what the empty scene shows, before and after."""
    now = _patches(luma, places)
    result = np.ones(len(places), np.bool_)
    for scene in empty:
        was = _patches(scene, places)
        power = np.sqrt((now**2).sum(axis=1) * (was**2).sum(axis=1)) + 1.0
        alike = (now * was).sum(axis=1) / power
        result &= (alike > _SCENERY) | (np.abs(now - was).mean(axis=1) < _SAME_LEVELS)
    return result


def scenery_likeness(luma: Image, empty: tuple[Image, Image], places: Floats) -> float:
    """How much a body (corners (n, 2)) looks like scenery close by, before and after; up to 1.

    The median of the corners' best correlation within two pixels: a reflection that runs along a
    rail or a lane line moves, but what it shows is the rail.
    """
    now = _patches(luma, places)
    power = (now**2).sum(axis=1)
    both = np.ones(len(places), np.float32)
    for scene in empty:
        best = np.full(len(places), -1.0, np.float32)
        for dx in _NEIGHBOURS:
            for dy in _NEIGHBOURS:
                was = _patches(scene, places + np.array([dx, dy], np.float32))
                alike = (now * was).sum(axis=1) / (np.sqrt(power * (was**2).sum(axis=1)) + 1.0)
                best = np.maximum(best, alike)
        both = np.minimum(both, best)
    return float(np.median(both))


def _patches(picture: Image, places: Floats) -> Floats:
    """Surroundings (n, 81) of points, their mean taken out."""
    height, width = picture.shape
    x = np.clip(np.rint(places[:, 0]).astype(np.intp), _PATCH, width - 1 - _PATCH)
    y = np.clip(np.rint(places[:, 1]).astype(np.intp), _PATCH, height - 1 - _PATCH)
    reach = np.arange(-_PATCH, _PATCH + 1)
    rows, columns = (y[:, None] + reach)[:, :, None], (x[:, None] + reach)[:, None, :]
    patches = picture[rows, columns].reshape(len(places), reach.size**2).astype(np.float32)
    return cast(Floats, patches - patches.mean(axis=1, keepdims=True))
