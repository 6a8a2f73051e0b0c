"""One thing that is wrong with the configuration, and where."""

from __future__ import annotations

from dataclasses import dataclass

Path = tuple[str | int, ...]
"""Where a setting is: ``("cameras", 0, "url")``."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a problem is written: a file with line and column from 1, or a variable's name."""

    source: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        if self.line is None:
            return self.source
        return f"{self.source}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, in a sentence that says what to write instead; never a secret's value."""

    position: Position
    setting: str  # dotted, "" where it is about the file as a whole
    message: str

    def __str__(self) -> str:
        about = f"{self.setting}: " if self.setting else ""
        return f"{self.position}: {about}{self.message}"


def dotted(path: Path) -> str:
    """``("cameras", 0, "url")`` as a person writes it: ``cameras[0].url``."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step}" if text else step
    return text
