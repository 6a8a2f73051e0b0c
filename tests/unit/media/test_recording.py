"""Files people hand us: any format, any length, and everything that can be wrong with one."""

from __future__ import annotations

import resource
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from monitor.errors import MediaError
from monitor.media.recording import Recording
from tests.files import write_backwards, write_picture, write_video
from tests.video import even, number_in, number_in_jpeg

FIVE_HOURS_MS = 5 * 3600 * 1000


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.mov", "a.ts", "a.flv", "a.h264"])
def test_every_picture_has_its_time_and_can_be_found_again(tmp_path: Path, name: str) -> None:
    with Recording(write_video(tmp_path / name, even(60, 40, 0))) as recording:
        assert (recording.width, recording.height) == (320, 192)
        frames = list(recording.frames())
        assert [one.time_ms for one in frames] == pytest.approx(even(60, 40, 0), abs=1)
        numbers = [number_in(np.asarray(one.frame.to_ndarray(format="bgr24"))) for one in frames]
        assert numbers == list(range(60))
        times = [frames[index].time_ms for index in (0, 7, 10, 31, 59)]
        stills = recording.stills(times, 320)
        assert [None if s is None else number_in_jpeg(s.jpeg) for s in stills] == [0, 7, 10, 31, 59]
        assert [s.capture_ms for s in stills if s is not None] == times


def test_uneven_times_are_the_files_own(tmp_path: Path) -> None:
    times = [0, 500, 3000, 3200, 9000, 9100]
    with Recording(write_video(tmp_path / "a.mkv", times)) as recording:
        assert [one.time_ms for one in recording.frames()] == times
        assert [one.time_ms for one in recording.frames(3000, 9000)] == [3000, 3200, 9000]
        assert [s and s.capture_ms for s in recording.stills([1, 3100, 9200], 320)] == [
            500, 3200, None,
        ]  # fmt: skip


@pytest.mark.parametrize(("gop", "limit_s"), [(10, 2.0), (100_000, 10.0)])
def test_five_hours_are_looked_through_without_reading_them(
    tmp_path: Path, gop: int, limit_s: float
) -> None:
    """Time and memory are bounded, even where there is no key picture to seek to."""
    path = write_video(tmp_path / "long.mkv", range(0, FIVE_HOURS_MS, 5000), gop=gop, size=(64, 64))
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    with Recording(path) as recording:
        assert recording.duration_ms == pytest.approx(FIVE_HOURS_MS, abs=5000)
        stills = recording.overview(32, 64)
    assert time.process_time() - began < limit_s
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 100_000
    times = [still.capture_ms for still in stills if still is not None]
    assert len(times) == 64
    assert times == sorted(times)
    assert times[0] == 0
    assert times[-1] == FIVE_HOURS_MS - 5000
    widest = max(later - earlier for earlier, later in pairwise(times))
    assert widest < FIVE_HOURS_MS / 31 + 10 * 5000 + 5000, "no more than a GOP beyond even"


def test_an_overviews_pairs_are_neighbours(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", even(1000, 40, 0), gop=50, size=(64, 64))
    with Recording(path) as recording:
        times = [still.capture_ms for still in recording.overview(8, 64) if still is not None]
    for first, second in zip(times[0:-2:2], times[1:-2:2], strict=True):
        assert 100 <= second - first <= 400


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.bmp", "a.webp"])
def test_a_picture_is_a_recording_of_one(tmp_path: Path, name: str) -> None:
    with Recording(write_picture(tmp_path / name, 640, 352)) as recording:
        assert [one.time_ms for one in recording.frames()] == [0]
        still = recording.stills([0], 640)[0]
        assert still is not None
        assert (still.width, still.height) == (640, 352)


def test_a_video_of_one_picture(tmp_path: Path) -> None:
    with Recording(write_video(tmp_path / "one.mp4", [0])) as recording:
        assert [one.time_ms for one in recording.frames()] == [0]


def test_a_telephones_video_stands_upright(tmp_path: Path) -> None:
    with Recording(write_video(tmp_path / "a.mp4", even(3, 40, 0), rotation=90)) as recording:
        assert (recording.width, recording.height) == (192, 320)
        still = recording.stills([0], 640)[0]
        assert still is not None
        assert (still.width, still.height) == (192, 320)


def test_times_that_go_back_are_left_out_and_counted(tmp_path: Path) -> None:
    with Recording(write_backwards(tmp_path / "a.ts")) as recording:
        times = [one.time_ms for one in recording.frames()]
        assert times == even(50, 40, 0)
        assert recording.out_of_order == 25


def test_a_broken_piece_costs_its_own_pictures(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.ts", even(100, 40, 0), container="mpegts")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4000] = bytes(range(250)) * 16
    path.write_bytes(data)
    with Recording(path) as recording:
        assert 60 <= len(list(recording.frames())) <= 100


@pytest.mark.parametrize("name", ["big.jpg", "big.png"])
def test_a_picture_of_100_megapixels_is_refused_before_it_is_decoded(
    tmp_path: Path, name: str
) -> None:
    path = write_picture(tmp_path / name, 10_000, 10_000)
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    with pytest.raises(MediaError, match="over 50 megapixels"):
        Recording(path)
    assert time.process_time() - began < 1.0
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 60_000


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"hello\n" * 1000, "no video or picture"),
        (b"", "is empty"),
        (b"#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n", "no video or picture"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "cannot be read"),
        (b"\x00\x00\x00\x18ftypmp42" + b"\x00" * 100, "no video or picture|no picture"),
    ],
)
def test_what_is_no_video_is_called_so(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(MediaError, match=says):
        Recording(path)


def test_a_folder_and_nothing_at_all(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.mp4"):
        with pytest.raises(MediaError, match="is not a file"):
            Recording(path)
