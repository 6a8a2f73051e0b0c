"""Whether the configured detectors can be opened and understood, for ``causeway check``."""

from __future__ import annotations

from pathlib import Path

from monitor.clock import SystemClock
from monitor.config.loader import place
from monitor.config.models import Config, DetectorSettings
from monitor.config.problems import Path as SettingPath
from monitor.config.problems import Problem, dotted
from monitor.errors import DetectorError


def try_detectors(path: Path, config: Config) -> tuple[list[str], list[Problem]]:
    """Open each configured detector once: what it is, and what is wrong with it."""
    found: list[str] = []
    problems: list[Problem] = []
    for settings, setting in _configured(config).items():
        # It costs a second, and most configurations have none.
        from monitor.trigger.detector import Detector

        try:
            detector = Detector(settings, SystemClock())
        except DetectorError as error:
            problems.append(Problem(place(path, setting), dotted(setting), str(error)))
            continue
        slow = "" if detector.spent_ms <= settings.budget_ms else "; slower than its budget_ms"
        found.append(f"{dotted(setting)}: {detector}{slow}")
    problems.sort(key=lambda one: (one.position.line or 0, one.position.column or 0))
    return found, problems


def _configured(config: Config) -> dict[DetectorSettings, SettingPath]:
    """Each different detector, and the setting that names its file."""
    sections: list[tuple[DetectorSettings | None, SettingPath]] = [
        (config.detector, ("detector", "model")),
        *(
            (camera.detector, ("cameras", index, "detector", "model"))
            for index, camera in enumerate(config.cameras)
        ),
    ]
    named: dict[DetectorSettings, SettingPath] = {}
    for section, setting in sections:
        if section is not None and section.model is not None:
            named.setdefault(section, setting)
    return named
