"""The options that commands share, and the words they take."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer


class Level(StrEnum):
    """How much is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class AskMode(StrEnum):
    """How the model answers."""

    STANDARD = "standard"
    THINKING = "thinking"


class Language(StrEnum):
    """Of an answer."""

    EN = "en"
    ZH = "zh"


class AskProfile(StrEnum):
    """What the model is told it is looking at."""

    WHY = "why"
    INCIDENT = "incident"
    DESCRIBE = "describe"
    SCREEN = "screen"


class AnswersAbout(StrEnum):
    """Who says that there was something to explain."""

    TRIGGER = "trigger"
    LABEL = "label"


class Schema(StrEnum):
    """What there is a JSON Schema of."""

    ALERT = "alert"
    CONFIG = "config"


ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", envvar="CAUSEWAY_CONFIG", help="The configuration.")
]
LevelOption = Annotated[
    Level, typer.Option("--log-level", envvar="CAUSEWAY_LOG_LEVEL", help="How much to log.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
STREAMS: Final = Path("streams.yaml")
