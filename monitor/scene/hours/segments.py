"""Hours as files of some minutes each, with their truth: resumable, several at a time.

Every segment is a stretch of its own (same junction, other traffic), so that segments can be made
in any order and in parallel, and one that was cut off is simply made again. The truth file is
written last: where it stands and its settings are the wanted ones, the segment is complete.
"""

from __future__ import annotations

import json
import math
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import cv2

from monitor.errors import SceneError
from monitor.scene.camera import PinholeCamera
from monitor.scene.drawing import Image
from monitor.scene.hours.film import write
from monitor.scene.hours.incidents import KINDS, Director
from monitor.scene.hours.ledger import Ledger
from monitor.scene.hours.picture import Painter
from monitor.scene.hours.stretch import FPS, begin, frames, seeded
from monitor.scene.hours.weather import CONDITIONS, Condition, weather
from monitor.scene.truth import FORMAT, calibration

VERSION: Final = 2
"""Goes up when the same settings give other pictures: older files are then made again."""
SEGMENT_S: Final = 600.0
_REST_S: Final = 2.0  # a shorter rest is no segment of its own
SIZE: Final = (640, 360)
RATE_FPS: Final = 10


@dataclass(frozen=True, slots=True)
class Plan:
    """Which hours. ``incidents``: kinds, none for normal traffic; ``per_hour`` of them in all."""

    condition: Condition
    seed: int
    hours: float
    incidents: tuple[str, ...] = ()
    per_hour: float = 40.0
    segment_s: float = SEGMENT_S
    size: tuple[int, int] = SIZE
    fps: int = RATE_FPS

    def checked(self) -> Plan:
        """Itself; ``SceneError`` where a value makes no sense."""
        if self.condition not in CONDITIONS:
            raise SceneError(f"there is no condition {self.condition!r}: {', '.join(CONDITIONS)}")
        unknown = sorted(set(self.incidents) - set(KINDS))
        if unknown:
            raise SceneError(f"no incident {', '.join(unknown)}; there are: {', '.join(KINDS)}")
        if not (0.0 < self.hours <= 240.0 and 5.0 <= self.segment_s <= 3600.0):
            raise SceneError("hours must be in (0, 240], a segment 5 to 3600 seconds")
        if self.fps not in FPS:
            raise SceneError(f"{self.fps} frames a second: take one of {FPS}")
        if not all(64 <= n <= 3840 and n % 4 == 0 for n in self.size):
            raise SceneError("width and height must be 64 to 3840 and divisible by 4")
        if not 0.0 < self.per_hour <= 60.0:
            raise SceneError("at most 60 incidents an hour: each needs time of its own")
        return self

    @property
    def parts(self) -> int:
        return max(1, math.ceil((self.hours * 3600.0 - _REST_S) / self.segment_s))

    def lasts_s(self, part: int) -> float:
        """A part's length; the last one may be shorter."""
        return round(min(self.segment_s, self.hours * 3600.0 - part * self.segment_s), 1)

    def path(self, folder: Path, part: int) -> Path:
        """The video's name says what is in it."""
        kind = "incidents" if self.incidents else "normal"
        return folder / f"{self.condition}-{kind}-s{self.seed}-{part:03d}.mp4"

    def settings(self, part: int) -> dict[str, Any]:
        """What decides the pixels; compared to know whether a file is still right."""
        made = asdict(self)
        del made["hours"], made["segment_s"]
        return {**made, "version": VERSION, "part": part, "lasts_s": self.lasts_s(part),
                "incidents": list(self.incidents), "size": list(self.size)}  # fmt: skip


def truth_path(video: Path) -> Path:
    """Beside the video, where ``causeway eval`` looks."""
    return video.with_name(video.name + ".truth.json")


def complete(plan: Plan, part: int, folder: Path) -> bool:
    """Whether the segment is there as these settings make it."""
    video = plan.path(folder, part)
    try:
        known = json.loads(truth_path(video).read_text())["settings"]
        return bool(known == plan.settings(part) and video.stat().st_size > 0)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def render(plan: Plan, part: int, folder: Path) -> Path:
    """Make one segment; both files appear complete or not at all, else ``SceneError``."""
    cv2.setNumThreads(1)
    video = plan.checked().path(folder, part)
    town = begin(plan.seed, part, plan.lasts_s(part))
    start_s = town.time_s
    camera = PinholeCamera()
    ledger = Ledger(camera, plan.fps)
    director = Director(town, ledger, plan.incidents, plan.per_hour,
                        seeded(plan.seed, part, "incidents"))  # fmt: skip
    conditions = weather(plan.condition, seeded(plan.seed, part, plan.condition))
    painter = Painter(camera, conditions, plan.size, seeded(plan.seed, part, "sensor"))

    def pictures() -> Iterator[Image]:
        for frame in frames(town, plan.lasts_s(part), plan.fps):
            director.frame(frame)
            ledger.frame(frame)
            yield painter.picture(frame, ledger.specs)

    def document(count: int) -> dict[str, Any]:
        ledger.end()
        director.end()
        return {
            "format": FORMAT, "scenario": f"hours-{plan.condition}", "seed": plan.seed,
            "light": plan.condition, "fps": plan.fps, "frame_count": count,
            "duration_s": count / plan.fps, "settings": plan.settings(part),
            "signals": [[a - start_s, b - start_s] for a, b in town.plan.side_phases],
            "calibration": calibration(camera), "incidents": ledger.incidents,
            "events": ledger.events(),
        }  # fmt: skip

    write(video, truth_path(video), pictures(), plan.size, plan.fps, document)
    return video


def missing(plans: Sequence[Plan], folder: Path) -> list[tuple[Plan, int]]:
    """What is not there yet, in order."""
    return [
        (plan, part)
        for plan in plans
        for part in range(plan.parts)
        if not complete(plan, part, folder)
    ]


def render_all(
    plans: Sequence[Plan], folder: Path, jobs: int, told: Callable[[Path], None] = lambda _: None
) -> int:
    """Make what is missing, ``jobs`` at a time; returns how many segments were made."""
    work = missing([plan.checked() for plan in plans], folder)
    if jobs <= 1 or len(work) <= 1:
        for plan, part in work:
            told(render(plan, part, folder))
        return len(work)
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        waiting = [pool.submit(render, plan, part, folder) for plan, part in work]
        try:
            for future in as_completed(waiting):
                told(future.result())
        finally:
            for future in waiting:
                future.cancel()
    return len(work)
