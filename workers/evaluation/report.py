"""The result as one HTML file with pictures around every hit, miss and nuisance.

The file holds frames of the clips: it belongs to whoever may see them, so it is never written
into a source tree.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from monitor.domain.base import Box
from monitor.errors import CatalogueError
from monitor.media.window import Wanted, decode_wanted
from workers.evaluation.figures import Run, Scored, score_all
from workers.evaluation.found import Found, Measured, Replay
from workers.evaluation.lead_in import START_MS, units_of
from workers.evaluation.scoring import ZONES, EventScore

_WIDTH: Final = 416
_QUALITY: Final = 78
_AROUND_S: Final = (-1.0, -0.4, 0.0, 0.4, 1.0, 2.0)
_SHOWN_S: Final = 0.5  # evidence this close to a picture's time is drawn on it
_LOOK_S: Final = 0.15
_LOOKS_S: Final = 4.0  # second looks this close to an event are told with it
_BODY: Final = (210, 210, 210)
_EVIDENCE: Final = (255, 160, 40)
_CANDIDATE: Final = (0, 90, 255)
_VERDICT: Final = (200, 60, 200)
_PLACE: Final = (80, 220, 80)
_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX
_STYLE: Final = """
body{font:14px/1.4 system-ui,sans-serif;margin:1.5rem;background:#fff;color:#111}
h2{margin:1.6rem 0 .3rem;font-size:1.05rem} .row{display:flex;gap:4px;overflow-x:auto}
figure{margin:0} figcaption{font-size:.75rem;color:#555} img{display:block;max-width:none}
.hit{color:#0a6b2d}.late{color:#8a5a00}.miss{color:#b00020}.nuisance{color:#6a1b9a}
table{border-collapse:collapse} td,th{padding:.15rem .6rem;border-bottom:1px solid #ddd;
text-align:left}
@media (prefers-color-scheme:dark){body{background:#111;color:#eee}figcaption{color:#aaa}
.hit{color:#6fdc8c}.late{color:#f1c21b}.miss{color:#ff8389}.nuisance{color:#d4a5ff}}
"""


@dataclass(frozen=True, slots=True)
class _Scene:
    """One row of pictures."""

    css: str
    title: str
    replay: Replay
    at_s: float
    place: Box | None = None


def write(path: Path, runs: Sequence[Run], result: dict[str, Any]) -> None:
    """Refuses a path inside a source tree: the frames are not ours to keep there."""
    refuse_source_tree(path)
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        "<meta name=viewport content='width=device-width'><title>Causeway evaluation</title>",
        f"<style>{_STYLE}</style><h1>Evaluation</h1>", _summary(result),
        "<p>Grey: bodies followed. Blue: evidence. Red: the candidate. Violet: the second look. "
        "Green: the labelled place.</p>",
    ]  # fmt: skip
    for run, scored in zip(runs, score_all(runs), strict=True):
        scenes = list(_scenes(run, scored))
        if scenes:
            parts += _rows(run, scenes)
    path.write_text("\n".join(parts), encoding="utf-8")


def refuse_source_tree(path: Path, option: str = "--html") -> None:
    """``CatalogueError`` where any folder above is a git checkout, or the folder is not there."""
    folder = path.resolve().parent
    if not folder.is_dir():
        raise CatalogueError(f"{option} {path}: there is no folder {folder}")
    for above in (folder, *folder.parents):
        if (above / ".git").exists():
            raise CatalogueError(
                f"{option} {path}: lies in the source tree {above}; frames of clips stay out of it"
            )


def _summary(result: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><th>{html.escape(origin)}<td>{_number(part['detection_rate'])}"
        f"<td>{_number(part['lookback_rate'])}<td>{_number(part['alert_rate'])}"
        f"<td>{_number(part['chance_rate'])}<td>{_number(part['nuisance_per_camera_hour'])}"
        f"<td>{_number(part['alert_nuisance_per_camera_hour'])}"
        for origin in ("real", "rendered")
        if (part := result[origin]) is not None
    )
    return (
        "<table><tr><th><th>found<th>with look-back<th>alerts<th>chance<th>nuisance/h"
        f"<th>alert nuisance/h{rows}</table>"
    )


def _scenes(run: Run, scored: Scored) -> Iterator[_Scene]:
    for events in zip(*(clip.events for clip in scored.clips), strict=True):
        yield _event(run, events)
    shown: list[float] = []
    for number, clip in enumerate(scored.clips):
        for zone in ZONES:
            for found in clip.nuisances[zone]:
                if any(abs(found.decided_s - one) < 1.0 for one in shown):
                    continue  # the same at another phase
                shown.append(found.decided_s)
                replay = run.replays[number]
                yield _Scene(
                    "nuisance",
                    f"nuisance ({zone.replace('_', '-')}), phase {replay.phase_ms} ms: "
                    f"{_told(found)}",
                    replay, found.time_s,
                )  # fmt: skip


def _event(run: Run, events: Sequence[EventScore]) -> _Scene:
    """Shown at the phase that missed it, if one did: there is more to learn from that."""
    number = next((n for n, event in enumerate(events) if not event.found), 0)
    event = events[number]
    css = "hit" if event.found else "late" if event.with_look_back else "miss"
    marks = "".join("+" if one.found else "-" for one in events)
    told = _told(event.by) if event.by is not None else "nothing was found"
    told += _second_looks(run.replays[number], event)
    delay = "" if event.delay_s is None else f", delay {event.delay_s:.2f} s"
    return _Scene(
        css,
        f"{css}: {event.label.type} at {event.label.start_s:.2f} s, by phase {marks}{delay}: "
        f"{told}. {event.label.description}",
        run.replays[number], event.label.start_s, event.label.box,
    )  # fmt: skip


def _second_looks(replay: Replay, event: EventScore) -> str:
    """What the second looks near an event said."""
    said = {True: "confirmed", False: "rejected", None: "cannot tell"}
    return "".join(
        f"; second look at {one.asked_s:.2f} s: {said[one.confirmed]}, {one.kind} {one.score:.2f}, "
        f"about {one.time_s:.2f} s: {one.reason.removesuffix('.')}"
        for one in replay.judged
        if abs(one.asked_s - event.label.start_s) <= _LOOKS_S
    )


def _told(found: Found) -> str:
    return (
        f"{found.kind} {found.score:.2f}, about {found.time_s:.2f} s, "
        f"known at {found.decided_s:.2f} s: {found.reason.removesuffix('.')}"
    )


def _rows(run: Run, scenes: Sequence[_Scene]) -> list[str]:
    units, params = units_of(run.entry.path)
    wanted = [
        Wanted(START_MS + round(1000 * max(0.0, scene.at_s + around)), _WIDTH)
        for scene in scenes
        for around in _AROUND_S
    ]
    stills = iter(decode_wanted(units, params, wanted, 1))
    lead = run.replays[0]
    note = f" after {lead.lead_in} ({lead.lead_in_s:.1f} s)" if lead.lead_in_s else ""
    why = f" [{run.entry.excluded}]" if run.entry.excluded else ""
    rows = [f"<h2>{html.escape(run.entry.file + why + note)}</h2>"]
    for scene in scenes:
        rows.append(f"<p class={scene.css}>{html.escape(scene.title)}</p><div class=row>")
        for around in _AROUND_S:
            still = next(stills)
            if still is None or scene.at_s + around > scene.replay.end_s + 0.1:
                continue
            time_s = (still.capture_ms - START_MS) / 1000
            picture = drawn(still.jpeg, scene.replay, time_s, scene.place)
            data = base64.b64encode(picture).decode()
            rows.append(
                f"<figure><img alt='' src='data:image/jpeg;base64,{data}'>"
                f"<figcaption>{time_s:.2f} s</figcaption></figure>"
            )
        rows.append("</div>")
    return rows


def drawn(jpeg: bytes, replay: Replay, time_s: float, place: Box | None) -> bytes:
    """The picture with what was followed, measured and called at that time."""
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    image = np.asarray(picture, np.uint8)
    seen = min(replay.looks, key=lambda one: abs(one.time_s - time_s), default=None)
    if seen is not None and abs(seen.time_s - time_s) < _LOOK_S:
        for track, box in seen.bodies:
            _draw(image, box, _BODY, str(track), 1)
        cv2.putText(image, seen.view, (4, image.shape[0] - 6), _FONT, 0.4, _BODY, 1)
    for one in _near(replay.evidence, time_s):
        if one.box is not None:
            _draw(image, one.box, _EVIDENCE, f"{one.kind} {one.strength:.2f}", 1)
    for found in replay.candidates:
        if found.box is not None and abs(found.time_s - time_s) < _SHOWN_S:
            _draw(image, found.box, _CANDIDATE, f"{found.kind} {found.score:.2f}", 2)
    for look in replay.judged:
        if look.box is not None and abs(look.time_s - time_s) < _SHOWN_S:
            said = {True: "confirmed", False: "rejected", None: "cannot tell"}[look.confirmed]
            _draw(image, look.box, _VERDICT, f"{said} {look.score:.2f}", 2)
    if place is not None:
        _draw(image, place, _PLACE, "", 2)
    done, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    assert done
    return encoded.tobytes()


def _near(evidence: Iterable[Measured], time_s: float) -> list[Measured]:
    """One of each kind and track: measured again, it would be drawn again."""
    near = {(one.kind, one.track): one for one in evidence if abs(one.time_s - time_s) < _SHOWN_S}
    return list(near.values())


def _draw(
    image: np.ndarray[Any, np.dtype[np.uint8]],
    box: Box,
    colour: tuple[int, int, int],
    text: str,
    thick: int,
) -> None:
    height, width = image.shape[:2]
    left, top = round(box[0] * width), round(box[1] * height)
    right, bottom = round((box[0] + box[2]) * width), round((box[1] + box[3]) * height)
    cv2.rectangle(image, (left, top), (right, bottom), colour, thick)
    if text:
        cv2.putText(image, text, (max(0, left), max(10, top - 3)), _FONT, 0.38, colour, 1)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
