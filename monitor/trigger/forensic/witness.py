"""Whether anybody was truly seen to go on unhurt where something was called.

Only that is a reason to reject: of bodies too small, with too few corners, or hidden, nothing can
be said, and a false rejection would also teach that the place cries wolf. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from monitor.domain import Box
from monitor.trigger.forensic.impulse import Impulse, Moment, impulses
from monitor.trigger.forensic.window import Window

JUDGED_SIZE: Final = 0.05
"""Of the picture's width: of smaller bodies a blow moves the corners by less than they tremble."""

_BEFORE_S: Final = 1.0
_AFTER_S: Final = 1.0
_CORNERS: Final = 8
_KEPT: Final = 0.6  # of a body's corners that tell how it goes on
_UNHURT: Final = 0.35  # share of its speed that changed: braking, turning
_MOMENTS: Final = 4  # a quarter of a second
_GROWN: Final = 1.5


def seen_unhurt(seen: Sequence[Moment], window: Window, about_s: float, box: Box | None) -> bool:
    """Whether bodies large enough to be judged go on in ``box`` around a time.

    ``box``: in shares of the picture, None for all of it.
    """
    told = 0
    for moment in seen:
        if not -_BEFORE_S <= moment.time_s - about_s <= _AFTER_S:
            continue
        width, height = window.width, window.height
        there = [one for one in impulses(moment, width) if _in(one, box, width, height)]
        told += any(_goes_on(one, width) for one in there)
    return told >= _MOMENTS


def _in(impulse: Impulse, box: Box | None, width: int, height: int) -> bool:
    if box is None:
        return True
    left, top, right, bottom = impulse.box
    across = abs((left + right) / 2 / width - box[0] - box[2] / 2)
    down = abs((top + bottom) / 2 / height - box[1] - box[3] / 2)
    reach = _GROWN * box[2] + (right - left) / width, _GROWN * box[3] + (bottom - top) / height
    return across <= reach[0] / 2 and down <= reach[1] / 2


def _goes_on(impulse: Impulse, width: int) -> bool:
    return (
        impulse.size >= JUDGED_SIZE * width
        and len(impulse.kept) >= max(_CORNERS, _KEPT * len(impulse.members))
        and impulse.share <= _UNHURT
    )
