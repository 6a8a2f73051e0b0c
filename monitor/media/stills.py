"""Decoded pictures as JPEG: sized for the model, or whole for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import av
import cv2
from av.video.reformatter import Colorspace, VideoReformatter

from monitor.domain import Box
from monitor.errors import MediaError

PATCH_PX = 32
"""A visual token of Qwen3-VL covers 32x32 pixels; a size in whole patches is not resized again."""

_QUALITY = 88
_UNSPECIFIED_MATRIX = 2
_HD_HEIGHT = 720


@dataclass(frozen=True, slots=True)
class Still:
    """One picture of the camera as JPEG."""

    capture_ms: int
    width: int
    height: int
    jpeg: bytes


def model_size(width: int, height: int, max_width: int) -> tuple[int, int]:
    """Width and height in whole patches: at most ``max_width`` wide, never enlarged, shape kept.

    The shape is kept to within half a patch; at least one patch each way.
    """
    if width < 1 or height < 1 or max_width < PATCH_PX:
        raise MediaError(f"a picture of {width}x{height} cannot be made at most {max_width} wide")
    out_width = max(PATCH_PX, min(width, max_width) // PATCH_PX * PATCH_PX)
    out_height = max(PATCH_PX, round(height * out_width / width / PATCH_PX) * PATCH_PX)
    return out_width, out_height


def part_px(size: tuple[int, int], part: Box) -> tuple[int, int, int, int]:
    """A part of a picture of that size in whole pixels: left, top, width, height; never empty."""
    left, top = (
        min(side - 1, max(0, round(at * side))) for at, side in zip(part[:2], size, strict=True)
    )
    width, height = (
        min(side - at, max(1, round(share * side)))
        for at, share, side in zip((left, top), part[2:], size, strict=True)
    )
    return left, top, width, height


def sized_jpeg(
    frame: av.VideoFrame,
    capture_ms: int,
    max_width: int | None,
    scaler: VideoReformatter,
    part: Box | None = None,
) -> Still:
    """The picture, or a part of it, sized for the model; as it is without ``max_width``."""
    if part is None:
        size = None if max_width is None else model_size(frame.width, frame.height, max_width)
        return to_jpeg(frame, capture_ms, size, scaler)
    left, top, width, height = part_px((frame.width, frame.height), part)
    pixels = _pixels(frame, (frame.width, frame.height), scaler)[top:, left:][:height, :width]
    if max_width is not None:
        size = model_size(width, height, max_width)
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return _encoded(pixels, capture_ms)


def to_jpeg(
    frame: av.VideoFrame, capture_ms: int, size: tuple[int, int] | None, scaler: VideoReformatter
) -> Still:
    """The picture at ``size``, or whole. ``scaler`` is kept by the caller, one per thread."""
    return _encoded(_pixels(frame, size or (frame.width, frame.height), scaler), capture_ms)


def _pixels(frame: av.VideoFrame, size: tuple[int, int], scaler: VideoReformatter) -> Any:
    matrix = None
    if frame.colorspace == _UNSPECIFIED_MATRIX and frame.height >= _HD_HEIGHT:
        matrix = Colorspace.ITU709.value  # what cameras mean when they send HD and do not say
    return scaler.reformat(
        frame, *size, "bgr24", src_colorspace=matrix, interpolation="AREA", threads=1
    ).to_ndarray()


def _encoded(picture: Any, capture_ms: int) -> Still:
    height, width = picture.shape[:2]
    done, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not done:
        raise MediaError("a picture cannot be encoded as JPEG")
    return Still(capture_ms, width, height, encoded.tobytes())
