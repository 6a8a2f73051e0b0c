"""``causeway bench NAME``: dispatch to ``workers.bench.<name>``, found by name."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import inspect
import pkgutil
import re
import sys
from pathlib import Path
from typing import Any

import workers.bench
from workers import exits


def names() -> list[str]:
    """Every bench there is."""
    return sorted(
        module.name
        for module in pkgutil.iter_modules(workers.bench.__path__)
        if not module.name.startswith("_") and _has_main(module.name)
    )


def bench(name: str, options: list[str], *, json_out: bool) -> int:
    """Run it; ``options`` are ``--key value`` pairs of its ``main``'s own parameters."""
    known = names()
    name = name.replace("-", "_")
    if name not in known:
        print(f"there is no bench {name!r}; there are: {', '.join(known)}", file=sys.stderr)
        return exits.USAGE
    module = importlib.import_module(f"workers.bench.{name}")
    main = module.main
    if options == ["--options"]:
        print("\n".join([str(module.__doc__).strip(), "", *_described(main)]))
        return exits.OK
    try:
        arguments = _arguments(main, options)
    except ValueError as error:
        print(f"bench {name}: {error}", file=sys.stderr)
        return exits.USAGE
    result: int = main(json_out=json_out, **arguments)
    return result


def _has_main(name: str) -> bool:
    spec = importlib.util.find_spec(f"workers.bench.{name}")
    return (
        spec is not None
        and spec.origin is not None
        and re.search(r"^def main\(", Path(spec.origin).read_text(), re.MULTILINE) is not None
    )


def _parameters(main: Any) -> dict[str, inspect.Parameter]:
    return {
        name: parameter
        for name, parameter in inspect.signature(main, eval_str=True).parameters.items()
        if name != "json_out"
    }


def _described(main: Any) -> list[str]:
    """An option a line, with its default."""
    return [
        f"--{name.replace('_', '-')} (default: {_said(one.default)})"
        for name, one in _parameters(main).items()
    ] + ["--json"]


def _said(default: Any) -> str:
    several = isinstance(default, tuple | list)
    return ",".join(map(str, default)) if several else str(default)


def _arguments(main: Any, options: list[str]) -> dict[str, Any]:
    """Typed by the annotations of ``main``: numbers, text, true or false, comma-separated lists."""
    parameters = _parameters(main)
    allowed = ", ".join(f"--{name.replace('_', '-')}" for name in parameters) or "none"
    found: dict[str, Any] = {}
    waiting = list(options)
    while waiting:
        flag = waiting.pop(0)
        key, equals, value = flag.removeprefix("--").partition("=")
        name = key.replace("-", "_")
        if not flag.startswith("--") or name not in parameters:
            raise ValueError(f"unknown option {flag}; it takes: {allowed}")
        kind = parameters[name].annotation
        if kind is bool and not equals:
            found[name] = True
            continue
        if not equals:
            if not waiting:
                raise ValueError(f"{flag} needs a value")
            value = waiting.pop(0)
        found[name] = _typed(flag, kind, value)
    return found


def _typed(flag: str, kind: Any, text: str) -> Any:
    from pydantic import TypeAdapter, ValidationError

    adapter = TypeAdapter[Any](kind)
    try:
        return adapter.validate_python(text)
    except ValidationError as error:
        if "," in text or error.errors()[0]["type"] in ("list_type", "tuple_type"):
            with contextlib.suppress(ValidationError):
                return adapter.validate_python(text.split(","))
        raise ValueError(f"{flag}: {error.errors()[0]['msg']}, got {text!r}") from error
