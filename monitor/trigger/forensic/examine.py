"""The second look: all pictures around a candidate, with hindsight, to a verdict.

Called by watch for candidates, in its executor. Pure computation: no clock, no I/O; at most 400
pictures of 640 pixels' width are held, some 92 MB. It never raises for what pictures may be like:
what cannot be judged is said in the verdict.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from monitor.config.models import Camera
from monitor.domain import Actor, Box, Evidence, EvidenceKind, Trigger
from monitor.media.decode import Planes
from monitor.trigger.forensic.collision import (
    Collision,
    answered,
    find_collision,
    find_votes,
)
from monitor.trigger.forensic.impulse import moments
from monitor.trigger.forensic.trajectories import masked, trace
from monitor.trigger.forensic.verdict import Verdict
from monitor.trigger.forensic.window import Unusable, Window, gather
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
    The contact may be found up to 3 s from the trigger's time.
    """
    try:
        window = gather(pictures, trigger.time_ms)
    except Unusable as error:
        return _cannot_tell(trigger, f"Cannot tell: {error}.")
    about_s = (trigger.time_ms - window.origin_ms) / 1000
    if not 0.0 <= about_s <= float(window.times_s[-1]) + _LEAST_AFTER_S:
        return _cannot_tell(trigger, "Cannot tell: no pictures of that moment.")
    empty = window.empty(about_s)
    seen = moments(window, trace(window, masked(camera, window)), empty)
    votes = find_votes(seen, about_s, window.width, window.height)
    collision = find_collision(votes)
    if collision is None:
        return _no_contact(trigger, window, about_s)
    return _judged(trigger, window, memory, collision)


def _cannot_tell(trigger: Trigger, reason: str) -> Verdict:
    return Verdict(None, 0.0, trigger.kind, trigger.time_ms, 1.0, None, trigger.box, reason)


def _no_contact(trigger: Trigger, window: Window, about_s: float) -> Verdict:
    if float(window.times_s[-1]) < about_s + _LEAST_AFTER_S:
        return _cannot_tell(trigger, "Cannot tell: the pictures end at that moment.")
    return Verdict(
        False, 0.0, trigger.kind, trigger.time_ms, 1.0, None, trigger.box,
        "No body changed its momentum suddenly.",
    )  # fmt: skip


def _judged(
    trigger: Trigger,
    window: Window,
    memory: SceneMemory | None,
    collision: Collision,
) -> Verdict:
    box = _fractions(collision.box, window)
    score = collision.score
    if memory is not None:
        score *= 1.0 - memory.wolf(box[0] + box[2] / 2, box[1] + box[3] / 2)
    confirmed = score >= 1.0
    time_ms = window.wall_ms(collision.time_s)
    evidence = (_contact(collision, window, box, min(1.0, 0.5 * score)),) if confirmed else ()
    return Verdict(
        confirmed,
        round(score, 3),
        EvidenceKind.CONTACT if confirmed else trigger.kind,
        time_ms,
        round(collision.sigma_s, 3),
        time_ms,
        box,
        _reason(collision, confirmed),
        evidence,
    )


def _reason(collision: Collision, confirmed: bool) -> str:
    impulse, around = collision.vote.impulse, collision.vote.around
    what = (
        f"a body lost or turned {100 * min(1.5, impulse.share):.0f} % of its motion within"
        f" {0.2:.1f} s ({impulse.sizes:.1f} of its sizes per second, {len(impulse.kept)} corners)"
    )
    took = answered(around)
    met = f", and another took over {100 * took:.0f} % of it" if took > 0.1 else ", nobody answered"
    return f"{'Contact: ' if confirmed else 'No contact: at most '}{what}{met}."


def _contact(collision: Collision, window: Window, box: Box, strength: float) -> Evidence:
    impulse = collision.vote.impulse
    time_ms = window.wall_ms(collision.time_s)
    return Evidence(
        id=f"{EvidenceKind.CONTACT.value}-f-{time_ms}",
        kind=EvidenceKind.CONTACT,
        time_ms=time_ms,
        actor=Actor.VEHICLE,
        strength=round(strength, 3),
        value=round(min(1.5, impulse.share), 3),
        uncertainty=round(impulse.spread / impulse.speed, 3),
        time_uncertainty_s=round(collision.sigma_s, 3),
        box=box,
    )


def _fractions(box: tuple[float, float, float, float], window: Window) -> Box:
    left, top, right, bottom = box
    x, y = max(0.0, left / window.width), max(0.0, top / window.height)
    return (
        round(x, 4), round(y, 4),
        round(min(1.0, right / window.width) - x, 4),
        round(min(1.0, bottom / window.height) - y, 4),
    )  # fmt: skip
