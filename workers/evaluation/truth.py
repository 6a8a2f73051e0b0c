"""A rendered scene's truth as a catalogue entry: exact times, and measurements to compare with."""

from __future__ import annotations

from typing import Any, Final

from workers.evaluation import steps

_TYPES: Final = {
    "contact": "collision",
    "hard_brake": "hard_brake",
    "sudden_stop": "sudden_stop",
    "near_miss": "near_miss",
    "wrong_way": "wrong_way",
    "swerve": "swerve",
    "stopped_in_lane": "stopped_in_lane",
}
PART_OF_CRASH: Final = "part_of_crash"
"""A braking or a stop around a contact: neither wanted beside it nor a false alarm."""
_CRASH_S: Final = 1.0
_RELATED_S: Final = 4.0


def entry(document: dict[str, Any], video: str) -> dict[str, Any]:
    """One entry of a catalogue from a ``*.truth.json``."""
    return merged({"file": video}, document)


def merged(item: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """An entry that names a truth file, filled from it; what it says itself goes first."""
    made = {
        "source_family": f"scene-{document['scenario']}-{document['seed']}",
        "origin": "rendered",
        "duration_s": float(document["duration_s"]),
        "light": str(document.get("light", "day")),
        "events": _events(document),
        "measurements": [
            {"type": event["kind"], "t_s": float(event["t_s"]), "value": event["value"],
             "unit": str(event.get("unit", "")),
             "box": None if event["box"] is None else tuple(event["box"])}
            for event in document["events"]
            if event.get("box") is not None
        ],
    }  # fmt: skip
    return {**made, **item}


def _events(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Incidents only; what comes of a crash belongs to it.

    A braking or a stop shortly before or after a contact is part of that collision: it would be
    the same alert. People on the roadway are evidence only.
    """
    duration_s = float(document["duration_s"])
    contacts = [float(e["t_s"]) for e in document["events"] if e["kind"] == "contact"]
    labels = []
    for event in document["events"]:
        kind, time_s = _TYPES.get(event["kind"]), float(event["t_s"])
        if kind is None or event.get("box") is None:
            continue
        if kind in ("hard_brake", "sudden_stop") and any(
            abs(time_s - contact) < _RELATED_S for contact in contacts
        ):
            kind = PART_OF_CRASH
        end_s = time_s + _CRASH_S
        if kind == "stopped_in_lane":
            end_s = time_s + float(event["value"] or 0.0)
        more = {}
        if event["kind"] == "contact":
            more = {"incident_type": steps.incident_type(document, event),
                    "antecedents": steps.antecedents(document, event)}  # fmt: skip
        labels.append(
            {**more, "type": kind, "start_s": time_s, "peak_s": min(time_s + 0.1, duration_s),
             "end_s": max(min(end_s, duration_s), min(time_s + 0.1, duration_s)),
             "box": tuple(event["box"]), "value": event["value"]}
        )  # fmt: skip
    return labels
