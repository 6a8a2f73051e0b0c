"""Small video files made in the test, good and bad."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from tests.video import picture


def write_video(
    path: Path,
    times_ms: Sequence[int],
    *,
    container: str | None = None,
    gop: int = 10,
    size: tuple[int, int] = (320, 192),
    rotation: int = 0,
) -> Path:
    """H.264 whose n-th picture carries the number n (``tests.video.number_in``)."""
    with av.open(str(path), "w", format=container) as output:
        stream = output.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        stream.options = {"preset": "ultrafast", "bf": "0"}
        stream.codec_context.gop_size = gop
        if rotation:
            stream.set_display_rotation(rotation)
        for number, time_ms in enumerate(times_ms):
            image = picture(number % 1024, *size)
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts, frame.time_base = time_ms, Fraction(1, 1000)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def write_backwards(path: Path) -> Path:
    """A recording whose clock was set back: 50 pictures from 20 s on, then 25 from 3 s on."""
    parts = []
    for start_ms, count in ((20_000, 50), (3_000, 25)):
        times = range(start_ms, start_ms + 40 * count, 40)
        parts.append(write_video(path, times, container="mpegts").read_bytes())
    path.write_bytes(b"".join(parts))
    return path


def write_picture(path: Path, width: int, height: int) -> Path:
    """A still picture in the format of its name."""
    assert cv2.imwrite(str(path), np.full((height, width, 3), 90, np.uint8))
    return path
