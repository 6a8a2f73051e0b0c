"""What the second look says of hard braking that it measured again."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np
import pytest

from monitor.domain import Actor, Evidence, EvidenceKind, Trigger
from monitor.trigger.forensic.collision import Collision, Vote
from monitor.trigger.forensic.impulse import Moment
from monitor.trigger.forensic.story import SURE_RATE, Findings, verdict_of
from monitor.trigger.forensic.timeline import Timeline
from monitor.trigger.forensic.window import Window

AT_MS = 1_760_000_005_000


def braking(value: float, unit: str, uncertainty: float) -> Evidence:
    return Evidence(
        id="hard_brake-1", kind=EvidenceKind.HARD_BRAKE, time_ms=AT_MS, actor=Actor.VEHICLE,
        strength=0.9, track=1, value=value, unit=unit, uncertainty=uncertainty,
        time_uncertainty_s=0.1, box=(0.4, 0.4, 0.1, 0.1),
    )  # fmt: skip


def person(after_ms: int) -> Evidence:
    return Evidence(
        id="pedestrian_in_road-9",
        kind=EvidenceKind.PEDESTRIAN_IN_ROAD,
        time_ms=AT_MS + after_ms,
        actor=Actor.PEDESTRIAN,
        strength=0.9,
        track=9,
    )


def braked(evidence: tuple[Evidence, ...]) -> Findings:
    trigger = Trigger(EvidenceKind.HARD_BRAKE, AT_MS, AT_MS, 1.2, "hard braking")
    picture = np.zeros((480, 640), np.uint8)
    window = Window(AT_MS - 5_000, np.arange(0.0, 9.0, 0.1), (picture,))
    return Findings(window, trigger, None, Timeline(evidence, ()))


@pytest.mark.parametrize(
    ("value", "unit", "uncertainty", "confirmed"),
    [
        (SURE_RATE + 0.1, "1/s", 0.03, True),
        (SURE_RATE + 0.1, "1/s", 0.08, None),
        (SURE_RATE - 0.05, "1/s", 0.01, None),
        (6.5, "m/s2", 0.3, True),
    ],
    ids=["surely", "not surely", "as drivers do by choice", "calibrated"],
)
def test_hard_braking_for_a_reason_is_confirmed_where_no_scale_can_have_made_it(
    value: float, unit: str, uncertainty: float, confirmed: bool | None
) -> None:
    evidence = (braking(value, unit, uncertainty), person(-1_200))
    verdict = verdict_of(braked(evidence))
    assert verdict.confirmed is confirmed
    assert verdict.evidence == evidence


def test_without_calibration_a_slow_cars_ordinary_stop_looks_as_hard() -> None:
    hard = braking(SURE_RATE + 0.1, "1/s", 0.03)
    assert verdict_of(braked((hard,))).confirmed is None
    assert verdict_of(braked((hard, person(-4_000)))).confirmed is None, "long before"
    assert verdict_of(braked((braking(6.5, "m/s2", 0.3),))).confirmed is True


def met(strength: float) -> Evidence:
    return Evidence(
        id="contact-1-2", kind=EvidenceKind.CONTACT, time_ms=AT_MS, actor=Actor.VEHICLE,
        strength=strength, track=1, other=2, value=0.8, unit="", box=(0.4, 0.4, 0.1, 0.1),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("felt", "at_s", "confirmed"),
    [(0.0, 5.0, None), (0.3, 5.8, None), (0.5, 5.8, True), (0.5, 8.5, None)],
    ids=["tracks alone", "hardly felt", "felt too", "felt at another time"],
)
def test_that_two_tracks_meet_again_is_no_second_witness(
    felt: float, at_s: float, confirmed: bool | None
) -> None:
    trigger = Trigger(EvidenceKind.CONTACT, AT_MS, AT_MS, 1.5, "two tracks met")
    window = Window(AT_MS - 5_000, np.arange(0.0, 9.0, 0.1), ())
    vote = cast(Vote, None)  # what it was felt of is not asked here
    collision = Collision(at_s, 0.05, felt, vote, (0, 0, 1, 1)) if felt else None
    verdict = verdict_of(Findings(window, trigger, collision, Timeline((met(0.4),), ())))
    assert verdict.confirmed is confirmed


def test_half_a_contact_that_corners_felt_is_a_reason_to_have_braked_hard() -> None:
    hard = braking(SURE_RATE + 0.1, "1/s", 0.03)
    alone = braked((hard, met(0.25)))
    assert verdict_of(alone).confirmed is None, "tracks alone are none"
    collision = Collision(4.4, 0.05, 0.5, cast(Vote, None), (0, 0, 1, 1))
    assert verdict_of(replace(alone, collision=collision)).confirmed is True


def going_on(x: float, y: float, size: float = 0.09) -> tuple[Moment, ...]:
    """Moments around the trigger's at which a body of twelve corners drives on, 640 wide."""
    grid = np.stack(np.meshgrid(np.linspace(0, 1, 4), np.linspace(0, 1, 3)), axis=-1)
    places = ((np.array([x, y]) + size * (grid.reshape(-1, 2) - 0.5)) * 640).astype(np.float32)
    velocity = np.tile(np.array([60.0, 5.0], np.float32), (12, 1))
    yes = np.ones(12, np.bool_)
    return tuple(
        Moment(4.6 + 0.1 * k, k, np.arange(12), places, velocity, velocity, yes, yes, yes)
        for k in range(11)
    )


def changed(seen: tuple[Moment, ...], **at: float) -> tuple[Moment, ...]:
    """Those moments, from 5.0 s on at a share of the speed (``share``), and with new corners."""
    velocity = seen[0].before * np.float32(at.get("share", 1.0))
    number = np.arange(12) + int(at.get("fresh", 0))
    return tuple(
        replace(
            one,
            corners=number if one.time_s > 5.2 else one.corners,
            before=velocity if one.time_s > 5.2 else one.before,
            after=velocity if one.time_s > 5.0 else one.after,
        )
        for one in seen
    )


@pytest.mark.parametrize("share", [0.5, 0.0, -0.5])
def test_who_changed_suddenly_did_not_go_on_unhurt(share: float) -> None:
    seen = changed(going_on(0.5, 0.5), share=share)
    assert verdict_of(replace(braked(()), seen=seen)).confirmed is None


def test_who_lost_all_own_corners_at_once_is_not_followed() -> None:
    seen = changed(going_on(0.5, 0.5), fresh=20)
    assert verdict_of(replace(braked(()), seen=seen)).confirmed is None


def test_corners_that_end_are_replaced_by_those_that_move_alike_there() -> None:
    """Each lives for half of the time: some new ones come before the old ones end."""
    first = going_on(0.5, 0.5)
    seen = tuple(
        replace(one, corners=np.where(np.arange(12) < 6, 0, 100 * (one.time_s > 4.75))
                + np.where(np.arange(12) < 6, 100 * (one.time_s > 5.15), 0) + np.arange(12),
                places=one.places + (one.time_s - first[0].time_s) * one.before)
        for one in first
    )  # fmt: skip
    assert verdict_of(replace(braked(()), seen=seen)).confirmed is False


def test_braking_that_is_not_measured_again_is_rejected_where_somebody_drove_on() -> None:
    found = replace(braked(()), seen=going_on(0.5, 0.5))
    assert verdict_of(found).confirmed is False


@pytest.mark.parametrize("seen", [(), going_on(0.5, 0.5, 0.03)], ids=["nobody", "too small"])
def test_where_nobody_could_be_judged_nothing_is_rejected(seen: tuple[Moment, ...]) -> None:
    assert verdict_of(replace(braked(()), seen=seen)).confirmed is None


def test_another_body_that_drove_on_elsewhere_is_no_witness() -> None:
    trigger = Trigger(EvidenceKind.HARD_BRAKE, AT_MS, AT_MS, 1.2, "x", box=(0.1, 0.1, 0.1, 0.1))
    found = replace(braked(()), trigger=trigger, seen=going_on(0.8, 0.4))
    assert verdict_of(found).confirmed is None


@pytest.mark.parametrize(
    ("box", "confirmed"),
    [((0.42, 0.42, 0.1, 0.1), True), ((0.6, 0.4, 0.1, 0.1), False), (None, True)],
    ids=["there", "elsewhere", "nowhere in particular"],
)
def test_another_body_that_braked_does_not_confirm_this_ones_braking(
    box: tuple[float, float, float, float] | None, confirmed: bool
) -> None:
    evidence = braking(6.5, "m/s2", 0.3)
    trigger = Trigger(EvidenceKind.HARD_BRAKE, AT_MS, AT_MS, 1.2, "x", box=box, tracks=(1,))
    found = replace(braked((evidence,)), trigger=trigger, seen=going_on(0.65, 0.34))
    assert verdict_of(found).confirmed is confirmed
