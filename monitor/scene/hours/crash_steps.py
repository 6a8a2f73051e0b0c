"""What led to a crash film's contact, as a camera could see it: who entered whose way, and when.

Read off both parties' ways and the ledger's events; exact to a step of the simulation. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from monitor.scene.hours.contact import Contact, penetration
from monitor.scene.hours.users import Rectangle

PATH_S: Final = 8.0  # of both parties' ways before the contact
_GOES_ON_S: Final = 1.5  # a way is looked at so far beyond the contact, had there been none
_BESIDE_M: Final = 0.6  # so near to a way is in it: nobody drives past closer
_SOON_S: Final = 2.0  # a time to collision that leaves hardly time to react and stop


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a party was at a moment of the stretch."""

    time_s: float
    covers: Rectangle
    speed: float


@dataclass(frozen=True, slots=True)
class Found:
    """A crash in a stretch; times in the stretch's seconds."""

    part: int
    time_s: float
    turner: int | None  # the party that was on a route which turns left
    ways: dict[int, tuple[Pose, ...]]  # of both parties, up to the contact
    contact: Contact


def antecedents(
    kind: str, found: Found, events: Sequence[dict[str, Any]], from_s: float
) -> list[dict[str, Any]]:
    """What led to the contact, by time: at most three steps, each to be seen in the picture.

    Braking, lamps, headway and the step onto the roadway are the ledger's; who entered whose
    way, and when the time to collision fell under two seconds, follows from both ways.
    """
    contact_s = round(found.time_s - from_s, 4)
    striking, struck = found.contact.striking, found.contact.struck
    before = [one for one in events if contact_s - PATH_S <= one["t_s"] < contact_s - 0.05]
    steps: list[dict[str, Any]] = []
    if kind == "rear_end":
        lead_s = _braked(before, struck)
        if lead_s is not None:
            steps.append(_step(lead_s, "hard_brake", struck, "The vehicle in front brakes."))
        headways = [
            one for one in before
            if one["kind"] == "headway" and {one["actor"], one["other"]} == {striking, struck}
            and one["value"] < _SOON_S  # longer ones keep the two-second rule and led to nothing
        ]  # fmt: skip
        if headways:
            close = headways[-1]
            text = f"The one behind follows {close['value']:.1f} s behind."
            steps.append(_step(close["t_s"], "headway", striking, text))
        late_s = _braked(before, striking)
        if late_s is not None:
            steps.append(_step(late_s, "hard_brake", striking, "The one behind brakes."))
        return _by_time(steps)
    comes_in, holds = _who_came_in(kind, found)
    entered_s = entered(found.ways[comes_in], found.ways[holds])
    if kind == "pedestrian_struck":
        out = next((one["t_s"] for one in before if one["kind"] == "pedestrian_in_road"
                    and one["actor"] == comes_in), None)  # fmt: skip
        if out is not None:
            text = "The pedestrian steps onto the roadway."
            steps.append(_step(out, "pedestrian_in_road", comes_in, text))
    if kind == "cyclist_struck":
        soon_s = closing_soon(found.ways[holds], found.ways[comes_in])
        if soon_s is not None:
            text = "The driver comes up behind the cyclist, two seconds from a collision."
            steps.append(_step(soon_s - from_s, "closing", holds, text))
    if entered_s is not None:
        text = {
            "side_impact": "The turning vehicle enters the other's way.",
            "pedestrian_struck": "The pedestrian is in the vehicle's way.",
            "cyclist_struck": "The cyclist is in the passing vehicle's way.",
        }[kind]
        steps.append(_step(entered_s - from_s, "path_entered", comes_in, text))
    braked_s = _braked(before, holds)
    if braked_s is not None:
        steps.append(_step(braked_s, "hard_brake", holds, "The vehicle brakes."))
    return _by_time(steps)


def _who_came_in(kind: str, found: Found) -> tuple[int, int]:
    """Who was in whose way: the one who turned, the pedestrian, the cyclist; and the other."""
    striking, struck = found.contact.striking, found.contact.struck
    if kind == "side_impact" and found.turner == striking:
        return striking, struck
    return struck, striking


def entered(body: Sequence[Pose], comes: Sequence[Pose]) -> float | None:
    """Since when a body has been where the other then came, or would have gone on to come.

    Up to the contact; None where it was so from the first, or never.
    """
    last = comes[-1]
    x, y, heading, half_length, half_width = last.covers
    ahead = [
        (x + way_m * math.cos(heading), y + way_m * math.sin(heading), heading, half_length,
         half_width)
        for way_m in np.arange(0.0, _GOES_ON_S * max(last.speed, 1.0), half_length / 2).tolist()
    ]  # fmt: skip
    since = None
    for pose in reversed(body):
        later = [one.covers for one in comes if one.time_s >= pose.time_s]
        if not any(penetration(pose.covers, covers) > -_BESIDE_M for covers in (*later, *ahead)):
            return since
        since = pose.time_s
    return None


def closing_soon(behind: Sequence[Pose], ahead: Sequence[Pose]) -> float | None:
    """When their time to collision fell under two seconds, for good; None if it always was."""
    since = None
    pairs = [(a, b) for a in behind for b in ahead if a.time_s == b.time_s]
    for a, b in reversed(pairs):
        gap = math.dist(a.covers[:2], b.covers[:2]) - a.covers[3] - b.covers[3]
        closing = a.speed - b.speed
        if closing <= 0.0 or gap / closing > _SOON_S:
            return since
        since = a.time_s
    return None


def _braked(before: Sequence[dict[str, Any]], actor: int) -> float | None:
    """The first sign of somebody's last braking, its lamps where they are seen."""
    hard = [one["t_s"] for one in before if one["kind"] == "hard_brake" and one["actor"] == actor]
    if not hard:
        return None
    lamps = [
        one["t_s"] for one in before
        if one["kind"] == "brake_light_onset" and one["actor"] == actor
        and abs(one["t_s"] - hard[-1]) <= 1.0
    ]  # fmt: skip
    return float(min([hard[-1], *lamps]))


def _step(t_s: float, kind: str, actor: int, text: str) -> dict[str, Any]:
    return {"t_s": round(t_s, 3), "kind": kind, "actor": actor, "text": text}


def _by_time(steps: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(steps, key=lambda one: float(one["t_s"]))[-3:]
