"""The model's text as an Answer, whatever came: fenced, cut, with control characters, miscast.

What can be repaired without inventing a claim is repaired, and said in ``notes``. What is missing
and matters makes a ``QueryError``; nothing else is ever raised. Called by ``ask``; it holds no
claim against the evidence (``monitor.evidence.verify`` does) and moves no time into the window.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, get_args

from pydantic import ValidationError

from monitor import wire
from monitor.domain import Answer, Antecedent, AntecedentKind, Chain, IncidentType, Severity
from monitor.errors import QueryError
from monitor.query.loose_json import NotJson, loads

MAX_CHARS = 256_000
_SENTENCE_MAX = 600
_ACTOR_MAX = 120
_STEPS_MAX = 64
_STEP_MAX = 2000
_RULES_MAX = 8
_T_MAX_S = 86_400.0
_KINDS = frozenset(get_args(AntecedentKind))
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff￾￿]+")
_CLOCK = re.compile(r"(?:(\d{1,2}):)?(\d{1,3}):(\d{1,2}(?:\.\d+)?)")
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?", re.IGNORECASE)
_UNSAID = {"en": "Not stated by the model.", "zh": "模型未说明。"}
_NO_EVENT = {"en": "The model named no further event.", "zh": "模型没有给出更多事件。"}
_NOBODY = {"en": "not stated", "zh": "未说明"}


@dataclass(frozen=True, slots=True)
class ParsedAnswer:
    """An answer, and what had to be done to get it."""

    answer: Answer
    notes: tuple[str, ...]
    unknown_rules: int  # ids the answer cited and was never given


@dataclass(slots=True)
class _Reading:
    """One answer being read."""

    lang: str
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def parse(
    text: str, *, rule_ids: Collection[str], lang: str, finish_reason: str | None = None
) -> ParsedAnswer:
    """Read an answer. ``finish_reason`` is the server's: ``length`` means the text is cut.

    ``QueryError`` reasons: ``cut`` (too little of it came), ``malformed`` (no JSON object in it),
    ``schema`` (an object, but no answer: no root cause, or no event at all).
    """
    cut = finish_reason == "length"
    missing = "cut" if cut else "schema"
    lang = "zh" if lang == "zh" else "en"
    if len(text) > MAX_CHARS:
        raise QueryError("malformed", f"an answer of {len(text)} characters")
    try:
        found, repaired = loads(text)
    except NotJson as error:
        raise QueryError("cut" if cut else "malformed", f"no JSON object: {error}") from error
    reading = _Reading(lang)
    if repaired:
        cut, missing = True, "cut"
        reading.note("the answer was cut and closed")
    root_cause = _sentence(found.get("root_cause"))
    if root_cause is None:
        raise QueryError(missing, "the answer has no root_cause")
    antecedents = _antecedents(found.get("antecedents"), reading)
    if not antecedents:
        raise QueryError(missing, "the answer has no antecedents")
    while len(antecedents) < 3:
        reading.note("fewer than three antecedents")
        antecedents.append(Antecedent(None, "not_seen", _NOBODY[lang], _NO_EVENT[lang]))
    rules, unknown = _rules(found.get("rules"), rule_ids, reading)
    incident_type = _enum(found.get("incident_type"), IncidentType, IncidentType.OTHER, reading)
    answer = Answer(
        is_incident=_boolean(found.get("is_incident"), incident_type is not IncidentType.NONE),
        incident_type=incident_type,
        severity=_enum(found.get("severity"), Severity, Severity.MEDIUM, reading),
        root_cause=root_cause,
        antecedents=tuple(antecedents),
        chain=_chain(found.get("chain"), missing, reading),
        rules=rules,
        confidence=_confidence(found.get("confidence"), reading),
        thinking=_steps(found.get("thinking")),
    )
    try:
        answer = wire.from_json(Answer, wire.to_json(answer))
    except (ValidationError, ValueError) as error:
        raise QueryError("schema", "the answer does not fit its schema") from error
    return ParsedAnswer(answer, tuple(reading.notes), unknown)


def seconds(value: Any) -> float | None:
    """A time as a number: 87, "87s", "1:27", "00:01:27.5", "<87.0 seconds>"; None if it is none."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return _finite(value)
    if not isinstance(value, str) or len(value) > 64:
        return None
    if clock := _CLOCK.search(value):
        hours, minutes, rest = clock.groups()
        return _finite(int(hours or 0) * 3600 + int(minutes) * 60 + float(rest))
    number = _NUMBER.search(value)
    return None if number is None else _finite(float(number[0]))


def _finite(value: float) -> float | None:
    if abs(value) > _T_MAX_S or math.isnan(value):  # compared first: an int may be too big to cast
        return None
    return float(value)


def _antecedents(value: Any, reading: _Reading) -> list[Antecedent]:
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list):
        return []
    events = []
    for entry in value[:16]:
        event = _antecedent(entry, reading)
        if event is None:
            reading.note("an antecedent without a time or words was left out")
        else:
            events.append(event)
    if len(events) > 3:
        reading.note("more than three antecedents: the first three are kept")
    return events[:3]


def _antecedent(entry: Any, reading: _Reading) -> Antecedent | None:
    if not isinstance(entry, dict):
        return None
    text = _sentence(entry.get("text"))
    t_s = seconds(entry.get("t_s"))
    if text is None or t_s is None or t_s < 0:
        return None
    if not isinstance(entry.get("t_s"), int | float):
        reading.note("a time was not a number")
    kind = _word(entry.get("kind"))
    if kind not in _KINDS or kind == "not_seen":
        reading.note("an unknown kind of event is called other")
        kind = "other"
    actor = (_plain(entry.get("actor")) or _NOBODY[reading.lang])[:_ACTOR_MAX].strip()
    return Antecedent(t_s, kind, actor, text)  # type: ignore[arg-type]  # a str of _KINDS


def _chain(value: Any, missing: str, reading: _Reading) -> Chain:
    layers = {}
    for name in ("environment", "direct_trigger", "systemic_weakness"):
        layer = _sentence(value.get(name)) if isinstance(value, dict) else None
        if layer is None:
            reading.note(f"the chain's {name} is missing")
        layers[name] = layer
    if not any(layers.values()):
        raise QueryError(missing, "the answer has no chain")
    return Chain(**{name: layer or _UNSAID[reading.lang] for name, layer in layers.items()})


def _rules(value: Any, rule_ids: Collection[str], reading: _Reading) -> tuple[tuple[str, ...], int]:
    cited = value if isinstance(value, list) else [value] if isinstance(value, str) else []
    known = [rule for rule in cited if isinstance(rule, str) and rule in rule_ids]
    unknown = len(cited) - len(known)
    if unknown:
        reading.note(f"{unknown} rule ids that were not given")
    return tuple(dict.fromkeys(known))[:_RULES_MAX], unknown


def _enum(value: Any, kind: type[Any], otherwise: Any, reading: _Reading) -> Any:
    word = _word(value)
    for member in kind:
        if member.value == word:
            return member
    reading.note(f"an unknown {kind.__name__} is called {otherwise.value}")
    return otherwise


def _boolean(value: Any, otherwise: bool) -> bool:
    if isinstance(value, bool):
        return value
    return {"true": True, "yes": True, "false": False, "no": False}.get(_word(value), otherwise)


def _confidence(value: Any, reading: _Reading) -> float:
    number = seconds(value)
    if number is None:
        reading.note("no confidence given: taken as 0")
        return 0.0
    if (isinstance(value, str) and "%" in value) or 1 < number <= 100:
        number /= 100
    if not 0 <= number <= 1:
        reading.note("confidence outside 0 to 1")
    return min(1.0, max(0.0, number))


def _steps(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        value = value.split("\n")
    if not isinstance(value, list):
        return ()
    steps = (_plain(step)[:_STEP_MAX] for step in value[:_STEPS_MAX])
    return tuple(step for step in steps if step)


def reasoning_steps(reasoning: str) -> tuple[str, ...]:
    """The model's own reasoning (thinking mode), by paragraph, bounded."""
    paragraphs = re.split(r"\n\s*\n", reasoning[:MAX_CHARS])
    steps = [step for part in paragraphs if (step := _plain(part))]
    if len(steps) > _STEPS_MAX:  # the end is where it concludes
        steps = steps[: _STEPS_MAX // 2] + steps[-_STEPS_MAX // 2 :]
    return tuple(step[:_STEP_MAX] for step in steps)


def _sentence(value: Any) -> str | None:
    text = _plain(value)
    if len(text) > _SENTENCE_MAX:
        text = text[: _SENTENCE_MAX - 1].rstrip() + "…"
    return text or None


def _plain(value: Any) -> str:
    return _CONTROL.sub(" ", value).strip() if isinstance(value, str) else ""


def _word(value: Any) -> str:
    return re.sub(r"[\s-]+", "_", value.strip().lower()) if isinstance(value, str) else ""
