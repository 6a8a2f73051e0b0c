"""Whether cameras are left something to look at by their masks, for ``causeway check``."""

from __future__ import annotations

from pathlib import Path

from monitor.config.loader import place
from monitor.config.models import Config
from monitor.config.problems import Problem, dotted

_WIDTH_PX, _HEIGHT_PX = 640, 360


def masked_cameras(path: Path, config: Config) -> list[Problem]:
    """A problem for each camera that its masks make blind."""
    found = []
    for index, camera in enumerate(config.cameras):
        if not camera.masks:
            continue
        # OpenCV takes a moment to come, and most cameras have no masks.
        from monitor.trigger.empty_scene import masks_all, usable

        if masks_all(usable(camera, _WIDTH_PX, _HEIGHT_PX)):
            setting = ("cameras", index, "masks")
            told = (
                "together they cover the picture, so this camera would see nothing; "
                "leave the road free"
            )
            found.append(Problem(place(path, setting), dotted(setting), told))
    return found
