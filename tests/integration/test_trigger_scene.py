"""The trigger on the rendered scene, held against the scene's truth.

Pictures are drawn as they are wanted and not encoded. Which pictures are looked at decides
whether the contact is caught (docs/trigger.md), so the first one is fixed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import pytest

from monitor.config.models import Camera
from monitor.domain import Evidence, EvidenceKind, Level, Trigger
from monitor.media.decode import Planes
from monitor.scene.renderer import Renderer
from monitor.scene.simulation import build
from monitor.scene.truth import truth_of
from monitor.trigger import WIDTH_PX, CameraTrigger

FPS, END_S = 25, 27
ORIGIN_MS = 1_760_000_000_000
K = EvidenceKind


@dataclass(frozen=True)
class Played:
    truth: dict[str, Any]
    evidence: list[Evidence]
    triggers: list[Trigger]

    def times_s(self, kind: K) -> list[float]:
        return [seconds(one.time_ms) for one in self.evidence if one.kind is kind]

    def true_s(self, kind: K) -> float:
        """The first of that kind, after the traffic that the scene begins with."""
        return next(
            float(e["t_s"]) for e in self.truth["events"] if e["kind"] == kind and e["t_s"] > 15
        )


def seconds(wall_ms: int) -> float:
    return (wall_ms - ORIGIN_MS) / 1000


def play(
    scenario: str, size: tuple[int, int], begin_s: float = 0.0, end_s: float = END_S
) -> Played:
    simulation = build(scenario, 0, fps=FPS)
    renderer = Renderer(simulation, size)
    trigger = CameraTrigger(Camera.model_validate({"id": "cam", "url": "rtsp://127.0.0.1/x"}))
    evidence: list[Evidence] = []
    triggers: list[Trigger] = []
    for index in range(round(begin_s * FPS), round(end_s * FPS)):
        at_ms = ORIGIN_MS + index * 1000 // FPS
        if trigger.wants(at_ms):
            result = trigger.step(at_ms, planes(renderer.frame(index)))
            evidence += result.evidence
            triggers += result.triggers
    return Played(truth_of(simulation), evidence, triggers)


def planes(bgr: np.ndarray) -> Planes:
    """As the decoder's would be: 4:2:0, resized by area."""
    height, width = bgr.shape[:2]
    flat = cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420).ravel()
    luma, quarter = height * width, height * width // 4
    u, v = flat[luma : luma + quarter], flat[luma + quarter :]
    half = (WIDTH_PX // 2, WIDTH_PX * height // width // 2)
    parts = [
        (flat[:luma].reshape(height, width), (half[0] * 2, half[1] * 2)),
        (u.reshape(height // 2, width // 2), half),
        (v.reshape(height // 2, width // 2), half),
    ]
    y, u, v = (cv2.resize(part, to, interpolation=cv2.INTER_AREA) for part, to in parts)
    return Planes(*(np.asarray(one, dtype=np.uint8) for one in (y, u, v)))


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """As watch sets it; the results do not depend on it, the time does."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    yield
    cv2.setNumThreads(before)


@pytest.fixture(scope="module")
def rear_end() -> Played:
    return play("rear_end", (1280, 720))


def test_the_contact_is_told_within_half_a_second_of_the_truth(rear_end: Played) -> None:
    told = rear_end.times_s(K.CONTACT)
    assert told, "the contact is found"
    assert min(abs(one - rear_end.true_s(K.CONTACT)) for one in told) <= 0.5
    assert K.CONTACT in {trigger.kind for trigger in rear_end.triggers}


@pytest.mark.parametrize("kind", [K.PEDESTRIAN_IN_ROAD, K.BRAKE_LIGHT_ONSET, K.HEADWAY])
def test_what_led_to_it_is_told_within_a_second(rear_end: Played, kind: K) -> None:
    told = rear_end.times_s(kind)
    assert told
    assert min(abs(one - rear_end.true_s(kind)) for one in told) <= 1.0


def test_the_followers_headway_is_the_true_one(rear_end: Played) -> None:
    (true,) = [e["value"] for e in rear_end.truth["events"] if e["kind"] == "headway"]
    told = [
        one
        for one in rear_end.evidence
        if one.kind is K.HEADWAY and abs(seconds(one.time_ms) - rear_end.true_s(K.HEADWAY)) <= 1.0
    ]
    assert min(abs((one.value or 0.0) - true) for one in told) <= 0.25


def test_hard_braking_that_ends_well_is_no_contact() -> None:
    played = play("hard_brake", (960, 540), 8.0)
    assert played.times_s(K.CONTACT) == []
    assert {one.kind for one in played.triggers} <= {K.HARD_BRAKE, K.NEAR_MISS, K.IMPULSE}


def test_normal_traffic_with_a_red_light_alerts_nobody() -> None:
    assert all(one.level is Level.CANDIDATE for one in play("normal", (960, 540), 3.0).triggers)


def test_a_vehicle_that_breaks_down_is_told_from_when_it_came_to_rest() -> None:
    played = play("stopped_vehicle", (640, 360), 0.0, 35.0)
    (told, *_) = played.times_s(K.STOPPED_IN_LANE)
    assert abs(told - played.true_s(K.STOPPED_IN_LANE)) <= 0.6
    (trigger,) = [one for one in played.triggers if one.kind is K.STOPPED_IN_LANE]
    assert seconds(trigger.decided_ms) - told <= 5.0, "by its hazard lamps: nobody has passed yet"
