"""What led to a rendered contact, from the scene's own events: the labels of its antecedents.

A stage-managed scene names its three steps itself. Of other scenes they are read off what the
parties did in the seconds before they touched: who came the wrong way or swerved, who stood in
the way, who braked first, how closely it was followed. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

MOST: Final = 3
"""As many as an answer has."""
_BEFORE_S: Final = 8.0
_CLEAR_S: Final = 0.05  # before the contact: what is at its very moment is the contact
_SAME_BRAKING_S: Final = 1.0  # lamps and deceleration of one braking
_BRAKING: Final = ("hard_brake", "brake_light_onset")
_PATHS: Final = ("pedestrian_in_road", "wrong_way", "swerve", "stopped_in_lane", "near_miss")
_TYPES: Final = {
    "rear_end": "rear_end_collision",
    "side_impact": "side_collision",
    "pedestrian_struck": "pedestrian_collision",
    "cyclist_struck": "cyclist_collision",
}
_SAME_S: Final = 0.5


def antecedents(document: Mapping[str, Any], contact: Mapping[str, Any]) -> list[dict[str, Any]]:
    """At most three, by time: ``t_s``, ``kind``, ``what``; fewer where the scene has no more."""
    told = document.get("antecedents") or []
    if told:
        return [{"t_s": float(a["t_s"]), "kind": a["kind"], "what": a["text"]} for a in told]
    if contact.get("actor") is None:
        return []  # a truth that does not say who took part
    striking, struck = contact["actor"], contact["other"]
    at_s = float(contact["t_s"])
    before = [
        event for event in document["events"]
        if at_s - _BEFORE_S <= event["t_s"] < at_s - _CLEAR_S
    ]  # fmt: skip
    found = [
        event for event in before
        if event["kind"] in _PATHS and event["actor"] in (striking, struck)
    ]  # fmt: skip
    found += _braking(before, struck)
    found += [
        event for event in before
        if event["kind"] == "headway" and {event["actor"], event["other"]} == {striking, struck}
    ][-1:]  # fmt: skip
    found += _braking(before, striking)
    kept = sorted(found[:MOST], key=lambda event: float(event["t_s"]))
    return [
        {"t_s": float(event["t_s"]), "kind": event["kind"],
         "what": f"{event['kind'].replace('_', ' ')} of {event['actor']}"}
        for event in kept
    ]  # fmt: skip


def incident_type(document: Mapping[str, Any], contact: Mapping[str, Any]) -> str:
    """The kind of collision where the scene says which; empty where it does not."""
    if document["scenario"] in _TYPES:
        return _TYPES[document["scenario"]]
    return next(
        (
            _TYPES.get(one["kind"], "")
            for one in document.get("incidents", ())
            if abs(one["t_s"] - contact["t_s"]) < _SAME_S
        ),
        "",
    )


def _braking(before: Sequence[Mapping[str, Any]], actor: int) -> list[Mapping[str, Any]]:
    """The start of the last braking of somebody, lamps and deceleration being one."""
    own = [event for event in before if event["kind"] in _BRAKING and event["actor"] == actor]
    hard = [event for event in own if event["kind"] == "hard_brake"]
    last = (hard or own)[-1:]
    return [
        min(
            (event for event in own if abs(event["t_s"] - one["t_s"]) <= _SAME_BRAKING_S),
            key=lambda event: (float(event["t_s"]), event["kind"] != "hard_brake"),
        )
        for one in last
    ]
