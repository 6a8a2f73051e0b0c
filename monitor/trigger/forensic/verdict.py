"""What the forensic pass says of one candidate."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.domain import Box, Evidence, EvidenceKind


@dataclass(frozen=True, slots=True)
class Verdict:
    """A candidate looked at again with hindsight; times are wall milliseconds."""

    confirmed: bool | None  # None: it cannot tell
    score: float  # 1.0 is the threshold of an alert
    kind: EvidenceKind
    time_ms: int  # the contact, or the worst moment
    time_uncertainty_s: float  # one standard deviation
    onset_ms: int | None  # when it began, where that was seen
    box: Box | None
    reason: str  # one English sentence with the measured values
    evidence: tuple[Evidence, ...] = ()
