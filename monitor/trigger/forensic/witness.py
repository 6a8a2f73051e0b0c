"""Whether anybody was truly seen to go on unhurt where something was called, or nobody was there.

Only that is a reason to reject: of bodies too small, with too few corners, or hidden, nothing can
be said, and a false rejection would also teach that the place cries wolf. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from monitor.domain import Box
from monitor.trigger.forensic.impulse import Impulse, Moment, impulses
from monitor.trigger.forensic.window import Window

JUDGED_SIZE: Final = 0.05
"""Of the picture's width: of smaller bodies a blow moves the corners by less than they tremble."""

_BEFORE_S: Final = 0.5  # triggers are late
_AFTER_S: Final = 0.6
_NEAR_S: Final = 0.12
_FEWEST: Final = 4  # moments, of some eight
_CORNERS: Final = 6
_ALIKE: Final = 0.25  # of its speed: corners that are its own
_UNHURT: Final = 0.35  # of its speed, that changed from 0.2 s before a moment to 0.2 s after it
_GOES_ON: Final = 0.5  # of its speed, left at the end along its way
_GROWN: Final = 1.2


def seen_unhurt(seen: Sequence[Moment], window: Window, about_s: float, box: Box | None) -> bool:
    """Whether every body that was to be judged in ``box`` went on from before a time until after.

    ``box``: in shares of the picture, None for all of it. Nobody large enough: False.
    """
    before, after = _at(seen, about_s - _BEFORE_S), _at(seen, about_s + _AFTER_S)
    if before is None or after is None:
        return False
    there = [
        one
        for one in impulses(before, window.width)
        if one.size >= JUDGED_SIZE * window.width and _in(one, box, window)
    ]
    between = [one for one in seen if before.time_s < one.time_s <= after.time_s]
    return bool(there) and all(_went_on(one, before, between) for one in there)


def nobody_moved(seen: Sequence[Moment], window: Window, about_s: float, box: Box | None) -> bool:
    """Whether nothing that moves as one was in ``box`` until the moment: leaves, glare, a sign.

    False where it is not known: no place, one too small to be judged, or too few moments.
    """
    if box is None or max(box[2], box[3] * window.height / window.width) < JUDGED_SIZE:
        return False
    until = [one for one in seen if -_BEFORE_S <= one.time_s - about_s <= 0.0]
    return len(until) >= _FEWEST and not any(
        _in(body, box, window) for one in until for body in impulses(one, window.width)
    )


def _at(seen: Sequence[Moment], time_s: float) -> Moment | None:
    nearest = min(seen, key=lambda one: abs(one.time_s - time_s), default=None)
    return nearest if nearest is not None and abs(nearest.time_s - time_s) < _NEAR_S else None


def _in(impulse: Impulse, box: Box | None, window: Window) -> bool:
    if box is None:
        return True
    left, top, right, bottom = impulse.box
    across = abs((left + right) / 2 / window.width - box[0] - box[2] / 2)
    down = abs((top + bottom) / 2 / window.height - box[1] - box[3] / 2)
    return across <= _GROWN * box[2] / 2 and down <= _GROWN * box[3] / 2


def _went_on(impulse: Impulse, before: Moment, between: Sequence[Moment]) -> bool:
    """Followed by corners of its own until the last moment, those that end replaced on the way,
    without a sudden change on it.

    Only a corner within its outline that moves as it does at that moment can be its own: where a
    blow ends the old ones, the new ones move otherwise, and nobody was seen to go on. Perspective
    alone may double the speed in the picture, or halve it, but not within 0.2 s.
    """
    members, last = impulse.members, before
    was = velocity = np.array(impulse.before)
    low, high = np.array(impulse.box[:2]), np.array(impulse.box[2:])
    for moment in between:
        lives = np.isin(moment.corners, members) & moment.known_before
        both = lives & moment.known_after
        if both.sum() < _CORNERS:
            return False
        velocity = np.median(moment.before[lives], axis=0)
        sudden = np.median(moment.after[both], axis=0) - np.median(moment.before[both], axis=0)
        if np.hypot(*sudden) > _UNHURT * np.hypot(*velocity):
            return False
        moved = velocity * (moment.time_s - last.time_s)
        low, high, last = low + moved, high + moved, moment
        inside = ((moment.places > low) & (moment.places < high)).all(axis=1)
        apart = np.hypot(*(moment.before - velocity).T)
        alike = moment.known_before & moment.own & (apart < _ALIKE * np.hypot(*velocity))
        members = moment.corners[lives | (inside & alike)]
    goes_on = float(velocity @ was) / float(was @ was)
    return last is not before and goes_on >= _GOES_ON
