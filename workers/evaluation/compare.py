"""Two results side by side: what changed in the figures, and on which events. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from monitor.errors import CatalogueError
from workers.evaluation.result import FORMAT

FIGURES: Final = (
    "detection_rate", "lookback_rate", "alert_rate", "alert_lookback_rate", "chance_rate",
    "chance_scattered_rate", "nuisance_per_camera_hour", "nuisance_normal_per_camera_hour",
    "nuisance_pre_roll_per_camera_hour", "alert_nuisance_per_camera_hour", "delay_s.p50",
    "delay_s.p80", "contact_error_s.p50", "contact_error_s.p80",
)  # fmt: skip
_MARKS: Final = ("found", "with_look_back", "alerted", "alerted_with_look_back")


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure or one event, before and now."""

    where: str
    what: str
    before: Any
    now: Any


def read(path: Path) -> dict[str, Any]:
    """What ``--json`` printed in another run."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CatalogueError(f"--compare {path}: cannot be read as JSON ({error})") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise CatalogueError(f"--compare {path}: is not the --json of this version's eval")
    return document


def differences(before: dict[str, Any], now: dict[str, Any]) -> list[Difference]:
    """Figures of each origin, then events and nuisances clip by clip; what is equal is left out."""
    found = []
    for origin in ("real", "rendered"):
        old, new = before.get(origin), now.get(origin)
        if old is None or new is None:
            continue
        found += [
            Difference(origin, name, _at(old, name), _at(new, name))
            for name in FIGURES
            if _at(old, name) != _at(new, name)
        ]
    if before["cost"] != now["cost"]:
        found.append(
            Difference(
                "cost", "ms_per_picture", before["cost"]["ms_per_picture"],
                now["cost"]["ms_per_picture"],
            )
        )  # fmt: skip
    old_clips = {clip["file"]: clip for clip in before["per_clip"]}
    new_clips = {clip["file"]: clip for clip in now["per_clip"]}
    for file in sorted(old_clips.keys() | new_clips.keys()):
        if file not in old_clips or file not in new_clips:
            found.append(Difference(file, "clip", file in old_clips, file in new_clips))
            continue
        found += _clip(file, old_clips[file], new_clips[file])
    return found


def _clip(file: str, before: dict[str, Any], now: dict[str, Any]) -> list[Difference]:
    found = []
    new_events = {(e["type"], e["start_s"]): e for e in now["events"]}
    for event in before["events"]:
        key = event["type"], event["start_s"]
        other = new_events.get(key)
        if other is None:
            continue
        found += [
            Difference(f"{file} {key[0]} {key[1]:.2f}", mark, event[mark], other[mark])
            for mark in _MARKS
            if event[mark] != other[mark]
        ]
    found += [
        Difference(file, f"{name}, {zone}", before[name][zone], now[name][zone])
        for name in ("nuisances", "alert_nuisances")
        for zone in before[name]
        if before[name][zone] != now[name][zone]
    ]
    return found


def _at(part: dict[str, Any], name: str) -> Any:
    value: Any = part
    for key in name.split("."):
        value = value[key]
    return value
