"""Why it happened: the answer, and what measuring says of its claims."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from monitor.domain.base import STRICT, Fraction01, Sentence
from monitor.domain.measured import Severity


class IncidentType(StrEnum):
    """What happened, in one word."""

    REAR_END_COLLISION = "rear_end_collision"
    SIDE_COLLISION = "side_collision"
    HEAD_ON_COLLISION = "head_on_collision"
    SINGLE_VEHICLE_COLLISION = "single_vehicle_collision"
    PEDESTRIAN_COLLISION = "pedestrian_collision"
    CYCLIST_COLLISION = "cyclist_collision"
    COLLISION = "collision"
    NEAR_MISS = "near_miss"
    HARD_BRAKE = "hard_brake"
    STOPPED_VEHICLE = "stopped_vehicle"
    WRONG_WAY = "wrong_way"
    PEDESTRIAN_IN_ROAD = "pedestrian_in_road"
    CONGESTION = "congestion"
    OTHER = "other"
    NONE = "none"


AntecedentKind = Literal[
    "brake_light_onset", "hard_brake", "sudden_stop", "contact", "near_miss", "stopped_in_lane",
    "wrong_way", "swerve", "impulse", "pedestrian_in_road", "queue", "headway", "course",
    "path_entered", "closing", "slowing", "appeared", "speed", "other", "not_seen",
]  # fmt: skip
"""The values of EvidenceKind, ``other``, and ``not_seen`` (nothing was measured; no time)."""


@dataclass(frozen=True, slots=True)
class Antecedent:
    """One key event before the incident."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    t_s: float | None  # None only for kind "not_seen"
    kind: AntecedentKind
    actor: Annotated[str, Field(min_length=1, max_length=120)]
    text: Sentence


@dataclass(frozen=True, slots=True)
class Chain:
    """The three layers of the cause."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    environment: Sentence
    direct_trigger: Sentence
    systemic_weakness: Sentence


@dataclass(frozen=True, slots=True)
class Answer:
    """Why it happened; the same shape from the model and from the evidence explainer."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    is_incident: bool
    incident_type: IncidentType
    severity: Severity
    root_cause: Sentence
    antecedents: Annotated[tuple[Antecedent, ...], Field(min_length=3, max_length=3)]
    chain: Chain
    rules: Annotated[tuple[str, ...], Field(max_length=8)]
    confidence: Fraction01
    thinking: Annotated[tuple[str, ...], Field(max_length=64)] = ()


class Verdict(StrEnum):
    """What measuring says of a claim."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    UNVERIFIED = "unverified"


Claim = Literal["root_cause", "antecedent_1", "antecedent_2", "antecedent_3"]


@dataclass(frozen=True, slots=True)
class Verification:
    """One claim held against the evidence."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    claim: Claim
    verdict: Verdict
    evidence: tuple[str, ...]  # ids of the Evidence it rests on
    text: Sentence
