"""From what was measured to the verdict: score, moment, place, the sentence and the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from monitor.domain import Actor, Box, Evidence, EvidenceKind, Trigger
from monitor.trigger.forensic.approach import approach
from monitor.trigger.forensic.collision import SEARCH_S, Collision, answered
from monitor.trigger.forensic.impulse import Moment
from monitor.trigger.forensic.struck import Struck
from monitor.trigger.forensic.struck_told import contact_of, course_of, struck_reason
from monitor.trigger.forensic.timeline import Timeline, with_contact
from monitor.trigger.forensic.verdict import Verdict
from monitor.trigger.forensic.window import Window
from monitor.trigger.forensic.witness import nobody_moved, seen_unhurt
from monitor.trigger.forensic.wording import collision_told, fractions
from monitor.trigger.judge import STRONG, judge

_TRACKED: Final = 3.2 / STRONG
_MOST_TRACKED: Final = 0.9
"""Score per strength of a contact between tracks, and at most: by night tracks join and part by
themselves, so that corners must see something of it too."""

_DOUBT: Final = 0.4
"""Score from which a sudden change that is no contact is left to a model; below it was none."""

SURE_RATE: Final = 0.4
"""Share of the speed per second from which braking was hard, two standard deviations below the
measured: 5.5 m/s^2 from 50 km/h, where a stop at a signal takes a quarter."""

_REASONS: Final = frozenset(
    {EvidenceKind.PEDESTRIAN_IN_ROAD, EvidenceKind.NEAR_MISS, EvidenceKind.PATH_ENTERED}
)
_REASON_MS: Final = 3_000

_AGAIN_MS: Final = 1_500  # between two measurements of one onset, at most
_THERE: Final = 1.5
_SAME_S: Final = 0.5  # contacts of corners and of tracks this close are one
_BEFORE_MS: Final = 4_000  # an onset this long before a contact belongs to it
_ONSETS: Final = frozenset(
    {EvidenceKind.HARD_BRAKE, EvidenceKind.NEAR_MISS, EvidenceKind.BRAKE_LIGHT_ONSET}
)
_MEASURABLE: Final = frozenset(
    {
        EvidenceKind.CONTACT,
        EvidenceKind.HARD_BRAKE,
        EvidenceKind.SUDDEN_STOP,
        EvidenceKind.NEAR_MISS,
        EvidenceKind.SWERVE,
    }
)
"""Kinds that the window shows wholly; others take longer to see than it is long."""


@dataclass(frozen=True, slots=True)
class Findings:
    """All that one window gave."""

    window: Window
    trigger: Trigger
    collision: Collision | None
    timeline: Timeline
    seen: Sequence[Moment] = ()
    struck: Struck | None = None


def verdict_of(found: Findings) -> Verdict:
    """Confirmed by a contact, or by the trigger's own kind again; rejected if somebody went on."""
    contact, score = _contact(found)
    if contact is not None and score >= 1.0:
        return _confirmed_contact(found, contact, score)
    if found.struck is not None:
        return _confirmed_struck(found, found.struck)
    again = _again(found)
    if again is not None and again.score >= 1.0:
        if not _is_sure(found, again):
            return replace(
                cannot_tell(found.trigger, f"nothing else says so: {again.reason}"),
                evidence=found.timeline.evidence,
            )
        return Verdict(
            True,
            round(again.score, 3),
            again.kind,
            again.time_ms,
            _uncertainty_s(found, again),
            again.time_ms,
            again.box,
            f"Measured again: {again.reason}.",
            found.timeline.evidence + _ways(found, contact),
        )
    return _unconfirmed(found, contact, score)


def cannot_tell(trigger: Trigger, why: str) -> Verdict:
    """No verdict, and the reason."""
    return Verdict(
        None, 0.0, trigger.kind, trigger.time_ms, SEARCH_S, None, trigger.box,
        f"Cannot tell: {why}.",
    )  # fmt: skip


def _contact(found: Findings) -> tuple[Evidence | None, float]:
    """The contact's evidence, if there is any, and its score."""
    tracked = [
        one
        for one in found.timeline.evidence
        if one.kind is EvidenceKind.CONTACT
        and abs(one.time_ms - found.trigger.time_ms) <= 1000 * SEARCH_S
    ]
    best = max(tracked, key=lambda one: one.strength, default=None)
    score = 0.0 if best is None else min(_MOST_TRACKED, _TRACKED * best.strength)
    if found.collision is None:
        return best, score
    seen = found.collision.score
    if best is not None:
        apart_s = abs(best.time_ms - found.window.wall_ms(found.collision.time_s)) / 1000
        if apart_s <= _SAME_S:
            seen += score
        if score >= found.collision.score:
            return best, max(score, seen if apart_s <= _SAME_S else 0.0)
    return _evidence(found, found.collision, seen), seen


def _strength(score: float) -> float:
    return round(min(1.0, 0.5 * score), 3)


def _evidence(found: Findings, collision: Collision, score: float) -> Evidence:
    impulse = collision.vote.impulse
    left, top, right, bottom = impulse.box
    x, y = (left + right) / 2, (top + bottom) / 2
    track = found.timeline.nearest(collision.time_s, x, y)
    reach = np.array(collision.box)
    other = None
    if answered(collision.vote.around) > 0.0:
        middle = reach[:2] + reach[2:] - np.array([x, y])
        other = found.timeline.nearest(
            collision.time_s, float(middle[0]), float(middle[1]), apart_from=track
        )
    time_ms = found.window.wall_ms(collision.time_s)
    return Evidence(
        id=f"{EvidenceKind.CONTACT.value}-{track or 'body'}-{time_ms}",
        kind=EvidenceKind.CONTACT,
        time_ms=time_ms,
        actor=Actor.VEHICLE,
        strength=_strength(score),
        track=track,
        other=other,
        value=round(min(1.5, impulse.share), 3),
        uncertainty=round(impulse.spread / impulse.speed, 3),
        time_uncertainty_s=round(collision.sigma_s, 3),
        box=fractions(collision.box, found.window),
    )


def _confirmed_contact(found: Findings, contact: Evidence, score: float) -> Verdict:
    evidence = with_contact(found.timeline.evidence, contact)
    parties = {contact.track, contact.other} - {None}
    onsets = [
        one.time_ms
        for one in evidence
        if one.kind in _ONSETS
        and one.track in parties
        and 0 < contact.time_ms - one.time_ms <= _BEFORE_MS
    ]
    return Verdict(
        True,
        round(score, 3),
        EvidenceKind.CONTACT,
        contact.time_ms,
        contact.time_uncertainty_s or 0.1,
        min(onsets, default=contact.time_ms),
        contact.box,
        f"Contact: {_told(found, contact)}.",
        evidence + _ways(found, contact),
    )


def _confirmed_struck(found: Findings, struck: Struck) -> Verdict:
    score = 1.0 + 0.5 * struck.lost
    contact = contact_of(struck, found.window, _strength(score))
    parties = (struck.vehicle, struck.person)
    ways = approach(found.window, found.seen, found.timeline, contact, parties)
    if not any(one.kind is EvidenceKind.COURSE and one.track == struck.person for one in ways):
        ways = (*ways, course_of(struck, found.window))
    return Verdict(
        True, round(score, 3), EvidenceKind.CONTACT, contact.time_ms, struck.sigma_s,
        contact.time_ms, contact.box, f"Contact: {struck_reason(struck)}.",
        with_contact(found.timeline.evidence, contact) + ways,
    )  # fmt: skip


def _ways(found: Findings, contact: Evidence | None) -> tuple[Evidence, ...]:
    """How the two of a contact came there."""
    if contact is None:
        return ()
    return approach(found.window, found.seen, found.timeline, contact)


def _unconfirmed(found: Findings, contact: Evidence | None, score: float) -> Verdict:
    trigger = found.trigger
    at_most = "no body changed its momentum suddenly"
    if contact is not None:
        at_most = f"at most {_told(found, contact)}"
    # Nothing is told of what it cannot see: standing, people, a queue, the wrong way.
    sign_of_nothing = trigger.kind is EvidenceKind.IMPULSE and score < _DOUBT
    about_s = (trigger.time_ms - found.window.origin_ms) / 1000
    place = (found.seen, found.window, about_s, trigger.box)
    measurable = trigger.kind in _MEASURABLE or sign_of_nothing
    nobody = sign_of_nothing and nobody_moved(*place)
    rejected = nobody or (measurable and seen_unhurt(*place))
    reason = f"No contact: {at_most}." if rejected else f"Cannot tell, no contact: {at_most}."
    return Verdict(
        False if rejected else None,
        round(score, 3),
        trigger.kind,
        trigger.time_ms if contact is None else contact.time_ms,
        SEARCH_S if contact is None else contact.time_uncertainty_s or 0.1,
        None,
        trigger.box,
        reason,
        found.timeline.evidence,
    )


def _again(found: Findings) -> Trigger | None:
    """The trigger's own kind, measured there with hindsight, at its strongest.

    Another body that braked meanwhile elsewhere says nothing of this one.
    """
    evidence = found.timeline.evidence
    triggers = [
        one
        for one in judge(evidence, evidence, found.trigger.decided_ms)
        if one.kind is found.trigger.kind
        and abs(one.time_ms - found.trigger.time_ms) <= _AGAIN_MS
        and _is_there(one.box, found.trigger.box)
    ]
    return max(triggers, key=lambda one: one.score, default=None)


def _is_there(a: Box | None, b: Box | None) -> bool:
    """Whether two boxes touch, each half as large again: bodies move between two measurements."""
    if a is None or b is None:
        return True
    across = abs(a[0] + a[2] / 2 - b[0] - b[2] / 2), abs(a[1] + a[3] / 2 - b[1] - b[3] / 2)
    return all(off <= _THERE * (a[2 + i] + b[2 + i]) / 2 for i, off in enumerate(across))


def _is_sure(found: Findings, again: Trigger) -> bool:
    """Whether more than one kind of measurement says so, of what can be told by accident.

    Tracks join and part by themselves: of a contact that they alone measured again, corners must
    have felt at least half. Of hard braking m/s^2 by calibration do; without, a slow car's
    ordinary stop takes as large a share of its speed as a fast one's emergency: then there must
    be a reason for it as well. What corners felt is one.
    """
    felt = (
        found.collision is not None
        and found.collision.score >= _DOUBT
        and abs(found.window.wall_ms(found.collision.time_s) - again.time_ms) <= _AGAIN_MS
    )
    if again.kind is EvidenceKind.CONTACT:
        return felt
    if again.kind is not EvidenceKind.HARD_BRAKE:
        return True
    measured = [
        one
        for one in found.timeline.evidence
        if one.kind is again.kind and one.time_ms == again.time_ms
    ]
    if any(one.unit == "m/s2" for one in measured):
        return True
    hard = any((one.value or 0.0) - 2.0 * (one.uncertainty or 0.0) >= SURE_RATE for one in measured)
    return hard and (
        felt
        or any(
            one.kind in _REASONS and abs(one.time_ms - again.time_ms) <= _REASON_MS
            for one in found.timeline.evidence
        )
    )


def _uncertainty_s(found: Findings, again: Trigger) -> float:
    for one in found.timeline.evidence:
        if one.kind is again.kind and one.time_ms == again.time_ms:
            return one.time_uncertainty_s or 0.3
    return 0.3


def _told(found: Findings, contact: Evidence) -> str:
    if found.collision is None or contact in found.timeline.evidence:
        return f"two tracked bodies met, {100 * (contact.value or 0.0):.0f} % of their closing gone"
    return collision_told(found.collision, found.timeline.plane)
