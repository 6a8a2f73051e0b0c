"""The nouns every stage shares. No behaviour beyond arithmetic on their own fields.

Times: ``*_ms`` is wall time in integer milliseconds since the Unix epoch (UTC); ``t_s`` is
seconds since the start of an incident's window, the one timeline of prompt, answer and clip.
Boxes: ``(x, y, width, height)`` as fractions of the picture, origin at the top left.
Serialisation to and from JSON is in ``monitor.wire``.
"""

from __future__ import annotations

from monitor.domain.alert import (
    Alert,
    AlertEvidence,
    AlertMedia,
    AlertTrigger,
    Explainer,
    ModelRun,
    Stage,
)
from monitor.domain.base import Box, Fraction01, Sentence
from monitor.domain.camera import (
    AccessUnit,
    CameraState,
    CameraStatus,
    CodecParameters,
    VideoCodec,
    ViewCondition,
)
from monitor.domain.explanation import (
    Answer,
    Antecedent,
    AntecedentKind,
    Chain,
    Claim,
    IncidentType,
    Verdict,
    Verification,
)
from monitor.domain.measured import (
    Actor,
    Evidence,
    EvidenceKind,
    Incident,
    IncidentStatus,
    Job,
    Level,
    SecondLook,
    Severity,
    Trigger,
    Window,
)

__all__ = [
    "AccessUnit",
    "Actor",
    "Alert",
    "AlertEvidence",
    "AlertMedia",
    "AlertTrigger",
    "Answer",
    "Antecedent",
    "AntecedentKind",
    "Box",
    "CameraState",
    "CameraStatus",
    "Chain",
    "Claim",
    "CodecParameters",
    "Evidence",
    "EvidenceKind",
    "Explainer",
    "Fraction01",
    "Incident",
    "IncidentStatus",
    "IncidentType",
    "Job",
    "Level",
    "ModelRun",
    "SecondLook",
    "Sentence",
    "Severity",
    "Stage",
    "Trigger",
    "Verdict",
    "Verification",
    "VideoCodec",
    "ViewCondition",
    "Window",
]
