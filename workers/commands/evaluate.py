"""``causeway eval``: replay a catalogue, print or keep what was found."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, get_args

import av
from rich.console import Console

from monitor.errors import CatalogueError, CausewayError
from workers import exits
from workers.demo_videos import playable
from workers.evaluation import components, report, table
from workers.evaluation.ablation import SECOND_LOOK, kinds_of
from workers.evaluation.catalogue import Entry, load
from workers.evaluation.compare import differences, read
from workers.evaluation.lead_in import Mode
from workers.evaluation.replay import Settings
from workers.evaluation.result import result
from workers.evaluation.running import PHASES_MS, run_all
from workers.evaluation.table import show

_WIDE: Final = 170  # columns, in a pipe or a file
_OVER_S: Final = 1.0  # a label may be so rounded


@dataclass(frozen=True, slots=True)
class Options:
    """As on the command line."""

    catalogue: Path
    clips: Path
    only: Sequence[str] = ()
    exclude: Sequence[str] = ()
    without: Sequence[str] = ()
    phases: int = len(PHASES_MS)
    operating: float = 1.0
    lead_in: str = "auto"
    jobs: int | None = None
    html: Path | None = None
    compare: Path | None = None
    components: bool = True
    json_out: bool = False


def evaluate(options: Options) -> int:
    """0 whatever the figures are; they are for a person or a script to judge."""
    if options.lead_in not in get_args(Mode):
        print(f"--lead-in: one of {', '.join(get_args(Mode))}", file=sys.stderr)
        return exits.USAGE
    try:
        without = kinds_of(options.without)
    except ValueError as error:
        print(f"--without {error}", file=sys.stderr)
        return exits.USAGE
    entries = clips_of(options.catalogue, options.clips, options.only, options.exclude)
    before = None if options.compare is None else read(options.compare)
    if options.html is not None:
        report.refuse_source_tree(options.html)
    settings = Settings(
        operating=options.operating,
        lead_in=options.lead_in,  # type: ignore[arg-type]  # checked above
        without=without,
        second_looks=SECOND_LOOK not in options.without,
        looks=options.html is not None,
    )
    runs = run_all(entries, PHASES_MS[: options.phases], settings, jobs=options.jobs, told=progress)
    made: dict[str, Any] = result(runs)
    if options.components:
        chosen = components.representative(entries)
        made["cost"]["by_module_on"] = chosen.file
        made["cost"]["by_module"] = components.by_module(chosen, settings)
    if options.html is not None:
        report.write(options.html, runs, made)
        print(f"report: {options.html}", file=sys.stderr)
    changes = [] if before is None else differences(before, made)
    if options.json_out:
        if before is not None:
            made["differences"] = [asdict(one) for one in changes]
        print(json.dumps(made, allow_nan=False))
    else:
        console = Console(width=None if sys.stdout.isatty() else _WIDE)
        show(made, console)
        if options.compare is not None:
            table.differences(changes, options.compare, console)
    return exits.OK


def clips_of(
    path: Path, clips: Path, only: Sequence[str] = (), exclude: Sequence[str] = ()
) -> tuple[Entry, ...]:
    """The entries to play, ready to be played; remarks go to standard error."""
    catalogue = load(path, clips, exclude)
    for remark in catalogue.remarks:
        print(remark, file=sys.stderr)
    entries = catalogue.entries
    if only:
        wanted = {name.removesuffix(".mp4") for name in only}
        entries = tuple(e for e in entries if e.file.removesuffix(".mp4") in wanted)
        missing = sorted(wanted - {e.file.removesuffix(".mp4") for e in entries})
        if missing:
            raise CatalogueError(f"{path}: --only {', '.join(missing)}: there is no such clip")
    return prepared(entries, scratch())


def scratch() -> Path:
    """Where copies of clips may lie: outside any source tree."""
    return Path(tempfile.gettempdir()) / f"causeway-eval-{os.getuid()}"


def prepared(entries: Sequence[Entry], cache: Path) -> tuple[Entry, ...]:
    """With H.264 copies in ``cache`` where a clip is of a codec that no camera sends."""
    made, problems = [], []
    for entry in entries:
        try:
            made.append(replace(entry, path=playable(cache, entry.path)))
        except CausewayError as error:
            problems.append(str(error))
            continue
        length_s = lasts_s(entry.path)
        for label in entry.labels:
            if length_s and label.end_s > length_s + _OVER_S:
                print(
                    f"{entry.file}: {label.type} ends at {label.end_s:.2f} s, after the clip's end"
                    f" ({length_s:.2f} s)",
                    file=sys.stderr,
                )
        problems += [
            f"{entry.file}: {label.type} at {label.start_s:.2f} s begins after the clip's end"
            f" ({length_s:.2f} s)"
            for label in entry.labels
            if length_s and label.start_s > length_s
        ]
    if problems:
        raise CatalogueError("\n".join(problems))
    return tuple(made)


def lasts_s(path: Path) -> float:
    """As its container says; 0 where it does not."""
    with av.open(str(path)) as container:
        return (container.duration or 0) / av.time_base


def names(text: str) -> tuple[str, ...]:
    """Parts between commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def progress(done: int, of: int) -> None:
    """On a terminal: how many replays are done."""
    end = "\n" if done == of else ""
    if sys.stderr.isatty():
        print(f"\r{done} of {of} replays", end=end, file=sys.stderr, flush=True)
