"""What the environment adds to streams.yaml.

``${NAME}`` in a value is replaced by the variable; ``$$`` is a plain ``$``. And any setting
outside the list of cameras can be set from outside: ``CAUSEWAY__REDIS__URL`` is ``redis.url``,
so that one streams.yaml serves both a single machine and containers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from monitor.config.problems import Path, Position, Problem
from monitor.config.yaml_tree import Tree

PREFIX = "CAUSEWAY__"
_REFERENCE = re.compile(r"\$\$|\$\{([^}]*)\}?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def substitute(text: str, environ: Mapping[str, str]) -> tuple[str, list[str]]:
    """``text`` with its variables filled in, and a sentence for each that cannot be."""
    complaints: list[str] = []

    def fill(match: re.Match[str]) -> str:
        whole, name = match.group(0), match.group(1)
        if whole == "$$":
            return "$"
        if not whole.endswith("}") or not _NAME.fullmatch(name):
            complaints.append(
                "${ must be followed by a variable's name and }, as in ${NORTH_PASSWORD}; "
                "write $$ for a plain $"
            )
            return ""
        value = environ.get(name)
        if value is None:
            complaints.append(
                f"the environment variable {name} is not set; set it (export {name}=...), "
                "or write $$ for a plain $"
            )
            return ""
        return value

    return _REFERENCE.sub(fill, text), complaints


def apply_overrides(tree: Tree, environ: Mapping[str, str]) -> None:
    """Put every ``CAUSEWAY__SECTION__KEY`` that is not empty into the tree."""
    if not isinstance(tree.value, dict):
        return
    for name in sorted(environ):
        text = environ[name]
        if not name.startswith(PREFIX) or not text:
            continue
        path: Path = tuple(name[len(PREFIX) :].lower().split("__"))
        position = Position(f"environment variable {name}")
        if path[0] == "cameras" or len(path) > 2:
            tree.problems.append(
                Problem(position, "", f"only {PREFIX}<SECTION>__<KEY>; cameras are in the file")
            )
            continue
        section: Any = tree.value
        for step in path[:-1]:
            if not isinstance(section.get(step), dict):
                section[step] = {}
                tree.positions[path[:-1]] = position
            section = section[step]
        section[path[-1]] = text
        tree.positions[path] = position
        tree.substituted.add(path)
