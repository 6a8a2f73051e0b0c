from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from monitor.domain import Evidence, EvidenceKind
from monitor.trigger.braking import BrakeWatch
from monitor.trigger.ground import GroundPlane
from tests.moving import METRIC, Body, Motion, Stage, driving, wall_s


def watch(motion: Motion, end_s: float = 7.0, plane: GroundPlane = METRIC) -> list[Evidence]:
    watching = BrakeWatch()
    stage = Stage({1: Body(motion)}, plane)
    return [one for moment in stage.moments(end_s) for one in watching.step(moment)]


def last(found: list[Evidence], kind: EvidenceKind) -> Evidence:
    return [one for one in found if one.kind is kind][-1]


@pytest.mark.parametrize("decel", [5.0, 7.0])
@pytest.mark.parametrize("onset_s", [3.0, 3.46])
def test_hard_braking_has_its_onset_and_its_deceleration(decel: float, onset_s: float) -> None:
    found = watch(driving(14.0, brakes_s=onset_s, decel=decel))
    braking = last(found, EvidenceKind.HARD_BRAKE)
    assert braking.unit == "m/s2"
    assert braking.value == pytest.approx(decel, rel=0.1)
    assert wall_s(braking.time_ms) == pytest.approx(onset_s, abs=0.12)
    assert braking.time_uncertainty_s is not None
    assert braking.track == 1


def test_without_calibration_it_is_a_share_of_the_own_speed_per_second() -> None:
    plane = replace(METRIC, calibrated=False)
    braking = last(
        watch(driving(14.0, brakes_s=3.0, decel=7.0), plane=plane), EvidenceKind.HARD_BRAKE
    )
    assert braking.unit == "1/s"
    assert braking.value == pytest.approx(0.5, rel=0.1)


def test_measured_again_it_keeps_its_id() -> None:
    found = watch(driving(14.0, brakes_s=3.0, decel=7.0))
    ids = {one.id for one in found if one.kind is EvidenceKind.HARD_BRAKE}
    assert len(ids) == 1


def test_a_stop_after_hard_braking_is_sudden_and_says_how_long_it_took() -> None:
    found = watch(driving(14.0, brakes_s=3.0, decel=7.0))
    (stop,) = [one for one in found if one.kind is EvidenceKind.SUDDEN_STOP]
    assert stop.unit == "s"
    assert stop.value == pytest.approx(2.0, abs=0.3)
    assert wall_s(stop.time_ms) == pytest.approx(5.0, abs=0.3)


@pytest.mark.parametrize(
    "motion",
    [
        driving(14.0),
        driving(12.0, brakes_s=2.0, decel=2.0),  # at a signal
        driving(2.0, brakes_s=3.0, decel=6.0),  # a person stops walking
    ],
    ids=["constant speed", "an ordinary stop", "too slow to matter"],
)
def test_ordinary_driving_is_no_hard_braking(motion: Motion) -> None:
    assert watch(motion, end_s=9.0) == []


def test_noise_of_the_position_is_no_braking() -> None:
    for seed in range(5):
        noise = np.random.default_rng(seed).normal(0.0, 0.08, (120, 2))

        def at(time_s: float, noise: np.ndarray = noise) -> tuple[float, float]:
            x, y = driving(9.0)(time_s)
            dx, dy = noise[round(time_s * 10)]
            return x + float(dx), y + float(dy)

        assert watch(at, end_s=6.0) == []


def test_a_body_stopped_by_a_wall_did_not_brake() -> None:
    """From 14 m/s to nothing between two pictures: no tyre does that."""
    found = watch(lambda time_s: (14.0 * min(time_s, 3.05), 10.0))
    assert [one for one in found if one.kind is EvidenceKind.HARD_BRAKE] == []


def found_late(motion: Motion, at_s: float, jump_m: float) -> Motion:
    """Until a moment it is seen so much behind where it is, as bodies are when just found."""

    def at(time_s: float) -> tuple[float, float]:
        x, y = motion(time_s)
        return x - (jump_m if time_s < at_s else 0.0), y

    return at


def test_a_jump_before_the_braking_does_not_hide_it() -> None:
    motion = found_late(driving(14.0, brakes_s=3.0, decel=7.0), 2.1, 6.0)
    braking = last(watch(motion), EvidenceKind.HARD_BRAKE)
    assert wall_s(braking.time_ms) == pytest.approx(3.0, abs=0.15)
    assert braking.value == pytest.approx(7.0, rel=0.15)


def test_far_off_where_the_horizons_error_explains_it_nothing_is_stated() -> None:
    near = replace(METRIC, calibrated=False)
    assert watch(driving(14.0, brakes_s=3.0, decel=4.5), plane=near)
    far = replace(near, horizon_px=40.0)  # its row is 100: a sixth of the picture below
    assert not watch(driving(14.0, brakes_s=3.0, decel=4.5), plane=far)


FAR_M_PER_PX = 1.6
FAR = GroundPlane(np.diag([FAR_M_PER_PX, FAR_M_PER_PX, 1.0]), 1.0, True, -1000.0, 0.015)


def far_off(decel: float, plane: GroundPlane = FAR) -> list[Evidence]:
    """A body of 16 x 14 pixels brakes from 12 m/s, where a pixel is 1.6 m."""
    shrink = 0.1 / FAR_M_PER_PX  # the stage draws a tenth of a metre per pixel
    body = Body(driving(12.0 * shrink, brakes_s=3.0, decel=decel * shrink), size_m=(1.6, 1.4))
    watching = BrakeWatch()
    return [one for m in Stage({1: body}, plane).moments(7.0) for one in watching.step(m)]


def test_far_off_what_is_followed_without_a_fault_is_measured() -> None:
    found = far_off(7.0)
    braking = last(found, EvidenceKind.HARD_BRAKE)
    assert braking.value == pytest.approx(7.0, rel=0.15)
    assert wall_s(braking.time_ms) == pytest.approx(3.0, abs=0.25)
    assert last(found, EvidenceKind.SUDDEN_STOP).track == 1


def test_far_off_nobody_brakes_as_no_tyre_can() -> None:
    assert far_off(12.5) == []


def test_what_is_too_large_for_so_far_off_is_nearer_than_the_plane_says() -> None:
    assert far_off(7.0, replace(FAR, size_slope=0.008)) == []
