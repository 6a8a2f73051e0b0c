"""Pictures to H.264 as a small camera sends it: little bandwidth, a key picture every 2 s."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av

from monitor.errors import SceneError
from monitor.scene.drawing import Image

BITS_PER_PIXEL: Final = 0.22  # as cameras are usually set; it blurs grain and smears far detail
GOP_S: Final = 2


def write(
    video: Path,
    truth: Path,
    pictures: Iterator[Image],
    size: tuple[int, int],
    fps: int,
    document: Callable[[int], dict[str, Any]],
) -> None:
    """A film and its truth (``document`` of how many pictures there were).

    Both appear complete or not at all, the truth last; ``SceneError`` if they cannot be written.
    """
    scratch = video.with_name(f".{video.name}.{os.getpid()}.part")
    try:
        video.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            truth.unlink()
        told = document(encode(scratch, pictures, size, fps))
        os.replace(scratch, video)
        written = truth.with_name(f".{truth.name}.part")
        written.write_text(json.dumps(told, separators=(",", ":")) + "\n")
        os.replace(written, truth)
    except (OSError, av.FFmpegError) as error:
        raise SceneError(f"cannot write {video}: {error}") from error
    finally:
        with suppress(OSError):
            scratch.unlink()


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
