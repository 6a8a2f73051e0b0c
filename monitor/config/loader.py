"""Reading streams.yaml: every problem at once, each with its place and what to write instead.

A relative ``data_dir`` or ``detector.model`` is below the folder of the file, so that every
process finds the same one wherever it was started.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from monitor.config.environment import apply_overrides, substitute
from monitor.config.models import Config, DetectorSettings
from monitor.config.problems import Path as SettingPath
from monitor.config.problems import Position, Problem, dotted
from monitor.config.sentences import sentence
from monitor.config.yaml_tree import MAX_BYTES, Tree, read, scalar
from monitor.errors import ConfigError

_NUMBER_ERRORS = {"int_type", "float_type", "bool_type"}


class ConfigProblems(ConfigError):
    """streams.yaml cannot be used; ``problems`` has them all, the message one on a line."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


def load(path: Path | str, environ: Mapping[str, str] | None = None) -> Config:
    """The configuration, or ``ConfigProblems`` with everything that is wrong with it."""
    config, found = examine(path, environ)
    if config is None or found:
        raise ConfigProblems(found)
    return config


def problems(path: Path | str, environ: Mapping[str, str] | None = None) -> list[Problem]:
    """What is wrong with a file, in the order of its lines; empty where it can be used."""
    return examine(path, environ)[1]


def examine(
    path: Path | str, environ: Mapping[str, str] | None = None
) -> tuple[Config | None, list[Problem]]:
    """The configuration where one came out, and what is wrong."""
    path = Path(path)
    env = os.environ if environ is None else environ
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        reason = error.strerror or "cannot be read"
        return None, [
            Problem(
                Position(str(path)),
                "",
                f"{reason}; name the file: --config path/to/streams.yaml",
            )
        ]
    tree = read(data, str(path), lambda text: substitute(text, env))
    found = tree.problems
    if tree.value is None:
        return None, found or [
            Problem(Position(str(path), 1, 1), "", "the file is empty; start with `site:`")
        ]
    if not isinstance(tree.value, dict):
        message = "must be keys and values; start with `site:`"
        return None, [*found, Problem(tree.position(()), "", message)]
    apply_overrides(tree, env)
    config = _validated(tree)
    found += _duplicate_cameras(tree)
    found += _contradictions(tree)
    if config is not None:
        config = _below(config, path.resolve().parent)
    found.sort(key=lambda problem: (problem.position.line or 0, problem.position.column or 0))
    return config, found


def place(
    path: Path | str, setting: SettingPath, environ: Mapping[str, str] | None = None
) -> Position:
    """Where a setting of a file that ``examine`` has read is written, or its section."""
    env = os.environ if environ is None else environ
    tree = read(Path(path).read_bytes(), str(path), lambda text: substitute(text, env))
    apply_overrides(tree, env)
    return tree.position(setting)


def _below(config: Config, folder: Path) -> Config:
    """With relative paths below the folder of the file."""

    def placed(section: DetectorSettings | None) -> DetectorSettings | None:
        if section is None or section.model is None:
            return section
        return section.model_copy(update={"model": str(folder / section.model)})

    cameras = tuple(
        camera.model_copy(update={"detector": placed(camera.detector)}) for camera in config.cameras
    )
    return config.model_copy(
        update={
            "data_dir": folder / config.data_dir,
            "detector": placed(config.detector),
            "cameras": cameras,
        }
    )


def _validated(tree: Tree) -> Config | None:
    """Strictly typed, except that a number may come out of an unquoted ``${NAME}``."""
    errors = _errors(tree.value)
    numbers = [
        error["loc"]
        for error in errors
        if error["type"] in _NUMBER_ERRORS and error["loc"] in tree.substituted
    ]
    if numbers:
        for path in numbers:
            _replace(tree.value, path)
        errors = _errors(tree.value)
    # A value that could not be filled in has been complained of already.
    known = {(problem.position, problem.setting) for problem in tree.problems}
    for error in errors:
        if error["type"] == "too_short" and any(_is_below(error["loc"], e["loc"]) for e in errors):
            continue  # pydantic counts only the items that are right
        quotable = error["loc"] not in tree.substituted
        where, message = sentence(error, quotable=quotable)
        place = (tree.position(where), dotted(where))
        if place not in known:
            tree.problems.append(Problem(*place, message))
    return None if errors else Config.model_validate_json(json.dumps(tree.value), strict=True)


def _is_below(outer: SettingPath, inner: SettingPath) -> bool:
    return len(inner) > len(outer) and inner[: len(outer)] == outer


def _errors(value: Any) -> list[Any]:
    try:
        Config.model_validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        return error.errors(include_url=False)
    return []


def _replace(value: Any, path: SettingPath) -> None:
    for step in path[:-1]:
        value = value[step]
    value[path[-1]] = scalar(value[path[-1]])


def _duplicate_cameras(tree: Tree) -> list[Problem]:
    cameras = tree.value.get("cameras")
    first: dict[str, int | None] = {}
    found = []
    for index, camera in enumerate(cameras if isinstance(cameras, list) else []):
        name = camera.get("id") if isinstance(camera, dict) else None
        if not isinstance(name, str):
            continue
        path: SettingPath = ("cameras", index, "id")
        position = tree.position(path)
        if name in first:
            message = f"the camera in line {first[name]} has this id already; give each its own"
            found.append(Problem(position, dotted(path), message))
        else:
            first[name] = position.line
    return found


def _contradictions(tree: Tree) -> list[Problem]:
    """Settings that are fine one by one and not together."""
    found = []

    def complain(path: SettingPath, message: str) -> None:
        found.append(Problem(tree.position(path), dotted(path), message))

    keep_s = _number(tree, "ingest", "keep_s")
    window_s = _number(tree, "query", "pre_roll_s") + _number(tree, "query", "post_roll_s")
    if keep_s < window_s:
        complain(
            ("ingest", "keep_s") if "ingest" in tree.value else ("query", "pre_roll_s"),
            f"the ring keeps {keep_s:g} s, a window needs {window_s:g} s (query.pre_roll_s + "
            f"query.post_roll_s); write keep_s: {2 * window_s:g} under `ingest`",
        )
    mqtt = tree.value.get("mqtt")
    mqtt = mqtt if isinstance(mqtt, dict) else {}
    if mqtt.get("password") is not None and not mqtt.get("username"):
        complain(("mqtt", "password"), "is there without a username; write both")
    port = _number(tree, "dashboard", "port")
    if mqtt.get("host") is None and port == _number(tree, "mqtt", "embedded_port"):
        complain(
            ("dashboard", "port") if "dashboard" in tree.value else ("mqtt", "embedded_port"),
            f"port {port:g} is the embedded broker's too; choose another",
        )
    for path, mode in _modes_asked(tree):
        complain(path, f"no endpoint serves {mode}; add it to the `modes` of one, or use another")
    return found


def _modes_asked(tree: Tree) -> list[tuple[SettingPath, str]]:
    """Where a mode is wanted that none of the configured endpoints serves."""
    query = tree.value.get("query")
    if not isinstance(query, dict) or query.get("endpoint") is not None:
        return []
    endpoints = query.get("endpoints")
    if not isinstance(endpoints, list) or not endpoints:
        return []
    served: set[object] = set()
    for endpoint in endpoints:
        modes = endpoint.get("modes") if isinstance(endpoint, dict) else None
        if not isinstance(modes, list) or not modes:
            return []
        served.update(mode for mode in modes if isinstance(mode, str))
    wanted: list[tuple[SettingPath, object]] = [(("query", "mode"), query.get("mode", "standard"))]
    if query.get("thinking_from") is not None:
        wanted.append((("query", "thinking_from"), "thinking"))
    cameras = tree.value.get("cameras")
    for index, camera in enumerate(cameras if isinstance(cameras, list) else []):
        if isinstance(camera, dict) and camera.get("mode") is not None:
            wanted.append((("cameras", index, "mode"), camera["mode"]))
    missing = {"standard", "thinking"} - served
    return [(path, mode) for path, mode in wanted if isinstance(mode, str) and mode in missing]


def _number(tree: Tree, section: str, key: str) -> float:
    """As written, or the default; also the default where something else is written."""
    part = tree.value.get(section)
    value = part.get(key) if isinstance(part, dict) else None
    if isinstance(value, int | float):
        return value
    model = Config.model_fields[section].annotation
    assert isinstance(model, type)
    assert issubclass(model, BaseModel)
    return float(model.model_fields[key].default)
