"""A detector never holds up the watching: it rests when it fails or is slow, and comes back."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monitor.clock import SystemClock
from monitor.config.models import Camera, DetectorSettings
from monitor.domain import EvidenceKind
from monitor.media.decode import Planes
from monitor.trigger import CameraTrigger, StepResult
from monitor.trigger.detector import Duty, SharedDetector
from tests import detecting
from tests.street import HEIGHT_PX, START_MS, WIDTH_PX, Street, grey
from tests.watching import Braking

CAMERA = Camera.model_validate({"id": "cam", "url": "rtsp://127.0.0.1/x"})
BRAKES_S = 6.0
CAR = Braking(x=150.0, y=90.0, speed=120.0, seed=7, brakes_s=BRAKES_S)
EARLIER = Braking(x=290.0, y=90.0, speed=120.0, seed=8, brakes_s=4.0)
DARK, BRIGHT = (grey(np.full((180, 320), level, np.uint8)) for level in (40, 200))


@dataclass
class Ticking:
    """Every look at it takes its time."""

    tick_s: float = 0.0
    now_s: float = 0.0

    def wall_ms(self) -> int:
        return round(self.now_s * 1000)

    def monotonic_s(self) -> float:
        self.now_s += self.tick_s
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "model.onnx"


def shared(path: Path, clock: Ticking | None = None, **settings: Any) -> SharedDetector:
    return SharedDetector(DetectorSettings(model=str(path), **settings), clock or SystemClock())


def works(duty: Duty, pictures: int = 5, picture: Planes = DARK) -> list[bool]:
    return [duty.see(picture) is not None for _ in range(pictures)]


def test_it_sees_every_third_picture_where_that_is_asked(file: Path) -> None:
    duty = Duty(shared(detecting.sees_hues(file), every=3))
    assert works(duty, 9) == [False, False, True] * 3


def test_it_does_well_after_five_pictures(file: Path) -> None:
    duty = Duty(shared(detecting.sees_hues(file)))
    assert works(duty, 4) == [True] * 4
    assert not duty.well
    assert duty.see(DARK) is not None
    assert duty.well
    assert duty.note == ""


def test_a_slow_one_rests_for_a_minute_then_for_two(file: Path) -> None:
    clock = Ticking()
    duty = Duty(shared(detecting.sees_hues(file), clock, budget_ms=50))
    assert works(duty) == [True] * 5
    clock.tick_s = 0.06
    works(duty, 6)
    assert duty.resting
    assert "50 ms per picture" in duty.note
    assert not duty.well
    clock.tick_s, slow_s = 0.0, clock.now_s
    clock.now_s = slow_s + 59
    assert works(duty) == [False] * 5
    clock.now_s, clock.tick_s = slow_s + 61, 0.06
    works(duty)
    clock.tick_s, slow_s = 0.0, clock.now_s
    clock.now_s = slow_s + 100
    assert duty.resting
    clock.now_s = slow_s + 121
    assert works(duty) == [True] * 5
    assert duty.note == ""
    assert duty.well


def test_one_slow_picture_is_no_slow_model(file: Path) -> None:
    clock = Ticking()
    duty = Duty(shared(detecting.sees_hues(file), clock, budget_ms=50))
    works(duty)
    clock.tick_s = 0.1
    assert duty.see(DARK) is not None
    clock.tick_s = 0.0
    assert works(duty) == [True] * 5
    assert duty.well


def test_a_picture_that_it_fails_on_is_said_once(file: Path) -> None:
    duty = Duty(shared(detecting.sees_hues(file, bright_fails=True)))
    assert works(duty) == [True] * 5
    assert duty.see(BRIGHT) is None
    assert duty.note.startswith("it failed after")
    said = duty.note
    assert works(duty, 20, BRIGHT) == [False] * 20
    assert duty.note is said


def test_a_missing_file_leaves_the_watching_alone(file: Path) -> None:
    duty = Duty(shared(file))
    assert works(duty) == [False] * 5
    assert "no such file" in duty.note


def test_nobody_waits_while_it_is_opened(file: Path) -> None:
    detecting.looping(file, turns=100)  # half a second of matrices, three times
    opening = shared(file)
    opening.open_aside()
    duty = Duty(opening)
    assert works(duty, 20) == [False] * 20
    assert opening.opening
    opening.get()
    assert duty.note == ""


def painted(time_s: float, level: float = 1.0) -> Planes:
    """The street, its cars in blue."""
    cars = (EARLIER, CAR)
    picture = Street(cars).picture(time_s, gain=level)
    u, v = picture.u.copy(), picture.v.copy()
    for car in cars:
        left = round(car.left(time_s))
        at = np.s_[
            round(car.y) // 2 : (round(car.y) + car.height) // 2,
            max(0, left) // 2 : max(0, left + car.width) // 2,
        ]
        u[at], v[at] = 230, 110
    return Planes(picture.y, u, v)


def play(
    trigger: CameraTrigger, end_s: float, picture: Callable[[float], Planes] = painted
) -> list[StepResult]:
    results = []
    for index in range(round(end_s / 0.1)):
        time_s = index * 0.1
        results.append(trigger.step(START_MS + round(time_s * 1000), picture(time_s)))
    return results


def braking_s(results: list[StepResult]) -> list[float]:
    return sorted(
        (one.time_ms - START_MS) / 1000
        for result in results
        for one in result.evidence
        if one.kind is EvidenceKind.HARD_BRAKE
    )


def test_the_same_evidence_comes_from_a_detectors_tracks(file: Path) -> None:
    trigger = CameraTrigger(CAMERA, detector=shared(detecting.sees_hues(file)))
    followed = []

    def picture(time_s: float) -> Planes:
        followed.append({track.named for track in trigger.tracks})
        return painted(time_s)

    told = braking_s(play(trigger, 10.0, picture))
    assert {True} in followed
    assert set().union(*followed[42:]) <= {True}, "each body is measured once"
    assert trigger.detector_note == ""
    assert min(abs(one - BRAKES_S) for one in told) <= 0.4


def test_a_blind_detector_takes_nothing_away(file: Path) -> None:
    detecting.constant(file, {"output": detecting.yolox_rows((640, 640), 80)})
    trigger = CameraTrigger(CAMERA, detector=shared(file))
    told = braking_s(play(trigger, 10.0))
    assert trigger.detector_note == ""
    assert told == braking_s(play(CameraTrigger(CAMERA), 10.0))
    assert min(abs(one - BRAKES_S) for one in told) <= 0.4


@pytest.mark.parametrize("reason", ["missing file", "no onnx", "unknown outputs", "no tracker"])
def test_whatever_is_wrong_with_it_the_trigger_sees_what_it_saw_without(
    file: Path, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if reason == "no onnx":
        file.write_bytes(b"not a model")
    elif reason == "unknown outputs":
        detecting.constant(file, {"output0": np.zeros((1, 84, 8400), np.float32)})
    elif reason == "no tracker":
        detecting.sees_hues(file)
        monkeypatch.setitem(sys.modules, "trackers", None)
    trigger = CameraTrigger(CAMERA, detector=shared(file))
    results = play(trigger, 9.0)
    assert results == play(CameraTrigger(CAMERA), 9.0)
    assert braking_s(results)
    assert trigger.detector_note


def test_when_it_fails_under_way_the_classical_tracks_go_on(file: Path) -> None:
    trigger = CameraTrigger(
        CAMERA, detector=shared(detecting.sees_hues(file, bright_fails=True), vehicles=(2,))
    )
    seen = []

    def picture(time_s: float) -> Planes:
        named = {track.named for track in trigger.tracks}
        seen.append((time_s, bool(trigger.detector_note), named))
        # The sun comes out slowly, after the detector has taken over.
        return painted(time_s, 0.7 + min(0.7, 0.3 * max(0.0, time_s - 4.6)))

    play(trigger, 9.0, picture)
    assert {True} in [named for _, noted, named in seen if not noted]
    resting = [named for _, noted, named in seen if noted]
    assert set().union(*resting) == {False}
    assert trigger.tracks == trigger.tracker.tracks
    assert "it failed" in trigger.detector_note


def test_pictures_of_one_pixel_and_noise_are_taken(file: Path) -> None:
    trigger = CameraTrigger(CAMERA, detector=shared(detecting.sees_hues(file)))
    random = np.random.default_rng(5)
    for index in range(60):
        size = (2, 2) if index < 10 else (HEIGHT_PX, WIDTH_PX)
        y, u, v = (
            random.integers(0, 256, (size[0] // part, size[1] // part)).astype(np.uint8)
            for part in (1, 2, 2)
        )
        result = trigger.step(START_MS + 150 * index, Planes(y, u, v))
        assert result.triggers == ()
    assert trigger.detector_note == ""
