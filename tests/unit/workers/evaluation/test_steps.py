"""What led to a rendered contact, read off the scene's events."""

from __future__ import annotations

from typing import Any

from workers.evaluation import truth
from workers.evaluation.steps import antecedents, incident_type


def event(t_s: float, kind: str, actor: int, other: int | None = None) -> dict[str, Any]:
    return {"t_s": t_s, "kind": kind, "actor": actor, "other": other, "value": 1.0, "unit": "s",
            "box": [0.4, 0.4, 0.2, 0.2]}  # fmt: skip


CONTACT = event(44.5, "contact", 9, 8)
EVENTS = [
    event(30.0, "hard_brake", 8),  # long ago
    event(41.0, "brake_light_onset", 7),  # somebody else
    event(41.7, "brake_light_onset", 8),
    event(41.8, "hard_brake", 8),
    event(41.7, "headway", 9, 8),
    event(41.9, "headway", 10, 9),  # behind the follower
    event(44.2, "hard_brake", 9),
    CONTACT,
    event(45.0, "stopped_in_lane", 9),
]


def document(**changes: Any) -> dict[str, Any]:
    return {
        "scenario": "hours-day", "seed": 3, "duration_s": 90.0, "events": EVENTS,
        "incidents": [{"kind": "rear_end", "t_s": 44.5}], **changes,
    }  # fmt: skip


def test_who_braked_how_closely_and_who_braked_after() -> None:
    found = [(one["t_s"], one["kind"]) for one in antecedents(document(), CONTACT)]
    assert found == [(41.7, "brake_light_onset"), (41.7, "headway"), (44.2, "hard_brake")]
    assert incident_type(document(), CONTACT) == "rear_end_collision"


def test_a_path_that_was_left_tells_more_than_a_brake() -> None:
    made = document(events=[*EVENTS, event(43.0, "wrong_way", 8)])
    found = [one["kind"] for one in antecedents(made, CONTACT)]
    assert found == ["brake_light_onset", "headway", "wrong_way"]


def test_a_staged_scene_names_its_own_steps() -> None:
    told = [{"t_s": 21.9, "kind": "pedestrian_in_road", "text": "Somebody steps out.", "actor": 1}]
    made = document(scenario="rear_end", antecedents=told, incidents=[])
    assert antecedents(made, CONTACT) == [
        {"t_s": 21.9, "kind": "pedestrian_in_road", "what": "Somebody steps out."}
    ]
    assert incident_type(made, CONTACT) == "rear_end_collision"
    assert incident_type(document(incidents=[]), CONTACT) == ""


def test_the_catalogue_entry_of_a_truth_has_them() -> None:
    (collision,) = (
        one
        for one in truth.merged({"file": "x.mp4"}, document())["events"]
        if one["type"] == "collision"
    )
    assert collision["incident_type"] == "rear_end_collision"
    assert len(collision["antecedents"]) == 3
