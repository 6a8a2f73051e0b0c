"""One rendered segment through the watch code, and what came of it, as plain values for JSON."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from monitor.errors import CatalogueError
from monitor.scene.hours.segments import truth_path
from monitor.trigger.normal import SceneMemory
from workers.evaluation.catalogue import Entry, Label, load
from workers.evaluation.exact import nearest
from workers.evaluation.found import Found, Replay
from workers.evaluation.replay import Settings, replay
from workers.evaluation.scoring import CONTACT, free_spans, looks_back, score, window
from workers.evaluation.spans import holds, length_s

_ROOT: Final = Path(__file__).resolve().parents[2]
_WATCHING: Final = (
    "monitor/trigger", "monitor/media", "monitor/domain", "workers/watching", "workers/evaluation",
    "workers/bench/_hours_segment.py",
)  # fmt: skip
_EXACT: Final = ("hard_brake", "brake_light_onset", "headway", "sudden_stop")
_SPAN_S: Final = 0.1  # an event's peak after its time, as in workers.evaluation.truth


def code_key() -> str:
    """Changes when anything changes that decides what is seen in a segment."""
    digest = hashlib.sha256()
    for part in _WATCHING:
        path = _ROOT / part
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(str(file.relative_to(_ROOT)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


def result_path(video: Path) -> Path:
    """Where a segment's result is kept."""
    return video.with_name(video.name + ".watched.json")


def memory_path(video: Path) -> Path:
    """Where what a camera learned in its first segment is kept."""
    return video.with_name(video.name + ".memory")


def known(video: Path, code: str, knew: bytes | None, *, teaches: bool) -> dict[str, Any] | None:
    """The kept result, if it is of this code, this file and this memory.

    ``knew``: the memory with which the watching began. A segment that ``teaches`` counts only
    with the memory that its watching left.
    """
    try:
        found: dict[str, Any] = json.loads(result_path(video).read_text())
        if found["key"] != _key(video, code, knew):
            return None
        if teaches and found["taught"] != _digest(memory_path(video).read_bytes()):
            return None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found


def watch(
    video: Path, code: str, knew: bytes | None = None, *, teaches: bool = False
) -> dict[str, Any]:
    """Play it, score it, keep the result beside it, and what was learned if it ``teaches``."""
    truth = json.loads(truth_path(video).read_text())
    entry = _entry(video, truth)
    memory = SceneMemory() if knew is None else SceneMemory.from_bytes(knew)
    memory.start_over_in_time()
    before_mb = rss_mb()
    began = time.monotonic()
    seen = replay(entry, 0, Settings(lead_in="none"), memory=memory)
    took_s = time.monotonic() - began
    learned = memory.to_bytes()
    if teaches:
        _keep(memory_path(video), learned)
    result = {
        "key": _key(video, code, knew),
        "taught": _digest(learned),
        **summary(entry, truth, seen),
        "took_s": round(took_s, 2),
        "memory_mb": {
            "process": os.getpid(), "at_s": time.time(), "start": before_mb, "end": rss_mb(),
            "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0,
        },
    }  # fmt: skip
    _keep(result_path(video), json.dumps(result, allow_nan=False).encode())
    return result


def _keep(path: Path, data: bytes) -> None:
    """Complete or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.write_bytes(data)
    os.replace(part, path)


def summary(entry: Entry, truth: dict[str, Any], seen: Replay) -> dict[str, Any]:
    """What was found, missed and made up. Pure."""
    scored = score(entry, seen)
    return {
        "condition": str(truth["light"]),
        "traffic": "incidents" if truth["settings"]["incidents"] else "normal",
        "watched_s": seen.end_s - seen.armed_s,
        "free_s": length_s(free_spans(entry, seen)),
        "candidates": [_told(f) for some in scored.nuisances.values() for f in some],
        "alerts": [_told(f) for some in scored.alert_nuisances.values() for f in some],
        "incidents": [_incident(one, truth, seen) for one in truth["incidents"]],
        "errors": {kind: _errors(kind, entry, seen) for kind in _EXACT},
        "cpu_ms_per_picture": seen.cost.cpu_ms / max(seen.cost.looked_at, 1),
    }


def rss_mb() -> float:
    """Memory of this process now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _key(video: Path, code: str, knew: bytes | None) -> str:
    stat = video.stat()
    began = "nothing" if knew is None else _digest(knew)
    return f"{code} {stat.st_size} {stat.st_mtime_ns} {began}"


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _entry(video: Path, truth: dict[str, Any]) -> Entry:
    """As ``causeway eval`` reads it; people on the roadway are no false-alarm time here."""
    entries = load(truth_path(video), video.parent).entries
    if len(entries) != 1:
        raise CatalogueError(f"{video}: one entry expected")
    people = tuple(
        _label(one, truth, "aftermath")
        for one in truth["incidents"]
        if one["event"] == "pedestrian_in_road"
    )
    return replace(entries[0], labels=(*entries[0].labels, *people))


def _label(one: dict[str, Any], truth: dict[str, Any], role: Any) -> Label:
    at = float(one["t_s"])
    box = next(
        (e["box"] for e in truth["events"] if e["kind"] == one["event"] and e["t_s"] == at), None
    )
    return Label(
        one["kind"], at, at + _SPAN_S, max(float(one["over_s"]), at + _SPAN_S), role,
        box=None if box is None else tuple(box),
    )  # fmt: skip


def _incident(one: dict[str, Any], truth: dict[str, Any], seen: Replay) -> dict[str, Any]:
    label = _label(one, truth, "scored")

    def among(found: tuple[Found, ...], late: bool) -> Found | None:
        fits = [
            f
            for f in found
            if holds([window(label)], f.decided_s) or (late and looks_back(f, label))
        ]
        return min(fits, key=lambda f: f.decided_s, default=None)

    candidate, alert = among(seen.candidates, True), among(seen.alerts, True)
    return {
        "kind": one["kind"],
        "t_s": label.start_s,
        "in_view": label.box is not None,
        "at_once": among(seen.candidates, False) is not None,
        "detected": candidate is not None,
        "alerted": alert is not None,
        "delay_s": None if candidate is None else candidate.decided_s - label.start_s,
        "contact_error_s": _contact_error(label, seen) if one["event"] == CONTACT else None,
    }


def _contact_error(label: Label, seen: Replay) -> float | None:
    """Of the strongest contact stated around it, as in ``causeway eval``."""
    start, end = window(label)
    stated = [e for e in seen.evidence if e.kind == CONTACT and start <= e.time_s <= end]
    best = max(stated, key=lambda e: (e.strength, -abs(e.time_s - label.start_s)), default=None)
    return None if best is None else best.time_s - label.start_s


def _errors(kind: str, entry: Entry, seen: Replay) -> dict[str, Any]:
    """Absolute errors of the measurement nearest to each true one: of time, and of value."""
    true = [
        m for m in entry.measurements if m.type == kind and seen.armed_s <= m.start_s <= seen.end_s
    ]
    pairs = [(m, nearest(m, seen, entry.measurements)) for m in true]
    stated = [(m, s) for m, s in pairs if s is not None]
    return {
        "of": len(true),
        "time_s": [abs(s.time_s - m.start_s) for m, s in stated],
        "value": [
            abs(s.value - m.value)
            for m, s in stated
            if s.value is not None and m.value is not None and s.unit == m.unit
        ],
    }


def _told(found: Found) -> dict[str, Any]:
    return {"t_s": found.decided_s, "kind": found.kind, "score": round(found.score, 2)}
