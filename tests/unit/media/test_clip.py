"""The clip is the ring's pictures at their capture times, whatever the camera sends."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import av
import pytest

from monitor.domain import VideoCodec
from monitor.errors import MediaError
from monitor.media.clip import part_around, playable, remux
from tests import video


def uneven(count: int) -> list[int]:
    rng = random.Random(7)
    times = [video.START_MS]
    for _ in range(count - 1):
        times.append(times[-1] + rng.choice([33, 34, 40, 41, 97, 350]))
    return times


@pytest.mark.parametrize("codec", list(VideoCodec))
@pytest.mark.parametrize("b_frames", [0, 3])
def test_every_picture_stands_at_its_capture_time(
    tmp_path: Path, codec: VideoCodec, b_frames: int
) -> None:
    times = uneven(60)
    units, params = video.encode(times, codec=codec, b_frames=b_frames)
    path = tmp_path / "clip.mp4"

    info = remux(units, params, path)

    assert [
        (round(time_ms), number) for time_ms, number in video.samples_of(path)
    ] == [(time - times[0], number) for number, time in enumerate(times)]  # fmt: skip
    assert info.first_capture_ms == times[0]
    assert info.samples == 60
    assert info.bytes == path.stat().st_size
    assert info.duration_s == pytest.approx((times[-1] - times[0]) / 1000, abs=0.4)


@pytest.mark.parametrize("codec", list(VideoCodec))
def test_index_comes_first_with_parameter_sets_in_it(tmp_path: Path, codec: VideoCodec) -> None:
    units, params = video.encode(video.even(20), codec=codec)
    path = tmp_path / "clip.mp4"
    remux(units, params, path)
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert (b"avcC" if codec is VideoCodec.H264 else b"hvcC") in data
    assert (b"avc1" if codec is VideoCodec.H264 else b"hvc1") in data
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (320, 192)
        assert stream.codec_context.extradata
        assert stream.codec_context.extradata[0] == 1  # the configuration record's version


def test_parameter_sets_from_the_camera_when_the_picture_has_none(tmp_path: Path) -> None:
    units, params = video.encode(video.even(10), gop=50)
    sets, rest = video.without_parameter_sets(units[0].data)
    bare = [replace(units[0], data=rest), *units[1:]]
    path = tmp_path / "clip.mp4"

    remux(bare, replace(params, extradata=sets), path)
    assert len(video.samples_of(path)) == 10

    with pytest.raises(MediaError, match="parameter sets"):
        remux(bare, params, path)


def test_starts_at_the_first_key_picture(tmp_path: Path) -> None:
    times = video.even(30)
    units, params = video.encode(times, gop=10)
    info = remux(units[3:], params, tmp_path / "clip.mp4")
    assert info.first_capture_ms == times[10]
    assert video.samples_of(tmp_path / "clip.mp4")[0] == (0.0, 10)


def test_leading_pictures_of_an_open_gop_are_left_out(tmp_path: Path) -> None:
    times = video.even(40)
    units, params = video.encode(times, codec=VideoCodec.HEVC, b_frames=3, open_gop=True)
    keys = [index for index, unit in enumerate(units) if unit.is_key]
    cut = units[keys[1] :]
    assert any(unit.capture_ms < cut[0].capture_ms for unit in cut), "the encoder made none"
    remux(cut, params, tmp_path / "clip.mp4")
    samples = video.samples_of(tmp_path / "clip.mp4")
    assert samples[0][0] == 0.0
    assert [number for _, number in samples] == [
        number for number, time in enumerate(times) if time >= cut[0].capture_ms
    ]


def test_no_key_picture(tmp_path: Path) -> None:
    units, params = video.encode(video.even(10), gop=50)
    with pytest.raises(MediaError, match="no key"):
        remux(units[1:], params, tmp_path / "clip.mp4")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_of_a_clip_that_failed(tmp_path: Path) -> None:
    units, params = video.encode(video.even(10))
    with pytest.raises(MediaError, match="No such file"):
        remux(units, params, tmp_path / "gone" / "clip.mp4")
    (tmp_path / "taken").mkdir()
    with pytest.raises(MediaError):
        remux(units, params, tmp_path / "taken")  # a folder cannot be replaced by a file
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_two_pictures_at_one_time_are_refused(tmp_path: Path) -> None:
    units, params = video.encode(video.even(4))
    twice = [units[0], units[1], replace(units[2], capture_ms=units[1].capture_ms)]
    with pytest.raises(MediaError, match="same capture time"):
        remux(twice, params, tmp_path / "clip.mp4")


def test_part_with_the_moment_is_kept_where_the_generation_changes() -> None:
    times = video.even(60)
    first, _ = video.encode(times[:20], generation=1)
    second, _ = video.encode(times[20:50], generation=2, width=640)
    third, _ = video.encode(times[50:], generation=3)
    units = first + second + third
    assert part_around(units, times[30]) == second
    assert part_around(units, times[5]) == first
    assert part_around(units, times[59] + 5000) == third
    assert part_around(units, times[19] + 20) == second  # between two: the longer
    assert part_around(units[1:5], times[0]) == []
    assert part_around([], times[0]) == []


def test_part_starts_at_a_key_picture() -> None:
    units, _ = video.encode(video.even(30), gop=10)
    assert part_around(units[4:], units[20].capture_ms)[0].is_key
    assert playable(units[4:])[0] is units[10]
