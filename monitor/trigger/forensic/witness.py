"""Whether anybody was truly seen to go on unhurt where something was called.

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
_AFTER_S: Final = 0.4
_NEAR_S: Final = 0.12
_CORNERS: Final = 6
_KEPT: Final = 0.4  # of a body's corners that live from before the moment until after it
_UNHURT: Final = 0.35  # of its speed, that changed meanwhile: easing off, perspective
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
    return bool(there) and all(_went_on(one, after) for one in there)


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


def _went_on(impulse: Impulse, after: Moment) -> bool:
    lives = np.isin(after.corners, impulse.members) & after.known_after
    if lives.sum() < max(_CORNERS, _KEPT * len(impulse.members)):
        return False
    change = np.median(after.after[lives], axis=0) - np.array(impulse.before)
    return float(np.hypot(*change)) <= _UNHURT * impulse.speed
