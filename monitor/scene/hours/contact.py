"""Contacts of any two: rectangles on the ground that overlap, and what it does to them.

Momentum is conserved and hardly anything springs back (``RESTITUTION`` of
``monitor.scene.collision``); afterwards both slide to rest on their own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from monitor.scene.collision import RESTITUTION
from monitor.scene.hours.users import Rectangle, Rider, Slide, Walker

_PERSON_HALF_M: Final = 0.28
_NEAR_M: Final = 14.0  # farther apart no two bodies touch
_TOUCH_SPEED: Final = 0.4  # m/s; slower bodies may stand together
_CRUSH_S: Final = 0.035  # metres of dent per m/s of closing speed
_MAX_CRUSH_M: Final = 0.45
_MAX_SPIN: Final = 1.1  # radians a second; with friction about a third of a radian in all


@dataclass(frozen=True, slots=True)
class Contact:
    """``striking`` ran into ``struck``. ``x``, ``y``: where on the ground."""

    time_s: float
    striking: int
    struck: int
    closing_speed: float
    x: float
    y: float
    person: bool = False


def rectangle(body: Rider | Walker) -> Rectangle:
    """What somebody covers of the ground."""
    if isinstance(body, Walker):
        return (body.state.x, body.state.y, body.state.heading, _PERSON_HALF_M, _PERSON_HALF_M)
    x, y, heading = body.place()
    dents = body.crush_front_m + body.crush_rear_m
    return (x, y, heading, (body.spec.length_m - dents) / 2.0, body.spec.width_m / 2.0)


def overlap(a: Rider | Walker, b: Rider | Walker) -> bool:
    """Whether two touch (separating axes of two rectangles)."""
    return penetration(rectangle(a), rectangle(b)) > 0.0


def penetration(a: Rectangle, b: Rectangle) -> float:
    """How deep two rectangles overlap, metres; below 0 they are at least that far apart."""
    ax, ay, ah, al, aw = a
    bx, by, bh, bl, bw = b
    dx, dy = bx - ax, by - ay
    least = math.inf
    for heading in (ah, ah + math.pi / 2.0, bh, bh + math.pi / 2.0):
        cos, sin = math.cos(heading), math.sin(heading)
        reach = (
            al * abs(math.cos(ah - heading)) + aw * abs(math.sin(ah - heading))
            + bl * abs(math.cos(bh - heading)) + bw * abs(math.sin(bh - heading))
        )  # fmt: skip
        least = min(least, reach - abs(dx * cos + dy * sin))
    return least


def touching(
    riders: Sequence[Rider], walkers: Sequence[Walker], time_s: float
) -> Iterator[Contact]:
    """Make the contacts of those in an incident, or sliding, with anybody near."""
    for rider in [r for r in riders if r.busy or r.slide is not None]:
        x, y, _ = rider.place()
        for other in riders:
            if other is rider or (rider.slide is not None and other.slide is not None):
                continue
            if time_s < max(rider.untouched_s, other.untouched_s):
                continue
            ox, oy, _ = other.place()
            if abs(ox - x) > _NEAR_M or abs(oy - y) > _NEAR_M or not overlap(rider, other):
                continue
            if math.dist(velocity(rider), velocity(other)) > _TOUCH_SPEED:
                yield strike(time_s, rider, other)
        if rider.speed < 0.5:
            continue
        for walker in walkers:
            person = walker.state
            near = abs(person.x - x) < _NEAR_M and abs(person.y - y) < _NEAR_M
            if near and person.on_road and not walker.lies and overlap(rider, walker):
                yield strike_person(time_s, rider, walker)


def strike(time_s: float, first: Rider, second: Rider) -> Contact:
    """Make the contact of two vehicles, or of a vehicle and a cyclist."""
    va, vb = velocity(first), velocity(second)
    pa, pb = first.place(), second.place()
    closing = math.hypot(va[0] - vb[0], va[1] - vb[1])
    ma, mb = first.spec.mass_kg, second.spec.mass_kg
    total = ma + mb
    shared = tuple((ma * a + mb * b) / total for a, b in zip(va, vb, strict=True))
    # Who drives towards the other is the one who struck.
    towards = (pb[0] - pa[0]) * va[0] + (pb[1] - pa[1]) * va[1]
    back = (pa[0] - pb[0]) * vb[0] + (pa[1] - pb[1]) * vb[1]
    striking, struck = (first, second) if towards >= back else (second, first)
    middle = ((pa[0] + pb[0]) / 2.0, (pa[1] + pb[1]) / 2.0)
    for body, own, other_mass, other in ((first, va, mb, vb), (second, vb, ma, va)):
        part = RESTITUTION * other_mass / total
        vx, vy = (shared[k] - part * (own[k] - other[k]) for k in (0, 1))
        x, y, heading = body.place()
        # The blow off the middle turns the body: by the cross product of lever and change.
        lever = (middle[0] - x, middle[1] - y)
        change = (vx - own[0], vy - own[1])
        turn = (lever[0] * change[1] - lever[1] * change[0]) / (0.35 * body.spec.length_m**2)
        body.slide = Slide(
            x, y, vx, vy, heading, max(-_MAX_SPIN, min(_MAX_SPIN, turn)), time_s
        )  # fmt: skip
        body.brake_lamp, body.command, body.sideways, body.busy = True, None, None, True
        dent = min(_CRUSH_S * closing, _MAX_CRUSH_M)
        along = lever[0] * math.cos(heading) + lever[1] * math.sin(heading)
        if body.kind != "cycle" and abs(along) > 0.3 * body.spec.length_m:
            if along > 0.0:
                body.crush_front_m = max(body.crush_front_m, dent)
            else:
                body.crush_rear_m = max(body.crush_rear_m, dent)
        if body.hazards_since_s is None and body.kind != "cycle":
            body.hazards_since_s = time_s + 4.0
    return Contact(time_s, striking.id, struck.id, closing, *middle)


def strike_person(time_s: float, rider: Rider, walker: Walker) -> Contact:
    """A person is thrown the vehicle's way; the driver brakes to a stand."""
    vx, vy = velocity(rider)
    state = walker.state
    walker.slide = Slide(state.x, state.y, 0.8 * vx, 0.8 * vy, state.heading, 0.8, time_s)
    rider.command, rider.busy = -6.5, True
    return Contact(
        time_s, rider.id, walker.person.id, math.hypot(vx, vy), state.x, state.y, person=True
    )


def velocity(rider: Rider) -> tuple[float, float]:
    """m/s along x and y."""
    if rider.slide is not None:
        return rider.slide.vx, rider.slide.vy
    heading = rider.place()[2]
    return rider.speed * math.cos(heading), rider.speed * math.sin(heading)
