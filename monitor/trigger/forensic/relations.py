"""What two ways that end in a contact say of each other, and each of itself. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from monitor.trigger.forensic.ways import VELOCITY_S, Array, Way

SOON_S: Final = 2.0
"""A time to collision that leaves hardly time to react and stop."""
STANDS_M_S: Final = 0.8
TURNED_DEG: Final = 25.0
"""Who changes lanes turns no further."""
_TURN_S: Final = 0.9
_SURELY_S: Final = 0.6  # who turns does so by some 20 degrees meanwhile
_LEAST_DEG: Final = 5.0  # of a direction, by how far a box's foot is from the body's own
_JUST_CAME_S: Final = 3.0  # a way that began so lately began where the body came into sight
_GOES_ON_S: Final = 1.5
_REACH_M: Final = 3.0  # between the feet of two that touch
_HALF_WAY_M: Final = 1.0  # half of what a vehicle covers across its way
_BESIDE_M: Final = 2.0  # from a vehicle's way: who is on foot there is in it
_ON_FOOT_M: Final = 0.3
_HALF_WIDTH_M: Final = 0.9
_HALF_LENGTH_M: Final = 2.2
_SLOWED: Final = 0.25  # share of the speed
_DRIVES_M_S: Final = 2.0
_SAME_WAY: Final = 0.82  # cosine
_FOOT_M: Final = 0.7  # of a foot against the true one, of two


def course(way: Way) -> tuple[float, float] | None:
    """Direction on the ground in degrees, and one standard deviation.

    Where it is surest in the last part of a second; of who has come to rest the direction in which
    it last moved; None where it never did.
    """
    moved = [
        (t, v) for t in way.times_s.tolist()
        if (v := way.velocity(t)) is not None and float(np.hypot(*v)) >= STANDS_M_S
    ]  # fmt: skip
    if not moved:
        return None
    spread, velocity = min(
        ((_spread_deg(way, t, v), v) for t, v in moved[::-1] if moved[-1][0] - t <= _SURELY_S),
        key=lambda one: one[0],
    )
    return math.degrees(math.atan2(velocity[1], velocity[0])), spread


def _spread_deg(way: Way, time_s: float, velocity: Array) -> float:
    """By how much single velocities around a moment point elsewhere."""
    speed = float(np.hypot(*velocity))
    near = way.velocities[np.abs(way.times_s - time_s) <= VELOCITY_S]
    near = near[np.hypot(*near.T) >= STANDS_M_S / 2]  # who stands by then points nowhere
    across = np.abs(near[:, 0] * velocity[1] - near[:, 1] * velocity[0]) / speed
    off = float(np.median(across)) if len(near) else 0.0
    return max(_LEAST_DEG, math.degrees(math.atan2(off, speed)))


def turned_from(way: Way) -> tuple[float, float, float] | None:
    """When and in which direction somebody went before they turned, and one standard deviation;
    None of who went straight, as far as they were followed.
    """
    last = course(way)
    if last is None:
        return None
    for time_s in way.times_s.tolist():
        velocity = way.velocity(time_s)
        if time_s > way.times_s[-1] - _TURN_S:
            break
        if velocity is None or float(np.hypot(*velocity)) < _DRIVES_M_S:
            continue
        first = math.degrees(math.atan2(velocity[1], velocity[0]))
        if abs((first - last[0] + 180.0) % 360.0 - 180.0) >= TURNED_DEG:
            return time_s, first, last[1]
        break
    return None


def slowing(way: Way) -> tuple[float, float] | None:
    """When it began to slow and the share of its speed that was gone before the contact."""
    times, speeds = _speeds(way)
    if len(times) < 8 or times[-1] - times[0] < 0.8:
        return None
    smooth = np.convolve(np.pad(speeds, 1, mode="edge"), np.ones(3) / 3, mode="valid")
    top = int(smooth.argmax())
    lost = 1.0 - float(smooth[-2:].mean()) / max(float(smooth[top]), 1e-6)
    if smooth[top] < 2.0 or lost < _SLOWED:
        return None
    kept = np.flatnonzero(smooth >= 0.92 * smooth[top])
    began = int(kept[-1])
    if began == 0:
        return None
    return float(times[began]), min(1.0, lost)


def who_entered(
    ways: Sequence[Way], at_s: float, light: int | None = None
) -> tuple[int, float] | None:
    """Which of two was in the other's path before the other was in its own, and since when.

    ``light``: which of them is on foot or rides, and covers little of the ground.

    Who was there from the first moment it was seen counts from then, if that is not long ago; of
    two that went the same way one simply drove ahead, which is no entering.
    """
    a, b = (_last_velocity(way) for way in ways)
    same = a is not None and b is not None and float(a @ b) > _SAME_WAY * float(
        np.hypot(*a) * np.hypot(*b)
    )  # fmt: skip
    found = []
    for number, way in enumerate(ways):
        since = entered(way, ways[1 - number], at_s, narrow=number == light)
        if since is None or course(way) is None:  # who stood did not enter
            continue
        since_s, always = since
        if always and (same or at_s - since_s > _JUST_CAME_S):
            return None  # the other came to it, or both drove one behind the other
        found.append((since_s, number))
    if not found:
        return None
    since_s, first = min(found)
    return first, since_s


def entered(
    body: Way, comes: Way, at_s: float, *, narrow: bool = False
) -> tuple[float, bool] | None:
    """Since when, up to the contact, a body has been where the other came or would have come;
    whether it was so from its first moment. None if it was not there at all.

    What it covers across the other's way is its width where both go the same way, its length
    where it stands across; of who is ``narrow`` neither counts.
    """
    velocity = _last_velocity(comes)
    if velocity is None or float(np.hypot(*velocity)) < STANDS_M_S:
        return None
    ahead_s = np.linspace(0.0, at_s - comes.times_s[-1] + _GOES_ON_S, 12)
    reach = comes.feet[-1] + np.outer(ahead_s, velocity)
    since = None
    covers = 0.0
    for time_s, foot in zip(body.times_s[::-1].tolist(), body.feet[::-1], strict=True):
        path = np.concatenate([comes.feet[comes.times_s >= time_s - 1e-6], reach])
        heading = None if narrow else body.velocity(time_s)
        if heading is not None and float(np.hypot(*heading)) >= STANDS_M_S:
            covers = _covered_across(heading, velocity)
        if _beside(foot, path) > _BESIDE_M + covers:
            return None if since is None else (since, False)
        since = time_s
    return None if since is None else (since, True)


def _covered_across(heading: Array, way: Array) -> float:
    """Half of what a vehicle covers across a way beyond what somebody on foot does, metres."""
    turned = abs(float(heading[0] * way[1] - heading[1] * way[0]))
    sine = turned / float(np.hypot(*heading) * np.hypot(*way))
    return _HALF_WIDTH_M + sine * (_HALF_LENGTH_M - _HALF_WIDTH_M) - _ON_FOOT_M


def closing_since(a: Way, b: Way) -> tuple[float, float] | None:
    """Since when their time to collision was under two seconds up to the contact, and what it
    was then: less than two where it was so from the first moment that both were seen.
    """
    since: tuple[float, float] | None = None
    for time_s in sorted(set(a.times_s.tolist()) & set(b.times_s.tolist()), reverse=True):
        va, vb = a.velocity(time_s), b.velocity(time_s)
        if va is None or vb is None:
            continue
        gap = b.feet[_at(b, time_s)] - a.feet[_at(a, time_s)]
        distance = float(np.hypot(*gap))
        closing = float((va - vb) @ gap) / max(distance, 1e-6)
        ttc_s = max(0.0, distance - _REACH_M) / closing if closing > 0.0 else math.inf
        if ttc_s > SOON_S:
            break
        since = (time_s, ttc_s)
    return since


def headway(ways: Sequence[Way]) -> tuple[int, float, float, float] | None:
    """Who of two going the same way was behind, when, by how many seconds and how surely.

    Taken before the one in front slowed, while both still drove as they had.
    """
    a, b = ways
    common = sorted(set(a.times_s.tolist()) & set(b.times_s.tolist()))
    slowed = [found[0] for way in ways if (found := slowing(way)) is not None]
    steady = [t for t in common if t <= min(slowed, default=math.inf)] or common[:1]
    for time_s in reversed(steady):
        va, vb = a.velocity(time_s), b.velocity(time_s)
        if va is None or vb is None:
            continue
        speeds = float(np.hypot(*va)), float(np.hypot(*vb))
        if min(speeds) < _DRIVES_M_S or float(va @ vb) < _SAME_WAY * speeds[0] * speeds[1]:
            return None
        gap = b.feet[_at(b, time_s)] - a.feet[_at(a, time_s)]
        heading = va / speeds[0] + vb / speeds[1]
        heading = heading / float(np.hypot(*heading))
        along = float(gap @ heading)
        across = abs(float(gap[0] * heading[1] - gap[1] * heading[0]))
        if across > 2.0 * _HALF_WAY_M or abs(along) < across:
            return None
        behind = 0 if along > 0.0 else 1
        value_s = abs(along) / speeds[behind]
        return behind, time_s, value_s, max(0.1, _FOOT_M / speeds[behind] + 0.1 * value_s)
    return None


def faster(ways: Sequence[Way]) -> int:
    """Which of the ways ends faster."""
    speeds = []
    for way in ways:
        velocity = _last_velocity(way)
        speeds.append(0.0 if velocity is None else float(np.hypot(*velocity)))
    return int(np.argmax(speeds))


def told_by(ways: Sequence[Way]) -> int:
    """How many of them say how they moved in the end."""
    return sum(_last_velocity(way) is not None for way in ways)


def brought_together(ways: Sequence[Way], light: int, at_s: float) -> list[Way]:
    """With the way of the one who was struck moved so that it ends where the other then was.

    The feet of two boxes are off by metres, seen at a slant; that these two met is known.
    """
    ends = []
    for way in ways:
        velocity = _last_velocity(way)
        gone = 0.0 if velocity is None else velocity * (at_s - float(way.times_s[-1]))
        ends.append(way.feet[-1] + gone)
    moved = list(ways)
    moved[light] = replace(ways[light], feet=ways[light].feet + ends[1 - light] - ends[light])
    return moved


def _last_velocity(way: Way) -> Array | None:
    return way.velocity(float(way.times_s[-1]) - VELOCITY_S / 2)


def _speeds(way: Way) -> tuple[Array, Array]:
    """Of three moments each: braking in the last half second would not outlast a longer span."""
    speeds = np.hypot(*way.velocities.T)
    if len(speeds) < 3:
        return way.times_s[:0], speeds[:0]
    three = np.stack([speeds[:-2], speeds[1:-1], speeds[2:]])
    inner = np.median(three, axis=0)
    return way.times_s, np.concatenate([inner[:1], inner, inner[-1:]])


def _beside(point: Array, path: Array) -> float:
    """How far a point is from a line of points, metres."""
    begin, step = path[:-1], np.diff(path, axis=0)
    length = (step**2).sum(axis=1) + 1e-9
    along = np.clip(((point - begin) * step).sum(axis=1) / length, 0.0, 1.0)
    away = point - (begin + along[:, None] * step)
    return float(np.hypot(*away.T).min())


def _at(way: Way, time_s: float) -> int:
    return int(np.abs(way.times_s - time_s).argmin())
