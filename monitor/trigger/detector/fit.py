"""A picture into a network's input, and its boxes back into the picture.

YOLOX is trained on pictures that keep their shape, at the top left of a grey square; the DETR
family on pictures stretched to the square. Both ways round are exact: the scales are those of
the whole pixels that were really drawn, not of the ratio that was asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, cast

import cv2
import numpy as np
import numpy.typing as npt

from monitor.media.decode import Planes

Image = npt.NDArray[np.uint8]
Boxes = npt.NDArray[np.float32]
Pixels = Literal["bgr_255", "rgb_255", "rgb_1", "rgb_imagenet"]

_GREY: Final = 114  # what YOLOX pads with
# Deng et al., "ImageNet", CVPR 2009, as torchvision normalises: red, green, blue.
_MEAN: Final = np.array([0.485, 0.456, 0.406], np.float32) * 255
_SPREAD: Final = np.array([0.229, 0.224, 0.225], np.float32) * 255


@dataclass(frozen=True, slots=True)
class Fit:
    """How a picture lies in the input: input pixels per picture pixel, from the top left."""

    scale_x: float
    scale_y: float
    width_px: int  # of the picture
    height_px: int

    def to_picture(self, boxes: Boxes) -> Boxes:
        """Boxes (n, 4) as left, top, right, bottom of the input; the same in the picture."""
        scale = np.array([self.scale_x, self.scale_y] * 2, np.float32)
        return cast(Boxes, (boxes / scale).astype(np.float32))


def bgr(planes: Planes) -> Image:
    """The small picture in colour (height, width, 3), blue first; odd edges are left out.

    One of a single row or column is black: there is nothing to find in it.
    """
    height, width = (side // 2 * 2 for side in planes.y.shape)
    if not height or not width:
        return np.zeros((max(1, height), max(1, width), 3), np.uint8)
    chroma = [plane[: height // 2, : width // 2].ravel() for plane in (planes.u, planes.v)]
    flat = np.concatenate([planes.y[:height, :width].ravel(), *chroma])
    return cast(Image, cv2.cvtColor(flat.reshape(-1, width), cv2.COLOR_YUV2BGR_I420))


def letterboxed(picture: Image, size: tuple[int, int]) -> tuple[Image, Fit]:
    """Its shape kept, at the top left of ``size`` (height, width); grey below or beside it."""
    height, width = picture.shape[:2]
    ratio = min(size[0] / height, size[1] / width)
    inner = max(1, int(width * ratio)), max(1, int(height * ratio))
    whole = np.full((*size, 3), _GREY, np.uint8)
    whole[: inner[1], : inner[0]] = _resized(picture, inner)
    return whole, Fit(inner[0] / width, inner[1] / height, width, height)


def stretched(picture: Image, size: tuple[int, int]) -> tuple[Image, Fit]:
    """Filling ``size`` (height, width), whatever its shape was."""
    height, width = picture.shape[:2]
    fit = Fit(size[1] / width, size[0] / height, width, height)
    return _resized(picture, (size[1], size[0])), fit


def blob(picture: Image, pixels: Pixels, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """The input tensor (1, 3, height, width) of a picture that has its size already."""
    if pixels != "bgr_255":
        picture = cast(Image, cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
    values = picture.astype(np.float32)
    if pixels == "rgb_1":
        values /= 255
    elif pixels == "rgb_imagenet":
        values = (values - _MEAN) / _SPREAD
    return np.ascontiguousarray(values.transpose(2, 0, 1)[None], dtype=dtype)


def _resized(picture: Image, size: tuple[int, int]) -> Image:
    if (picture.shape[1], picture.shape[0]) == size:
        return picture
    return cast(Image, cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR))
