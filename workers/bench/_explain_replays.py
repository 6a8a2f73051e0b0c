"""Rendered crashes through the watch code; what came of each is kept beside its film."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from workers.bench._hours_segment import code_key
from workers.evaluation.catalogue import Entry
from workers.evaluation.figures import Run
from workers.evaluation.found import Replay
from workers.evaluation.replay import Settings, replay
from workers.evaluation.running import PHASES_MS, run_all

_REPLAYS: TypeAdapter[tuple[str, Replay]] = TypeAdapter(tuple[str, Replay])


def kept_path(video: Path) -> Path:
    """Where a film's replay is kept."""
    return video.with_name(video.name + ".replayed.json")


def replayed(
    entry: Entry, phase_ms: int, settings: Settings, play: Callable[..., Replay] = replay
) -> Replay:
    """The kept replay if it is of this code and film, else a new one, which is then kept."""
    key = f"{code_key()}-{entry.path.stat().st_size}-{entry.path.stat().st_mtime_ns}"
    path = kept_path(entry.path)
    try:
        known, found = _REPLAYS.validate_json(path.read_bytes())
        if known == key:
            return found
    except (OSError, ValidationError):
        pass  # none yet, or of another version: made anew
    made = play(entry, phase_ms, settings)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.write_bytes(_REPLAYS.dump_json((key, made)))
    os.replace(part, path)
    return made


def run(entries: Sequence[Entry], jobs: int | None, told: Callable[[int, int], None]) -> list[Run]:
    """All films; a run that was stopped goes on where it was."""
    return run_all(entries, PHASES_MS[:1], Settings(), jobs=jobs, told=told, replayer=replayed)
