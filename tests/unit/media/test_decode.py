"""Encoded access units become pictures with the right content at the right times."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import cast

import av
import numpy as np
import pytest

from monitor.domain import AccessUnit, CodecParameters, VideoCodec
from monitor.errors import MediaError
from monitor.media.decode import DecodedFrame, Decoder, planes, to_bgr

START_MS = 1_700_000_000_000
LEVELS = (40, 70, 100, 130, 160, 190, 60, 90, 120, 150, 180, 210)


def pictures(
    codec: str = "libx264", *, b_frames: int = 0, width: int = 320, pixel_format: str = "yuv420p"
) -> Iterator[AccessUnit]:
    """Flat pictures whose luma tells which one it is; 25 fps, a key access unit every 6."""
    encoder = cast(av.VideoCodecContext, av.CodecContext.create(codec, "w"))
    encoder.width, encoder.height, encoder.pix_fmt = width, 180, pixel_format
    encoder.time_base, encoder.framerate = Fraction(1, 1000), Fraction(25)
    encoder.gop_size, encoder.max_b_frames = 6, b_frames
    encoder.options = (
        {"preset": "ultrafast", "x264-params": f"scenecut=0:keyint=6:bframes={b_frames}"}
        if codec == "libx264"
        else {"preset": "ultrafast", "x265-params": "log-level=none:keyint=6:bframes=0:scenecut=0"}
    )
    packets = []
    for index, level in enumerate(LEVELS):
        luma = np.full((180, width), level, np.uint8)
        frame = av.VideoFrame.from_ndarray(np.dstack([luma, luma, luma]), format="rgb24").reformat(
            format=pixel_format
        )
        frame.pts, frame.time_base = index * 40, Fraction(1, 1000)
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    for packet in packets:
        assert packet.pts is not None
        assert packet.dts is not None
        yield AccessUnit(
            START_MS + packet.dts, START_MS + packet.pts, packet.is_keyframe, 0, bytes(packet)
        )


def h264() -> Decoder:
    return Decoder(CodecParameters(VideoCodec.H264, 320, 180, b"", 25.0, 0))


def level(frame: DecodedFrame) -> float:
    return float(to_bgr(frame.frame, 320)[90, 160].mean())


def assert_is_the_clip(frames: list[DecodedFrame]) -> None:
    assert [f.capture_ms for f in frames] == [START_MS + 40 * i for i in range(len(LEVELS))]
    for frame, expected in zip(frames, LEVELS, strict=True):
        assert level(frame) == pytest.approx(expected, abs=4)


def test_every_picture_comes_out_at_once_with_its_capture_time() -> None:
    decoder = h264()
    per_unit = [decoder.decode(unit) for unit in pictures()]
    assert all(len(frames) == 1 for frames in per_unit)
    assert_is_the_clip([f for frames in per_unit for f in frames])


def test_b_frames_come_out_in_capture_order() -> None:
    decoder = h264()
    units = list(pictures(b_frames=2))
    assert [u.capture_ms for u in units] != sorted(u.capture_ms for u in units)
    frames = [f for unit in units for f in decoder.decode(unit)] + decoder.flush()
    assert_is_the_clip(frames)


def test_hevc() -> None:
    decoder = Decoder(CodecParameters(VideoCodec.HEVC, 320, 180, b"", 25.0, 0))
    frames = [f for unit in pictures("libx265") for f in decoder.decode(unit)] + decoder.flush()
    assert_is_the_clip(frames)


def test_pictures_before_the_first_key_are_dropped() -> None:
    decoder = h264()
    frames = [f for unit in list(pictures())[2:] for f in decoder.decode(unit)]
    assert [f.capture_ms for f in frames] == [START_MS + 40 * i for i in range(6, 12)]


def test_a_broken_access_unit_is_an_error_and_the_next_key_recovers() -> None:
    decoder = h264()
    units = list(pictures())
    assert len(decoder.decode(units[0])) == 1
    broken = AccessUnit(
        units[1].entry_ms, units[1].capture_ms, False, 0, b"\x00\x00\x00\x01\x41\xff"
    )
    with pytest.raises(MediaError):
        decoder.decode(broken)
    frames = [f for unit in units[2:] for f in decoder.decode(unit)]
    assert [f.capture_ms for f in frames] == [START_MS + 40 * i for i in range(6, 12)]


def test_keys_only_gives_each_key_picture_at_once() -> None:
    decoder = Decoder(CodecParameters(VideoCodec.H264, 320, 180, b"", 25.0, 0), keys_only=True)
    per_unit = [(unit.is_key, decoder.decode(unit)) for unit in pictures(b_frames=2)]
    assert [len(frames) for key, frames in per_unit if key] == [1, 1]
    assert not any(frames for key, frames in per_unit if not key)


def test_parameter_sets_may_stand_outside_the_access_units() -> None:
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 64, 64, "yuv420p"
    encoder.time_base = Fraction(1, 25)
    encoder.flags |= av.codec.context.Flags.global_header
    encoder.open()
    frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 120, np.uint8), format="rgb24")
    packets = encoder.encode(frame.reformat(format="yuv420p")) + encoder.encode(None)
    assert encoder.extradata is not None
    unit = AccessUnit(START_MS, START_MS, True, 0, bytes(packets[0]))
    params = CodecParameters(VideoCodec.H264, 64, 64, encoder.extradata, None, 0)
    decoder = Decoder(params)
    assert len(decoder.decode(unit) + decoder.flush()) == 1


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv444p"])
def test_planes_have_even_sizes_and_the_right_levels(pixel_format: str) -> None:
    (frame, *_) = [f for unit in pictures(pixel_format=pixel_format) for f in h264().decode(unit)]
    small = planes(frame.frame, 151)
    assert small.y.shape == (84, 150)
    assert small.u.shape == small.v.shape == (42, 75)
    assert float(small.y.mean()) == pytest.approx(16 + LEVELS[0] * 219 / 255, abs=3)
    assert float(small.u.mean()) == pytest.approx(128, abs=2)


def test_planes_never_enlarge_and_are_copies() -> None:
    decoder = h264()
    units = list(pictures())
    first = planes(decoder.decode(units[0])[0].frame, 1000)
    assert first.y.shape == (180, 320)
    before = first.y.copy()
    for unit in units[1:]:
        decoder.decode(unit)
    assert np.array_equal(first.y, before)


def test_chroma_follows_the_colour() -> None:
    red = np.zeros((64, 64, 3), np.uint8)
    red[..., 0] = 200
    small = planes(av.VideoFrame.from_ndarray(red, format="rgb24").reformat(format="yuv420p"), 32)
    assert float(small.v.mean()) > 200
    assert float(small.u.mean()) < 128
