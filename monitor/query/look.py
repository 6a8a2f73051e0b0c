"""A look of the patrol: a few pictures of the last seconds, and whether anything is abnormal.

Small on purpose: the pictures are where decoding them costs least, at the beginnings of GOPs; the
answer is a few words. A positive look is no finding, only a reason to ask the full question.
Called by ``workers.analysis.patrol``.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from monitor.domain import EvidenceKind, Severity, Window
from monitor.errors import QueryError
from monitor.query.ask import CONTEXT_LENGTH
from monitor.query.client import VisionClient
from monitor.query.endpoint import Mode
from monitor.query.loose_json import NotJson, loads
from monitor.query.parse import seconds
from monitor.query.prompting import load_prompt
from monitor.query.question import Question, Reply, Shot, visual_room
from monitor.query.sampling import PAIR_MAX_MS, PAIR_MIN_MS, Budget, Pair, plan

OUTPUT_TOKENS: Final = 256
THINKING_TOKENS: Final = 1024  # only where no endpoint answers without thinking
_WHAT_CHARS: Final = 200
_KINDS: Final = {kind.value: kind for kind in EvidenceKind}
_SEVERITIES: Final = {severity.value: severity for severity in Severity}
_SIDES: Final = {"en": {"right": "right", "left": "left"}, "zh": {"right": "右", "left": "左"}}

SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "what": {"type": "string", "maxLength": _WHAT_CHARS},
        "abnormal": {"type": "boolean"},
        "since_s": {"type": "number", "minimum": 0, "maximum": 999, "multipleOf": 0.1},
        "kind": {"enum": sorted(_KINDS)},
        "severity": {"enum": list(_SEVERITIES)},
        "confidence": {"type": "number", "minimum": 0, "maximum": 1, "multipleOf": 0.01},
    },
    "required": ["what", "abnormal", "since_s", "kind", "severity", "confidence"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Look:
    """What the model says it sees."""

    abnormal: bool
    since_ms: int  # wall time, inside the window
    kind: EvidenceKind
    severity: Severity
    what: str
    confidence: float
    reply: Reply


def look_pairs(
    key_times_s: Sequence[float], frame_times_s: Sequence[float], window: Window, frames: int
) -> list[Pair]:
    """Pairs at GOP beginnings, evenly over them; where those are too few, anywhere.

    Half as many GOPs as pairs wanted is enough: a coarser look is cheaper than decoding on.
    """
    pairs = frames // 2
    taken = sorted({round(t * 1000) for t in frame_times_s})
    starts = sorted({round(t * 1000) for t in key_times_s})
    if len(starts) < max(2, pairs // 2):
        return plan(window, (), frame_times_s, Budget(frames, 1, frames))
    if len(starts) > pairs:
        last = len(starts) - 1
        starts = [starts[round(index * last / (pairs - 1))] for index in range(pairs)]
    found = []
    for start, following in zip(starts, [*starts[1:], math.inf], strict=True):
        after = taken[bisect_left(taken, start + PAIR_MIN_MS) :][:1]
        near = after and after[0] <= start + PAIR_MAX_MS and after[0] < following
        found.append(Pair(start, after[0] if near else start))
    return found


async def look(
    client: VisionClient,
    shots: Sequence[Shot],
    window: Window,
    *,
    lang: Literal["en", "zh"],
    traffic_side: Literal["right", "left"],
    mode: Mode,
    deadline_s: float,
) -> Look:
    """Ask. ``QueryError`` if there is no usable answer within the deadline."""
    if not shots:
        raise QueryError("no_frames", "there is no picture to look at")
    prompt = load_prompt("patrol", lang)
    thinking = mode == "thinking"
    output = OUTPUT_TOKENS + (THINKING_TOKENS if thinking else 0)
    question = Question(
        system=prompt.system,
        user=prompt.user.substitute(
            duration_s=f"{(window.end_ms - window.start_ms) / 1000:.1f}",
            side=_SIDES[lang][traffic_side],
        ),
        shots=tuple(shots),
        schema=SCHEMA,
        thinking=thinking,
        max_output_tokens=OUTPUT_TOKENS,
        max_thinking_tokens=THINKING_TOKENS,
        max_visual_tokens=visual_room(await client.context_length(CONTEXT_LENGTH), output),
    )
    return read_look(await client.ask(question, deadline_s=deadline_s), window)


def read_look(reply: Reply, window: Window) -> Look:
    """The reply as a look; what is missing counts as normal, and nothing as sure."""
    try:
        found, _ = loads(reply.text)
    except NotJson as error:
        reason = "cut" if reply.finish_reason == "length" else "malformed"
        raise QueryError(reason, f"no JSON object: {error}") from error
    if not isinstance(found.get("abnormal"), bool):
        raise QueryError("schema", "the look does not say whether anything is abnormal")
    since_ms = window.wall_ms(seconds(found.get("since_s")) or 0.0)
    confidence = seconds(found.get("confidence")) or 0.0
    what = found.get("what")
    return Look(
        abnormal=found["abnormal"],
        since_ms=min(max(since_ms, window.start_ms), window.end_ms),
        kind=_KINDS.get(str(found.get("kind")), EvidenceKind.STOPPED_IN_LANE),
        severity=_SEVERITIES.get(str(found.get("severity")), Severity.LOW),
        what=_one_line(what) if isinstance(what, str) else "",
        confidence=min(max(confidence, 0.0), 1.0),
        reply=reply,
    )


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_WHAT_CHARS]
