"""Rendered crashes through the watch code; what came of each is kept beside its film.

For each film its replay, and what the second look measures at the contact that the truth names.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from monitor.domain import Evidence
from workers.bench._explain_truth import look
from workers.bench._hours_segment import code_key
from workers.evaluation.catalogue import Entry, Label
from workers.evaluation.figures import Run
from workers.evaluation.found import Replay
from workers.evaluation.replay import Settings, replay
from workers.evaluation.running import PHASES_MS

Look = Callable[[Entry, Label], tuple[Evidence, ...]]
Seen = tuple[Replay, tuple[Evidence, ...]]
_KEPT: TypeAdapter[tuple[str, Seen]] = TypeAdapter(tuple[str, Seen])


def kept_path(video: Path) -> Path:
    """Where a film's replay is kept."""
    return video.with_name(video.name + ".replayed.json")


def watched(entry: Entry, play: Callable[..., Replay] = replay, look_at: Look = look) -> Seen:
    """What is kept, if it is of this code and film; else anew, which is then kept."""
    film = entry.path.stat()
    key = f"{code_key()}-{film.st_size}-{film.st_mtime_ns}"
    path = kept_path(entry.path)
    try:
        known, found = _KEPT.validate_json(path.read_bytes())
        if known == key:
            return found
    except (OSError, ValidationError):
        pass  # none yet, or of another version: made anew
    label = next((one for one in entry.scored if one.incident_type), None)
    made = play(entry, PHASES_MS[0], Settings()), () if label is None else look_at(entry, label)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.write_bytes(_KEPT.dump_json((key, made)))
    os.replace(part, path)
    return made


def run(
    entries: Sequence[Entry], jobs: int | None, told: Callable[[int, int], None]
) -> list[tuple[Run, tuple[Evidence, ...]]]:
    """All films in order; a run that was stopped goes on where it was."""
    made: list[Seen] = []
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(jobs or os.cpu_count() or 1, mp_context=context) as pool:
        for number, seen in enumerate(pool.map(watched, entries), 1):
            made.append(seen)
            told(number, len(entries))
    return [
        (Run(entry, (replay,)), at_truth)
        for entry, (replay, at_truth) in zip(entries, made, strict=True)
    ]
