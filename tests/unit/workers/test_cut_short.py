"""Whether a file's end is missing: said of one cut in half, never of one that is whole."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from monitor.media.recording import Recording
from tests.files import write_video
from tests.video import picture
from workers.asking.file import FileSource, Part

SIZE = (64, 64)
MS = Fraction(1, 1000)


def write(
    path: Path, times_ms: Iterable[int], shown_ms: int, *, sound_s: int = 0, options: str = ""
) -> Path:
    """Each picture is shown for ``shown_ms``; silence for ``sound_s`` between them."""
    flags = {"movflags": options} if options else {}
    with av.open(str(path), "w", options=flags) as output:
        video = output.add_stream("libx264", rate=25, options={"preset": "ultrafast", "bf": "0"})
        video.width, video.height, video.pix_fmt = *SIZE, "yuv420p"
        video.time_base = video.codec_context.time_base = MS
        video.codec_context.gop_size = 10
        sound = output.add_stream("aac", rate=8000) if sound_s else None
        packets = []
        for number, time_ms in enumerate(times_ms):
            frame = av.VideoFrame.from_ndarray(picture(number % 1024, *SIZE), format="bgr24")
            frame.pts, frame.time_base = time_ms, MS
            packets += video.encode(frame)
        packets += video.encode(None)
        for packet in packets:
            packet.duration = round(shown_ms * MS / packet.time_base)
        if sound is not None:
            for start in range(0, sound_s * 8000, 1024):
                part = av.AudioFrame.from_ndarray(
                    np.zeros((1, 1024), np.float32), format="fltp", layout="mono"
                )
                part.sample_rate, part.pts, part.time_base = 8000, start, Fraction(1, 8000)
                packets += sound.encode(part)
            packets += sound.encode(None)
        for packet in sorted(packets, key=lambda one: (one.dts or 0) * one.time_base):
            output.mux(packet)
    return path


def notes(path: Path) -> list[str]:
    found = FileSource(path, Part(), traffic=False)._look(lambda share: None)
    return [note for note in found.notes if "cut short" in note]


def halved(path: Path) -> Path:
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return path


@pytest.mark.parametrize("seconds", [20, 200])
@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.ts"])
def test_sound_may_go_on_after_the_pictures(tmp_path: Path, name: str, seconds: int) -> None:
    times = range(0, 1000 * seconds, 200)
    assert not notes(write(tmp_path / name, times, 200, sound_s=seconds + 20))


@pytest.mark.parametrize("seconds", [20, 200])
@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.ts"])
def test_times_that_begin_at_a_minute(tmp_path: Path, name: str, seconds: int) -> None:
    path = write(tmp_path / name, range(60_000, 60_000 + 1000 * seconds, 200), 200)
    with Recording(path) as recording:
        assert recording.duration_ms == pytest.approx(1000 * seconds, abs=300)
        assert not recording.is_cut_short()
    assert not notes(path)


@pytest.mark.parametrize("pictures", [1, 3, 20])
@pytest.mark.parametrize("shown_ms", [15_000, 30_000])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_a_time_lapse_shows_its_last_picture_as_long_as_the_others(
    tmp_path: Path, name: str, shown_ms: int, pictures: int
) -> None:
    path = write(tmp_path / name, range(0, shown_ms * pictures, shown_ms), shown_ms)
    assert not notes(path)


@pytest.mark.parametrize("seconds", [20, 200])
@pytest.mark.parametrize("sound", [False, True])
@pytest.mark.parametrize("begin_ms", [0, 60_000])
def test_half_of_a_file_whose_header_speaks_of_all_is_said(
    tmp_path: Path, seconds: int, sound: bool, begin_ms: int
) -> None:
    times = range(begin_ms, begin_ms + 1000 * seconds, 200)
    path = write(tmp_path / "a.mkv", times, 200, sound_s=seconds if sound and not begin_ms else 0)
    (note,) = notes(halved(path))
    assert ("0:20" if seconds == 20 else "3:20") in note, "what its header says"


@pytest.mark.parametrize("seconds", [20, 200])
def test_half_of_an_mp4_that_begins_with_its_index_is_said(tmp_path: Path, seconds: int) -> None:
    path = write(tmp_path / "a.mp4", range(0, 1000 * seconds, 200), 200, options="faststart")
    (note,) = notes(halved(path))
    assert ("0:20" if seconds == 20 else "3:20") in note


@pytest.mark.parametrize("seconds", [20, 200])
def test_half_of_a_transport_stream_is_a_shorter_file(tmp_path: Path, seconds: int) -> None:
    """Made to be cut anywhere: nothing in it tells that there was more."""
    path = halved(write(tmp_path / "a.ts", range(0, 1000 * seconds, 200), 200))
    with Recording(path) as recording:
        assert recording.duration_ms == pytest.approx(500 * seconds, rel=0.2)
        last_ms = max(one.time_ms for one in recording.frames())
        assert last_ms == pytest.approx(recording.duration_ms, abs=400)
    assert not notes(path)


@pytest.mark.parametrize("seconds", [20, 200])
def test_half_of_an_mp4_in_fragments_lacks_the_rest_of_one(tmp_path: Path, seconds: int) -> None:
    """Each speaks of itself alone: the end of the last is missing."""
    options = "frag_keyframe+empty_moov+default_base_moof"
    path = halved(write(tmp_path / "a.mp4", range(0, 1000 * seconds, 200), 200, options=options))
    with Recording(path) as recording:
        assert recording.duration_ms == pytest.approx(500 * seconds, rel=0.2)
        last_ms = max(one.time_ms for one in recording.frames())
        assert 1000 < (recording.duration_ms or 0) - last_ms < 3000
        assert recording.is_cut_short(1000)
        assert not recording.is_cut_short(3000)


def test_a_picture_of_no_said_length(tmp_path: Path) -> None:
    assert not notes(write_video(tmp_path / "a.mkv", [0], size=SIZE))
