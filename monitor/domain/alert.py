"""The alert, version 1: what subscribers, the archive and the dashboard get."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from monitor.domain.base import STRICT, Box, Fraction01
from monitor.domain.explanation import Answer, Verification
from monitor.domain.measured import Actor, EvidenceKind, Severity


class Stage(StrEnum):
    """Where an alert stands."""

    PROVISIONAL = "provisional"
    EXPLAINED = "explained"
    DISMISSED = "dismissed"


class Explainer(StrEnum):
    """Who explained it."""

    QWEN3_VL = "qwen3-vl"
    EVIDENCE = "evidence"


@dataclass(frozen=True, slots=True)
class AlertEvidence:
    """An Evidence as published: with its time in the window beside the wall time."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    id: str
    kind: EvidenceKind
    t_s: float
    time: datetime
    actor: Actor
    strength: Fraction01
    track: int | None = None
    other: int | None = None
    value: float | None = None
    unit: str = ""
    uncertainty: float | None = None
    time_uncertainty_s: float | None = None
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class AlertTrigger:
    """The strongest trigger, as published."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    kind: EvidenceKind
    t_s: float
    score: float
    reason: str
    box: Box | None = None
    source: Literal["measured", "patrol"] = "measured"


@dataclass(frozen=True, slots=True)
class AlertMedia:
    """Paths below the media folder, as served by the dashboard under ``/media/``."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    clip: str | None = None  # its time 0 is the window's start
    snapshot: str | None = None
    frames: tuple[str, ...] = ()
    frame_times_s: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelRun:
    """The query that gave the answer."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    name: str
    mode: Literal["standard", "thinking"]
    latency_s: float
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None  # of the prompt, found in the server's prefix cache
    queue_s: float | None = None  # waiting here for a turn
    first_token_s: float | None = None  # from the question to the answer's first word
    frames: int | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """What subscribers, the archive and the dashboard get. (id, revision) names it."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    id: str
    revision: Annotated[int, Field(ge=1)]
    stage: Stage
    site: str
    camera: str
    created: datetime
    start: datetime
    peak: datetime
    window_start: datetime
    window_end: datetime
    severity: Severity
    trigger: AlertTrigger
    schema_version: Literal[1] = 1
    lang: Literal["en", "zh"] = "en"
    explainer: Explainer | None = None  # None while provisional
    explainer_note: str = ""  # why the model was not used, where it was not
    answer: Answer | None = None
    verification: Annotated[tuple[Verification, ...], Field(max_length=4)] = ()
    evidence: tuple[AlertEvidence, ...] = ()
    media: AlertMedia | None = None
    model: ModelRun | None = None
