"""Fitting motion along a path: speed, and the moment braking began. Pure arithmetic.

Positions, not speeds, are fitted: differences of noisy positions are noisier still, and the
onset of braking is where the path over time stops being straight.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

_STANDSTILL: Final = 0.08  # of the speed before braking
_LEAD_S: Final = 0.4  # of constant speed that must be seen before braking begins


@dataclass(frozen=True, slots=True)
class LineFit:
    """Velocity per axis and one standard deviation of it."""

    velocity: Array
    sigma: float


@dataclass(frozen=True, slots=True)
class BrakeFit:
    """Constant speed ``speed`` until ``onset_s``, then ``decel``."""

    onset_s: float
    onset_sigma_s: float
    speed: float
    decel: float
    decel_sigma: float
    end_speed: float
    gain: float  # share of the straight line's squared error that the bend explains


def middle(values: Array) -> Array:
    """The median along the first axis, of at least one.

    ``np.median`` costs thirty microseconds a call before it computes anything.
    """
    ordered = np.sort(values, axis=0)
    count = len(ordered)
    halves: Array = 0.5 * (ordered[(count - 1) // 2] + ordered[count // 2])
    return halves


def _quantile(values: Array, share: float) -> float:
    """Between the two nearest ones; of at least one. ``np.quantile`` is as slow as its median."""
    ordered = np.sort(values)
    at = share * (len(ordered) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return float(ordered[low] + (at - low) * (ordered[high] - ordered[low]))


def line_fit(times_s: Array, points: Array) -> LineFit:
    """Least squares of (n, 2) points over (n,) times; needs two distinct times."""
    count = len(times_s)
    centred = times_s - np.add.reduce(times_s) / count
    offset = points - np.add.reduce(points, axis=0) / count
    spread = float(centred @ centred)
    velocity: Array = centred @ offset / spread
    residual = (offset - centred[:, None] * velocity).ravel()
    sigma = math.sqrt(float(residual @ residual) / (2 * max(1, count - 2)) / spread)
    return LineFit(velocity, sigma)


def path_length(points: Array) -> Array:
    """Distance along the path of (n, 2) points, with the jitter across it left out."""
    if len(points) < 3:
        return np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    reach = np.minimum(np.arange(len(points)) + 2, len(points) - 1)
    back = np.maximum(np.arange(len(points)) - 2, 0)
    chord = points[reach] - points[back]
    length = np.hypot(chord[:, 0], chord[:, 1])
    whole = points[-1] - points[0]
    # Where the chord is short against the usual one, the body stands: keep the last direction.
    usable = length > 0.25 * middle(length) + 1e-9
    direction = np.zeros_like(chord)
    direction[usable] = chord[usable] / length[usable, None]
    # The last usable one before each, or the whole path's.
    latest = np.maximum.accumulate(np.where(usable, np.arange(len(points)), -1))
    direction = np.where(latest[:, None] >= 0, direction[latest], whole / (np.hypot(*whole) + 1e-9))
    steps = (np.diff(points, axis=0) * direction[1:]).sum(axis=1)
    return np.concatenate([[0.0], np.cumsum(steps)])


def brake_fit(times_s: Array, distance: Array, position_sigma: float = 0.0) -> BrakeFit | None:
    """The best broken parabola through distance over time; None without enough samples.

    A few samples may lie on a curve by chance: ``position_sigma``, the least error of a distance,
    is what the errors of the fit are never believed to be below.
    For every possible onset the model is linear: s0 + v t - a/2 max(0, t - onset)^2. What comes
    after standstill is cut off first, since a parabola would drive backwards.
    """
    times, distance = _until_standstill(times_s, distance)
    if len(times) < 6 or times[-1] - times[0] < _LEAD_S + 0.3:
        return None
    onsets = np.linspace(times[0] + _LEAD_S, times[-1] - 0.2, 24)
    bend = -0.5 * np.maximum(0.0, times[None, :] - onsets[:, None]) ** 2
    design = np.stack(
        [np.ones_like(bend), np.broadcast_to(times - times[0], bend.shape), bend], axis=2
    )
    normal = design.transpose(0, 2, 1) @ design + 1e-9 * np.eye(3)
    right = design.transpose(0, 2, 1) @ distance
    solution = np.linalg.solve(normal, right[..., None])[..., 0]
    errors = ((design @ solution[..., None])[..., 0] - distance) ** 2
    squared = errors.sum(axis=1)
    best = int(squared.argmin())
    line = line_fit(times, distance[:, None])
    centred = times - times.mean()
    straight = float(((distance - distance.mean() - centred * float(line.velocity[0])) ** 2).sum())
    noise = max(float(squared[best]) / max(1, len(times) - 4), position_sigma**2)
    decel = float(solution[best, 2])
    speed = float(solution[best, 1])
    near = onsets[squared <= squared[best] + 2.0 * noise + 1e-12]
    sigma = float(np.sqrt(noise * np.linalg.inv(normal[best])[2, 2]))
    spacing = float(onsets[1] - onsets[0])
    return BrakeFit(
        onset_s=float(onsets[best]),
        onset_sigma_s=max(spacing, float(near[-1] - near[0]) / 2),
        speed=speed,
        decel=decel,
        decel_sigma=sigma,
        end_speed=speed - decel * float(times[-1] - onsets[best]),
        gain=1.0 - float(squared[best]) / (straight + 1e-12),
    )


def _until_standstill(times: Array, distance: Array) -> tuple[Array, Array]:
    """Cut after the last real movement, keeping one sample of standstill."""
    total = float(distance[-1] - distance[0])
    if total <= 0.0:
        return times[:0], distance[:0]
    speeds = np.diff(distance) / np.diff(times)
    moving = np.flatnonzero(speeds > _STANDSTILL * _quantile(speeds, 0.8))
    end = min(len(times), int(moving[-1]) + 3) if len(moving) else 0
    return times[:end], distance[:end]
