"""A detector beside the trigger: on the rendered scene against its truth, and in watch.

The network is generated and sees colours, so the scene's vehicles are painted in those it knows.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from redis.asyncio import Redis

from monitor.buffer.cameras import CameraStore
from monitor.buffer.incidents import IncidentStore
from monitor.buffer.keys import detector_key
from monitor.buffer.ring import RingWriter
from monitor.clock import SystemClock
from monitor.config.models import Camera, Config, DetectorSettings
from monitor.domain import Evidence, EvidenceKind, Trigger
from monitor.media.decode import Planes
from monitor.scene.renderer import Renderer
from monitor.scene.simulation import Simulation, build
from monitor.scene.truth import truth_of
from monitor.trigger import WIDTH_PX, CameraTrigger
from monitor.trigger.detector import SharedDetector
from tests import detecting
from tests.detecting import HUES
from tests.street import START_MS
from tests.watching import FIRST_S, PART_S, alerts, config_of, film, part, redis_at, until, watching

FPS = 25
BEGIN_S, END_S = 14, 27
FOLLOWED_S = (20.0, 26.0)
K = EvidenceKind


@dataclass(frozen=True)
class Played:
    simulation: Simulation
    truth: dict[str, Any]
    evidence: list[Evidence]
    triggers: list[Trigger]
    names: dict[int, set[int]]  # actor -> the tracks that were it
    note: str

    def times_s(self, kind: K, track: int | None = None) -> list[float]:
        return [
            (one.time_ms - START_MS) / 1000
            for one in self.evidence
            if one.kind is kind and track in (None, one.track)
        ]

    def track_of(self, role: str) -> int:
        (track,) = self.names[self.simulation.roles[role]]
        return track

    def true_s(self, kind: K, role: str) -> float:
        actor = self.simulation.roles[role]
        return next(
            float(e["t_s"])
            for e in self.truth["events"]
            if e["kind"] == kind and e["actor"] == actor and e["t_s"] > 15
        )


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """As watch sets it."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    yield
    cv2.setNumThreads(before)


def planes(bgr: np.ndarray) -> Planes:
    """As the decoder's would be: 4:2:0, at most 640 wide."""
    small = cv2.resize(bgr, (WIDTH_PX, WIDTH_PX * 9 // 16), interpolation=cv2.INTER_AREA)
    height, width = small.shape[:2]
    flat = cv2.cvtColor(small, cv2.COLOR_BGR2YUV_I420).ravel()
    luma, quarter = height * width, height * width // 4
    half = height // 2, width // 2
    return Planes(
        np.asarray(flat[:luma].reshape(height, width), np.uint8),
        np.asarray(flat[luma : luma + quarter].reshape(half), np.uint8),
        np.asarray(flat[luma + quarter :].reshape(half), np.uint8),
    )


def play(scenario: str, model: Path) -> Played:
    simulation = build(scenario, 0, fps=FPS)
    painted = {
        actor: replace(spec, paint=HUES[actor % 3]) for actor, spec in simulation.specs.items()
    }
    renderer = Renderer(replace(simulation, specs=painted), (1280, 720))
    truth = truth_of(simulation)
    detector = SharedDetector(
        DetectorSettings(model=str(model), vehicles=(detecting.CAR,), budget_ms=10_000),
        SystemClock(),
    )
    trigger = CameraTrigger(
        Camera.model_validate({"id": "cam", "url": "rtsp://127.0.0.1/x"}), detector=detector
    )
    evidence: list[Evidence] = []
    triggers: list[Trigger] = []
    names: dict[int, set[int]] = {}
    for index in range(BEGIN_S * FPS, END_S * FPS):
        at_ms = START_MS + index * 1000 // FPS
        if not trigger.wants(at_ms):
            continue
        result = trigger.step(at_ms, planes(renderer.frame(index)))
        evidence += result.evidence
        triggers += result.triggers
        if FOLLOWED_S[0] <= index / FPS < FOLLOWED_S[1]:
            for actor in truth["frames"][index]["actors"]:
                track = at(trigger, actor["box"])
                if track is not None:
                    names.setdefault(actor["id"], set()).add(track)
    return Played(simulation, truth, evidence, triggers, names, trigger.detector_note)


def at(trigger: CameraTrigger, box: list[float]) -> int | None:
    """The detector's track that is where a box of the truth is."""
    x, y, width, height = (
        side * size for side, size in zip(box, (640, 360, 640, 360), strict=True)
    )
    for track in trigger.tracks:
        (cx, cy), mine = track.box.centre, track.box
        near = abs(cx - x - width / 2) < 0.2 * width and abs(cy - y - height / 2) < 0.2 * height
        if track.named and near and 0.6 < mine.width / width < 1.4:
            return track.id
    return None


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return detecting.sees_hues(tmp_path_factory.mktemp("model") / "hues.onnx")


@pytest.fixture(scope="module")
def rear_end(model: Path) -> Played:
    return play("rear_end", model)


def test_the_two_that_collide_keep_their_tracks(rear_end: Played) -> None:
    assert rear_end.note == ""
    assert rear_end.track_of("lead") != rear_end.track_of("follower")


def test_the_contact_is_between_them_and_when_it_was(rear_end: Played) -> None:
    told = [one for one in rear_end.evidence if one.kind is K.CONTACT]
    true_s = rear_end.true_s(K.CONTACT, "follower")
    assert told
    assert min(abs((one.time_ms - START_MS) / 1000 - true_s) for one in told) <= 0.5
    pair = {rear_end.track_of("lead"), rear_end.track_of("follower")}
    assert {one.track for one in told} | {one.other for one in told} == pair
    assert K.CONTACT in {trigger.kind for trigger in rear_end.triggers}


@pytest.mark.parametrize("kind", [K.HARD_BRAKE, K.BRAKE_LIGHT_ONSET, K.SUDDEN_STOP])
def test_what_the_one_before_did_is_its_own(rear_end: Played, kind: K) -> None:
    told = rear_end.times_s(kind, rear_end.track_of("lead"))
    assert told
    assert min(abs(one - rear_end.true_s(kind, "lead")) for one in told) <= 0.5


def test_the_followers_headway_is_the_true_one(rear_end: Played) -> None:
    (true,) = [e["value"] for e in rear_end.truth["events"] if e["kind"] == "headway"]
    told = [
        one.value
        for one in rear_end.evidence
        if one.kind is K.HEADWAY and one.track == rear_end.track_of("follower")
    ]
    assert min(abs((one or 0.0) - true) for one in told) <= 0.25


def test_hard_braking_that_ends_well_is_no_contact(model: Path) -> None:
    played = play("hard_brake", model)
    assert played.times_s(K.CONTACT) == []
    true_s = played.true_s(K.HARD_BRAKE, "lead")
    assert min(abs(one - true_s) for one in played.times_s(K.HARD_BRAKE)) <= 0.5


async def run_watch(redis: Redis, config: Config, camera: str) -> None:
    """Watch the film of a car that brakes hard, up to its alert."""
    units = part(0.0, PART_S)
    writer = RingWriter(redis, camera, 600.0)
    await writer.put_codec(film()[1])
    await writer.append(units)
    await CameraStore(redis).put_cursor(camera, units[0].entry_ms)

    async def done() -> bool:
        cursor = await CameraStore(redis).cursor(camera) or 0
        return cursor >= units[-1].entry_ms - 2_000 and bool(await alerts(redis, camera))

    async with watching(config):
        await until(done)


def with_detector(config: Config, path: Path) -> Config:
    section = DetectorSettings(model=str(path), budget_ms=10_000)
    return config.model_copy(update={"detector": section})


async def test_watch_goes_on_without_a_detector_that_is_not_there_and_says_so_once(
    redis_url: str, camera_id: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with redis_at(redis_url) as redis:
        config = with_detector(config_of(redis_url, camera_id), tmp_path / "away.onnx")
        await run_watch(redis, config, camera_id)
        incident = await IncidentStore(redis).latest(camera_id)
        assert incident is not None
        assert abs(incident.peak_ms - START_MS - FIRST_S * 1000) <= 500
        assert "no such file" in (await CameraStore(redis).detector(camera_id) or "")
    said = [one.getMessage() for one in caplog.records if "the detector rests" in one.getMessage()]
    assert len(said) == 1
    assert said[0].startswith(f"camera {camera_id}: the detector rests, bodies are followed")


async def test_watch_with_a_detector_that_knows_none_of_it_sees_what_it_saw(
    redis_url: str, camera_id: str, tmp_path: Path
) -> None:
    async with redis_at(redis_url) as redis:
        path = detecting.sees_hues(tmp_path / "hues.onnx")
        await run_watch(redis, with_detector(config_of(redis_url, camera_id), path), camera_id)
        incident = await IncidentStore(redis).latest(camera_id)
        assert incident is not None
        assert abs(incident.peak_ms - START_MS - FIRST_S * 1000) <= 500
        assert await redis.get(detector_key(camera_id)) == b""
