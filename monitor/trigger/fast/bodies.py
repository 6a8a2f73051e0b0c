"""Features that move together are a body."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from monitor.trigger.fast.features import Ids
from monitor.trigger.fast.trail import Array, Motion, carried

Ints = npt.NDArray[np.int64]

LINK_WIDTHS: Final = 0.05
ALIKE: Final = 0.25
ALIKE_PX_S: Final = 5.0
_MOVING_PX_S: Final = 10.0
_LEAST_FEATURES: Final = 5
_LEAST_SIZE_PX: Final = 8.0
_EXTENT_SIGMAS: Final = 3.1  # nine tenths of an even spread
_MAX_GROWTH: Final = 1.5  # 1/s, of the logarithm of the size


@dataclass(frozen=True, slots=True)
class Bodies:
    """The bodies of one moment; every array's first axis is the body.

    ``of`` says for each feature of ``motion`` which body it belongs to, -1 for none.
    """

    motion: Motion
    of: Ints
    count: npt.NDArray[np.int64]  # features
    place: Array  # (b, 2) px
    velocity: Array  # (b, 2) px/s
    speed: Array  # px/s
    size: Array  # px, square root of the area
    growth: Array  # 1/s: how the logarithm of its size changes

    def __len__(self) -> int:
        return len(self.count)

    def carried(self, camera: Array) -> Bodies:
        """The same bodies in the coordinates of the next picture."""
        motion = replace(
            self.motion,
            before=carried(self.motion.before, camera),
            points=carried(self.motion.points, camera),
        )
        return replace(self, motion=motion, place=carried(self.place, camera))

    def whose(self, ids: Ids) -> Ints:
        """For each of ``ids`` (n,), the body whose feature it was; -1 for none."""
        if not len(self.motion.ids):
            return np.full(len(ids), -1, np.int64)
        slot = np.minimum(np.searchsorted(self.motion.ids, ids), len(self.motion.ids) - 1)
        return np.where(self.motion.ids[slot] == ids, self.of[slot], -1)


def moving_bodies(motion: Motion, width: int) -> Bodies:
    """Group what moves: linked when close and of nearly the same velocity."""
    of: Ints = np.full(len(motion.ids), -1, np.int64)
    moving = np.flatnonzero(motion.speeds > _MOVING_PX_S)
    if len(moving) >= _LEAST_FEATURES:
        labels = _components(_linked(motion, moving, width))
        counts = np.bincount(labels)
        large = np.flatnonzero(counts >= _LEAST_FEATURES)
        names = np.full(len(counts), -1, np.int64)
        names[large] = np.arange(len(large))
        of[moving] = names[labels]
    return _measured(motion, of)


def _linked(motion: Motion, moving: Ints, width: int) -> npt.NDArray[np.bool_]:
    """(n, n); squares in single precision, because this is the largest array of all."""
    near = _squared(motion.points[moving]) < (LINK_WIDTHS * width) ** 2
    speeds = motion.speeds[moving].astype(np.float32)
    alike = ALIKE * np.minimum(speeds[:, None], speeds[None, :]) + ALIKE_PX_S
    return near & (_squared(motion.velocities[moving]) < alike * alike)


def _squared(vectors: Array) -> npt.NDArray[np.float32]:
    """(n, n): the squared length of every difference between two of them."""
    x, y = vectors.astype(np.float32).T
    across, down = x[:, None] - x[None, :], y[:, None] - y[None, :]
    squared: npt.NDArray[np.float32] = across * across + down * down
    return squared


def _components(linked: npt.NDArray[np.bool_]) -> Ints:
    """Connected components: the least label among neighbours, until nothing changes."""
    apart = linked.astype(np.uint16) - np.uint16(1)  # all bits where not linked: never the least
    labels = linked.argmax(axis=1).astype(np.uint16)  # every one is linked to itself
    while True:
        least = (apart | labels[None, :]).min(axis=1)
        least = least[least]
        if np.array_equal(least, labels):
            found: Ints = labels.astype(np.int64)
            return found
        labels = least


def _measured(motion: Motion, of: Ints) -> Bodies:
    member = of >= 0
    name = of[member]
    bodies = int(name.max()) + 1 if len(name) else 0
    count = np.bincount(name, minlength=bodies)

    # (b, n): what each feature counts in the mean of each body; numpy's calls cost more than this
    share_of = (name == np.arange(bodies)[:, None]) / np.maximum(count, 1)[:, None]
    places = np.concatenate([motion.points[member], motion.before[member]], axis=1)
    means = share_of @ places
    place = means[:, :2]
    velocity = share_of @ motion.velocities[member]
    spreads = share_of @ (places - means[name]) ** 2
    spread, was = spreads[:, :2], spreads[:, 2:]
    extent = np.maximum(1.0, _EXTENT_SIGMAS * np.sqrt(spread))
    share = (count * spread.sum(axis=1) + 1.0) / (count * was.sum(axis=1) + 1.0)
    growth = np.minimum(np.maximum(0.5 * np.log(share) / motion.span_s, -_MAX_GROWTH), _MAX_GROWTH)
    size = np.maximum(_LEAST_SIZE_PX, np.sqrt(extent[:, 0] * extent[:, 1]))
    speed = np.hypot(velocity[:, 0], velocity[:, 1])
    return Bodies(motion, of, count, place, velocity, speed, size, growth)
