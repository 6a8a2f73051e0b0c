"""JSON for the nouns of ``monitor.domain``: one place, so that all processes agree."""

from __future__ import annotations

from collections.abc import Hashable
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter

T = TypeVar("T")


@cache
def _adapter(noun: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(cast(Any, noun))


def adapter(noun: Any) -> TypeAdapter[Any]:
    """The validator and serialiser of a dataclass of the domain; built once per process."""
    return _adapter(noun)


def to_json(value: Any) -> bytes:
    """UTF-8 JSON of a noun; datetimes as ISO 8601, enums as their values."""
    return adapter(type(value)).dump_json(value)


def to_object(value: Any) -> Any:
    """The same as plain dicts and lists."""
    return adapter(type(value)).dump_python(value, mode="json")


def from_json(noun: type[T], text: bytes | str) -> T:
    """The noun a JSON text describes; ``pydantic.ValidationError`` where it is another shape."""
    result: T = adapter(noun).validate_json(text)
    return result


def json_schema(noun: Any) -> dict[str, Any]:
    """The noun's JSON Schema (draft 2020-12), as validated."""
    return adapter(noun).json_schema(mode="validation")
