"""``causeway bench forensic``: the second look alone, at labelled contacts and at normal traffic.

It asks at times that the labels give, not at the fast trigger's, so that it says what the second
look can do whatever the first one finds: at 0, 0.5 and 1 s after each collision's start, and every
3 s of false-alarm time. ``causeway eval`` judges both together.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
from rich.console import Console
from rich.table import Table

from monitor.config.models import Camera
from monitor.domain import EvidenceKind, Trigger
from monitor.trigger.forensic import examine
from workers.commands.evaluate import prepared, scratch
from workers.evaluation.catalogue import Entry, Label, load
from workers.evaluation.intervals import per_hour, percentile, wilson
from workers.evaluation.lead_in import START_MS, play
from workers.evaluation.spans import holds
from workers.watching.look_back import AFTER_MS, BEFORE_MS, Part, look_back

OFFSETS_S: Final = (0.0, 0.5, 1.0)
SPACING_S: Final = 3.0
ALLOWED_PER_HOUR: Final = 10.0
THRESHOLDS: Final = tuple(0.5 + 0.05 * step for step in range(51))
_BEFORE_S: Final = 1.0
_AFTER_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class Asked:
    """One look. ``label`` is None where nothing happened."""

    entry: Entry
    label: Label | None
    at_s: float
    score: float
    confirmed: bool | None
    found_s: float
    cpu_share: float  # CPU seconds per second of window

    def is_confirmed(self, threshold: float) -> bool:
        """At another threshold than 1.0."""
        return self.confirmed is not None and self.score >= threshold


def main(json_out: bool = False, catalog: str = "", clips: str = "", only: str = "") -> int:
    """Print the figures of real and rendered clips apart. ``only``: names with commas."""
    if not catalog or not clips:
        print("bench forensic needs --catalog FILE and --clips FOLDER", file=sys.stderr)
        return 2
    cv2.setNumThreads(1)
    names = {name.removesuffix(".mp4") for name in only.split(",") if name}
    entries = prepared(
        [
            entry
            for entry in load(Path(catalog), Path(clips)).entries
            if not entry.excluded and (not names or entry.file.removesuffix(".mp4") in names)
        ],
        scratch(),
    )
    looks = [look for entry in entries for look in looks_of(entry)]
    made = {
        origin: figures([look for look in looks if look.entry.origin == origin])
        for origin in ("real", "rendered")
        if any(look.entry.origin == origin for look in looks)
    }
    if json_out:
        print(json.dumps(made))
    else:
        _show(made)
    return 0


def looks_of(entry: Entry) -> list[Asked]:
    """All looks at one clip."""
    played = play(entry.path, None, "none")
    end_s = (played.end_ms - START_MS) / 1000
    camera = Camera.model_validate({"id": "bench", "url": "rtsp://127.0.0.1/bench"})
    collisions = [label for label in entry.scored if label.type == "collision"]
    times: list[tuple[float, Label | None]] = [
        (label.start_s + offset, label)
        for label in collisions
        for offset in OFFSETS_S
        if label.start_s + offset < end_s
    ]
    # A look finds contacts up to 3 s away: none may be of an event.
    events = [
        (label.start_s - _BEFORE_S - SPACING_S, max(label.end_s, label.peak_s + _AFTER_S))
        for label in entry.labels
        if label.role != "normal"
    ]
    first_event_s = min((label.start_s for label in collisions), default=end_s)
    at_s = SPACING_S / 2
    while at_s < min(end_s, first_event_s):
        if not holds(events, at_s):
            times.append((at_s, None))
        at_s += SPACING_S
    return [_look(entry, played.parts, camera, at, label) for at, label in times]


def _look(
    entry: Entry, parts: Sequence[Part], camera: Camera, at_s: float, label: Label | None
) -> Asked:
    at_ms = START_MS + round(1000 * at_s)
    trigger = Trigger(EvidenceKind.CONTACT, at_ms, at_ms, 1.0, "asked by the bench")
    known = [unit.capture_ms for _, units in parts for unit in units]
    first, last = max(min(known), at_ms - BEFORE_MS), min(max(known), at_ms + AFTER_MS)
    seconds = (last - first) / 1000
    began_s = time.thread_time()
    verdict = look_back(examine, parts, trigger, camera)
    cpu_s = time.thread_time() - began_s
    return Asked(
        entry, label, at_s, verdict.score, verdict.confirmed,
        (verdict.time_ms - START_MS) / 1000, cpu_s / max(1.0, seconds),
    )  # fmt: skip


def figures(looks: Sequence[Asked]) -> dict[str, Any]:
    """Confirmed and falsely confirmed, contact errors and cost, also leaving one family out."""
    errors = [
        abs(look.found_s - look.label.start_s)
        for look in looks
        if look.label is not None and look.is_confirmed(1.0)
    ]
    costs = [look.cpu_share for look in looks]
    lofo_hits, lofo_false = 0.0, 0
    for family in sorted({look.entry.family for look in looks}):
        others = [look for look in looks if look.entry.family != family]
        own = [look for look in looks if look.entry.family == family]
        threshold = chosen(others)
        lofo_hits += _hits(own, threshold)
        lofo_false += _false(own, threshold)
    trials = _trials(looks)
    hits, false, hours = _hits(looks, 1.0), _false(looks, 1.0), _hours(looks)
    return {
        "confirm_rate": hits / trials if trials else None,
        "confirm_hits": hits,
        "confirm_of": trials,
        "confirm_interval": wilson(hits, trials),
        "false_confirmations": false,
        "looks_at_nothing": sum(look.label is None for look in looks),
        "false_per_camera_hour": per_hour(false, hours),
        "contact_error_s": {
            "p50": percentile(errors, 0.5), "p80": percentile(errors, 0.8), "of": len(errors),
        },
        "lofo": {
            "confirm_rate": lofo_hits / trials if trials else None,
            "interval": wilson(lofo_hits, trials),
            "false_confirmations": lofo_false,
        },
        "cpu_s_per_window_s": {
            "p50": percentile(costs, 0.5), "p80": percentile(costs, 0.8), "max": max(costs),
        },
        "per_event": _per_event(looks),
    }  # fmt: skip


def chosen(looks: Sequence[Asked]) -> float:
    """The lowest threshold with at most ``ALLOWED_PER_HOUR`` false confirmations."""
    hours = _hours(looks)
    for threshold in THRESHOLDS:
        if hours == 0.0 or _false(looks, threshold) / hours <= ALLOWED_PER_HOUR:
            return threshold
    return THRESHOLDS[-1]


def _events(looks: Sequence[Asked]) -> dict[tuple[str, float], list[Asked]]:
    found: dict[tuple[str, float], list[Asked]] = {}
    for look in looks:
        if look.label is not None:
            found.setdefault((look.entry.file, look.label.start_s), []).append(look)
    return found


def _countable(asked: Sequence[Asked], threshold: float) -> bool:
    """A miss of what has nearly nothing before it does not count."""
    missable = any(look.label is not None and look.label.may_be_missed for look in asked)
    return not missable or any(look.is_confirmed(threshold) for look in asked)


def _trials(looks: Sequence[Asked]) -> int:
    return sum(_countable(asked, 1.0) for asked in _events(looks).values())


def _hits(looks: Sequence[Asked], threshold: float) -> float:
    """Three offsets of one event are one trial, their mean."""
    return sum(
        sum(look.is_confirmed(threshold) for look in asked) / len(asked)
        for asked in _events(looks).values()
        if _countable(asked, 1.0)
    )


def _false(looks: Sequence[Asked], threshold: float) -> int:
    return sum(look.label is None and look.is_confirmed(threshold) for look in looks)


def _hours(looks: Sequence[Asked]) -> float:
    return sum(look.label is None for look in looks) * SPACING_S / 3600


def _per_event(looks: Sequence[Asked]) -> list[dict[str, Any]]:
    return [
        {
            "clip": file,
            "start_s": start_s,
            "scores": [look.score for look in asked],
            "errors_s": [round(look.found_s - start_s, 3) for look in asked],
        }
        for (file, start_s), asked in _events(looks).items()
    ]


def _show(made: dict[str, dict[str, Any]]) -> None:
    view = Table(
        "clips", "confirmed", "95 %", "falsely", "per hour", "95 %", "contact error p50",
        "p80", "LOFO", "falsely", "CPU s per s",
    )  # fmt: skip
    for origin, one in made.items():
        rate, lofo = one["false_per_camera_hour"], one["lofo"]
        view.add_row(
            origin, _number(one["confirm_rate"]), _range(one["confirm_interval"]),
            f"{one['false_confirmations']} of {one['looks_at_nothing']}",
            "-" if rate is None else f"{rate[0]:.0f}",
            "" if rate is None else f"{rate[1]:.0f} .. {rate[2]:.0f}",
            _number(one["contact_error_s"]["p50"]), _number(one["contact_error_s"]["p80"]),
            f"{_number(lofo['confirm_rate'])} ({_range(lofo['interval'])})",
            str(lofo["false_confirmations"]), _number(one["cpu_s_per_window_s"]["p80"]),
        )  # fmt: skip
    console = Console(width=None if sys.stdout.isatty() else 150)
    console.print(view)
    for one in made.values():
        for event in one["per_event"]:
            scores = " ".join(f"{score:.2f}" for score in event["scores"])
            errors = " ".join(f"{error:+.2f}" for error in event["errors_s"])
            console.print(f"{event['clip']} {event['start_s']:.2f} s: {scores} (error {errors} s)")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _range(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f"{interval[0]:.2f} .. {interval[1]:.2f}"
