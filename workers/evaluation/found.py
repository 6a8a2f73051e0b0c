"""What a replay found, in seconds of the clip: the scoring's input, whoever found it."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.domain import Evidence, Incident
from monitor.domain.base import Box


@dataclass(frozen=True, slots=True)
class Found:
    """A candidate or an alert.

    ``decided_s`` is when it was known, ``time_s`` the moment that it is about. A score of 1.0 is
    the operating threshold.
    """

    decided_s: float
    time_s: float
    score: float
    kind: str
    box: Box | None = None
    reason: str = ""
    taken_back: bool = False  # an alert that a later second look rejected


@dataclass(frozen=True, slots=True)
class Judged:
    """A second look: at which moment, when it was over, and what it said."""

    asked_s: float  # the moment of the trigger it was for
    decided_s: float
    time_s: float
    confirmed: bool | None
    score: float  # 1.0 is the threshold of an alert
    kind: str
    box: Box | None
    reason: str
    cpu_ms: float
    window_s: float  # of video that there was


@dataclass(frozen=True, slots=True)
class Measured:
    """A piece of evidence."""

    decided_s: float
    time_s: float
    kind: str
    strength: float
    track: int | None
    value: float | None
    unit: str
    box: Box | None


@dataclass(frozen=True, slots=True)
class Look:
    """One picture that was looked at: the bodies followed then, for drawing."""

    time_s: float
    view: str
    bodies: tuple[tuple[int, Box], ...]


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU time of a replay, the lead-in included, second looks apart."""

    cpu_ms: float = 0.0
    looked_at: int = 0
    decoded: int = 0


@dataclass(frozen=True, slots=True)
class Replay:
    """One clip at one sampling phase.

    The clip was watched from ``armed_s`` to ``end_s``: without a lead-in the first seconds only
    show what the empty scene looks like.
    """

    file: str
    phase_ms: int
    lead_in: str  # "none", or what was played before the clip
    lead_in_s: float
    armed_s: float
    end_s: float
    candidates: tuple[Found, ...] = ()
    alerts: tuple[Found, ...] = ()
    evidence: tuple[Measured, ...] = ()
    looks: tuple[Look, ...] = ()
    broken: int = 0
    cost: Cost = Cost()
    judged: tuple[Judged, ...] = ()
    incidents: tuple[Incident, ...] = ()  # as they ended, wall times from ``lead_in.START_MS``
    log: tuple[Evidence, ...] = ()  # as watch's evidence log holds it
