"""The JSON Schema of an alert, for whoever subscribes.

``alert.v1.schema.json`` beside this file is what :func:`alert_schema` gives; a test holds the two
together. Within version 1 fields may be added, none changes its meaning or goes, so the schema
lets unknown fields pass.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from monitor.domain import Alert
from monitor.wire import adapter

SCHEMA_FILE = Path(__file__).with_name("alert.v1.schema.json")

_DESCRIPTIONS = {
    "Alert.schema_version": "1.",
    "Alert.id": "Names the incident; the same in every revision.",
    "Alert.revision": "Only rises. (id, revision) names a message: drop a pair seen before, and "
    "a revision under one seen before.",
    "Alert.stage": "provisional: just happened; explained: with its reason; dismissed: looked at "
    "again, it was no incident.",
    "Alert.site": "The intersection.",
    "Alert.camera": "The camera's id in streams.yaml.",
    "Alert.created": "When this revision was made, UTC.",
    "Alert.start": "When the incident began, UTC.",
    "Alert.peak": "Its worst moment, UTC.",
    "Alert.window_start": "Time 0 of every t_s and of the clip, UTC.",
    "Alert.window_end": "End of the video that was looked at, UTC.",
    "Alert.severity": "The explanation's once there is one.",
    "Alert.trigger": "What the alert is about: the strongest trigger at the peak.",
    "Alert.lang": "Language of every sentence in it.",
    "Alert.explainer": "Who explained it; null while provisional.",
    "Alert.explainer_note": "Why the model was not used, where it was not; else empty.",
    "Alert.answer": "The reason; null while provisional.",
    "Alert.verification": "Each claim held against the measurements: the root cause, then the "
    "three antecedents.",
    "Alert.evidence": "What was measured, by time.",
    "Alert.media": "Files; paths below /media/ of the dashboard.",
    "Alert.model": "The query that gave the answer; null where the model was not used.",
    "AlertEvidence.id": "What verification refers to.",
    "AlertEvidence.kind": "What was measured; docs/glossary.md says what value means for each.",
    "AlertEvidence.t_s": "Seconds since window_start.",
    "AlertEvidence.time": "The same moment, UTC.",
    "AlertEvidence.actor": "What it is about.",
    "AlertEvidence.strength": "How sure the measurement is.",
    "AlertEvidence.track": "Number of the moving object on this camera.",
    "AlertEvidence.other": "Number of the second object, where two take part.",
    "AlertEvidence.value": "The measured quantity.",
    "AlertEvidence.unit": "Its unit; empty for a ratio.",
    "AlertEvidence.uncertainty": "One standard deviation of value, in its unit.",
    "AlertEvidence.time_uncertainty_s": "One standard deviation of the time.",
    "AlertEvidence.box": "Where in the picture: x, y, width, height as fractions of it.",
    "AlertTrigger.kind": "What it saw.",
    "AlertTrigger.t_s": "Seconds since window_start.",
    "AlertTrigger.score": "1 is the operating threshold.",
    "AlertTrigger.reason": "In words, for a person.",
    "AlertTrigger.box": "Where in the picture: x, y, width, height as fractions of it.",
    "AlertTrigger.source": "measured in the video, or seen by the model's patrol.",
    "AlertMedia.clip": "MP4; its time 0 is window_start.",
    "AlertMedia.snapshot": "JPEG of the peak.",
    "AlertMedia.frames": "JPEGs of the key frames.",
    "AlertMedia.frame_times_s": "Their seconds since window_start.",
    "ModelRun.name": "As the server names it.",
    "ModelRun.mode": "thinking keeps the model's steps.",
    "ModelRun.latency_s": "From the question to the whole answer.",
    "ModelRun.prompt_tokens": "As the server counted.",
    "ModelRun.output_tokens": "As the server counted.",
    "ModelRun.cached_tokens": "Of the prompt's, those the server had in its prefix cache.",
    "ModelRun.queue_s": "Waiting for a turn, before the question.",
    "ModelRun.first_token_s": "From the question to the first word.",
    "ModelRun.frames": "Pictures it was shown.",
    "Answer.is_incident": "Whether anything happened at all.",
    "Answer.incident_type": "What happened, in one word.",
    "Answer.severity": "How bad it is.",
    "Answer.root_cause": "Why it happened, in one or two sentences.",
    "Answer.antecedents": "The three key events before it.",
    "Answer.chain": "The cause in three layers.",
    "Answer.rules": "Ids of the rule book that bear on it.",
    "Answer.confidence": "The explainer's own.",
    "Answer.thinking": "The model's steps, in thinking mode.",
    "Antecedent.t_s": "Seconds since window_start; null only for kind not_seen.",
    "Antecedent.kind": "What happened; not_seen: nothing was measured.",
    "Antecedent.actor": "Who.",
    "Antecedent.text": "In words.",
    "Chain.environment": "What the place and the conditions added.",
    "Chain.direct_trigger": "What set it off.",
    "Chain.systemic_weakness": "What lets it happen again.",
    "Verification.claim": "Which claim.",
    "Verification.verdict": "What measuring says of it.",
    "Verification.evidence": "Ids of the evidence it rests on.",
    "Verification.text": "In words.",
}
_NULL = {"type": "null"}


def alert_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a published alert."""
    schema = adapter(Alert).json_schema(mode="serialization")
    definitions = schema.pop("$defs")
    for name, definition in {"Alert": schema, **definitions}.items():
        definition.pop("title", None)
        definition.pop("additionalProperties", None)
        properties = definition.get("properties", {})
        if properties:
            definition["required"] = list(properties)  # publishing leaves no field out
        for field, shape in properties.items():
            shape.pop("title", None)
            shape.pop("default", None)
            shape["description"] = _DESCRIPTIONS[f"{name}.{field}"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:causeway:alert:v1",
        "title": "Causeway alert, version 1",
        **schema,
        "if": {"properties": {"stage": {"const": "provisional"}}},
        "then": {"properties": {"explainer": _NULL, "answer": _NULL, "model": _NULL}},
        "else": {
            "properties": {
                "explainer": {"not": _NULL},
                "answer": {"not": _NULL},
                "verification": {"minItems": 4},
            }
        },
        "$defs": definitions,
    }


def schema_text() -> str:
    """The schema as the package carries it."""
    return json.dumps(alert_schema(), indent=2, ensure_ascii=False) + "\n"
