"""``/docs``: the OpenAPI document as one local page, without a script or an outside asset."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any, Final

_STYLE: Final = """
:root{color-scheme:dark}
body{margin:0;background:#0b0f14;color:#e3eaf2;font:15px/1.55 system-ui,"Noto Sans SC",sans-serif}
main{max-width:920px;margin:0 auto;padding:40px 24px 96px}
h1{font-size:28px;margin:0}h2{font-size:19px;margin:44px 0 8px}h3{font-size:15px;margin:0}
p{color:#9fb0c3;margin:6px 0 14px}a{color:#63c7ff}
code,.path{font:13.5px ui-monospace,"DejaVu Sans Mono",monospace}
section{border:1px solid #1f2b38;border-radius:10px;padding:18px 20px;margin:14px 0;
background:#11171f}
.verb{font-weight:700;font-size:12px;border-radius:5px;padding:3px 8px;margin-right:10px;
background:#123b56;color:#7fd0ff}.post{background:#3d3213;color:#ffd66b}
table{border-collapse:collapse;width:100%;margin:8px 0}
th{text-align:left;font-weight:500;color:#8496aa;font-size:13px}
td,th{padding:6px 12px 6px 0;border-top:1px solid #1f2b38;vertical-align:top;font-size:14px}
"""


def docs_page(document: Mapping[str, Any]) -> str:
    """HTML of an OpenAPI document."""
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        "<meta name='viewport' content='width=device-width, initial-scale=1'>",
        f"<title>{_info(document, 'title')} API</title><style>{_STYLE}</style></head><body><main>",
        f"<h1>{_info(document, 'title')} API</h1>",
        f"<p>{_info(document, 'summary')} Version {_info(document, 'version')}. "
        "The same as a machine reads it: <a href='/openapi.json'>openapi.json</a>. "
        "<a href='/'>To the wall</a></p>",
    ]
    for path, operations in document["paths"].items():
        for verb, operation in operations.items():
            parts += _operation(path, verb, operation)
    parts.append("<h2>Shapes</h2>")
    for name, schema in document.get("components", {}).get("schemas", {}).items():
        parts += _shape(name, schema)
    parts.append("</main></body></html>")
    return "".join(parts)


def _info(document: Mapping[str, Any], key: str) -> str:
    return escape(str(document["info"].get(key, "")))


def _operation(path: str, verb: str, operation: Mapping[str, Any]) -> Iterable[str]:
    yield f"<section><h3><span class='verb {escape(verb)}'>{escape(verb.upper())}</span>"
    yield f"<span class='path'>{escape(path)}</span></h3>"
    yield f"<p>{escape(operation.get('description', ''))}</p>"
    if parameters := operation.get("parameters"):
        rows = (
            (p["name"], _type(p["schema"]), p.get("description", ""), p["schema"].get("default"))
            for p in parameters
        )
        yield from _table(("Parameter", "Type", "Meaning", "Default"), rows)
    answers = (
        (status, _answer_type(answer), answer.get("description", ""))
        for status, answer in operation["responses"].items()
    )
    yield from _table(("Answer", "Shape", "When"), answers)
    yield "</section>"


def _shape(name: str, schema: Mapping[str, Any]) -> Iterable[str]:
    yield f"<section id='{escape(name)}'><h3>{escape(name)}</h3>"
    yield f"<p>{escape(schema.get('description', ''))}</p>"
    if "enum" in schema:
        yield f"<p><code>{escape(', '.join(map(str, schema['enum'])))}</code></p>"
    if properties := schema.get("properties"):
        rows = (
            (field, _type(value), value.get("description", ""))
            for field, value in properties.items()
        )
        yield from _table(("Field", "Type", "Meaning"), rows)
    yield "</section>"


def _answer_type(answer: Mapping[str, Any]) -> str:
    content = answer.get("content", {})
    kinds = [_type(one["schema"]) if one.get("schema") else kind for kind, one in content.items()]
    return ", ".join(kinds)


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            return " or ".join(dict.fromkeys(_type(one) for one in schema[key]))
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {})) or 'anything'}"
    if "const" in schema:
        return repr(schema["const"])
    return str(schema.get("format") or schema.get("type") or "")


def _table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterable[str]:
    yield "<table><tr>" + "".join(f"<th>{escape(cell)}</th>" for cell in head) + "</tr>"
    for row in rows:
        cells = ("" if cell is None else str(cell) for cell in row)
        first, *rest = (escape(cell) for cell in cells)
        yield f"<tr><td><code>{first}</code></td>" + "".join(f"<td>{c}</td>" for c in rest)
        yield "</tr>"
    yield "</table>"
