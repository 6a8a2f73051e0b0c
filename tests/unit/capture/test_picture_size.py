from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.capture import annexb
from monitor.capture.picture_size import picture_size
from monitor.domain import VideoCodec


def real_sps(codec: VideoCodec, width: int, height: int, pixels: str, **options: str) -> bytes:
    """The SPS that x264 or x265 writes for such pictures."""
    name = "libx264" if codec is VideoCodec.H264 else "libx265"
    encoder = av.CodecContext.create(name, "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, pixels
    encoder.time_base = Fraction(1, 25)
    encoder.thread_count = 1
    quiet = {"x265-params": "log-level=none:repeat-headers=1"} if codec is VideoCodec.HEVC else {}
    encoder.options = {"preset": "ultrafast", **quiet, **options}
    frame = av.VideoFrame.from_ndarray(np.zeros((height, width, 3), np.uint8), format="rgb24")
    packets = [*encoder.encode(frame.reformat(format=pixels)), *encoder.encode(None)]
    sps = annexb.parameter_sets(bytes(packets[0]), codec).sps()
    assert sps is not None
    return sps


@pytest.mark.parametrize(
    ("codec", "width", "height", "pixels", "options"),
    [
        (VideoCodec.H264, 1920, 1080, "yuv420p", {}),  # 1088 lines, cropped
        (VideoCodec.H264, 1280, 720, "yuv420p", {"profile": "baseline"}),
        (VideoCodec.H264, 642, 362, "yuv420p", {"profile": "main"}),
        (VideoCodec.H264, 1920, 1080, "yuv420p", {"x264-params": "interlaced=1"}),
        (VideoCodec.H264, 638, 358, "yuv422p", {}),
        (VideoCodec.H264, 637, 359, "yuv444p", {}),
        (VideoCodec.H264, 640, 480, "yuv420p", {"x264-params": "cqm=jvt"}),
        (VideoCodec.HEVC, 1920, 1080, "yuv420p", {}),
        (VideoCodec.HEVC, 642, 362, "yuv420p", {}),
        (VideoCodec.HEVC, 640, 360, "yuv420p10le", {}),
        (VideoCodec.HEVC, 637, 359, "yuv444p", {}),
    ],
)  # fmt: skip
def test_the_size_that_an_encoder_wrote(
    codec: VideoCodec, width: int, height: int, pixels: str, options: dict[str, str]
) -> None:
    sps = real_sps(codec, width, height, pixels, **options)
    assert picture_size(sps, codec) == (width, height)


@pytest.mark.parametrize("codec", list(VideoCodec))
def test_a_cut_one_gives_no_size(codec: VideoCodec) -> None:
    sps = real_sps(codec, 320, 192, "yuv420p")
    assert picture_size(sps[:4], codec) is None
    assert picture_size(b"", codec) is None


@given(st.binary(max_size=120), st.sampled_from(VideoCodec))
def test_garbage_gives_no_size_or_a_possible_one(data: bytes, codec: VideoCodec) -> None:
    size = picture_size(data, codec)
    assert size is None or (0 < size[0] <= 16384 and 0 < size[1] <= 16384)
