"""The main job, end to end, as a stranger would run it: a crash on camera, and the reason for it.

Times are held against the scene's ground truth. Which moment of the scene the clip begins at is
read off its first picture: the clip is a remux, so it decodes to the very same pixels.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import psutil
import pytest

from monitor import wire
from monitor.domain import Alert, IncidentType, Stage

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("demo")
    env = {k: v for k, v in os.environ.items() if not k.startswith("CAUSEWAY")}
    done = subprocess.run(
        [sys.executable, "-m", "workers.cli", "demo", "--once"],
        cwd=folder, env={**env, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        timeout=240, check=False,
    )  # fmt: skip
    return folder, done


@pytest.fixture(scope="module")
def truth(demo: tuple[Path, Any]) -> dict[str, Any]:
    (path,) = (demo[0] / "var" / "demo" / "videos").glob("rear_end-*.truth.json")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


@pytest.fixture(scope="module")
def alert(demo: tuple[Path, subprocess.CompletedProcess[str]]) -> Alert:
    done = demo[1]
    assert done.returncode == 0, done.stderr
    return wire.from_json(Alert, done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def offset_s(demo: tuple[Path, Any], alert: Alert) -> float:
    """The scene's time at the clip's time 0."""
    folder = demo[0] / "var" / "demo"
    assert alert.media is not None
    assert alert.media.clip is not None
    with av.open(str(folder / "run" / "media" / alert.media.clip)) as clip:
        first = next(clip.decode(video=0)).to_ndarray()
    (video,) = (folder / "videos").glob("rear_end-*.mp4")
    with av.open(str(video)) as scene:
        scene.streams.video[0].codec_context.skip_frame = "NONKEY"
        for frame in scene.decode(video=0):
            if np.array_equal(frame.to_ndarray(), first):
                assert frame.time is not None
                return frame.time
    raise AssertionError("the clip does not begin with a key picture of the scene")


@pytest.mark.timeout(260)
def test_the_alert_is_all_there_is_on_standard_output(
    demo: tuple[Path, subprocess.CompletedProcess[str]], alert: Alert
) -> None:
    assert len(demo[1].stdout.splitlines()) == 1
    assert alert.stage is Stage.EXPLAINED
    assert alert.explainer is not None


def test_it_names_the_rear_end_collision_and_its_moment(
    alert: Alert, truth: dict[str, Any], offset_s: float
) -> None:
    assert alert.answer is not None
    assert alert.answer.incident_type is IncidentType.REAR_END_COLLISION
    (contact_s,) = (e["t_s"] for e in truth["events"] if e["kind"] == "contact")
    measured = [e.t_s + offset_s for e in alert.evidence if e.kind == "contact"]
    assert measured, "the contact is among the evidence"
    assert min(abs(t_s - contact_s) for t_s in measured) <= 0.5


def test_its_three_antecedents_are_the_true_ones_within_a_second(
    alert: Alert, truth: dict[str, Any], offset_s: float
) -> None:
    assert alert.answer is not None
    told = [a.t_s + offset_s for a in alert.answer.antecedents if a.t_s is not None]
    assert len(told) == 3
    for true in truth["antecedents"]:
        assert min(abs(t_s - true["t_s"]) for t_s in told) <= 1.0, (true, told)


def test_nothing_is_left_running(demo: tuple[Path, Any]) -> None:
    folder = str(demo[0])
    left = [p.info for p in psutil.process_iter(["cmdline"]) if folder in str(p.info["cmdline"])]
    assert left == []
