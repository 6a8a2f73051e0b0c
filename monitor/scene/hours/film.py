"""Pictures to H.264 as a small camera sends it: little bandwidth, a key picture every 2 s."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Final

import av

from monitor.scene.drawing import Image

BITS_PER_PIXEL: Final = 0.22  # as cameras are usually set; it blurs grain and smears far detail
GOP_S: Final = 2


def encode(path: Path, pictures: Iterator[Image], size: tuple[int, int], fps: int) -> int:
    """Write I420 pictures; returns how many there were. One thread."""
    rate = round(BITS_PER_PIXEL * size[0] * size[1] * fps)
    count = 0
    with av.open(str(path), "w", format="mp4") as container:
        video = container.add_stream("libx264", rate=fps)
        video.width, video.height = size
        video.pix_fmt = "yuv420p"
        video.codec_context.time_base = Fraction(1, fps)
        video.bit_rate = rate
        video.codec_context.gop_size = GOP_S * fps
        video.codec_context.max_b_frames = 0
        video.codec_context.thread_count = 1
        video.options = {
            "preset": "superfast",
            "tune": "zerolatency",
            "profile": "main",
            "x264-params": f"scenecut=0:keyint={GOP_S * fps}:min-keyint={GOP_S * fps}"
            f":sliced-threads=0:vbv-maxrate={rate * 3 // 2000}:vbv-bufsize={rate * 2 // 1000}",
        }
        for count, picture in enumerate(pictures, 1):
            frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
            frame.pts, frame.time_base = count - 1, Fraction(1, fps)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return count
