"""The empty scene of one view: collected in its first seconds, then learned, and held still.

Ties together the background, the steadying of the picture against it and the camera's masks. Made
anew by ``CameraTrigger`` for every view.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast

import cv2
import numpy as np
import numpy.typing as npt

from monitor.config.models import Camera
from monitor.media.decode import Planes
from monitor.trigger.background import Background
from monitor.trigger.blobs import find_blobs
from monitor.trigger.steadying import Steadying
from monitor.trigger.view import WARM_UP_S

Image = npt.NDArray[np.uint8]

_EMPTY_SHARE: Final = 0.02  # of the picture
_LEAST_USABLE: Final = 0.02  # of the picture: less than one near car
_COLLECT_S: Final = 0.25  # between the pictures that are collected


class EmptyScene:
    """``background`` is learned by whoever knows what is empty."""

    def __init__(self, camera: Camera, first: Planes, now_s: float) -> None:
        height, width = first.y.shape
        self.background = Background(first)
        self._usable = usable(camera, width, height)
        self.is_masked = masks_all(self._usable)
        self._steadying = Steadying(now_s)
        self._settled_s = now_s + WARM_UP_S
        self._collect_s = now_s

    @property
    def shift(self) -> tuple[float, float] | None:
        """Where the last picture was against the empty scene, in pixels; None while calm."""
        return self._steadying.shift

    def is_settled(self, now_s: float) -> bool:
        """Whether it is known what the scene looks like without traffic."""
        return now_s >= self._settled_s

    def steadied(self, now_s: float, planes: Planes, owned: Callable[[], Image]) -> Planes:
        """The picture with luma noise and the camera's shake taken out.

        ``owned`` gives 255 where bodies are; asked now and then.
        """
        if self.is_settled(now_s) and self._steadying.wants_reference(now_s):
            self._steadying.refer_to(now_s, self.background.picture, owned())
        return self._steadying.steadied(now_s, planes)

    def foreground(self, picture: Planes) -> Image:
        """255 where the picture differs from it, outside the camera's masks."""
        foreground = self.background.foreground(picture)
        if self._usable is not None:
            foreground = _image(cv2.bitwise_and(foreground, self._usable))
        return foreground

    def collect(self, now_s: float, picture: Planes, spacing_s: float) -> bool:
        """Take note of a picture of the first seconds; whether the scene is settled now.

        The next picture may come sooner than the usual spacing.
        """
        if now_s >= self._collect_s:
            self.background.collect(picture)
            self._collect_s = now_s + _COLLECT_S
        if now_s + spacing_s < self._settled_s:
            return False
        self.background.settle()
        self._settled_s = now_s
        return True


def is_nothing(foreground: Image, far_row: int) -> bool:
    """Whether nobody is in it, below ``far_row``: what there is, in specks, is flicker."""
    busy = cv2.countNonZero(foreground) > _EMPTY_SHARE * foreground.size
    return not busy and not find_blobs(foreground, far_row)


def masks_all(usable: Image | None) -> bool:
    """Whether masks leave so little of the picture that nobody can be followed through it."""
    return usable is not None and cv2.countNonZero(usable) < _LEAST_USABLE * usable.size


def usable(camera: Camera, width: int, height: int) -> Image | None:
    """(height, width): 0 inside the camera's masks, 255 elsewhere; None without masks."""
    if not camera.masks:
        return None
    picture = np.full((height, width), 255, np.uint8)
    for polygon in camera.masks:
        corners = np.array([(round(x * width), round(y * height)) for x, y in polygon], np.int32)
        cv2.fillPoly(picture, [corners], 0)
    return picture


def _image(result: npt.NDArray[Any]) -> Image:
    """OpenCV gives back the type it was given; its stubs do not say so."""
    return cast(Image, result)
