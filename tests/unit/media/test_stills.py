"""Sizes in whole patches, and colours that survive."""

from __future__ import annotations

import av
import cv2
import numpy as np
import pytest
from av.video.reformatter import VideoReformatter
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import MediaError
from monitor.media.stills import PATCH_PX, model_size, part_px, to_jpeg


@given(st.integers(1, 8000), st.integers(1, 8000), st.integers(32, 1920))
def test_whole_patches_never_enlarged_shape_kept(width: int, height: int, limit: int) -> None:
    out_width, out_height = model_size(width, height, limit)
    assert out_width % PATCH_PX == 0
    assert out_height % PATCH_PX == 0
    assert out_width <= max(PATCH_PX, min(width, limit))
    exact = height * out_width / width
    assert out_height == PATCH_PX or abs(out_height - exact) <= PATCH_PX / 2


@pytest.mark.parametrize(
    ("size", "expected"),
    [((1280, 720), (640, 352)), ((1920, 1080), (640, 352)), ((848, 478), (640, 352)),
     ((640, 480), (640, 480)), ((352, 288), (352, 288))],
)  # fmt: skip
def test_common_cameras(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert model_size(*size, 640) == expected


_SHARE = st.floats(0, 1)


@given(st.integers(1, 8000), st.integers(1, 8000), st.tuples(_SHARE, _SHARE, _SHARE, _SHARE))
def test_a_part_is_never_empty_and_never_outside(
    width: int, height: int, part: tuple[float, float, float, float]
) -> None:
    left, top, wide, high = part_px((width, height), part)
    assert 0 <= left < left + wide <= width
    assert 0 <= top < top + high <= height


def test_impossible_sizes() -> None:
    with pytest.raises(MediaError):
        model_size(0, 100, 640)
    with pytest.raises(MediaError):
        model_size(100, 100, 16)


def test_colour_survives() -> None:
    image = np.zeros((96, 128, 3), np.uint8)
    image[:] = (30, 60, 200)  # blue, green, red
    frame = av.VideoFrame.from_ndarray(image, format="bgr24").reformat(format="yuv420p")
    still = to_jpeg(frame, 5, (64, 64), VideoReformatter())
    assert (still.capture_ms, still.width, still.height) == (5, 64, 64)
    decoded = cv2.imdecode(np.frombuffer(still.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    assert np.abs(decoded.mean(axis=(0, 1)) - np.array([30, 60, 200])).max() < 8
