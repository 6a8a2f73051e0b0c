"""Enlarged parts of a few pictures: the place of an incident, in the pixels that the camera has.

The pictures of a question are smaller than the camera's, and a street seen whole leaves a person
some ten pixels. Where the triggers say *where*, the room that a question has left goes to that
place at the moments around the peak. It is one place for all of them, so that they can be compared.
Called by whoever takes a question's pictures; pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from monitor.domain import Box, Incident, Trigger, Window
from monitor.media.stills import Still, model_size, part_px

WIDTH_PX: Final = 448
"""At most; 196 visual tokens where it is square."""

LEAST_GAIN: Final = 1.25
"""How many times finer than in the pictures that are sent anyway; less is not worth its tokens."""

_AROUND: Final = 2.5  # of the trigger's box: what it met, and where both came from
_LEAST, _MOST = 0.15, 0.6  # of the picture's width and height
_MOMENTS_MS: Final = (0, -1_000, 1_000, -2_000, -500, 500, 2_000, -3_000)  # most telling first


@dataclass(frozen=True, slots=True)
class CloseUp:
    """A part of one picture, in the camera's own pixels as far as they fit."""

    part: Box
    still: Still


@dataclass(frozen=True, slots=True)
class Wish:
    """What to decode for close-ups: one part of the pictures nearest to these wall times."""

    part: Box
    width: int
    times_ms: tuple[int, ...]  # most telling first


def wish(
    incident: Incident | None, window: Window, camera: tuple[int, int], shown_width: int, most: int
) -> Wish | None:
    """The place of the incident's peak; None where it has none, or nothing would be enlarged.

    ``camera``: width and height of its pictures; ``shown_width``: of those that are sent whole.
    """
    box = None if incident is None else _place(incident.triggers, incident.peak_ms)
    if incident is None or box is None or most < 1:
        return None
    part = _around(box)
    _, _, wide, high = part_px(camera, part)
    width, _ = model_size(wide, high, WIDTH_PX)
    shown = part[2] * model_size(*camera, shown_width)[0]
    times = tuple(
        time_ms
        for moment in _MOMENTS_MS
        if window.start_ms <= (time_ms := incident.peak_ms + moment) <= window.end_ms
    )
    return Wish(part, width, times[:most]) if width >= LEAST_GAIN * shown and times else None


def close_ups(wished: Wish | None, stills: Iterable[Still | None]) -> tuple[CloseUp, ...]:
    """Those that could be decoded, each picture once, in the wish's order."""
    found: dict[int, CloseUp] = {}
    for still in stills:
        if wished is not None and still is not None:
            found.setdefault(still.capture_ms, CloseUp(wished.part, still))
    return tuple(found.values())


def _place(triggers: Iterable[Trigger], peak_ms: int) -> Box | None:
    """Where the peak is: what a second look found there before what was proposed, then by score."""
    there = [one for one in triggers if one.time_ms == peak_ms and one.box is not None]
    best = max(there, key=lambda one: (one.verified, one.score), default=None)
    return None if best is None else best.box


def _around(box: Box) -> Box:
    """The box with its surroundings, moved inside the picture."""
    left, top, width, height = box
    sides = [min(max(_AROUND * side, _LEAST), _MOST) for side in (width, height)]
    middles = (left + width / 2, top + height / 2)
    at = [
        min(max(middle - side / 2, 0.0), 1.0 - side)
        for middle, side in zip(middles, sides, strict=True)
    ]
    return at[0], at[1], sides[0], sides[1]
