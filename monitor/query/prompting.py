"""The words of a query: fixed instructions first, then what is particular to one incident.

The text is in ``prompts/<profile>.<lang>.txt``, with a version that changes whenever a word does.
The system part is the same for every query of a profile and language, and stands before the
pictures, so that the server's prefix cache has it. Called by ``ask``; it never sees a picture.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from string import Template
from typing import Any

from monitor import wire
from monitor.domain import Answer, Box, Evidence, Window
from monitor.errors import ConfigError, QueryError
from monitor.query.operator_question import quoted
from monitor.query.rulebook import Rule

_SECTION = re.compile(r"^=== (.+) ===$", re.MULTILINE)
_SIDES = {"en": {"right": "right", "left": "left"}, "zh": {"right": "右", "left": "左"}}
_NOTHING = {"en": "(none)", "zh": "（无）"}
_TRACK = {"en": "track", "zh": "目标"}
_STEPS = 4
_STEP_CHARS = 400
_EVIDENCE_MAX = 40  # lines in a prompt; the strongest are kept


@dataclass(frozen=True, slots=True)
class Prompt:
    """One profile in one language."""

    version: str
    system: str
    user: Template
    step_names: tuple[str, ...]
    question: str | None = None  # what is asked where nobody asks anything
    close_up: Template | None = None  # the words in front of an enlarged part; None: takes none

    @property
    def takes_question(self) -> bool:
        """Whether an operator's question has a place in it."""
        return "question" in self.user.get_identifiers()

    @property
    def takes_rules(self) -> bool:
        """Whether rules of the road may be cited."""
        return "rules" in self.user.get_identifiers()

    @property
    def takes_peak(self) -> bool:
        """Whether it asks about one moment."""
        return "peak_s" in self.user.get_identifiers()


def load_prompt(profile: str, lang: str) -> Prompt:
    """A prompt of the package; ``ConfigError`` where it is missing or has no such section."""
    resource = files("monitor.query").joinpath("prompts", f"{profile}.{lang}.txt")
    try:
        head, *rest = _SECTION.split(resource.read_text("utf-8"))
        parts = dict(zip(rest[::2], rest[1::2], strict=True))
        return Prompt(
            version=head.removeprefix("version:").strip(),
            system=parts["system"].strip(),
            user=Template(parts["user"].strip()),
            step_names=tuple(parts["step names"].strip().splitlines()),
            question=parts["question"].strip() if "question" in parts else None,
            close_up=Template(parts["close-up"].strip()) if "close-up" in parts else None,
        )
    except (OSError, KeyError, ValueError) as error:
        raise ConfigError(f"the prompt {profile}.{lang} cannot be read: {error}") from error


def user_text(
    prompt: Prompt,
    *,
    window: Window,
    peak_ms: int | None,
    evidence: Sequence[Evidence],
    rules: Sequence[Rule],
    lang: str,
    traffic_side: str,
    question: str | None = None,
) -> str:
    """What comes after the pictures.

    ``question`` is an operator's; it stands as quoted data where the profile has a place for it.
    """
    question = question or prompt.question
    if prompt.takes_question and question is None:
        raise QueryError("question", "this profile needs a question")
    if prompt.takes_peak and peak_ms is None:
        raise QueryError("question", "this profile needs the moment that it is about")
    nothing = _NOTHING[lang]
    return prompt.user.substitute(
        duration_s=f"{(window.end_ms - window.start_ms) / 1000:.1f}",
        peak_s="" if peak_ms is None else f"{window.t_s(peak_ms):.1f}",
        question="" if question is None else quoted(question),
        side=_SIDES[lang][traffic_side],
        evidence="\n".join(evidence_lines(evidence, window, lang)) or nothing,
        rules="\n".join(f"- {rule.line(lang)}" for rule in rules) or nothing,
    )


def close_up_words(words: Template, t_s: float, part: Box) -> str:
    """What stands in front of an enlarged part: when it was, and which part of the picture."""
    left, top, width, height = (round(100 * share) for share in part)
    return words.substitute(
        t_s=f"{t_s:.1f}", left=left, right=left + width, top=top, bottom=top + height
    )


def evidence_lines(evidence: Sequence[Evidence], window: Window, lang: str) -> list[str]:
    """The measurements inside the window, in order of time, numbered E1, E2, ...

    Nothing but numbers and words of a fixed vocabulary goes in: no text from outside.
    """
    inside = [item for item in evidence if window.start_ms <= item.time_ms <= window.end_ms]
    inside.sort(key=lambda item: (-item.strength, item.time_ms, item.id))
    kept = sorted(inside[:_EVIDENCE_MAX], key=lambda item: (item.time_ms, item.id))
    return [f"E{number}. {_line(item, window, lang)}" for number, item in enumerate(kept, 1)]


def _line(item: Evidence, window: Window, lang: str) -> str:
    spread = "" if item.time_uncertainty_s is None else f" ±{item.time_uncertainty_s:.1f}"
    parts = [f"{window.t_s(item.time_ms):.1f}{spread} s: {item.kind.value}", item.actor.value]
    if item.track is not None:
        parts.append(f"{_TRACK[lang]} {item.track}")
    if item.other is not None:
        parts.append(f"-> {_TRACK[lang]} {item.other}")
    if item.value is not None:
        error = "" if item.uncertainty is None else f" ±{item.uncertainty:.2g}"
        parts.append(f"= {item.value:.3g}{error} {item.unit}".rstrip())
    parts.append(f"({item.strength:.2f})")
    return " ".join(parts)


def answer_schema(rule_ids: Sequence[str], *, thinking: bool) -> dict[str, Any]:
    """The JSON Schema the server holds the model to: an Answer, in the order to think it.

    Differs from the domain's: a time is a number (the model must commit itself), ``not_seen`` is
    not offered, rules are the ids given. In standard mode the four steps come first, so that the
    answer follows from them; in thinking mode they are in the model's own reasoning.
    """
    schema = wire.json_schema(Answer)
    definitions = schema["$defs"]
    antecedent = definitions["Antecedent"]["properties"]
    # Bounded in digits: a model that falls into a loop fills an open number to the last token.
    antecedent["t_s"] = {"type": "number", "minimum": 0, "maximum": 9999, "multipleOf": 0.1}
    antecedent["kind"]["enum"] = [kind for kind in antecedent["kind"]["enum"] if kind != "not_seen"]
    properties = schema["properties"]
    properties["confidence"]["multipleOf"] = 0.01
    steps = properties.pop("thinking")
    properties["rules"] = (
        {"type": "array", "maxItems": 8, "items": {"enum": list(rule_ids)}}
        if rule_ids
        else {"type": "array", "maxItems": 0, "items": {"type": "string"}}
    )
    if not thinking:
        steps = {
            "type": "array", "minItems": _STEPS, "maxItems": _STEPS,
            "items": {"type": "string", "maxLength": _STEP_CHARS},
        }  # fmt: skip
        schema["properties"] = {"thinking": steps, **properties}
    for part in (schema, *definitions.values()):
        part.pop("title", None)
        part.pop("description", None)
        for name, field in part.get("properties", {}).items():
            if isinstance(field, dict):
                field.pop("title", None)
                field.pop("default", None)
                if name in {"root_cause", "text", "environment", "direct_trigger",
                            "systemic_weakness"}:  # fmt: skip
                    field["maxLength"] = _STEP_CHARS
    schema["required"] = list(schema["properties"])
    return schema
