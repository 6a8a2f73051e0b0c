"""The second look at the rendered rear-end collision, held against the scene's truth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from monitor.config.models import Camera
from monitor.domain import EvidenceKind, Trigger
from monitor.media.decode import Planes
from monitor.scene.renderer import Renderer
from monitor.scene.simulation import build
from monitor.scene.truth import truth_of
from monitor.trigger.forensic import Verdict, examine
from tests.integration.test_trigger_scene import FPS, ORIGIN_MS, planes, seconds

K = EvidenceKind
TRIGGER_S = 24.8
BEGIN_S, END_S = 18.5, 26.5


@pytest.fixture(scope="module")
def looked() -> tuple[Verdict, dict[str, Any]]:
    simulation = build("rear_end", 0, fps=FPS)
    truth = truth_of(simulation)
    at_ms = ORIGIN_MS + round(1000 * TRIGGER_S)
    camera = Camera.model_validate(
        {"id": "cam", "url": "rtsp://127.0.0.1/x", "calibration": truth["calibration"]}
    )
    trigger = Trigger(K.HARD_BRAKE, at_ms, at_ms, 1.0, "hard braking")
    return examine(film(Renderer(simulation, (640, 360))), trigger, camera), truth


def film(renderer: Renderer) -> Iterator[tuple[int, Planes]]:
    noise = np.random.default_rng(1).normal(0.0, 1.0, (360, 640))
    for index in range(round(BEGIN_S * FPS), round(END_S * FPS)):
        drawn = planes(renderer.frame(index))
        here = np.roll(noise, 7919 * index)
        luma = np.clip(drawn.y + here, 0, 255).astype(np.uint8)
        yield ORIGIN_MS + index * 1000 // FPS, Planes(luma, drawn.u, drawn.v)


def true(truth: dict[str, Any], kind: K) -> dict[str, Any]:
    """The first of that kind from shortly before the crash on."""
    found: dict[str, Any] = next(
        one for one in truth["events"] if one["kind"] == kind and one["t_s"] > 22.0
    )
    return found


def test_the_contact_is_confirmed_when_it_was(looked: tuple[Verdict, dict[str, Any]]) -> None:
    verdict, truth = looked
    assert verdict.confirmed is True
    assert verdict.kind is K.CONTACT
    assert seconds(verdict.time_ms) == pytest.approx(true(truth, K.CONTACT)["t_s"], abs=0.2)


def test_the_timeline_has_what_led_to_it(looked: tuple[Verdict, dict[str, Any]]) -> None:
    verdict, truth = looked
    first = {kind: next(e for e in verdict.evidence if e.kind is kind) for kind in
             (K.HARD_BRAKE, K.BRAKE_LIGHT_ONSET, K.HEADWAY)}  # fmt: skip
    for kind in (K.HARD_BRAKE, K.BRAKE_LIGHT_ONSET):
        assert seconds(first[kind].time_ms) == pytest.approx(true(truth, kind)["t_s"], abs=0.3)
    headway = true(truth, K.HEADWAY)
    assert first[K.HEADWAY].value == pytest.approx(headway["value"], abs=0.2)
    assert all(one.box is not None and one.time_uncertainty_s for one in first.values())


def test_calibrated_braking_comes_in_metres(looked: tuple[Verdict, dict[str, Any]]) -> None:
    verdict, truth = looked
    brake = next(one for one in verdict.evidence if one.kind is K.HARD_BRAKE)
    assert brake.unit == "m/s2"
    assert brake.uncertainty is not None
    assert brake.uncertainty > 0.0
    assert brake.value == pytest.approx(true(truth, K.HARD_BRAKE)["value"], rel=0.25)


def test_how_fast_the_two_were_lies_within_what_it_says_of_itself(
    looked: tuple[Verdict, dict[str, Any]],
) -> None:
    verdict, truth = looked
    contact = true(truth, K.CONTACT)
    hit = next(one for one in verdict.evidence if one.kind is K.CONTACT)
    striking = [one for one in verdict.evidence if one.kind is K.SPEED and one.track == hit.track]
    assert striking
    for one in (one for one in verdict.evidence if one.kind is K.SPEED):
        actor = contact["actor"] if one.track == hit.track else contact["other"]
        frame = truth["frames"][round(seconds(one.time_ms) * FPS)]
        (speed,) = (who["speed"] for who in frame["actors"] if who["id"] == actor)
        assert one.unit == "m/s"
        assert one.value == pytest.approx(speed, abs=2.0 * (one.uncertainty or 0.0))
        assert (one.uncertainty or 0.0) < 1.5


def test_it_began_with_the_braking(looked: tuple[Verdict, dict[str, Any]]) -> None:
    verdict, truth = looked
    assert verdict.onset_ms is not None
    assert seconds(verdict.onset_ms) == pytest.approx(true(truth, K.HARD_BRAKE)["t_s"], abs=0.3)
