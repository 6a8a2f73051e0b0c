"""One crash as a short film: looked for in the hours' traffic, then drawn around its contact.

The traffic of a stretch is simulated without pictures until an incident of the kind asked for
has its contact in full view (``crash_view``); then the same stretch is simulated again and only
the seconds around the contact are drawn. Its truth is that of an hour's segment, in the film's
own time, with the steps that led to the contact as a camera could see them (``antecedents``).
"""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import cv2

from monitor.errors import SceneError
from monitor.scene.camera import PinholeCamera
from monitor.scene.drawing import Image
from monitor.scene.hours.contact import rectangle
from monitor.scene.hours.crash_steps import PATH_S, Found, Pose, antecedents
from monitor.scene.hours.crash_view import Sight
from monitor.scene.hours.film import write
from monitor.scene.hours.incidents import Director
from monitor.scene.hours.ledger import Ledger
from monitor.scene.hours.network import Turn
from monitor.scene.hours.picture import Painter
from monitor.scene.hours.segments import truth_path
from monitor.scene.hours.stretch import HourFrame, begin, frames, seeded
from monitor.scene.hours.town import Town
from monitor.scene.hours.weather import weather
from monitor.scene.truth import FORMAT, calibration

KINDS: Final = ("rear_end", "side_impact", "pedestrian_struck", "cyclist_struck")
SIZE: Final = (1280, 720)
RATE_FPS: Final = 20
VERSION: Final = 3
"""Goes up when the same kind and seed give another film: older files are then made again."""
BEFORE_S: Final = 28.0
"""Of the film, before its contact: a camera that is just switched on has warmed up by then."""
AFTER_S: Final = 14.0

_STRETCH_S: Final = 200.0  # searched for a moment that suits the kind
_PARTS: Final = 60
_LEVEL: Final = 0.45
"""Of the hours' usual demand: two bodies that meet, not a queue that they meet in."""
_IN_VIEW: Final = 0.044
"""Of the picture's width: a contact's box of 2.4 m. A car is then some 20 of the 640 pixels that
watch looks at; what is farther off no trigger is for."""


def path_of(folder: Path, kind: str, seed: int) -> Path:
    """The film's place."""
    return folder / f"crash-{kind}-s{seed}.mp4"


def complete(folder: Path, kind: str, seed: int) -> bool:
    """Whether the film is there as this version makes it."""
    video = path_of(folder, kind, seed)
    try:
        known = json.loads(truth_path(video).read_text())["settings"]
        return bool(known == settings(kind, seed) and video.stat().st_size > 0)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def settings(kind: str, seed: int) -> dict[str, Any]:
    """What decides the pixels."""
    return {"crash": kind, "seed": seed, "size": list(SIZE), "fps": RATE_FPS, "version": VERSION}


def find(kind: str, seed: int) -> Found:
    """The first stretch of this seed with such a crash in view; ``SceneError`` if none has it."""
    if kind not in KINDS:
        raise SceneError(f"there is no crash {kind!r}; there are: {', '.join(KINDS)}")
    for part in range(_PARTS):
        found = _search(kind, seed, part)
        if found is not None:
            return found
    raise SceneError(f"{kind}, seed {seed}: nothing of the kind in {_PARTS} stretches")


def render(folder: Path, kind: str, seed: int) -> Path:
    """Make the film and its truth; both appear complete or not at all, else ``SceneError``."""
    cv2.setNumThreads(1)
    found = find(kind, seed)
    from_s = math.floor((found.time_s - BEFORE_S) * RATE_FPS) / RATE_FPS
    until_s = found.time_s + AFTER_S
    video = path_of(folder, kind, seed)
    stage = _Stage(kind, seed, found.part)
    conditions = weather("day", seeded(seed, found.part, "day"))
    painter = Painter(stage.camera, conditions, SIZE, seeded(seed, found.part, "sensor"))

    def pictures() -> Iterator[Image]:
        for frame in stage.frames():
            if frame.time_s >= until_s:
                return
            if frame.time_s >= from_s:
                yield painter.picture(frame, stage.ledger.specs)

    def document(count: int) -> dict[str, Any]:
        stage.ledger.end()
        stage.director.end()
        return _document(kind, seed, found, stage, from_s, count)

    write(video, truth_path(video), pictures(), SIZE, RATE_FPS, document)
    return video


class _Stage:
    """The traffic of one stretch with its one kind of incident; the same every time."""

    def __init__(self, kind: str, seed: int, part: int) -> None:
        self.camera = PinholeCamera()
        self.town: Town = begin(seed, part, _STRETCH_S, _LEVEL)
        self.start_s = self.town.time_s
        self.ledger = Ledger(self.camera, RATE_FPS)
        self.director = Director(
            self.town, self.ledger, (kind,), 60.0, seeded(seed, part, "incidents")
        )

    def frames(self) -> Iterator[HourFrame]:
        """Every frame of the stretch, in the ledger already."""
        for frame in frames(self.town, _STRETCH_S, RATE_FPS):
            self.director.frame(frame)
            self.ledger.frame(frame)
            yield frame


def _search(kind: str, seed: int, part: int) -> Found | None:
    stage = _Stage(kind, seed, part)
    ways: dict[int, deque[Pose]] = {}
    around: deque[HourFrame] = deque(maxlen=3 * RATE_FPS // 2 + 1)  # half a second, contact, one
    left = RATE_FPS
    for frame in stage.frames():
        around.append(frame)
        if stage.town.contacts:
            left -= 1
            if not left:
                break
            continue
        bodies = [(rider.id, rider.speed, rectangle(rider)) for rider in stage.town.riders]
        bodies += [
            (one.person.id, one.state.speed, rectangle(one)) for one in stage.town.walkers
        ]  # fmt: skip
        for number, speed, covers in bodies:
            way = ways.setdefault(number, deque(maxlen=round(PATH_S * RATE_FPS)))
            way.append(Pose(frame.time_s, covers, speed))
    if not stage.town.contacts or not stage.ledger.incidents:
        return None
    contact = stage.town.contacts[0]
    parties = (contact.striking, contact.struck)
    time_s = contact.time_s - stage.start_s
    told = next(one for one in stage.ledger.events() if one["kind"] == "contact")
    seen = told["box"] is not None and told["box"][2] >= _IN_VIEW
    meant = kind in ("pedestrian_struck", "cyclist_struck")
    meant = not meant or contact.person or any(
        rider.kind == "cycle" for rider in stage.town.riders if rider.id in parties
    )  # fmt: skip
    if not seen or not meant or time_s < BEFORE_S or not all(ways.get(one) for one in parties):
        return None
    sight = Sight(stage.ledger, weather("day", seeded(seed, part, "day")).light)
    if not sight.shows(list(around)[:: RATE_FPS // 4], parties, told["box"]):
        return None
    turner = next(
        (r.id for r in stage.town.riders if r.id in parties and r.route.turn is Turn.LEFT), None
    )
    return Found(part, time_s, turner, {one: tuple(ways[one]) for one in parties}, contact)


def _document(
    kind: str, seed: int, found: Found, stage: _Stage, from_s: float, count: int
) -> dict[str, Any]:
    """The truth in the film's own seconds."""
    duration_s = count / RATE_FPS
    events = [
        {**event, "t_s": round(event["t_s"] - from_s, 4),
         "frame": event["frame"] - round(from_s * RATE_FPS)}
        for event in stage.ledger.events()
        if 0.0 <= event["t_s"] - from_s < duration_s
    ]  # fmt: skip
    contact_s = round(found.time_s - from_s, 4)
    return {
        "format": FORMAT, "scenario": f"crash-{kind}", "seed": seed, "light": "day",
        "fps": RATE_FPS, "frame_count": count, "duration_s": duration_s,
        "settings": settings(kind, seed), "part": found.part,
        "calibration": calibration(stage.camera),
        "incidents": [{"kind": kind, "event": "contact", "t_s": contact_s}],
        "events": events,
        "antecedents": antecedents(kind, found, events, from_s),
    }  # fmt: skip
