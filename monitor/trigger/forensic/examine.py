"""The second look: all pictures around a candidate, with hindsight, to a verdict.

Called by watch for candidates, in its executor. Pure computation: no clock, no I/O; at most 400
pictures of 640 pixels' width are held, some 110 MB. It never raises for what pictures may be
like: what cannot be judged is said in the verdict.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from monitor.config.models import Camera
from monitor.domain import Trigger
from monitor.media.decode import Planes
from monitor.trigger.forensic.collision import find_collision, find_votes
from monitor.trigger.forensic.impulse import moments
from monitor.trigger.forensic.story import Findings, cannot_tell, verdict_of
from monitor.trigger.forensic.struck import find_struck
from monitor.trigger.forensic.timeline import timeline
from monitor.trigger.forensic.trajectories import masked, trace
from monitor.trigger.forensic.verdict import Verdict
from monitor.trigger.forensic.window import Unusable, gather, steadied
from monitor.trigger.normal import SceneMemory

_LEAST_AFTER_S: Final = 0.3


def examine(
    pictures: Iterable[tuple[int, Planes]],
    trigger: Trigger,
    camera: Camera,
    memory: SceneMemory | None = None,
) -> Verdict:
    """Look again at a candidate, at pictures from some 8 s before it to 4 s after it.

    ``pictures``: capture time in ms and planes, in order; whatever there is of the span will do.
    The contact may be found up to 3 s from the trigger's time. ``memory`` is only read.
    """
    try:
        window = steadied(gather(pictures, trigger.time_ms))
    except Unusable as error:
        return cannot_tell(trigger, str(error))
    about_s = (trigger.time_ms - window.origin_ms) / 1000
    end_s = float(window.times_s[-1])
    if not -_LEAST_AFTER_S <= about_s <= end_s + _LEAST_AFTER_S:
        return cannot_tell(trigger, "there are no pictures of that moment")
    usable = masked(camera, window)
    empty = window.empty(about_s)
    seen = moments(window, trace(window, usable), empty)
    told = timeline(window, camera, usable, memory)
    votes = find_votes(window, empty, seen, about_s, told.plane)
    collision = find_collision(votes, about_s)
    struck = find_struck(window, empty[0], told, about_s)
    verdict = verdict_of(Findings(window, trigger, collision, told, seen, struck))
    if verdict.confirmed is False and end_s < about_s + _LEAST_AFTER_S:
        return cannot_tell(trigger, "the pictures end at that moment")
    return verdict
