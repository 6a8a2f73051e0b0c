"""All clips at all phases, on all cores."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from typing import Final

from monitor.errors import CatalogueError, MediaError
from workers.evaluation.catalogue import Entry
from workers.evaluation.figures import Run
from workers.evaluation.found import Replay
from workers.evaluation.replay import Settings, replay

PHASES_MS: Final = (0, 33, 66)
"""Later starts of looking: other pictures are looked at."""

Replayer = Callable[[Entry, int, Settings], Replay]


def run_all(
    entries: Sequence[Entry],
    phases_ms: Sequence[int],
    settings: Settings,
    *,
    jobs: int | None = None,
    told: Callable[[int, int], None] = lambda done, of: None,
    replayer: Replayer = replay,
) -> list[Run]:
    """Replays in the order of the entries; ``told`` hears how far it is.

    ``CatalogueError`` names every clip that cannot be read, after all others were tried.
    """
    work = [(entry, phase_ms) for entry in entries for phase_ms in phases_ms]
    made: dict[tuple[str, int], Replay] = {}
    unreadable: dict[str, str] = {}
    for number, ((entry, phase_ms), outcome) in enumerate(
        _replays(work, settings, jobs or os.cpu_count() or 1, replayer), 1
    ):
        if isinstance(outcome, Replay):
            made[entry.file, phase_ms] = outcome
        else:
            unreadable[entry.file] = str(outcome)
        told(number, len(work))
    if unreadable:
        raise CatalogueError(
            "clips that cannot be read:\n  "
            + "\n  ".join(f"{file}: {why}" for file, why in sorted(unreadable.items()))
        )
    return [
        Run(entry, tuple(made[entry.file, phase_ms] for phase_ms in phases_ms)) for entry in entries
    ]


Outcome = Replay | MediaError


def _replays(
    work: Sequence[tuple[Entry, int]], settings: Settings, jobs: int, replayer: Replayer
) -> Iterator[tuple[tuple[Entry, int], Outcome]]:
    if jobs == 1:
        for entry, phase_ms in work:
            yield (entry, phase_ms), _outcome(replayer, entry, phase_ms, settings)
        return
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["workers.evaluation.replay"])
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        # The longest first, so that the cores end together.
        order = sorted(work, key=lambda one: one[0].path.stat().st_size, reverse=True)
        waiting: dict[Future[Outcome], tuple[Entry, int]] = {
            pool.submit(_outcome, replayer, entry, phase_ms, settings): (entry, phase_ms)
            for entry, phase_ms in order
        }
        for future in as_completed(waiting):
            yield waiting[future], future.result()


def _outcome(replayer: Replayer, entry: Entry, phase_ms: int, settings: Settings) -> Outcome:
    try:
        return replayer(entry, phase_ms, settings)
    except MediaError as error:
        return error
