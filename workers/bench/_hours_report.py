"""Results of segments added up: per condition, rendered ones alone. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workers.evaluation.intervals import per_hour, percentile, wilson

Segment = dict[str, Any]


def report(segments: Sequence[Segment]) -> dict[str, Any]:
    """All figures by condition, and of all conditions together."""
    conditions = sorted({one["condition"] for one in segments})
    return {
        "origin": "rendered",
        "conditions": {
            name: _figures([s for s in segments if s["condition"] == name]) for name in conditions
        },
        "all": _figures(segments),
        "memory_mb": memory(segments),
    }


def _figures(segments: Sequence[Segment]) -> dict[str, Any]:
    normal = [s for s in segments if s["traffic"] == "normal"]
    hours = sum(s["free_s"] for s in normal) / 3600.0
    incidents = [i for s in segments for i in s["incidents"] if i["in_view"]]
    kinds = sorted({i["kind"] for i in incidents})
    contact = [abs(i["contact_error_s"]) for i in incidents if i["contact_error_s"] is not None]
    return {
        "hours": hours,
        "alerts_per_camera_hour": _rate(normal, "alerts", hours),
        "candidates_per_camera_hour": _rate(normal, "candidates", hours),
        "incidents": {kind: _found([i for i in incidents if i["kind"] == kind]) for kind in kinds},
        "incidents_all": _found(incidents),
        "contact_error_s": {
            **_spread(contact), "of": sum(1 for i in incidents if _is_contact(i["kind"])),
        },
        "headway_error_s": _errors(segments, "headway", "value"),
        "brake_lamp_onset_error_s": _errors(segments, "brake_light_onset", "time_s"),
        "hard_brake_onset_error_s": _errors(segments, "hard_brake", "time_s"),
        "sudden_stop_error_s": _errors(segments, "sudden_stop", "time_s"),
        "cpu_ms_per_picture": _mean([s["cpu_ms_per_picture"] for s in segments]),
    }  # fmt: skip


def _is_contact(kind: str) -> bool:
    return kind in ("rear_end", "side_impact", "pedestrian_struck", "cyclist_struck")


def _rate(segments: Sequence[Segment], what: str, hours: float) -> dict[str, Any] | None:
    count = sum(len(s[what]) for s in segments)
    rate = per_hour(count, hours)
    if rate is None:
        return None
    kinds: dict[str, int] = {}
    for segment in segments:
        for one in segment[what]:
            kinds[one["kind"]] = kinds.get(one["kind"], 0) + 1
    return {"rate": rate[0], "interval": list(rate[1:]), "count": count, "by_kind": kinds}


def _found(incidents: Sequence[dict[str, Any]]) -> dict[str, Any]:
    of = len(incidents)
    detected = sum(i["detected"] for i in incidents)
    alerted = sum(i["alerted"] for i in incidents)
    return {
        "of": of,
        "detected": detected,
        "interval": wilson(detected, of),
        "at_once": sum(i["at_once"] for i in incidents),
        "alerted": alerted,
        "alerted_interval": wilson(alerted, of),
        "delay_s": _spread([i["delay_s"] for i in incidents if i["delay_s"] is not None]),
    }


def _errors(segments: Sequence[Segment], kind: str, what: str) -> dict[str, Any]:
    values = [v for s in segments for v in s["errors"][kind][what]]
    return {**_spread(values), "of": sum(s["errors"][kind]["of"] for s in segments)}


def _spread(values: list[float]) -> dict[str, Any]:
    return {"p50": percentile(values, 0.5), "p80": percentile(values, 0.8), "n": len(values)}


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def memory(segments: Sequence[Segment]) -> list[dict[str, Any]]:
    """Each watching process: at its first segment's start, after its last, and the most."""
    by_process: dict[int, list[dict[str, float]]] = {}
    for segment in segments:
        one = segment["memory_mb"]
        by_process.setdefault(one["process"], []).append(one)
    made = []
    for measured in by_process.values():
        ordered = sorted(measured, key=lambda one: one["at_s"])
        made.append(
            {"segments": len(ordered), "start": ordered[0]["start"],
             "after_first": ordered[0]["end"], "end": ordered[-1]["end"],
             "peak": max(one["peak"] for one in ordered)}
        )  # fmt: skip
    return made
