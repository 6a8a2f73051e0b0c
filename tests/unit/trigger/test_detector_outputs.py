"""A detector's outputs to boxes in the picture: every shape, to the pixel, through onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monitor.clock import SystemClock
from monitor.config.models import DetectorSettings
from monitor.errors import DetectorError
from monitor.media.decode import Planes
from monitor.trigger.detector import Detector
from monitor.trigger.detector.fit import Pixels, bgr, blob, letterboxed
from tests import detecting
from tests.detecting import CAR, Array

PERSON, TRUCK, MOTORCYCLE, DOG = 0, 7, 3, 16
WIDE = np.zeros((720, 1280, 3), np.uint8)
"""At half size it fills the upper 360 rows of a square of 640."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "model.onnx"


def opened(path: Path, **settings: Any) -> Detector:
    return Detector(DetectorSettings(model=str(path), **settings), SystemClock())


def boxes(detector: Detector, picture: Array = WIDE) -> list[list[float]]:
    found, _ = detector.detect(picture)
    order = np.lexsort((found.boxes[:, 1], found.boxes[:, 0]))
    return [[round(float(side), 2) for side in found.boxes[row]] for row in order]


def yolox(*cells: tuple[int, int, int, int, float], size: int = 640) -> Array:
    """Raw rows with something of a class in cells of (stride, row, column, class, score)."""
    rows = detecting.yolox_rows((size, size), 80)
    rows[..., 2:4] = -1.0  # no real network says zero of empty cells
    for stride, row, column, name, score in cells:
        first = sum((size // s) ** 2 for s in (8, 16, 32) if s < stride)
        at = first + row * (size // stride) + column
        rows[0, at, :4] = (0.25, 0.5, np.log(5.0), np.log(3.0))
        rows[0, at, 4], rows[0, at, 5 + name] = 0.9, score / 0.9
    return rows


@pytest.mark.parametrize("stride", [8, 16, 32])
def test_yolox_cells_become_boxes_of_the_picture(file: Path, stride: int) -> None:
    detecting.constant(file, {"output": yolox((stride, 7, 9, CAR, 0.8))})
    detector = opened(file)
    assert detector.kind == "yolox"
    # Centre (9.25, 7.5) cells, 5 by 3 cells, and two picture pixels to each of the input.
    left, top, wide, high = ((9.25 - 2.5), (7.5 - 1.5), 5, 3)
    expected = [2 * stride * side for side in (left, top, left + wide, top + high)]
    assert boxes(detector) == [pytest.approx(expected, abs=0.02)]
    found, people = detector.detect(WIDE)
    assert found.scores.tolist() == pytest.approx([0.8])
    assert (found.classes.tolist(), people.tolist()) == ([CAR], [False])


def test_yolox_with_a_fourth_stride(file: Path) -> None:
    cells = [(640 // stride) ** 2 for stride in (8, 16, 32, 64)]
    rows = np.zeros((1, sum(cells), 85), np.float32)
    at = sum(cells[:3]) + 2 * 10 + 3  # row 2, column 3 of stride 64
    rows[0, at, 4], rows[0, at, 5 + CAR] = 1.0, 0.9
    detecting.constant(file, {"output": rows})
    assert boxes(opened(file)) == [[2 * 160, 2 * 96, 2 * 224, 2 * 160]]


def test_yolox_that_was_exported_decoded(file: Path) -> None:
    rows = detecting.yolox_rows((640, 640), 80)
    rows[..., :4] = (320.0, 320.0, 8.0, 8.0)
    rows[0, 77, :4] = (100.0, 60.0, 40.0, 20.0)
    rows[0, 77, 4], rows[0, 77, 5 + CAR] = 1.0, 0.7
    detecting.constant(file, {"output": rows})
    detector = opened(file)
    assert detector.kind == "yolox_decoded"
    assert boxes(detector) == [[160, 100, 240, 140]]


def test_the_kind_in_the_settings_wins_over_the_guess(file: Path) -> None:
    rows = detecting.yolox_rows((640, 640), 80)
    rows[0, 77] = 0.0
    rows[0, 77, :4] = (100.0, 60.0, 40.0, 20.0)
    rows[0, 77, 4], rows[0, 77, 5 + CAR] = 1.0, 0.7
    detecting.constant(file, {"output": rows})
    assert opened(file).kind == "yolox"  # nearly all of it looks like offsets
    assert boxes(opened(file, kind="yolox_decoded")) == [[160, 100, 240, 140]]


def test_a_letterbox_that_cannot_halve_is_undone_by_its_whole_pixels(file: Path) -> None:
    picture = np.zeros((333, 501, 3), np.uint8)
    detecting.constant(file, {"output": yolox((32, 5, 5, CAR, 0.8))})
    inner = 640, int(333 * (640 / 501))  # 425 rows, where 425.39 were asked for
    left, top, wide, high = (32 * side for side in (5.25 - 2.5, 5.5 - 1.5, 5, 3))
    x, y = 501 / inner[0], 333 / inner[1]
    expected = [left * x, top * y, (left + wide) * x, (top + high) * y]
    assert boxes(opened(file), picture) == [pytest.approx(expected, abs=0.01)]


def test_rtdetr_gets_the_pictures_size_and_gives_its_corners(file: Path) -> None:
    labels = np.array([[CAR, PERSON, DOG, CAR]], np.int64)
    corners = np.array([[[0.1, 0.2, 0.3, 0.6], [0.5, 0.5, 0.525, 0.6], [0, 0, 1, 1], [0, 0, 1, 1]]])
    scores = np.array([[0.9, 0.8, 0.9, 0.05]], np.float32)
    detecting.scaled_boxes(file, labels, corners.astype(np.float32), scores)
    detector = opened(file)
    assert detector.kind == "rtdetr"
    assert boxes(detector) == [[128, 144, 384, 432], [640, 360, 672, 432]]
    found, people = detector.detect(WIDE)
    assert people.tolist() == [False, True]
    assert found.scores.tolist() == pytest.approx([0.9, 0.8])


def test_detr_with_sigmoids_and_fractions(file: Path) -> None:
    logits = np.full((1, 5, 80), -12.0, np.float32)
    logits[0, 3, CAR] = np.log(0.75 / 0.25)
    fractions = np.full((1, 5, 4), 0.5, np.float32)
    fractions[0, 3] = (0.25, 0.5, 0.1, 0.2)
    detecting.constant(file, {"pred_logits": logits, "pred_boxes": fractions})
    detector = opened(file)
    assert detector.kind == "detr"
    assert boxes(detector) == [[256, 288, 384, 432]]
    assert detector.detect(WIDE)[0].scores.tolist() == pytest.approx([0.75])


def test_detr_with_softmax_has_nothing_as_its_last_class(file: Path) -> None:
    logits = np.zeros((1, 3, 5), np.float32)
    logits[0, :, 4] = 9.0  # nothing
    logits[0, 1] = (0, 0, 7.0, 0, 7.0)
    fractions = np.full((1, 3, 4), 0.5, np.float32)
    detecting.constant(file, {"logits": logits, "boxes": fractions})
    detector = opened(file, kind="detr_softmax", min_score=0.3)
    assert boxes(detector) == [[320, 180, 960, 540]]
    share = float(np.exp(7) / (2 * np.exp(7) + 3))
    assert detector.detect(WIDE)[0].scores.tolist() == pytest.approx([share], abs=1e-3)


def test_a_network_of_four_classes_is_told_by_its_names(file: Path) -> None:
    logits = np.full((1, 2, 4), -9.0, np.float32)
    logits[0, 0, CAR] = 9.0
    fractions = np.full((1, 2, 4), 0.5, np.float32)
    detecting.constant(file, {"boxes": fractions, "logits": logits})
    assert boxes(opened(file)) == [[320, 180, 960, 540]]


@pytest.mark.parametrize(
    ("pixels", "expected"),
    [
        ("bgr_255", (51, 102, 153)),
        ("rgb_255", (153, 102, 51)),
        ("rgb_1", (0.6, 0.4, 0.2)),
        # torchvision's means and deviations
        ("rgb_imagenet", (0.115 / 0.229, -0.056 / 0.224, -0.206 / 0.225)),
    ],
)
def test_the_input_has_the_order_and_range_that_is_asked_for(
    pixels: Pixels, expected: tuple[float, ...]
) -> None:
    picture = np.full((2, 3, 3), (51, 102, 153), np.uint8)  # blue, green, red
    tensor = blob(picture, pixels, np.float32)
    assert tensor.shape == (1, 3, 2, 3)
    assert tensor.dtype == np.float32
    for channel, value in enumerate(expected):
        assert tensor[0, channel] == pytest.approx(value, abs=1e-5)


def test_the_input_of_the_detr_family_is_red_first_and_up_to_one(file: Path) -> None:
    picture = np.full((640, 640, 3), (51, 102, 153), np.uint8)
    detector = opened(detecting.says_its_input(file))
    # Centre at (0.6, 0.4), 0.2 wide and a half high.
    assert boxes(detector, picture) == [pytest.approx([320, 96, 448, 416], abs=0.1)]


def test_yolox_is_fed_blue_first_on_a_grey_ground(file: Path) -> None:
    picture = np.full((100, 200, 3), (51, 102, 153), np.uint8)
    whole, fit = letterboxed(picture, (640, 640))
    assert whole[319, 639].tolist() == [51, 102, 153]
    assert whole[320, 0].tolist() == [114, 114, 114]
    assert (fit.scale_x, fit.scale_y) == (3.2, 3.2)


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (17, 3), (360, 640), (359, 641)])
def test_pictures_of_any_size_are_coloured_as_they_are(size: tuple[int, int]) -> None:
    height, width = size
    half = (height + 1) // 2, (width + 1) // 2
    # Full red in BT.601: Y 81, U 90, V 240.
    planes = Planes(*(np.full(s, v, np.uint8) for s, v in ((size, 81), (half, 90), (half, 240))))
    picture = bgr(planes)
    assert picture.shape == (max(1, height // 2 * 2), max(1, width // 2 * 2), 3)
    if min(size) > 1:
        assert np.abs(picture.astype(int) - (0, 0, 255)).max() <= 3


def test_one_thing_said_twice_is_one(file: Path) -> None:
    rows = yolox((8, 40, 40, CAR, 0.7), (8, 40, 41, CAR, 0.8), (8, 40, 42, TRUCK, 0.6))
    detecting.constant(file, {"output": rows})
    found, _ = opened(file).detect(WIDE)
    assert found.scores.tolist() == pytest.approx([0.8])
    labels = np.array([[CAR, TRUCK]], np.int64)
    corners = np.array([[[0.1, 0.2, 0.3, 0.6]] * 2], np.float32)
    detecting.scaled_boxes(file, labels, corners, np.array([[0.6, 0.9]], np.float32))
    found, _ = opened(file).detect(WIDE)
    assert found.classes.tolist() == [TRUCK]


def test_neighbours_are_two(file: Path) -> None:
    rows = yolox((8, 40, 40, CAR, 0.7), (8, 40, 45, CAR, 0.8))
    detecting.constant(file, {"output": rows})
    assert len(opened(file).detect(WIDE)[0]) == 2


def test_who_rides_or_is_behind_a_car_is_not_on_the_road_and_who_walks_before_it_is(
    file: Path,
) -> None:
    labels = np.array([[MOTORCYCLE, PERSON, PERSON]], np.int64)
    corners = np.array(
        [[[0.4, 0.5, 0.5, 0.7], [0.42, 0.35, 0.48, 0.65], [0.45, 0.45, 0.48, 0.75]]], np.float32
    )
    detecting.scaled_boxes(file, labels, corners, np.full((1, 3), 0.9, np.float32))
    found, people = opened(file).detect(WIDE)
    assert people.tolist() == [False, True]
    assert found.boxes[1].tolist() == pytest.approx([576, 324, 614.4, 540], abs=0.1)


def test_classes_are_what_the_settings_say(file: Path) -> None:
    detecting.constant(file, {"output": yolox((8, 40, 40, CAR, 0.7), (32, 5, 5, DOG, 0.8))})
    _, people = opened(file, vehicles=(DOG,), persons=(CAR,)).detect(WIDE)
    assert sorted(people.tolist()) == [False, True]


def test_nothing_found_is_nothing(file: Path) -> None:
    detecting.constant(file, {"output": yolox()})
    found, people = opened(file).detect(WIDE)
    assert (len(found), len(people), found.boxes.shape) == (0, 0, (0, 4))


def test_ten_thousand_detections_are_three_hundred(file: Path) -> None:
    grid = np.stack(np.meshgrid(np.linspace(0, 1, 100), np.linspace(0, 1, 100)), -1).reshape(-1, 2)
    fractions = np.concatenate([grid, np.full((10_000, 2), 0.005)], axis=1)[None]
    logits = np.full((1, 10_000, 80), -9.0, np.float32)
    logits[0, :, CAR] = np.linspace(0.0, 5.0, 10_000)
    detecting.constant(file, {"logits": logits, "boxes": fractions.astype(np.float32)})
    found, _ = opened(file).detect(WIDE)
    assert 250 <= len(found) <= 300  # some lie wholly outside
    assert found.scores.min() > 1 / (1 + np.exp(-4.8))  # the surest ones


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("column", [0, 4, 5 + CAR])
def test_numbers_that_are_none_are_said(file: Path, bad: float, column: int) -> None:
    rows = yolox((8, 40, 40, CAR, 0.7))
    at = int(rows[0, :, 4].argmax())
    rows[0, at, column] = bad
    detecting.constant(file, {"output": rows})
    with pytest.raises(DetectorError, match=r"not numbers|not between 0 and 1"):
        opened(file)


def test_scores_without_their_sigmoid_are_said(file: Path) -> None:
    rows = yolox((8, 40, 40, CAR, 0.7))
    rows[..., 4:] = -6.0
    detecting.constant(file, {"output": rows})
    with pytest.raises(DetectorError, match="with the sigmoid"):
        opened(file)
