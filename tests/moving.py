"""Bodies whose motion on the ground is known exactly, as the tracker would hand them on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from monitor.domain import Actor
from monitor.trigger.blobs import PixelBox
from monitor.trigger.ground import GroundPlane
from monitor.trigger.moment import Moment
from monitor.trigger.normal import SceneMemory
from monitor.trigger.track import Sample, Track

M_PER_PX = 0.1
WIDTH_PX, HEIGHT_PX = 640, 360
INTERVAL_S = 0.1
ORIGIN_MS = 1_760_000_000_000
METRIC = GroundPlane(np.diag([M_PER_PX, M_PER_PX, 1.0]), 1.0, True, -1000.0, 0.05)
"""Looking straight down, a tenth of a metre per pixel."""

Motion = Callable[[float], tuple[float, float]]
"""Time in seconds to a place on the ground in metres."""


@dataclass
class Body:
    """One body; ``seen`` and ``whole`` say when the tracker measured it, and all of it."""

    motion: Motion
    actor: Actor = Actor.VEHICLE
    size_m: tuple[float, float] = (4.0, 3.0)
    seen: Callable[[float], bool] = lambda _: True


def driving(
    speed: float, *, x: float = 0.0, y: float = 10.0, brakes_s: float = 1e9, decel: float = 0.0
) -> Motion:
    """Along x from a place; at constant speed, then braking to standstill."""

    def at(time_s: float) -> tuple[float, float]:
        braking = min(max(0.0, time_s - brakes_s), speed / decel if decel else 0.0)
        cruise = min(time_s, brakes_s)
        return x + speed * cruise + speed * braking - decel * braking**2 / 2, y

    return at


def standing(x: float, y: float = 10.0) -> Motion:
    return lambda _: (x, y)


@dataclass
class Stage:
    """Plays bodies; the first one's track is 1."""

    bodies: Mapping[int, Body]
    plane: GroundPlane = METRIC
    memory: SceneMemory = field(default_factory=SceneMemory)

    def moments(
        self, end_s: float, start_s: float = 0.0, interval_s: float = INTERVAL_S
    ) -> Iterator[Moment]:
        """One after another, as pictures come."""
        tracks: dict[int, Track] = {}
        for index in range(round((end_s - start_s) / interval_s) + 1):
            now_s = round(start_s + index * interval_s, 6)
            for number, body in self.bodies.items():
                if number not in tracks:
                    if not body.seen(now_s):
                        continue
                    tracks[number] = _track(number, body, now_s)
                _advance(tracks[number], body, now_s, interval_s, self.plane)
            yield Moment(
                now_s, ORIGIN_MS, list(tracks.values()), self.plane, self.memory,
                WIDTH_PX, HEIGHT_PX,
            )  # fmt: skip


def fractions(box: PixelBox) -> tuple[float, float, float, float]:
    """Of the stage's picture."""
    return box.x / WIDTH_PX, box.y / HEIGHT_PX, box.width / WIDTH_PX, box.height / HEIGHT_PX


def drive_over(
    memory: SceneMemory, vehicles: int, *, y_px: float = 70.0, speed: float = 50.0, first: int = 100
) -> None:
    """Vehicles drive along a row of the picture, over all of it, to the right by ``speed`` > 0."""
    for track in range(first, first + vehicles):
        for x in range(0, WIDTH_PX - 40, 10):
            box = fractions(PixelBox(float(x), y_px, 40.0, 30.0))
            memory.drive(track, box, (speed / WIDTH_PX, 0.0), 35.0 / WIDTH_PX)
    memory.keep_only(set())


def wall_s(wall_ms: int) -> float:
    """Seconds of the stage's time."""
    return (wall_ms - ORIGIN_MS) / 1000


def _foot(body: Body, time_s: float) -> np.ndarray:
    return np.array(body.motion(time_s)) / M_PER_PX


def _box(body: Body, foot: np.ndarray) -> PixelBox:
    width, height = (side / M_PER_PX for side in body.size_m)
    return PixelBox(float(foot[0]) - width / 2, float(foot[1]) - height, width, height)


def _track(number: int, body: Body, now_s: float) -> Track:
    foot = _foot(body, now_s)
    no_points = np.zeros((0, 2), np.float32)
    return Track(
        number, _box(body, foot), no_points, now_s, now_s, foot, foot.copy(),
        confirmed=True, actor=body.actor, segment_s=now_s,
    )  # fmt: skip


def _advance(track: Track, body: Body, now_s: float, interval_s: float, plane: GroundPlane) -> None:
    foot, before = _foot(body, now_s), _foot(body, now_s - interval_s)
    seen = body.seen(now_s)
    track.foot, track.carried = foot, foot.copy()
    track.box = _box(body, foot)
    track.velocity = (foot - before) / interval_s
    if seen:
        track.seen_s = now_s
    x, y = (float(value) for value in foot)
    track.add(
        Sample(now_s, x, y, track.box.width, track.box.height, True, True, seen, by_flow=seen)
    )
    track.update_standing(plane, now_s)
