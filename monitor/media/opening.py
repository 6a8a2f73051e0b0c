"""Opening a file that somebody hands us: only this one, and only pictures that can be held."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, Final

import av

from monitor.errors import MediaError

MAX_PIXELS: Final = 50_000_000
"""Of one picture; an 8K video has 33 million."""

MAX_PICTURE_BYTES: Final = 48_000_000
"""Of a file that is one picture: FFmpeg reads that whole, twice, before anybody knows its size."""

_HEAD_BYTES: Final = 262_144
_WHOLE: Final = ("image2", "gif", "apng", "jpegxl_anim", "fits", "ico", "iff", "txd")
"""Demuxers of pictures, beside most of them, whose names end in ``_pipe``."""

_OPTIONS: Final = {"max_pixels": str(MAX_PIXELS), "protocol_whitelist": "file"}


def open_file(path: Path) -> Any:
    """A container of PyAV; raises ``MediaError``, which says what is wrong with the file."""
    try:
        if not path.is_file():
            raise MediaError(f"{path} is not a file")
        size = path.stat().st_size
        if size == 0:
            raise MediaError(f"{path} is empty")
        if size > MAX_PICTURE_BYTES and _is_read_whole(path):
            raise MediaError(
                f"{path} is a picture of {size // 1_000_000} MB; at most "
                f"{MAX_PICTURE_BYTES // 1_000_000} MB are read: save it smaller, or as JPEG, first"
            )
        # PyAV types open() by its mode, as a union.
        return av.open(str(path), options=dict(_OPTIONS))
    except (av.FFmpegError, OSError, ValueError) as error:
        raise media_error(path, error) from error


def _is_read_whole(path: Path) -> bool:
    """Whether FFmpeg, which goes by the beginning and the name, takes it for a picture."""
    with path.open("rb") as file:
        head = _Named(file.read(_HEAD_BYTES))
    head.name = path.name
    try:
        with av.open(head, options=dict(_OPTIONS)) as container:
            kind = container.format.name
    except (av.FFmpegError, ValueError):  # of a video, the beginning alone may be nothing
        return False
    return kind in _WHOLE or kind.endswith("_pipe")


class _Named(io.BytesIO):
    name = ""


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
