"""A rendered scene's truth as a catalogue entry: exact times, and measurements to compare with."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from monitor.errors import CatalogueError
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
_MOST_TOLD: Final = 8
_RELATED_S: Final = 4.0


_Number = Annotated[float, Field(allow_inf_nan=False)]
_OPEN: Final = ConfigDict(strict=True, extra="ignore")  # a truth tells more than is read here


class _Happening(BaseModel):
    """An event of a scene."""

    model_config = _OPEN
    t_s: _Number
    kind: str
    value: _Number | None
    unit: str = ""
    box: Annotated[tuple[_Number, _Number, _Number, _Number] | None, Field(strict=False)] = None
    actor: int | None = None
    other: int | None = None


class _Step(BaseModel):
    model_config = _OPEN
    t_s: _Number
    kind: str
    text: str


class _Staged(BaseModel):
    model_config = _OPEN
    t_s: _Number
    kind: str


class _Scene(BaseModel):
    """What of a ``*.truth.json`` is read."""

    model_config = _OPEN
    scenario: str
    seed: int
    duration_s: _Number
    events: list[_Happening]
    light: str = "day"
    antecedents: list[_Step] | None = None
    incidents: list[_Staged] = []


def merged(item: dict[str, Any], raw: Any) -> dict[str, Any]:
    """An entry that names a truth file, filled from it; what it says itself goes first.

    ``CatalogueError`` names what makes ``raw`` no scene's truth.
    """
    try:
        document = _Scene.model_validate(raw).model_dump()
    except ValidationError as error:
        raise CatalogueError(f"is not a scene's truth ({'; '.join(wrong(error))})") from error
    made = {
        "source_family": f"scene-{document['scenario']}-{document['seed']}",
        "origin": "rendered",
        "duration_s": document["duration_s"],
        "light": document["light"],
        "events": _events(document),
        "measurements": [
            {"type": event["kind"], "t_s": event["t_s"], "value": event["value"],
             "unit": event["unit"], "box": event["box"]}
            for event in document["events"]
            if event["box"] is not None
        ],
    }  # fmt: skip
    return {**made, **item}


def wrong(error: ValidationError) -> list[str]:
    """Each field that is wrong, and how; for a person. The first eight of many."""
    told = []
    for one in error.errors(include_url=False)[:_MOST_TOLD]:
        field = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in one["loc"])
        how = one["msg"].lower().partition(" or instance of ")[0]  # of a class of ours
        told.append(f"{field.lstrip('.') or 'entry'}: {how}")
    if error.error_count() > _MOST_TOLD:
        told.append(f"and {error.error_count() - _MOST_TOLD} more")
    return told


def _events(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Incidents only; what comes of a crash belongs to it.

    A braking or a stop shortly before or after a contact is part of that collision: it would be
    the same alert. People on the roadway are evidence only.
    """
    duration_s = document["duration_s"]
    contacts = [e["t_s"] for e in document["events"] if e["kind"] == "contact"]
    labels = []
    for event in document["events"]:
        kind, time_s = _TYPES.get(event["kind"]), event["t_s"]
        if kind is None or event["box"] is None:
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
             "box": event["box"], "value": event["value"]}
        )  # fmt: skip
    return labels
