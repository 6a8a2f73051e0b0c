"""What the scene looks like: where things are in the picture, what is lit, the files."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from monitor.errors import SceneError
from monitor.scene import Renderer, Simulation, build, render_to, truth_of
from monitor.scene.__main__ import main
from monitor.scene.camera import PinholeCamera, box_of
from monitor.scene.drawing import Image, vehicle_sprite
from monitor.scene.encode import GOP_FRAMES
from monitor.scene.light import Light
from monitor.scene.truth import vehicle_box

SIZE = (480, 270)


@cache
def crash() -> Simulation:
    return build("rear_end", 0)


@cache
def told() -> dict[str, Any]:
    return truth_of(crash())


@cache
def renderer() -> Renderer:
    return Renderer(crash(), SIZE)


def test_a_point_on_the_axis_is_in_the_middle() -> None:
    camera = PinholeCamera((0.0, 0.0, 5.0), yaw_deg=0.0, pitch_deg=0.0, focal=1.0)
    assert camera.project(np.array([[0.0, 10.0, 5.0]])).tolist() == [[0.5, 0.5]]
    # One metre right and one up at ten metres: a tenth of the width, 16/9 of that of the height.
    ((u, v),) = camera.project(np.array([[1.0, 10.0, 6.0]]))
    assert u == pytest.approx(0.6)
    assert v == pytest.approx(0.5 - 0.1 * 16 / 9)


def test_ground_and_picture_are_inverse() -> None:
    camera = PinholeCamera()
    for x, y in ((0.0, 0.0), (5.25, 20.0), (-6.0, 60.0)):
        ((u, v),) = camera.project(np.array([[x, y, 0.0]]))
        assert camera.ground(float(u), float(v)) == pytest.approx((x, y))
    with pytest.raises(ValueError, match="horizon"):
        PinholeCamera(pitch_deg=0.0).ground(0.5, 0.4)


def test_boxes_are_cut_to_the_picture() -> None:
    assert box_of(np.array([[-0.5, 0.2], [0.25, 1.5]])) == (0.0, 0.2, 0.25, 0.8)
    assert box_of(np.array([[1.2, 0.2], [1.5, 0.4]])) is None


def test_the_calibration_points_are_where_it_says() -> None:
    for point in told()["calibration"]:
        ground = crash().camera.ground(*point["image"])
        assert ground == pytest.approx(tuple(point["ground_m"]), abs=0.02)


@pytest.mark.parametrize("frame", [540, 563, 620])
def test_vehicles_fill_the_boxes_the_truth_gives_them(frame: int) -> None:
    simulation = crash()
    seen = 0
    for vehicle in simulation.frames[frame].vehicles:
        box = vehicle_box(simulation, vehicle)
        sprite = vehicle_sprite(
            SIZE, simulation.camera, Light(), simulation.specs[vehicle.id], vehicle
        )
        if box is None or sprite is None or box[2] * SIZE[0] < 12:
            continue
        if min(box[:2]) == 0.0 or max(box[0] + box[2], box[1] + box[3]) == 1.0:
            continue  # cut by the picture's edge
        seen += 1
        rows, columns = np.nonzero(sprite.alpha > 127)
        drawn = (
            sprite.x + columns.min(), sprite.y + rows.min(),
            sprite.x + columns.max() + 1, sprite.y + rows.max() + 1,
        )  # fmt: skip
        expected = (
            box[0] * SIZE[0], box[1] * SIZE[1],
            (box[0] + box[2]) * SIZE[0], (box[1] + box[3]) * SIZE[1],
        )  # fmt: skip
        assert drawn == pytest.approx(expected, abs=1.6)
    assert seen >= 4


def redness(image: Image, box: list[float]) -> float:
    """How much red there is in excess of the other colours, at its strongest."""
    x0, y0 = int(box[0] * SIZE[0]), int(box[1] * SIZE[1])
    x1, y1 = int((box[0] + box[2]) * SIZE[0]), int((box[1] + box[3]) * SIZE[1])
    cut = image[y0 : y1 + 1, x0 : x1 + 1].astype(int)
    excess = cut[:, :, 2] - np.maximum(cut[:, :, 0], cut[:, :, 1])
    return float(np.sort(excess, axis=None)[-12:].mean())


def test_brake_lamps_light_up_in_the_picture() -> None:
    truth = told()
    lead = truth["roles"]["lead"]
    onset = next(
        e["frame"] for e in truth["events"]
        if e["kind"] == "brake_light_onset" and e["actor"] == lead
    )  # fmt: skip
    levels = []
    for frame in (onset - 1, onset):
        box = next(a["box"] for a in truth["frames"][frame]["actors"] if a["id"] == lead)
        levels.append(redness(renderer().frame(frame), box))
    assert levels[1] > levels[0] + 25


def test_the_same_frame_is_the_same_picture() -> None:
    def digest(source: Renderer, frame: int) -> str:
        return hashlib.sha256(source.frame(frame).tobytes()).hexdigest()

    first = digest(renderer(), 300)
    renderer().frame(500)
    assert digest(renderer(), 300) == first
    assert digest(renderer().twin(), 300) == first
    assert digest(renderer(), 301) != first


def test_another_seed_is_another_picture() -> None:
    other = Renderer(build("rear_end", 1), SIZE)
    difference = np.abs(other.frame(300).astype(int) - renderer().frame(300).astype(int))
    assert (difference.max(axis=2) > 40).mean() > 0.005


def test_less_light_is_a_darker_picture() -> None:
    dim = Renderer(crash(), SIZE, Light(exposure=0.5, noise=5.0))
    assert 0.4 < dim.frame(300).mean() / renderer().frame(300).mean() < 0.65
    still = (slice(215, 255), slice(315, 350))  # grass: only noise changes from frame to frame
    noise = [
        (r.frame(300)[still].astype(int) - r.frame(301)[still]).std() for r in (renderer(), dim)
    ]
    assert 1.9 < noise[1] / noise[0] < 2.7


def test_the_file_is_what_a_camera_would_send(tmp_path: Path) -> None:
    target = tmp_path / "scene" / "normal.mp4"
    counted: list[tuple[int, int]] = []
    done = render_to(
        target, "normal", 3, (160, 96), fps=5, progress=lambda n, of: counted.append((n, of))
    )
    assert (done.video, done.frames) == (target, 200)
    assert counted[-1] == (200, 200)
    assert sorted(p.name for p in target.parent.iterdir()) == [
        "normal.mp4", "normal.mp4.truth.json",
    ]  # fmt: skip
    with av.open(str(target)) as container:
        video = container.streams.video[0]
        assert (video.codec_context.name, video.width, video.height) == ("h264", 160, 96)
        packets = [p for p in container.demux(video) if p.size]
    assert [n for n, p in enumerate(packets) if p.is_keyframe] == list(range(0, 200, GOP_FRAMES))
    assert all(p.pts == p.dts for p in packets)  # no B-frames
    truth = json.loads(done.truth.read_text())
    assert (truth["scenario"], truth["seed"], truth["fps"], truth["frame_count"]) == (
        "normal", 3, 5, 200,
    )  # fmt: skip


def test_where_nothing_can_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SceneError, match="cannot write"):
        render_to(tmp_path / "file" / "a.mp4", "normal", size=(160, 96), fps=5)
    assert main(["normal", "--out", str(tmp_path / "file" / "a.mp4"), "--width", "160",
                 "--height", "96", "--fps", "5"]) == 1  # fmt: skip
    assert "cannot write" in capsys.readouterr().err
