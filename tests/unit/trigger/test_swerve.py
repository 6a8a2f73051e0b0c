from __future__ import annotations

import math

import numpy as np
import pytest

from monitor.domain import Evidence, EvidenceKind
from monitor.trigger.judge import judge
from monitor.trigger.normal import SceneMemory
from monitor.trigger.swerve import SwerveWatch, swerve_fit
from tests.moving import ORIGIN_MS, Body, Motion, Stage, drive_over, driving, wall_s


@pytest.fixture(scope="module")
def road() -> SceneMemory:
    """Vehicles have driven to the right over all that lies below y = 8 m."""
    # Each row's vehicles count for an hour of their own.
    memory, now_ms = SceneMemory(), ORIGIN_MS
    for row, y_px in enumerate(range(60, 320, 12)):
        memory.tick(now_ms := now_ms + 3_600_000)
        drive_over(memory, 20, y_px=float(y_px), first=1000 * row)
    return memory


def swerving(at_s: float, accel: float, for_s: float = 0.8, speed: float = 12.0) -> Motion:
    """Straight along y = 14 m, then thrown aside; at the end it keeps its new course."""

    def at(time_s: float) -> tuple[float, float]:
        bent = min(max(0.0, time_s - at_s), for_s)
        beyond = max(0.0, time_s - at_s - for_s)
        return speed * time_s, 14.0 + 0.5 * accel * bent**2 + accel * for_s * beyond

    return at


def changing_lanes(at_s: float, over_s: float, speed: float = 12.0) -> Motion:
    """3.5 m aside along a half cosine: accelerates, then straightens out."""

    def at(time_s: float) -> tuple[float, float]:
        share = min(1.0, max(0.0, (time_s - at_s) / over_s))
        return speed * time_s, 14.0 + 3.5 * (1 - math.cos(math.pi * share)) / 2

    return at


def watch(motion: Motion, end_s: float, memory: SceneMemory) -> list[Evidence]:
    watching = SwerveWatch()
    stage = Stage({1: Body(motion)}, memory=memory)
    moments = enumerate(stage.moments(end_s))
    return [one for n, moment in moments if n % 3 == 0 for one in watching.step(moment)]


@pytest.mark.parametrize("accel", [5.0, 7.0, -6.0])
def test_thrown_aside_is_a_swerve_from_its_onset_on(road: SceneMemory, accel: float) -> None:
    (found,) = watch(swerving(2.0, accel), 3.6, road)
    assert found.kind is EvidenceKind.SWERVE
    assert wall_s(found.time_ms) == pytest.approx(2.0, abs=0.25)
    assert found.unit == "m", "the plane is calibrated"
    assert found.value is not None
    assert 0.9 <= found.value <= 4.0
    assert found.uncertainty is not None
    (trigger,) = judge([found], [found], ORIGIN_MS)
    assert 1.0 <= trigger.score < 1.6


@pytest.mark.parametrize("over_s", [2.5, 3.0, 4.0])
def test_changing_lanes_is_none(road: SceneMemory, over_s: float) -> None:
    assert watch(changing_lanes(2.0, over_s), 7.0, road) == []


def test_straight_on_is_none_braking_or_not(road: SceneMemory) -> None:
    assert watch(driving(12.0, y=14.0), 5.0, road) == []
    assert watch(driving(12.0, y=14.0, brakes_s=2.0, decel=6.0), 5.0, road) == []


def test_where_vehicles_turn_a_turn_is_none() -> None:
    memory = SceneMemory()
    for row, y_px in enumerate(range(60, 320, 12)):
        memory.tick(ORIGIN_MS + 3_600_000 * row)
        drive_over(memory, 20, y_px=float(y_px), first=1000 * row)
        for track in range(20):  # as many turn off here
            for x in range(0, 600, 10):
                place = (x / 640, y_px / 360, 40 / 640, 30 / 360)
                memory.drive(1000 * row + 500 + track, place, (0.05, 0.05), 0.05)
    assert watch(swerving(2.0, 5.0), 3.6, memory) == []


def test_where_nothing_is_known_nothing_is_said() -> None:
    assert watch(swerving(2.0, 6.0), 3.6, SceneMemory()) == []


def test_the_slow_do_not_swerve(road: SceneMemory) -> None:
    assert watch(swerving(2.0, 5.0, speed=3.0), 3.6, road) == []


def test_the_fit_finds_onset_and_acceleration_in_noise() -> None:
    random = np.random.default_rng(5)
    times = np.arange(0.0, 2.6, 0.125)
    aside = 2.5 * np.maximum(0.0, times - 1.7) ** 2
    path = np.stack([10.0 * times, aside], axis=1) + random.normal(0.0, 0.02, (len(times), 2))
    fit = swerve_fit(times, path)
    assert fit is not None
    assert fit.onset_s == pytest.approx(1.7, abs=0.15)
    assert fit.accel == pytest.approx(5.0, rel=0.3)
    assert abs(fit.accel - 5.0) < 4 * fit.accel_sigma + 1.0
    assert swerve_fit(times[:6], path[:6]) is None


def test_noise_alone_is_no_acceleration() -> None:
    random = np.random.default_rng(6)
    times = np.arange(0.0, 2.6, 0.125)
    straight = np.stack([10.0 * times, 0.0 * times], axis=1)
    for _ in range(20):
        fit = swerve_fit(times, straight + random.normal(0.0, 0.1, straight.shape))
        assert fit is not None
        assert fit.accel < 4.0 * fit.accel_sigma
