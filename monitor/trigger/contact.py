"""Contact of two bodies: they meet, and their relative motion ends at once.

Meeting alone proves nothing, since the picture joins bodies that stand apart in depth; braking to
rest behind another is no contact either. A contact is an exchange of momentum: the closing speed
collapses faster than brakes can do it, and what the striking body loses in the direction of
closing the struck one gains. Where the struck one is out of sight at that moment, the striking
body must be stopped short, as no brake could.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from monitor.domain import Actor, Evidence, EvidenceKind
from monitor.trigger.blobs import PixelBox
from monitor.trigger.moment import Moment
from monitor.trigger.motion import line_fit
from monitor.trigger.track import Array, Track

_BEFORE_S: Final = 0.55
_AFTER_S: Final = 0.4
_MIN_AFTER: Final = 3  # samples
_MIN_CLOSING_M_S: Final = 2.2
_MIN_COLLAPSE: Final = 0.6  # share of the closing speed
_REACH_M: Final = 10.0  # from foot to foot: a length and what the plane errs
_LOST_S: Final = 0.9  # for which the struck body may be out of sight
_MASS_RATIO: Final = 3.0
_WIDEST_M: Final = 1.9  # how far beside each other the middles of two bodies meet
_TOUCH: Final = 0.12  # of the boxes, grown on every side
_MIN_SIGMAS: Final = 3.0
_JOLT_M_S2: Final = 15.0  # well above what tyres can do
_JOLT_STRENGTH: Final = 0.5
_FLOW_PX: Final = 0.3  # error of a body's position by its flow
_PAUSE_S: Final = 8.0

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Impact:
    """What changed between two bodies at one moment, in ground units and seconds."""

    time_s: float
    time_sigma_s: float
    across: float  # how far their middles would have passed each other
    closing: float
    collapse: float  # share of the closing speed that is gone
    lost: float  # by the striking body, along the closing direction
    gained: float  # by the struck body
    sigma: float  # of a change of speed
    first_strikes: bool


class ContactWatch:
    """Watches every two bodies that meet in the picture."""

    def __init__(self) -> None:
        self._struck: dict[int, float] = {}  # striking track to when it was told

    def step(self, moment: Moment) -> list[Evidence]:
        found: list[tuple[float, Evidence]] = []
        tracks = [t for t in moment.tracks if t.seen_s >= moment.now_s - _LOST_S]
        for index, first in enumerate(tracks):
            for second in tracks[index + 1 :]:
                contact = self._pair(moment, first, second)
                if contact is not None:
                    found.append(contact)
        # One body strikes one other at a time: the one nearest to its course.
        nearest = []
        for _, evidence in sorted(found, key=lambda one: one[0]):
            assert evidence.track is not None
            if moment.now_s - self._struck.get(evidence.track, -1e9) > _PAUSE_S:
                self._struck[evidence.track] = moment.now_s
                nearest.append(evidence)
        return nearest

    def _pair(self, moment: Moment, first: Track, second: Track) -> tuple[float, Evidence] | None:
        if Actor.VEHICLE not in (first.actor, second.actor):
            return None
        if not (first.slowed() or second.slowed()):
            return None
        if not _touch(first.box, second.box):
            return None
        if not (moment.is_measurable(first) and moment.is_measurable(second)):
            return None
        impact = measure_impact(moment, first, second)
        strength = 0.0 if impact is None else impact_strength(moment, impact)
        for striking, struck in ((first, second), (second, first)):
            if strength <= 0.0:
                impact = measure_jolt(moment, striking, struck)
                strength = 0.0 if impact is None else _JOLT_STRENGTH
                if impact is not None and striking is second:
                    impact = replace(impact, first_strikes=False)
        if impact is None or strength <= 0.0:
            return None
        striking, struck = (first, second) if impact.first_strikes else (second, first)
        at = striking.box_at(impact.time_s)
        return impact.across, moment.evidence(
            EvidenceKind.CONTACT,
            striking,
            impact.time_s,
            other=struck,
            strength=strength,
            time_uncertainty_s=impact.time_sigma_s,
            value=impact.collapse,
            uncertainty=min(1.0, impact.sigma / impact.closing),
            box=at.union(struck.box_at(impact.time_s)),
        )


def _touch(first: PixelBox, second: PixelBox) -> bool:
    return first.grown(_TOUCH).overlap(second.grown(_TOUCH)) > 0.0


def measure_impact(moment: Moment, first: Track, second: Track) -> Impact | None:
    """The sharpest collapse of the two bodies' closing within the last second; None if none."""
    start = moment.now_s - _BEFORE_S - _AFTER_S - 0.35
    times, a, b = _together(moment, first, second, start)
    widest = _WIDEST_M / moment.plane.metres(1.0)
    x, y = (float(value) for value in (first.foot + second.foot) / 2)
    position_sigma = _FLOW_PX * moment.plane.metres_per_px(x, y) / moment.plane.metres(1.0)
    if len(times) < 3 + _MIN_AFTER or not _closing_ends(times, b - a):
        return None
    best: Impact | None = None
    best_error = float("inf")
    for index in range(3, len(times) - _MIN_AFTER + 1):
        # The contact lies between the samples index - 1 and index.
        before = (times >= times[index - 1] - _BEFORE_S) & (np.arange(len(times)) < index)
        after = (times <= times[index] + _AFTER_S) & (np.arange(len(times)) >= index)
        if before.sum() < 3 or after.sum() < _MIN_AFTER:
            continue
        if not _touch(first.box_at(times[index]), second.box_at(times[index])):
            continue
        gap = moment.plane.metres(float(np.hypot(*(b[index] - a[index]))))
        if gap > _REACH_M:
            continue
        impact, error = _impact_at(times, a, b, before, after, index, widest, position_sigma)
        if impact is not None and error < best_error:
            best, best_error = impact, error
    return best


def measure_jolt(moment: Moment, striking: Track, struck: Track) -> Impact | None:
    """The striking body alone: stopped short, as no brake could, by one on its course.

    The other may be lost at that moment: it is hidden, pushed and lit up. Where it was before,
    and that it was slower, must have been measured.
    """
    metres = moment.plane.metres
    times, path = striking.ground(moment.plane, moment.now_s - 1.3, by_flow=True)
    if len(times) < 8 or moment.now_s - times[-1] > 0.05:
        return None
    spans = np.diff(times)
    if spans.max() > 0.25:
        return None
    steps = np.hypot(*np.diff(path, axis=0).T) / spans
    # Over two pictures, so that an error of one position does not count twice.
    drops = steps[1:-2] - steps[3:]
    index = int(drops.argmax()) + 2  # the contact lies within the step from this sample
    time_s = float(times[index] + times[index + 1]) / 2
    before = line_fit(times[max(0, index - 4) : index + 1], path[max(0, index - 4) : index + 1])
    after = line_fit(times[index + 1 :], path[index + 1 :]) if index + 3 < len(times) else None
    told, place = struck.ground(
        moment.plane, time_s - _LOST_S - _BEFORE_S, time_s, by_flow=True, across_gaps=True
    )
    if after is None or len(told) < 4 or time_s - told[-1] > _LOST_S:
        return None
    other = line_fit(told, place)
    relative = before.velocity - other.velocity
    closing = float(np.hypot(*relative))
    way = relative / (closing + 1e-9)
    gap = place[-1] + other.velocity * (time_s - told[-1]) - path[index]
    lost = float((before.velocity - after.velocity) @ way)
    across = abs(float(gap[0] * way[1] - gap[1] * way[0]))
    speed = float(np.hypot(*before.velocity))
    sigma = float(np.hypot(before.sigma, after.sigma))
    if (
        metres(closing) < 1.5 * _MIN_CLOSING_M_S
        or float(gap @ way) <= 0.0
        or metres(across) > _WIDEST_M
        or metres(float(np.hypot(*gap))) > _REACH_M
        or metres(float(drops.max())) < _JOLT_M_S2 * float(spans.mean()) * 2.0
        or lost < 0.35 * speed
        or lost < _MIN_SIGMAS * sigma
    ):
        return None
    half = float(spans[index]) / 2
    return Impact(
        time_s, half + 0.06, across, closing, lost / closing, lost, 0.0, sigma, first_strikes=True
    )


def _closing_ends(times: Array, apart: Array) -> bool:
    """Cheaply: whether the bodies neared each other faster before than they do now."""
    speeds = -np.diff(np.hypot(*apart.T)) / np.diff(times)
    return bool(speeds[-_MIN_AFTER + 1 :].mean() < 0.7 * speeds[:-_MIN_AFTER].max(initial=0.0))


def _together(
    moment: Moment, first: Track, second: Track, start_s: float
) -> tuple[Array, Array, Array]:
    """Times when both were measured, and where each was."""
    ta, a = first.ground(moment.plane, start_s, by_flow=True)
    tb, b = second.ground(moment.plane, start_s, by_flow=True)
    times, ia, ib = np.intersect1d(ta, tb, assume_unique=True, return_indices=True)
    return times, a[ia], b[ib]


def _impact_at(
    times: Array,
    a: Array,
    b: Array,
    before: Mask,
    after: Mask,
    index: int,
    widest: float,
    position_sigma: float,
) -> tuple[Impact | None, float]:
    fits = [line_fit(times[part], body[part]) for body in (a, b) for part in (before, after)]
    a_before, a_after, b_before, b_after = fits
    relative = a_before.velocity - b_before.velocity
    closing = float(np.hypot(*relative))
    if closing < 1e-6:
        return None, 0.0
    way = relative / closing
    # Closing means that a moves towards b in the frame of b, and would not miss it.
    gap = b[index - 1] - a[index - 1]
    across = abs(float(gap[0] * way[1] - gap[1] * way[0]))
    if float(gap @ way) <= 0.0 or across > widest:
        return None, 0.0
    left = float((a_after.velocity - b_after.velocity) @ way)
    a_lost = float((a_before.velocity - a_after.velocity) @ way)
    b_gained = float((b_after.velocity - b_before.velocity) @ way)
    a_own, b_own = float(a_before.velocity @ way), float(-b_before.velocity @ way)
    first_strikes = a_own >= b_own
    lost, gained = (a_lost, b_gained) if first_strikes else (b_gained, a_lost)
    # A few samples may lie on a line by chance: never believe more than the flow's own error.
    floors = [
        position_sigma / (np.ptp(times[part]) * np.sqrt(part.sum() / 12.0))
        for part in (before, after)
    ]
    least = 2.0 * (floors[0] ** 2 + floors[1] ** 2)
    sigma = float(np.sqrt(max(sum(fit.sigma**2 for fit in fits), least)))
    distance = (b - a) @ way
    error = sum(_squared_error(times[part], distance[part]) for part in (before, after))
    half = float(times[index] - times[index - 1]) / 2
    impact = Impact(
        time_s=float(times[index - 1]) + half,
        time_sigma_s=half + 0.05,
        across=across,
        closing=closing,
        collapse=1.0 - left / closing,
        lost=lost,
        gained=gained,
        sigma=sigma,
        first_strikes=first_strikes,
    )
    return impact, error / max(1, int(before.sum() + after.sum()) - 4)


def _squared_error(times: Array, values: Array) -> float:
    centred = times - times.mean()
    rest = values - values.mean()
    slope = float(centred @ rest) / float(centred @ centred)
    return float(((rest - slope * centred) ** 2).sum())


def impact_strength(moment: Moment, impact: Impact) -> float:
    """0 where it is no contact, else how sure it is."""
    metres = moment.plane.metres
    closing, lost, gained = metres(impact.closing), metres(impact.lost), metres(impact.gained)
    if closing < _MIN_CLOSING_M_S or impact.collapse < _MIN_COLLAPSE:
        return 0.0
    if impact.closing * impact.collapse < _MIN_SIGMAS * impact.sigma:
        return 0.0
    # The lighter body changes its speed more: a lorry's push or a lorry's rear, but no more.
    if lost <= 0.0 or gained > _MASS_RATIO * lost:
        return 0.0
    if gained < max(0.25 * closing, metres(impact.sigma)):
        return 0.0
    return min(1.0, 0.55 + 0.1 * (closing - _MIN_CLOSING_M_S) + 0.2 * (impact.collapse - 0.6))
