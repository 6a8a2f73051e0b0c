"""The labels: reading a catalogue, and what of it is scored. docs/eval.md describes the format.

A catalogue is the JSON list of labelled clips, a rendered scene's ``*.truth.json``, or a folder
of those. Every mistake is found before anything is replayed, and named by its entry.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from monitor.domain.base import Box
from monitor.errors import CatalogueError
from workers.evaluation import truth
from workers.evaluation.written import Origin, WrittenEntry, WrittenEvent, checked, read

SCORED: Final = frozenset(
    {"collision", "near_miss", "hard_brake", "sudden_stop", "wrong_way", "swerve"}
)
"""Types that a candidate should be found for."""
AFTERMATH: Final = frozenset(
    {"stopped_vehicle", "stopped_in_lane", "pedestrian_in_road", truth.PART_OF_CRASH}
)
"""After a scored event they belong to it: neither wanted nor a nuisance. A vehicle that stands
with nothing before it is scored."""
ALONE_SCORED: Final = frozenset({"stopped_vehicle", "stopped_in_lane"})
NORMAL: Final = frozenset({"congestion", "brake_lights_on"})
"""Not incidents: their time is false-alarm time."""
MIN_CONFIDENCE: Final = 0.5
"""Events whose labeller was less sure are neither scored nor false-alarm time."""
MIN_LEAD_S: Final = 1.0
"""A miss of what begins earlier in its clip does not count."""


class _Rule(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    file: str
    source_family: str
    exclude: str


@dataclass(frozen=True, slots=True)
class Antecedent:
    """A labelled step on the way to an event. ``kind``: an EvidenceKind, where it is known."""

    t_s: float
    kind: str = ""
    what: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """One labelled event. ``role``: scored, aftermath, normal or unsure."""

    type: str
    start_s: float
    peak_s: float
    end_s: float
    role: Literal["scored", "aftermath", "normal", "unsure"]
    may_be_missed: bool = False  # too little before it for a miss to count
    box: Box | None = None
    onset_uncertainty_s: float = 0.0
    description: str = ""
    value: float | None = None
    unit: str = ""
    incident_type: str = ""  # an IncidentType, where it is known better than ``type``
    antecedents: tuple[Antecedent, ...] = ()  # as labelled, aftermath among them


@dataclass(frozen=True, slots=True)
class Entry:
    """One clip and its labels. ``excluded`` says why it is not in the main set."""

    file: str
    path: Path
    family: str
    labels: tuple[Label, ...]
    origin: Origin
    light: str = ""
    excluded: str = ""
    measurements: tuple[Label, ...] = ()  # exact truth to compare evidence with

    @property
    def scored(self) -> tuple[Label, ...]:
        return tuple(label for label in self.labels if label.role == "scored")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All entries, and remarks for a person."""

    entries: tuple[Entry, ...]
    remarks: tuple[str, ...] = ()


def load(path: Path, clips: Path, exclude: Sequence[str] = ()) -> Catalogue:
    """Read and check everything; ``CatalogueError`` lists every problem.

    ``exclude`` names clips (with or without the ending) to leave out of the main set as well.
    """
    problems: list[str] = []
    raw, base = read(path, problems)
    remarks: list[str] = []
    entries: list[Entry] = []
    taken: dict[str, str] = {}
    left_out = {name.removesuffix(".mp4") for name in exclude}
    for where, item in raw:
        made = checked(item, where, problems, remarks)
        if made is None:
            continue
        _remarked(made, where, problems, remarks)
        if made.file in taken:
            problems.append(f"{where}: the same file as {taken[made.file]}")
        taken.setdefault(made.file, where)
        path_of = _clip(made.file, clips, base, where, problems)
        stem = made.file.removesuffix(".mp4")
        if path_of is not None:
            by_hand = "excluded by --exclude" if stem in left_out else ""
            entries.append(_judged(made, path_of, by_hand, problems, where))
        left_out.discard(stem)
    problems += [f"--exclude {name}: there is no such clip" for name in sorted(left_out)]
    if problems:
        raise CatalogueError(f"{path}: " + ("\n" + " " * 2).join(problems))
    if not entries:
        raise CatalogueError(f"{path}: there is no clip in it")
    return Catalogue(tuple(entries), tuple(remarks))


def _remarked(made: WrittenEntry, where: str, problems: list[str], remarks: list[str]) -> None:
    """What is wrong or doubtful about the events of a clip, beside their fields."""
    for number, event in enumerate(made.events):
        if not event.start_s <= event.peak_s <= event.end_s:
            problems.append(f"{where}: events[{number}]: start_s, peak_s and end_s must not fall")
        elif made.duration_s is not None and event.start_s > made.duration_s:
            problems.append(f"{where}: events[{number}]: begins after the clip's end")
        if event.type not in SCORED | AFTERMATH | NORMAL:
            remarks.append(f"{where}: type {event.type!r} is not scored; its time is left out")


def _clip(file: str, clips: Path, base: Path, where: str, problems: list[str]) -> Path | None:
    path = clips / file
    if Path(file).is_absolute() or ".." in Path(file).parts:
        problems.append(f"{where}: file: must be a name below --clips")
        return None
    if not path.is_file():
        problems.append(f"{where}: {path} is missing")
        return None
    return path


def _judged(made: WrittenEntry, path: Path, by_hand: str, problems: list[str], where: str) -> Entry:
    kept = sorted(made.events, key=lambda event: event.start_s)
    first = min((e.start_s for e in kept if e.type in SCORED), default=None)
    labels = tuple(_label(event, first) for event in kept)
    rule = _rules().get((made.file, made.source_family), "")
    generated = "generated pictures" if made.camera == "simulated" else ""
    measurements = tuple(
        Label(one.type, one.t_s, one.t_s, one.t_s, "scored",
              box=one.box, value=one.value, unit=one.unit)
        for one in made.measurements
    )  # fmt: skip
    return Entry(
        made.file, path, made.source_family, labels, made.origin, made.light,
        by_hand or made.exclude or rule or generated, measurements,
    )  # fmt: skip


def _label(event: WrittenEvent, first_scored_s: float | None) -> Label:
    role: Literal["scored", "aftermath", "normal", "unsure"] = "unsure"
    if event.type in NORMAL:
        role = "normal"
    elif event.confidence < MIN_CONFIDENCE:
        role = "unsure"
    elif event.type in SCORED:
        role = "scored"
    elif event.type in AFTERMATH:
        alone = first_scored_s is None or event.start_s < first_scored_s
        role = "scored" if alone and event.type in ALONE_SCORED else "aftermath"
    return Label(
        event.type, event.start_s, event.peak_s, event.end_s, role,
        role == "scored" and event.start_s < MIN_LEAD_S,
        event.box, event.onset_uncertainty_s, event.description, event.value,
        incident_type=event.incident_type,
        antecedents=tuple(Antecedent(one.t_s, one.kind, one.what) for one in event.antecedents),
    )  # fmt: skip


@cache
def _rules() -> dict[tuple[str, str], str]:
    """Clips of known catalogues that the main set leaves out, and why."""
    text = (files("workers.evaluation") / "exclusions.json").read_text(encoding="utf-8")
    rules = [_Rule.model_validate(item) for item in json.loads(text)]
    return {(rule.file, rule.source_family): rule.exclude for rule in rules}
