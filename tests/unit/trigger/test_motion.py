from __future__ import annotations

import numpy as np
import pytest

from monitor.trigger.motion import Array, brake_fit, line_fit, path_length

TIMES: Array = np.arange(0.0, 3.01, 0.1)


def braking(onset_s: float, speed: float, decel: float) -> Array:
    """Distance over TIMES: constant speed, then constant deceleration to standstill."""
    since = np.clip(TIMES - onset_s, 0.0, speed / decel)
    result: Array = speed * np.minimum(TIMES, onset_s) + speed * since - decel * since**2 / 2
    return result


def test_a_straight_line_has_its_velocity_and_no_error() -> None:
    fit = line_fit(TIMES, np.stack([3.0 * TIMES + 1.0, -2.0 * TIMES], axis=1))
    assert fit.velocity == pytest.approx([3.0, -2.0])
    assert fit.sigma == pytest.approx(0.0, abs=1e-9)


def test_the_error_of_a_velocity_is_the_one_of_least_squares() -> None:
    random = np.random.default_rng(1)
    noise, speeds, sigmas = 0.2, [], []
    for _ in range(400):
        points = np.stack([5.0 * TIMES, 0.0 * TIMES], axis=1) + random.normal(0, noise, (31, 2))
        fit = line_fit(TIMES, points)
        speeds.append(fit.velocity[0])
        sigmas.append(fit.sigma)
    assert np.mean(sigmas) == pytest.approx(np.std(speeds), rel=0.1)


@pytest.mark.parametrize("onset_s", [0.8, 1.2, 1.75])
@pytest.mark.parametrize("decel", [4.0, 7.0])
def test_the_onset_of_braking_and_its_strength_come_back(onset_s: float, decel: float) -> None:
    fit = brake_fit(TIMES, braking(onset_s, 14.0, decel))
    assert fit is not None
    assert fit.onset_s == pytest.approx(onset_s, abs=0.1)
    assert fit.speed == pytest.approx(14.0, rel=0.02)
    assert fit.decel == pytest.approx(decel, rel=0.1)
    assert fit.gain > 0.95


def test_what_comes_after_standstill_is_no_part_of_the_braking() -> None:
    fit = brake_fit(TIMES, braking(0.9, 7.0, 7.0))
    assert fit is not None
    assert fit.onset_s == pytest.approx(0.9, abs=0.12)
    assert fit.decel == pytest.approx(7.0, rel=0.15)
    assert fit.end_speed == pytest.approx(0.0, abs=1.0)


def test_constant_speed_bends_nowhere() -> None:
    fit = brake_fit(TIMES, 10.0 * TIMES)
    assert fit is not None
    assert fit.decel == pytest.approx(0.0, abs=0.05)


def test_too_little_to_go_by_is_no_fit() -> None:
    assert brake_fit(TIMES[:5], 10.0 * TIMES[:5]) is None
    assert brake_fit(TIMES, np.zeros_like(TIMES)) is None


def test_the_path_leaves_out_jitter_across_it() -> None:
    wobble = 0.2 * (-1.0) ** np.arange(len(TIMES))
    length = path_length(np.stack([10.0 * TIMES, wobble], axis=1))
    assert length[-1] == pytest.approx(30.0, abs=0.3)


def test_jitter_at_standstill_adds_no_way() -> None:
    wobble = 0.05 * (-1.0) ** np.arange(len(TIMES))
    x = np.minimum(10.0 * TIMES, 10.0)
    length = path_length(np.stack([x + wobble, wobble], axis=1))
    assert length[-1] == pytest.approx(10.0, abs=0.2)
