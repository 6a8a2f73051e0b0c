"""The settings as Markdown tables, made from the models, for docs/configuration.md."""

from __future__ import annotations

import types
import typing
from pathlib import Path
from typing import Any, Final

from annotated_types import Ge, Gt, Le, Lt, MultipleOf
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from monitor.config.models import Config

_BOUNDS: Final = ((Ge, "ge", "≥"), (Gt, "gt", ">"), (Le, "le", "≤"), (Lt, "lt", "<"))


def settings_markdown() -> str:
    """One table per section, in the order of the models; nested sections follow their parent."""
    return "\n".join(_section("", Config)) + "\n"


def setting_names() -> list[str]:
    """Every setting's dotted name, lists as ``cameras[].id``."""
    return list(_names(Config, ""))


def _names(model: type[BaseModel], prefix: str) -> typing.Iterator[str]:
    for name, field in model.model_fields.items():
        yield f"{prefix}{name}"
        inner, many = _model(field.annotation)
        if inner is not None:
            yield from _names(inner, f"{prefix}{name}{'[]' if many else ''}.")


def _section(prefix: str, model: type[BaseModel]) -> list[str]:
    title = f"`{prefix.rstrip('.')}`" if prefix else "Top level"
    about = _summary(model)
    lines = [
        f"### {title}",
        "",
        about,
        "",
        "| setting | type | default | meaning |",
        "|---|---|---|---|",
    ]
    nested: list[str] = []
    for name, field in model.model_fields.items():
        inner, many = _model(field.annotation)
        lines.append(
            f"| `{prefix}{name}` | {_kind(field, inner, many)} | {_default(field, inner)} "
            f"| {field.description or _summary(inner)} |"
        )
        if inner is not None:
            nested += ["", *_section(f"{prefix}{name}{'[]' if many else ''}.", inner)]
    return [*lines, *nested]


def _summary(model: type[BaseModel] | None) -> str:
    return ((model.__doc__ if model else "") or "").strip().partition("\n")[0]


def _model(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """The section inside an annotation, and whether it is a list of them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    many = typing.get_origin(annotation) is tuple
    for part in typing.get_args(annotation):
        inner, deeper = _model(part)
        if inner is not None:
            return inner, many or deeper
    return None, False


def _kind(field: FieldInfo, inner: type[BaseModel] | None, many: bool) -> str:
    if inner is not None:
        return "list of sections" if many else "section"
    text = _type_name(field.annotation)
    bounds = [
        f"{sign} {getattr(item, attribute):g}"
        for item in field.metadata
        for kind, attribute, sign in _BOUNDS
        if isinstance(item, kind)
    ]
    bounds += [
        f"multiple of {item.multiple_of}" for item in field.metadata if isinstance(item, MultipleOf)
    ]
    return f"{text} {', '.join(bounds)}".strip()


def _type_name(annotation: Any) -> str:
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return " or ".join(f"`{part}`" for part in parts)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_type_name(part) for part in parts if part is not type(None))
    if origin is typing.Annotated:
        return _type_name(parts[0])
    if origin is tuple:
        return f"list of {_type_name(parts[0])}" if Ellipsis in parts else "[x, y]"
    names: dict[Any, str] = {
        str: "text", SecretStr: "text, hidden", int: "whole number", float: "number",
        bool: "`true` or `false`", Path: "folder",
    }  # fmt: skip
    return names.get(annotation, str(annotation))


def _default(field: FieldInfo, inner: type[BaseModel] | None) -> str:
    value = field.default
    if value is PydanticUndefined:
        return "**required**"
    if value is None:
        return "none"
    if value == ():
        return "empty"
    if isinstance(value, tuple):
        return f"`{list(value)}`"
    if inner is not None:
        return "see below"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`" if str(value) else "empty"
