"""A file of one picture is bounded before FFmpeg reads it whole; a video may be of any size."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import pytest

from monitor.errors import MediaError
from monitor.media import opening
from monitor.media.opening import open_file
from tests.files import write_picture, write_video
from tests.video import picture


def write_motion_jpeg(path: Path) -> Path:
    with av.open(str(path), "w") as output:
        stream = output.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 192, "yuvj420p"
        for number in range(5):
            frame = av.VideoFrame.from_ndarray(picture(number, 320, 192), format="bgr24")
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


@pytest.fixture
def _small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "MAX_PICTURE_BYTES", 40)


@pytest.mark.usefixtures("_small_is_large")
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.avi", "a.h264"])
def test_a_video_may_be_of_any_size(tmp_path: Path, name: str) -> None:
    path = write_video(tmp_path / name, range(0, 400, 40))
    with open_file(path) as container:
        assert container.streams.video


@pytest.mark.usefixtures("_small_is_large")
@pytest.mark.parametrize("name", ["a.avi", "a.mjpeg"])
def test_motion_jpeg_is_no_picture(tmp_path: Path, name: str) -> None:
    with open_file(write_motion_jpeg(tmp_path / name)) as container:
        assert container.streams.video


@pytest.mark.usefixtures("_small_is_large")
@pytest.mark.parametrize("name", ["a.bmp", "a.png", "a.jpg", "a.webp", "a.ppm", "a.tiff", "a.jp2"])
@pytest.mark.parametrize("called", ["", ".mp4"])
def test_a_picture_may_not_whatever_it_is_called(tmp_path: Path, name: str, called: str) -> None:
    path = write_picture(tmp_path / name, 320, 192)
    path = path.rename(tmp_path / (name + called))
    with pytest.raises(MediaError, match="is a picture of 0 MB"):
        open_file(path)


@pytest.mark.parametrize(
    "head",
    [
        b"BM" + struct.pack("<IHHIIiiHH", 0, 0, 0, 54, 40, 10_000, 10_000, 1, 24) + bytes(24),
        b"P6\n10000 10000\n255\n",
        b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00",
        b"GIF89a" + struct.pack("<HH", 60_000, 60_000) + bytes(3),
        b"II*\x00\x08\x00\x00\x00",
    ],
    ids=["bmp", "ppm", "jpeg", "gif", "tiff"],
)
def test_a_hole_of_300_megabytes_is_not_read(tmp_path: Path, head: bytes) -> None:
    path = tmp_path / "scene.mp4"
    with path.open("wb") as file:
        file.write(head)
        file.truncate(300_000_000)
    with pytest.raises(MediaError, match="is a picture of 300 MB; at most 48 MB are read"):
        open_file(path)
