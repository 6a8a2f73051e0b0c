"""YAML 1.2 text to plain values, with the position of every one of them.

Bounded in size, depth and expansion before anything is built, so that a huge, deeply nested or
self-multiplying file is refused in milliseconds. The messages never repeat the file's text
beyond a key: a line that does not parse may well hold a password.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    MappingEndEvent,
    MappingStartEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from monitor.config.problems import Path, Position, Problem, dotted

MAX_BYTES = 1 << 18
MAX_DEPTH = 16
MAX_VALUES = 20_000
_TAG = "tag:yaml.org,2002:"
_INTEGER = re.compile(r"[-+]?(0x[0-9a-fA-F]+|0o[0-7]+|[0-9][0-9_]*)")
_MAX_DIGITS = 18

Substitute = Callable[[str], tuple[str, list[str]]]
"""A scalar's text to the text with ``${NAME}`` filled in, and what is wrong with it."""


@dataclass
class Tree:
    """A parsed file: its value, where each part is, and which parts came out of ``${NAME}``."""

    source: str
    value: Any = None
    positions: dict[Path, Position] = field(default_factory=dict)
    substituted: set[Path] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)

    def position(self, path: Path) -> Position:
        """Of the setting, or of the nearest part that contains it."""
        for length in range(len(path), -1, -1):
            found = self.positions.get(path[:length])
            if found is not None:
                return found
        return Position(self.source, 1, 1)


def read(data: bytes, source: str, substitute: Substitute) -> Tree:
    """Parse; what is wrong stands in ``problems``, and ``value`` is None where nothing came out."""
    tree = Tree(source)
    text = _decode(data, tree)
    if text is None:
        return tree
    try:
        if _within_bounds(text, tree):
            node = YAML(typ="safe", pure=True).compose(io.StringIO(text))
            if node is None:
                _complain(tree, Position(source, 1, 1), "the file is empty; start with `site:`")
            else:
                tree.value = _Builder(tree, substitute).value(node, ())
    except YAMLError as error:
        tree.problems.append(_syntax_problem(error, text, source))
    return tree


def scalar(text: str) -> Any:
    """What an unquoted YAML scalar means: a number, true, false, nothing, or else the text."""
    if text in ("true", "True", "TRUE"):
        return True
    if text in ("false", "False", "FALSE"):
        return False
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if _INTEGER.fullmatch(text) and len(text) <= _MAX_DIGITS:
        digits = text.replace("_", "")
        return int(digits, 0) if digits.lstrip("+-")[:2] in ("0x", "0o") else int(digits)
    try:
        return float(text)
    except ValueError:
        return text


def _decode(data: bytes, tree: Tree) -> str | None:
    start = Position(tree.source, 1, 1)
    if len(data) > MAX_BYTES:
        _complain(
            tree, start, f"the file is larger than {MAX_BYTES // 1024} KiB; is it the right one?"
        )
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = error.start - (before.rfind(b"\n") + 1) + 1
        _complain(
            tree, Position(tree.source, line, column), "this is not text; save the file as UTF-8"
        )
        return None


def _within_bounds(text: str, tree: Tree) -> bool:
    depth = 0
    for count, event in enumerate(YAML(typ="safe", pure=True).parse(io.StringIO(text))):
        if isinstance(event, MappingStartEvent | SequenceStartEvent):
            depth += 1
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            depth -= 1
        if depth > MAX_DEPTH or count > 3 * MAX_VALUES:
            mark = event.start_mark
            _complain(
                tree,
                Position(tree.source, mark.line + 1, mark.column + 1),
                f"lists and sections are nested more than {MAX_DEPTH} deep; nothing here needs that"
                if depth > MAX_DEPTH
                else "there is far more here than a configuration holds; is it the right file?",
            )
            return False
    return True


class _Builder:
    """Turns nodes into values; counts them, so that aliases cannot multiply without end."""

    def __init__(self, tree: Tree, substitute: Substitute) -> None:
        self._tree = tree
        self._substitute = substitute
        self._count = 0

    def value(self, node: Node, path: Path) -> Any:
        self._count += 1
        position = self._tree.positions.setdefault(path, self._position(node))
        if self._count > MAX_VALUES or len(path) > MAX_DEPTH:
            if not any("aliases" in problem.message for problem in self._tree.problems):
                _complain(
                    self._tree, position, "aliases (*name) multiply without end; write it out"
                )
            return None
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.value(item, (*path, i)) for i, item in enumerate(node.value)]
        assert isinstance(node, ScalarNode)
        return self._scalar(node, path)

    def _position(self, node: Node) -> Position:
        return Position(self._tree.source, node.start_mark.line + 1, node.start_mark.column + 1)

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        result: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        first: dict[str, Position] = {}
        for key_node, value_node in node.value:
            position = self._position(key_node)
            if not isinstance(key_node, ScalarNode):
                _complain(self._tree, position, "a key must be a plain word", path)
                continue
            key = str(key_node.value)
            here = (*path, key)
            if key == "<<" and key_node.style is None:
                merged |= self._merge(value_node, here)
            elif key in first:
                line = first[key].line
                _complain(
                    self._tree, position, f"written twice, first in line {line}; keep one", here
                )
            else:
                first[key] = position
                self._tree.positions[here] = position
                result[key] = self.value(value_node, here)
        return merged | result

    def _merge(self, node: Node, path: Path) -> dict[str, Any]:
        """``<<: *defaults``, YAML 1.1's merge key, which people expect."""
        nodes = node.value if isinstance(node, SequenceNode) else [node]
        merged: dict[str, Any] = {}
        for item in reversed(nodes):
            if isinstance(item, MappingNode):
                merged |= self.value(item, path[:-1])
            else:
                _complain(self._tree, self._position(node), "<< takes a section, such as *defaults")
        return merged

    def _scalar(self, node: ScalarNode, path: Path) -> Any:
        tag = str(node.tag)
        text = str(node.value)
        position = self._tree.positions[path]
        if not tag.startswith(_TAG):
            _complain(
                self._tree,
                position,
                "a value that starts with ! needs quotes, or YAML takes it for a type",
                path,
            )
            return text
        if node.style is None and tag in (f"{_TAG}null", f"{_TAG}bool", f"{_TAG}int"):
            return scalar(text)
        if node.style is None and tag == f"{_TAG}float":
            return self._finite(text, position, path)
        filled, complaints = self._substitute(text)
        for complaint in complaints:
            _complain(self._tree, position, complaint, path)
        if filled != text and node.style is None:
            self._tree.substituted.add(path)
        return filled

    def _finite(self, text: str, position: Position, path: Path) -> Any:
        try:
            number = float(text.replace("_", ""))
        except ValueError:  # .inf and .nan, which Python spells without the dot
            number = math.nan
        if not math.isfinite(number):
            _complain(self._tree, position, "write a finite number", path)
            return None
        return number


def _complain(tree: Tree, position: Position, message: str, path: Path = ()) -> None:
    tree.problems.append(Problem(position, dotted(path), message))


_PLAINER = (
    (r"'\\t' that cannot start", "a tab; YAML is indented with spaces"),
    (
        r"undefined alias",
        "an unquoted value that starts with * is taken for an alias; put it in quotes",
    ),
    (
        r"character '[@`%]' that cannot start",
        "an unquoted value cannot start with @, ` or %; put it in quotes",
    ),
    (
        r"mapping values are not allowed",
        "a ': ' where no key can be: indent this line like its neighbours, "
        "or put a value that holds ': ' in quotes",
    ),
    (r"another document", "a second document starts here (---); one file holds one configuration"),
    (r"unexpected end of stream", "a quote that was opened is never closed"),
    (r"'<stream end>'|<stream end>", "the file ends in the middle of something; is it cut?"),
    (r"duplicate anchor|second occurrence", "an anchor (&name) of this name is there already"),
    (r"special characters", "a control character; save the file as plain UTF-8 text"),
    (r"expected <block end>", "this line's indentation does not fit the lines above it"),
    (r"expected ',' or", "a ',' or a closing bracket is missing before this"),
    (r"could not find expected ':'|expected ':'", "a key without its ':'"),
)


def _syntax_problem(error: YAMLError, text: str, source: str) -> Problem:
    """The parser's complaint in plain words; without its quotation of the file."""
    words = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "")
    context = str(getattr(error, "context", None) or "")
    message = "this is not valid YAML"
    for pattern, plain in _PLAINER:
        if re.search(pattern, f"{words} {context}"):
            message = plain
            break
    line = column = 1
    if isinstance(error, MarkedYAMLError) and error.problem_mark is not None:
        line, column = error.problem_mark.line + 1, error.problem_mark.column + 1
    elif isinstance(error, ReaderError):
        before = text[: error.position]
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    return Problem(Position(source, line, column), "", message)
