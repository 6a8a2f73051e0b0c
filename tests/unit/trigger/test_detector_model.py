"""Files that are no detector, and detectors that are none of ours: what is wrong is said."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monitor.clock import SystemClock
from monitor.config.models import DetectorSettings
from monitor.errors import DetectorError
from monitor.trigger.detector import Detector, SharedDetector, Shelf
from tests import detecting

K = 6
LABELS = np.full((1, K), detecting.CAR, np.int64)
CORNERS = np.full((1, K, 4), 0.5, np.float32)
SCORES = np.full((1, K), 0.9, np.float32)
PICTURE = np.full((360, 640, 3), 90, np.uint8)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "model.onnx"


def opened(path: Path, **settings: Any) -> Detector:
    return Detector(DetectorSettings(model=str(path), **settings), SystemClock())


def refused(path: Path, **settings: Any) -> str:
    with pytest.raises(DetectorError) as caught:
        opened(path, **settings)
    return str(caught.value)


def test_a_file_that_is_not_there(file: Path) -> None:
    assert "no such file" in refused(file)
    assert "no such file" in refused(file.parent)


@pytest.mark.parametrize("content", [b"", b"no model at all", b"\x08\x07" + bytes(4096)])
def test_a_file_that_is_not_onnx(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    assert refused(file).startswith(f"{file} cannot be opened as an ONNX model: ")


def test_half_a_model(file: Path) -> None:
    detecting.sees_hues(file)
    file.write_bytes(file.read_bytes()[:20_000])
    assert "cannot be opened" in refused(file)


@pytest.mark.parametrize(
    "inputs",
    [
        {},
        {"images": ((1, 1, 640, 640), "float32")},
        {"images": ((3, 640, 640), "float32")},
        {"images": ((1, 3, 640, 640), "int64")},
        {**detecting.PICTURE, "more": ((1, 3, 640, 640), "float32")},
        {**detecting.PICTURE, "a": ((1, 2), "int64"), "b": ((1, 2), "int64")},
        {**detecting.PICTURE, "scale": ((1, 2), "float32")},
    ],
)
def test_inputs_that_are_no_picture(file: Path, inputs: detecting.Inputs) -> None:
    detecting.constant(file, {"output": detecting.yolox_rows((640, 640), 80)}, inputs)
    message = refused(file)
    assert "its inputs (" in message
    assert all(name in message for name in inputs)


def test_a_batch_that_is_not_one(file: Path) -> None:
    rows = detecting.yolox_rows((640, 640), 80)
    detecting.constant(file, {"output": rows}, {"images": ((4, 3, 640, 640), "float32")})
    assert "4 pictures at once" in refused(file)


@pytest.mark.parametrize("size", [(8, 8), (640, 99_999)])
def test_an_input_of_a_senseless_size(file: Path, size: tuple[int, int]) -> None:
    inputs: detecting.Inputs = {"images": ((1, 3, *size), "float32")}
    detecting.constant(file, {"output": np.zeros((1, 1, 85), np.float32)}, inputs)
    assert "32 to 4096 pixels" in refused(file)


@pytest.mark.parametrize(
    "outputs",
    [
        {"output0": np.zeros((1, 84, 8400), np.float32)},  # of another family
        {"output": np.zeros((1, 100, 85), np.float32)},  # fewer rows than there are cells
        {"output": np.zeros((8400, 85), np.float32)},
        {"output": np.zeros((1, 8400, 85), np.int64)},
        {"probabilities": np.zeros((1, 1000), np.float32)},
        {"boxes": CORNERS, "scores": SCORES},
        {"labels": LABELS, "boxes": CORNERS, "scores": SCORES[:, 1:]},
        {"logits": np.zeros((1, K + 1, 80), np.float32), "boxes": CORNERS},
        {"a": CORNERS, "b": CORNERS},
        {"a": SCORES, "b": SCORES, "c": SCORES, "d": SCORES},
    ],
)
def test_outputs_that_nobody_knows(file: Path, outputs: dict[str, np.ndarray]) -> None:
    detecting.constant(file, outputs)
    message = refused(file)
    assert "docs/detector.md" in message
    for name, array in outputs.items():
        assert f"{name} {'x'.join(map(str, array.shape))}" in message


def test_a_kind_that_the_outputs_are_not(file: Path) -> None:
    detecting.constant(file, {"output": detecting.yolox_rows((640, 640), 80)})
    assert "`kind: rtdetr` asks" in refused(file, kind="rtdetr")


def test_corners_need_the_size_and_nothing_else_takes_it(file: Path) -> None:
    said: dict[str, detecting.Array] = {"labels": LABELS, "boxes": CORNERS, "scores": SCORES}
    assert "second input" in refused(detecting.constant(file, said))
    rows = {"output": detecting.yolox_rows((640, 640), 80)}
    detecting.constant(file, rows, detecting.PICTURE_AND_SIZE)
    assert "second input" in refused(file)


def test_open_dimensions_and_half_floats_are_taken(file: Path) -> None:
    rows = {"output": detecting.yolox_rows((640, 640), 80).astype(np.float16)}
    inputs: detecting.Inputs = {"images": (("batch", 3, "height", None), "float16")}
    detector = opened(detecting.constant(file, rows, inputs))
    assert detector.size == (640, 640)
    assert len(detector.detect(PICTURE)[0]) == 0
    assert str(detector).startswith("yolox for 640x640 on the CPU, ")


def test_outputs_that_change_their_shapes(file: Path) -> None:
    outputs = {"logits": np.full((1, K, 80), -9.0, np.float32), "boxes": CORNERS}
    detector = opened(detecting.shrinks_when_bright(file, outputs))
    assert len(detector.detect(PICTURE)[0]) == 0
    with pytest.raises(DetectorError, match="changed their shapes"):
        detector.detect(np.full_like(PICTURE, 250))


def test_cuda_that_is_not_there(file: Path) -> None:
    detecting.sees_hues(file)
    assert opened(file, provider="auto").on_cuda is False
    message = refused(file, provider="cuda")
    assert "provider: cpu" in message


@pytest.mark.parametrize("missing", ["onnxruntime"])
def test_without_the_extra_it_says_what_to_install(
    file: Path, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    detecting.sees_hues(file)
    monkeypatch.setitem(sys.modules, missing, None)
    assert "requirements-detector.lock" in refused(file)


def test_a_network_that_does_not_end_is_stopped(file: Path) -> None:
    detecting.looping(file, turns=400)  # some seconds of matrices
    with pytest.raises(DetectorError, match=r"it failed after up to 0\.2 s"):
        Detector(DetectorSettings(model=str(file)), SystemClock(), open_limit_s=0.2)


def test_cameras_with_the_same_settings_share_one(file: Path) -> None:
    detecting.sees_hues(file)
    shelf = Shelf(SystemClock())
    same = [shelf.of(DetectorSettings(model=str(file))) for _ in range(2)]
    assert same[0] is same[1]
    assert same[0] is not None
    assert same[0].get() is same[0].get()
    other = shelf.of(DetectorSettings(model=str(file), every=2))
    assert other is not None
    assert other is not same[0]
    assert other.get().kind == "yolox"
    assert shelf.of(DetectorSettings()) is None


def test_a_failure_is_said_again_and_not_tried_again(file: Path) -> None:
    shared = SharedDetector(DetectorSettings(model=str(file)), SystemClock())
    with pytest.raises(DetectorError) as first:
        shared.get()
    detecting.sees_hues(file)
    with pytest.raises(DetectorError) as second:
        shared.get()
    assert str(first.value) == str(second.value)


def test_without_a_model_nothing_of_the_extra_is_imported() -> None:
    code = (
        "import sys, workers.watch, workers.commands.check, monitor.trigger.detector; "
        "print(sorted({'onnxruntime', 'trackers', 'supervision', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=50, check=True
    )
    assert done.stdout.strip() == "[]"
