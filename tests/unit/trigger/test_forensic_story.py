"""What the second look says of hard braking that it measured again."""

from __future__ import annotations

import numpy as np
import pytest

from monitor.domain import Actor, Evidence, EvidenceKind, Trigger
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
def test_hard_braking_confirms_itself_only_where_no_scale_can_have_made_it(
    value: float, unit: str, uncertainty: float, confirmed: bool | None
) -> None:
    evidence = braking(value, unit, uncertainty)
    trigger = Trigger(EvidenceKind.HARD_BRAKE, AT_MS, AT_MS, 1.2, "hard braking")
    window = Window(AT_MS - 5_000, np.arange(0.0, 9.0, 0.1), ())
    verdict = verdict_of(Findings(window, trigger, None, Timeline((evidence,), ())))
    assert verdict.confirmed is confirmed
    assert verdict.evidence == (evidence,)


@pytest.mark.parametrize(("tracks", "confirmed"), [((1,), False), ((), None)])
def test_braking_that_is_not_measured_again_is_rejected_if_a_track_told_of_it(
    tracks: tuple[int, ...], confirmed: bool | None
) -> None:
    trigger = Trigger(EvidenceKind.HARD_BRAKE, AT_MS, AT_MS, 1.2, "hard braking", tracks=tracks)
    window = Window(AT_MS - 5_000, np.arange(0.0, 9.0, 0.1), ())
    assert verdict_of(Findings(window, trigger, None, Timeline((), ()))).confirmed is confirmed


@pytest.mark.parametrize(
    ("box", "confirmed"),
    [((0.42, 0.42, 0.1, 0.1), True), ((0.6, 0.4, 0.1, 0.1), False), (None, True)],
    ids=["there", "elsewhere", "nowhere in particular"],
)
def test_another_body_that_braked_does_not_confirm_this_ones_braking(
    box: tuple[float, float, float, float] | None, confirmed: bool
) -> None:
    evidence = braking(SURE_RATE + 0.1, "1/s", 0.01)
    trigger = Trigger(EvidenceKind.HARD_BRAKE, AT_MS, AT_MS, 1.2, "x", box=box, tracks=(1,))
    window = Window(AT_MS - 5_000, np.arange(0.0, 9.0, 0.1), ())
    found = Findings(window, trigger, None, Timeline((evidence,), ()))
    assert verdict_of(found).confirmed is confirmed
