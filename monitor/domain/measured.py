"""What was measured on the picture, and the incident it adds up to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Literal

from pydantic import ConfigDict

from monitor.domain.base import STRICT, Box, Fraction01


class EvidenceKind(StrEnum):
    """Kinds of measured evidence; docs/glossary.md says what each one's value means."""

    BRAKE_LIGHT_ONSET = "brake_light_onset"
    HARD_BRAKE = "hard_brake"
    SUDDEN_STOP = "sudden_stop"
    CONTACT = "contact"
    NEAR_MISS = "near_miss"
    STOPPED_IN_LANE = "stopped_in_lane"
    WRONG_WAY = "wrong_way"
    SWERVE = "swerve"
    IMPULSE = "impulse"
    PEDESTRIAN_IN_ROAD = "pedestrian_in_road"
    QUEUE = "queue"
    HEADWAY = "headway"
    COURSE = "course"
    PATH_ENTERED = "path_entered"
    CLOSING = "closing"
    SLOWING = "slowing"
    APPEARED = "appeared"
    SPEED = "speed"


class Actor(StrEnum):
    """Who an observation is about, as far as shape and speed tell."""

    VEHICLE = "vehicle"
    PEDESTRIAN = "pedestrian"
    CYCLIST = "cyclist"  # told with hindsight only
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One measurement on the picture."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    id: str  # unique per camera, e.g. "hard_brake-12-1760000000000"; stable when re-measured
    kind: EvidenceKind
    time_ms: int
    actor: Actor
    strength: Fraction01  # how sure the measurement is
    track: int | None = None  # who it is about; for headway the follower
    other: int | None = None  # the second party; for headway the leader
    value: float | None = None
    unit: str = ""
    uncertainty: float | None = None  # one standard deviation of value, in its unit
    time_uncertainty_s: float | None = None
    box: Box | None = None


class Level(StrEnum):
    """How far a trigger reaches by itself."""

    CANDIDATE = "candidate"  # asks for a second look
    ALERT = "alert"  # strong or confirmed: subscribers hear of it at once


@dataclass(frozen=True, slots=True)
class Trigger:
    """Why an incident was opened or extended."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    kind: EvidenceKind
    time_ms: int  # the moment it is about
    decided_ms: int  # capture time of the access unit that decided it
    score: float  # 1.0 is the camera's threshold for a candidate
    reason: str
    box: Box | None = None
    tracks: tuple[int, ...] = ()
    source: Literal["measured", "patrol"] = "measured"  # patrol: a model's look; kind is its word
    level: Level = Level.ALERT
    verified: bool = False  # stated by a second look, with hindsight


class Severity(StrEnum):
    """In rising order."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class IncidentStatus(StrEnum):
    """Whether subscribers hear of an incident."""

    CANDIDATE = "candidate"  # not yet: nothing strong, nothing confirmed
    ALERTED = "alerted"
    DISMISSED = "dismissed"  # a second look rejected it; nothing is added to it any more


@dataclass(frozen=True, slots=True)
class SecondLook:
    """What hindsight said of one trigger of an incident."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    time_ms: int  # the trigger's
    confirmed: bool | None  # None: it cannot tell
    score: float  # 1.0 is the threshold of an alert
    reason: str
    at_ms: int  # the newest entry of the camera's ring when it was given
    followed: bool = False  # what follows from it has been sent


@dataclass(frozen=True, slots=True)
class Incident:
    """What watch opened on a camera; later triggers extend it, they do not make another."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    id: str
    camera: str
    severity: Severity
    start_ms: int
    peak_ms: int
    last_ms: int
    triggers: tuple[Trigger, ...]
    status: IncidentStatus = IncidentStatus.ALERTED
    looks: tuple[SecondLook, ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """Work for analyse: explain this incident as it stands when the job is done."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    camera: str
    incident: str  # the Incident's id


@dataclass(frozen=True, slots=True)
class Window:
    """The span of video an incident or a question is about. ``t_s = 0`` is ``start_ms``."""

    start_ms: int
    end_ms: int

    def t_s(self, wall_ms: int) -> float:
        """Seconds since the window's start."""
        return (wall_ms - self.start_ms) / 1000

    def wall_ms(self, t_s: float) -> int:
        """The wall time of a window time."""
        return self.start_ms + round(t_s * 1000)
