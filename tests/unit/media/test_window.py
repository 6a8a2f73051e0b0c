"""The wanted pictures, and only those, are decoded at any spread over GOPs and threads."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from monitor.domain import VideoCodec
from monitor.errors import MediaError
from monitor.media.stills import Still
from monitor.media.window import Wanted, decode_at, decode_wanted
from tests import video


@pytest.mark.parametrize("codec", list(VideoCodec))
@pytest.mark.parametrize(("b_frames", "open_gop"), [(0, False), (3, False), (3, True)])
@pytest.mark.parametrize("threads", [1, 2, 8])
def test_each_time_gets_its_picture(
    codec: VideoCodec, b_frames: int, open_gop: bool, threads: int
) -> None:
    times = video.even(60)
    units, params = video.encode(
        times, codec=codec, gop=12, b_frames=b_frames, open_gop=open_gop, width=128, height=96
    )
    numbers = [0, 7, 8, 9, 10, 11, 12, 13, 25, 30, 35, 36, 47, 59]
    stills = decode_at(units, params, [times[number] for number in numbers], 128, threads)
    assert [video.number_in_jpeg(still.jpeg) for still in stills] == numbers
    assert [still.capture_ms for still in stills] == [times[number] for number in numbers]


def test_nearest_picture_in_the_order_asked() -> None:
    times = video.even(30, 100)
    units, params = video.encode(times, width=128, height=96)
    asked = [times[20] + 49, times[3] - 49, times[0] - 10_000, times[29] + 10_000, times[3]]
    stills = decode_at(units, params, asked, 128, 2)
    assert [video.number_in_jpeg(still.jpeg) for still in stills] == [20, 3, 0, 29, 3]


def test_small_for_the_model_and_whole_for_people() -> None:
    times = video.even(12)
    units, params = video.encode(times, width=640, height=360)
    small, whole = decode_wanted(
        units, params, [Wanted(times[5], 320), Wanted(times[5], None)], threads=2
    )
    assert small is not None
    assert whole is not None
    assert (small.width, small.height) == (320, 192)
    assert (whole.width, whole.height) == (640, 360)
    assert video.number_in_jpeg(whole.jpeg) == 5


def test_a_part_in_the_cameras_own_pixels() -> None:
    times = video.even(12)
    units, params = video.encode(times, width=640, height=360)
    part = (0.5, 0.25, 0.25, 0.5)
    whole, whole_part, small_part = decode_wanted(
        units, params,
        [Wanted(times[5], None), Wanted(times[5], None, part), Wanted(times[5], 96, part)], 2,
    )  # fmt: skip
    assert whole is not None
    assert whole_part is not None
    assert small_part is not None
    assert (whole_part.width, whole_part.height) == (160, 180)
    assert (small_part.width, small_part.height) == (96, 96)
    cut = _levels(whole)[90:270, 320:480]
    assert np.abs(cut - _levels(whole_part)).mean() < 2
    smaller = cv2.resize(cut, (96, 96), interpolation=cv2.INTER_AREA)
    assert np.abs(smaller - _levels(small_part)).mean() < 4


def _levels(still: Still) -> np.ndarray:
    found = cv2.imdecode(np.frombuffer(still.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert found is not None
    return found.astype(float)


def test_a_broken_access_unit_costs_its_own_picture_at_most() -> None:
    times = video.even(40)
    units, params = video.encode(times, gop=10, width=128, height=96)
    units[25] = replace(units[25], data=b"\x00\x00\x00\x01garbage")
    stills = decode_wanted(units, params, [Wanted(time, 128) for time in times], 2)
    numbers = {video.number_in_jpeg(still.jpeg) for still in stills if still is not None}
    assert numbers >= set(range(25)) | set(range(30, 40))


def test_without_a_key_picture() -> None:
    units, params = video.encode(video.even(10), gop=50)
    with pytest.raises(MediaError, match="no key"):
        decode_at(units[1:], params, [units[5].capture_ms], 320, 1)


def test_nothing_wanted_decodes_nothing() -> None:
    units, params = video.encode(video.even(3))
    assert decode_at(units, params, [], 320, 2) == []
