"""pydantic's complaints as sentences that say what to write instead.

A value is repeated only where it cannot be a secret: a plain word written in the file itself,
at a setting that never holds one.
"""

from __future__ import annotations

import difflib
import re
import typing
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from monitor.config.models import Config
from monitor.config.problems import Path

_SECRET_SETTINGS = {"url", "substream_url", "password", "api_key", "username", "endpoint", "host"}
_SHOWN_CHARS = 40

_PATTERN_HELP = {
    r"^[a-z0-9][a-z0-9_-]{0,62}$": "must be lower case letters, digits, - and _, 63 at most",
    r"^https?://": "must start with http:// or https://, such as http://127.0.0.1:8000/v1",
    r"^[^#+/\s]+$": "must be one word without #, + or /, such as causeway",
}
_TYPE_HELP = {
    "string_type": "must be text; put it in quotes",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "is far too large",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "tuple_type": "must be a list: [one, two], or each on a line of its own after `- `",
    "finite_number": "must be a finite number",
}


def sentence(error: ErrorDetails, *, quotable: bool) -> tuple[Path, str]:
    """The setting an error is about, and what to write there."""
    kind = error["type"]
    path: Path = error["loc"]
    context: dict[str, Any] = error.get("ctx", {})
    last = path[-1] if path else ""
    model = model_at(path[:-1])
    if kind == "extra_forbidden":
        return path, _unknown_key(str(last), model)
    if kind == "missing" and isinstance(last, int):
        return path[:-1], "needs two numbers: [x, y]"
    if kind == "missing":
        return path, f"is missing; write `{last}: ...`{_meaning(model, last)}"
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        own = model_at(path)
        keys = ", ".join(own.model_fields) if own else "..."
        return path, f"must be a section with keys of its own ({keys})"
    got = _got(error, path, quotable)
    if kind == "literal_error":
        return path, _choice(str(context["expected"]), error["input"], got)
    if kind == "string_pattern_mismatch":
        return path, _pattern(str(context["pattern"]), error["input"], got, quotable)
    if kind == "tuple_type" and isinstance(error["input"], dict):
        return path, "must be a list: put `- ` before each item"
    if kind == "string_type" and isinstance(error["input"], list | dict):
        return path, f"must be one text, not a list or a section{_meaning(model, last)}"
    if kind in _TYPE_HELP:
        return path, f"{_TYPE_HELP[kind]}{got}{_meaning(model, last)}"
    return path, f"{_bound(kind, context) or error['msg']}{got}{_meaning(model, last)}"


def model_at(path: Path) -> type[BaseModel] | None:
    """The section's model at a path; None where there is a plain value."""
    found: Any = Config
    for step in path:
        if isinstance(step, int):
            continue
        if not _is_model(found) or step not in found.model_fields:
            return None
        found = _inner(found.model_fields[step])
    return found if _is_model(found) else None


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _inner(field: FieldInfo) -> Any:
    """The model inside ``Model | None`` or ``tuple[Model, ...]``, or None."""
    waiting: list[Any] = [field.annotation]
    while waiting:
        kind = waiting.pop()
        if _is_model(kind):
            return kind
        waiting += typing.get_args(kind)
    return None


def _unknown_key(key: str, model: type[BaseModel] | None) -> str:
    known = list(model.model_fields) if model else []
    close = difflib.get_close_matches(key.lower(), known, n=1, cutoff=0.6)
    if close:
        return f"there is no such key; did you mean `{close[0]}`?"
    homes = [path for path, other in _sections() if other is not model and key in _fields(other)]
    if homes:
        return f"does not belong here; write it under `{homes[0] or 'the top level'}`"
    return f"there is no such key; known here: {', '.join(known)}"


def _fields(model: type[BaseModel]) -> Iterable[str]:
    return model.model_fields


def _sections() -> Iterable[tuple[str, type[BaseModel]]]:
    yield "", Config
    for name, field in Config.model_fields.items():
        inner = _inner(field)
        if inner is not None:
            yield name, inner
            for below, deeper_field in inner.model_fields.items():
                deeper = _inner(deeper_field)
                if deeper is not None:
                    yield f"{name}.{below}", deeper


def _meaning(model: type[BaseModel] | None, name: str | int) -> str:
    field = model.model_fields.get(str(name)) if model else None
    return f" ({field.description})" if field and field.description else ""


def _got(error: ErrorDetails, path: Path, quotable: bool) -> str:
    value = error["input"]
    named = next((step for step in reversed(path) if isinstance(step, str)), "")
    if not quotable or named in _SECRET_SETTINGS:
        return ""
    if isinstance(value, bool):
        return f"; got {str(value).lower()}"
    if isinstance(value, int | float | str):
        text = str(value)
        shown = text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "..."
        return f"; got {shown!r}" if isinstance(value, str) else f"; got {shown}"
    return ""


def _choice(expected: str, value: Any, got: str) -> str:
    options = re.findall(r"'([^']*)'", expected)
    close = difflib.get_close_matches(str(value).lower(), options, n=1, cutoff=0.6)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"must be one of {', '.join(options)}{got}{hint}"


def _pattern(pattern: str, value: Any, got: str, quotable: bool) -> str:
    help_text = _PATTERN_HELP.get(pattern, f"must match {pattern}")
    if quotable and pattern.startswith("^[a-z0-9]["):
        suggestion = re.sub(r"[^a-z0-9_-]+", "-", str(value).lower()).strip("-_")[:63]
        if suggestion:
            return f"{help_text}{got}; for example {suggestion}"
    return f"{help_text}{got}"


def _bound(kind: str, context: dict[str, Any]) -> str | None:
    if kind == "too_short":
        return f"needs at least {context['min_length']}, has {context['actual_length']}"
    if kind == "too_long":
        return f"needs at most {context['max_length']}, has {context['actual_length']}"
    words = {
        "greater_than_equal": ("at least", "ge"),
        "greater_than": ("more than", "gt"),
        "less_than_equal": ("at most", "le"),
        "less_than": ("less than", "lt"),
        "multiple_of": ("a multiple of", "multiple_of"),
    }
    if kind not in words:
        return None
    phrase, key = words[kind]
    return f"must be {phrase} {context[key]:g}"
