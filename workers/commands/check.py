"""``causeway check`` and ``causeway schema``: is the file right, and what may stand in it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from monitor.config.loader import examine
from monitor.config.models import Config
from workers import exits
from workers.commands.detectors import try_detectors
from workers.commands.masks import masked_cameras
from workers.commands.rules import misplaced_rules, remarks


def check(path: Path, *, json_out: bool) -> int:
    """Print every problem, or how much the file configures. Detectors are opened and tried."""
    config, problems = examine(path)
    detectors: list[str] = []
    if config is not None and not problems:
        detectors, problems = try_detectors(path, config)
        problems = [*misplaced_rules(path, config), *masked_cameras(path, config), *problems]
    if json_out:
        found = [
            {**asdict(problem.position), "setting": problem.setting, "message": problem.message}
            for problem in problems
        ]
        print(json.dumps({"file": str(path), "ok": not found, "problems": found}, indent=2))
    elif problems:
        for problem in problems:
            print(problem)
        noun = "problem" if len(problems) == 1 else "problems"
        print(f"{len(problems)} {noun}. docs/configuration.md describes every setting.")
    elif config is not None:
        count = len(config.cameras)
        cameras = "1 camera" if count == 1 else f"{count} cameras"
        print(f"{path}: in order; site {config.site.id}, {cameras}")
        for line in (*remarks(config), *detectors):
            print(line)
    return exits.CONFIG if problems else exits.OK


def config_schema() -> dict[str, Any]:
    """The JSON Schema of streams.yaml, for editors and other tools."""
    schema: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Config.model_json_schema(mode="validation"),
    }
    return schema


def schema(what: str, *, markdown: bool) -> int:
    """Print the JSON Schema of ``alert`` or ``config``, or config's settings as Markdown."""
    if what == "alert":
        from monitor.alert.schema import alert_schema

        print(json.dumps(alert_schema(), indent=2, ensure_ascii=False))
    elif markdown:
        from monitor.config.document import settings_markdown

        print(settings_markdown(), end="")
    else:
        print(json.dumps(config_schema(), indent=2, ensure_ascii=False))
    return exits.OK
