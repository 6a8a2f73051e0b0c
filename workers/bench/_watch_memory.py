"""Resident memory of watching by the number of cameras, in a process of its own.

Prints JSON: {"base_mb", "mb_by_cameras": {n: mb}, "mb_per_camera", "grown_mb"}. Run by
``bench watch`` as ``python -m workers.bench._watch_memory VIDEO SECONDS``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import cv2

from monitor.config.models import Camera
from monitor.domain import AccessUnit, CodecParameters
from workers.bench.watch import read_units
from workers.watching.eye import Eye

_CAMERAS: Final = (1, 5, 9)
_AGAIN: Final = 2  # times more, to see whether it grows


def main(video: str, seconds: float) -> None:
    """Feed one video to more and more cameras, then again to all of them."""
    cv2.setNumThreads(1)
    units, params = read_units(Path(video), seconds)
    base = rss_mb()
    by_cameras: dict[int, float] = {}
    eyes: list[Eye] = []
    for cameras in _CAMERAS:
        fresh = [_eye(number, params) for number in range(len(eyes), cameras)]
        for eye in fresh:
            _feed(eye, units)
        eyes += fresh
        by_cameras[cameras] = rss_mb()
    span_ms = units[-1].entry_ms - units[0].entry_ms + 1_000
    for turn in range(1, _AGAIN + 1):
        later = [
            replace(one, entry_ms=one.entry_ms + turn * span_ms,
                    capture_ms=one.capture_ms + turn * span_ms)
            for one in units
        ]  # fmt: skip
        for eye in eyes:
            _feed(eye, later)
    first, last = _CAMERAS[0], _CAMERAS[-1]
    print(
        json.dumps(
            {
                "base_mb": base,
                "mb_by_cameras": by_cameras,
                "mb_per_camera": (by_cameras[last] - by_cameras[first]) / (last - first),
                "grown_mb": (rss_mb() - by_cameras[last]) / last,
            }
        )
    )


def _eye(number: int, params: CodecParameters) -> Eye:
    eye = Eye(Camera(id=f"bench{number}", url="rtsp://bench.invalid/"))
    eye.use(params)
    return eye


def _feed(eye: Eye, units: Sequence[AccessUnit]) -> None:
    for unit in units:
        eye.look((unit,), tell_after_ms=0)


def rss_mb() -> float:
    """What this process holds in memory now; Linux."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise OSError("the system does not tell how much memory a process holds")


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
