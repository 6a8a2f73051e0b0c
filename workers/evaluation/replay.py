"""A clip through the eye and the incident judge, as watch drives them.

One call is one clip at one sampling phase; it runs in a process of its own. It is watch without
Redis: access units go to the same ``Eye`` one by one, triggers to the same ``absorb``, and
candidates to the same second look (``book``). What is decided during the lead-in is not told, as
after a restart of watch.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from cProfile import Profile
from dataclasses import dataclass, replace
from typing import Final

import cv2

from monitor.config.models import Camera
from monitor.domain import AccessUnit, CodecParameters, EvidenceKind
from monitor.trigger.forensic import examine
from monitor.trigger.normal import SceneMemory
from monitor.trigger.view import WARM_UP_S
from workers.evaluation.ablation import Without
from workers.evaluation.book import Book, clip_s, found_of, measured_of
from workers.evaluation.catalogue import Entry
from workers.evaluation.found import Cost, Found, Look, Measured, Replay
from workers.evaluation.lead_in import START_MS, Mode, Played, play
from workers.watching.eye import Eye
from workers.watching.look_back import Examine

_CAMERA: Final = "replay"


@dataclass(frozen=True, slots=True)
class Settings:
    """How clips are replayed; the same for all of a run."""

    operating: float = 1.0  # the raw score from which something is a candidate
    lead_in: Mode = "auto"
    without: frozenset[EvidenceKind] = frozenset()  # cues that are left out
    second_looks: bool = True
    looks: bool = False  # keep what was followed, for drawing
    examine: Examine = examine  # takes the second look


def replay(
    entry: Entry,
    phase_ms: int,
    settings: Settings,
    profiler: Profile | None = None,
    memory: SceneMemory | None = None,
) -> Replay:
    """Play the clip from ``phase_ms`` after its first picture (or its lead-in's).

    ``profiler`` watches the eye and nothing else. ``memory``: what the camera knew of its view
    before; it learns on.
    """
    cv2.setNumThreads(1)
    first = min((label.start_s for label in entry.scored), default=None)
    played = play(entry.path, first, settings.lead_in)
    camera = _camera()
    begin_ms = min(unit.capture_ms for _, units in played.parts for unit in units)
    eye = Eye(camera, look_from_ms=begin_ms + phase_ms, memory=memory)
    eye.operate_at(settings.operating)
    eye.leave_out(settings.without)
    told_ms = START_MS - 1 if played.lead_in_s else 0
    evidence: list[Measured] = []
    candidates: list[Found] = []
    looks: list[Look] = []
    examined = settings.examine
    if settings.without or not settings.second_looks:
        examined = Without(examined, settings.without, blind=not settings.second_looks)
    book = Book(camera, played, examined)
    cpu_s, looked_at, decoded, broken = 0.0, 0, 0, 0
    for params, unit in _steps(played):
        if params is not None:
            eye.use(params)
        if profiler is not None:
            profiler.enable()
        began_s = time.thread_time()
        if unit is None:
            seen = eye.catch_up(tell_after_ms=told_ms)
        else:
            seen = eye.look((unit,), tell_after_ms=told_ms)
        cpu_s += time.thread_time() - began_s
        if profiler is not None:
            profiler.disable()
        now_ms = played.end_ms if unit is None else unit.capture_ms
        decoded += unit is not None
        looked_at += seen.looked_at
        broken += seen.broken
        evidence += [measured_of(item, now_ms) for item in seen.evidence]
        triggers = [
            replace(trigger, decided_ms=max(trigger.decided_ms, now_ms))  # told late counts late
            for trigger in seen.triggers
        ]
        candidates += [found_of(trigger) for trigger in triggers]
        book.note(seen.evidence)
        book.look_again(now_ms)
        book.file(triggers)
        if settings.looks and seen.looked_at and now_ms >= START_MS:
            looks.append(Look(clip_s(now_ms), seen.view.value, eye.bodies()))
    book.look_again(None)
    evidence += book.evidence
    armed_s = 0.0 if played.lead_in_s else WARM_UP_S
    return Replay(
        entry.file, phase_ms, played.lead_in, played.lead_in_s, armed_s, clip_s(played.end_ms),
        tuple(candidates), tuple(book.alerts), tuple(evidence), tuple(looks), broken,
        Cost(cpu_s * 1000, looked_at, decoded), tuple(book.judged),
        book.incidents, book.log,
    )  # fmt: skip


def _steps(
    played: Played,
) -> Iterator[tuple[CodecParameters | None, AccessUnit | None]]:
    """Access units, each part's first one with its parameters; None once there are no more."""
    for params, units in played.parts:
        for number, unit in enumerate(units):
            yield (params if number == 0 else None), unit
    yield None, None


def _camera() -> Camera:
    return Camera.model_validate({"id": _CAMERA, "url": "rtsp://127.0.0.1/replay"})
