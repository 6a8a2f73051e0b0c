"""Opening a file that somebody hands us: only this one, and only pictures that can be held."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import av

from monitor.errors import MediaError

MAX_PIXELS: Final = 50_000_000
"""Of one picture; an 8K video has 33 million."""

_OPTIONS: Final = {"max_pixels": str(MAX_PIXELS), "protocol_whitelist": "file"}


def open_file(path: Path) -> Any:
    """A container of PyAV; raises ``MediaError``, which says what is wrong with the file."""
    try:
        if not path.is_file():
            raise MediaError(f"{path} is not a file")
        if path.stat().st_size == 0:
            raise MediaError(f"{path} is empty")
        # PyAV types open() by its mode, as a union.
        return av.open(str(path), options=dict(_OPTIONS))
    except (av.FFmpegError, OSError, ValueError) as error:
        raise media_error(path, error) from error


def video_stream(container: Any, path: Path) -> Any:
    """Its first video, with a decoder that refuses pictures too large to hold."""
    if not container.streams.video:
        raise MediaError(f"{path} has no picture, only sound or data")
    stream = container.streams.video[0]
    context = stream.codec_context
    if context is None:
        raise MediaError(f"{path} is in a format that this FFmpeg has no decoder for")
    if context.width * context.height == 0:
        raise MediaError(
            f"the pictures of {path} have no size, or over {MAX_PIXELS // 1_000_000} megapixels: "
            "make them smaller first"
        )
    context.options = {"max_pixels": str(MAX_PIXELS)}
    stream.thread_type = "AUTO"
    return stream


def media_error(path: Path, error: Exception) -> MediaError:
    """What FFmpeg says, in words that name the file."""
    reason = getattr(error, "strerror", None) or str(error)
    if isinstance(error, av.InvalidDataError):
        return MediaError(
            f"{path} is no video or picture that can be read: if a player shows it, "
            "convert it to MP4 first"
        )
    return MediaError(f"{path} cannot be read: {reason}")
