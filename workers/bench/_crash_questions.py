"""The questions that the crash films lead to, as analyse would ask them after the real watch code.

Called by ``bench sampling``. A film whose crash opens no incident that a model is asked about (an
alert, or a candidate that no second look could judge) leads to no question.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from monitor.config.asking import Query
from monitor.domain import Window
from monitor.scene.hours import crash
from workers.analysis.media import important_times_ms
from workers.bench._explain_replays import run
from workers.bench.explain import rendered
from workers.commands.evaluate import clips_of, progress
from workers.evaluation.answers_cases import Case, cases
from workers.evaluation.answers_score import counted
from workers.evaluation.lead_in import START_MS, units_of


@dataclass(frozen=True, slots=True)
class Question:
    """In the film's own ms."""

    path: Path
    antecedents_s: tuple[float, ...]
    window: Window
    important_ms: list[int]  # most important first
    times_ms: list[int]  # of the pictures that there are


def crash_questions(folder: Path, seeds: range, jobs: int | None) -> Iterator[Question]:
    """Of every kind of crash and seed; films and replays are made where they are missing."""
    query = Query()
    for kind in crash.KINDS if seeds else ():
        films = folder / kind
        entries = clips_of(films, films, only=rendered(films, kind, seeds, make=True))
        for one, _ in run(entries, jobs, progress):
            for case in cases(
                [one], about="trigger", candidates=True,
                pre_roll_s=query.pre_roll_s, post_roll_s=query.post_roll_s,
            ):  # fmt: skip
                units, _ = units_of(one.entry.path)
                made = question(case, [unit.capture_ms for unit in units])
                if made is not None:
                    yield made


def question(case: Case, pictures_ms: Sequence[int]) -> Question | None:
    """``pictures_ms``: the film's pictures as it was replayed. None: nobody asks, or no label."""
    labelled_s = tuple(sorted({each.t_s for each in counted(case.label)}))
    if case.incident is None or not labelled_s:
        return None
    start_ms, end_ms = case.window.start_ms, case.window.end_ms
    return Question(
        case.entry.path,
        labelled_s,
        Window(start_ms - START_MS, end_ms - START_MS),
        [ms - START_MS for ms in important_times_ms(case.incident, case.evidence)],
        sorted(ms - START_MS for ms in pictures_ms if start_ms <= ms <= end_ms),
    )
