"""A file of one picture is bounded before FFmpeg reads it whole; a video may be of any size."""

from __future__ import annotations

import resource
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


def fits(width: int, height: int) -> bytes:
    """The header of a picture of 8 bits."""
    values = {"SIMPLE": "T", "BITPIX": 8, "NAXIS": 2, "NAXIS1": width, "NAXIS2": height}
    cards = [f"{name:8}= {value:>20}" for name, value in values.items()]
    return "".join(f"{card:80}" for card in (*cards, "END")).ljust(2880).encode()


@pytest.mark.parametrize(
    "head",
    [
        b"BM" + struct.pack("<IHHIIiiHH", 0, 0, 0, 54, 40, 10_000, 10_000, 1, 24) + bytes(24),
        b"P6\n10000 10000\n255\n",
        b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00",
        b"GIF89a" + struct.pack("<HH", 60_000, 60_000) + bytes(3),
        b"II*\x00\x08\x00\x00\x00",
        fits(17_000, 17_000),
        struct.pack("<HHHBBBBHHII", 0, 1, 1, 0, 0, 0, 0, 1, 32, 299_999_978, 22)
        + struct.pack("<IiiHHIIiiII", 40, 256, 512, 1, 32, 0, 0, 0, 0, 0, 0),
        b"FORM\x11\xe1\xa2\xf8ILBMBMHD"
        + struct.pack(">IHHhhBBBBHBBhh", 20, 4000, 4000, 0, 0, 24, 0, 0, 0, 0, 1, 1, 4000, 4000)
        + b"BODY\x11\xe1\xa0\x00",
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I4sIIBBBBBI", 13, b"IHDR", 10_000, 10_000, 8, 2, 0, 0, 0, 0)
        + struct.pack(">I4sIII", 8, b"acTL", 1, 0, 0),
    ],
    ids=["bmp", "ppm", "jpeg", "gif", "tiff", "fits", "ico", "iff", "apng"],
)
def test_a_hole_of_300_megabytes_is_not_read(tmp_path: Path, head: bytes) -> None:
    path = tmp_path / "scene.mp4"
    with path.open("wb") as file:
        file.write(head)
        file.truncate(300_000_000)
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(MediaError, match="is a picture of 300 MB; at most 48 MB are read"):
        open_file(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 60_000
