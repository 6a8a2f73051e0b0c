"""Decoded pictures as JPEG: sized for the model, or whole for people."""

from __future__ import annotations

from dataclasses import dataclass

import av
import cv2
from av.video.reformatter import Colorspace, VideoReformatter

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


def to_jpeg(
    frame: av.VideoFrame, capture_ms: int, size: tuple[int, int] | None, scaler: VideoReformatter
) -> Still:
    """The picture at ``size``, or whole. ``scaler`` is kept by the caller, one per thread."""
    width, height = size or (frame.width, frame.height)
    matrix = None
    if frame.colorspace == _UNSPECIFIED_MATRIX and frame.height >= _HD_HEIGHT:
        matrix = Colorspace.ITU709.value  # what cameras mean when they send HD and do not say
    picture = scaler.reformat(
        frame, width, height, "bgr24", src_colorspace=matrix, interpolation="AREA", threads=1
    ).to_ndarray()
    done, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not done:
        raise MediaError("a picture cannot be encoded as JPEG")
    return Still(capture_ms, width, height, encoded.tobytes())
