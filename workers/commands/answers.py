"""``causeway eval --answers``: what is said of labelled events, held against their labels."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast, get_args

from rich.console import Console

from monitor.clock import SystemClock
from monitor.config.endpoints import model_endpoints
from monitor.config.section import Mode
from monitor.query.rulebook import rulebook
from workers import exits
from workers.asking.patience import Patience
from workers.commands.ask import AskOptions, Usage, client_of, configured
from workers.commands.evaluate import clips_of, progress
from workers.evaluation import answers_report
from workers.evaluation.ablation import SECOND_LOOK, kinds_of
from workers.evaluation.answers_cases import About, Case, cases
from workers.evaluation.answers_figures import result
from workers.evaluation.answers_given import Asking, Given, from_evidence, from_model
from workers.evaluation.answers_score import Score, score
from workers.evaluation.figures import Run
from workers.evaluation.lead_in import Mode as LeadIn
from workers.evaluation.replay import Settings
from workers.evaluation.report import refuse_source_tree
from workers.evaluation.running import PHASES_MS, run_all

_DEADLINE_S: Final = 300.0
_WIDE: Final = 150  # columns, in a pipe or a file


@dataclass(frozen=True, slots=True)
class AnswerOptions:
    """As on the command line."""

    catalogue: Path
    clips: Path
    only: Sequence[str] = ()
    exclude: Sequence[str] = ()
    without: Sequence[str] = ()
    operating: float = 1.0
    lead_in: str = "auto"
    jobs: int | None = None
    about: str = "trigger"
    blind: bool = False
    endpoint: str | None = None
    model: str | None = None
    mode: str | None = None
    lang: str | None = None
    context: int | None = None
    frames: int | None = None
    deadline_s: float | None = None
    config: Path = Path("streams.yaml")
    report: Path | None = None
    html: Path | None = None
    json_out: bool = False


def evaluate_answers(options: AnswerOptions) -> int:
    """0 whatever the figures are; 2 for a wrong command line."""
    try:
        return _evaluate(options)
    except Usage as error:
        print(error, file=sys.stderr)
        return exits.USAGE


def _evaluate(options: AnswerOptions) -> int:
    if options.lead_in not in get_args(LeadIn):
        raise Usage(f"--lead-in: one of {', '.join(get_args(LeadIn))}")
    if options.about not in get_args(About):
        raise Usage(f"--about: one of {', '.join(get_args(About))}")
    if options.deadline_s is not None and not 1 <= options.deadline_s <= 3600:
        raise Usage("--deadline-s is from 1 to 3600")
    try:
        without = kinds_of(options.without)
    except ValueError as error:
        raise Usage(f"--without {error}") from error
    for option, path in (("--report", options.report), ("--html", options.html)):
        if path is not None:
            refuse_source_tree(path / "report.md" if path.is_dir() else path, option)
    asked = _asked(options)
    asking = _asking(asked, options)
    has_model = bool(model_endpoints(asking.config.query))
    if not has_model and (idle := _of_a_model(options)):
        raise Usage(f"{idle}: there is no model to ask; name one with --endpoint")
    entries = clips_of(options.catalogue, options.clips, options.only, options.exclude)
    settings = Settings(
        operating=options.operating, lead_in=cast(LeadIn, options.lead_in), without=without,
        second_looks=SECOND_LOOK not in options.without,
    )  # fmt: skip
    runs = run_all(entries, PHASES_MS[:1], settings, jobs=options.jobs, told=progress)
    scores = asyncio.run(_scored(runs, asked, asking, options, has_model=has_model))
    made = result(scores)
    if options.report is not None:
        answers_report.write_folder(options.report, scores, made)
        print(f"report: {options.report / 'report.md'}", file=sys.stderr)
    if options.html is not None:
        answers_report.write_html(options.html, scores, made)
        print(f"report: {options.html}", file=sys.stderr)
    if options.json_out:
        print(json.dumps(made, allow_nan=False, ensure_ascii=False))
    else:
        answers_report.show(made, Console(width=None if sys.stdout.isatty() else _WIDE))
    return exits.OK


def _of_a_model(options: AnswerOptions) -> str:
    """The options given that only a model's answer heeds."""
    given = {
        "--blind": options.blind or None, "--model": options.model, "--mode": options.mode,
        "--context": options.context, "--frames": options.frames,
        "--deadline-s": options.deadline_s,
    }  # fmt: skip
    return ", ".join(name for name, value in given.items() if value is not None)


def _deadline_s(options: AnswerOptions) -> float:
    return _DEADLINE_S if options.deadline_s is None else options.deadline_s


def _asked(options: AnswerOptions) -> AskOptions:
    """The part of it that ``causeway ask`` reads its settings from."""
    return AskOptions(
        target="", question=None, last=None, at=None, mode=options.mode, context=options.context,
        lang=options.lang, profile="incident", frames=options.frames, blind=options.blind,
        endpoint=options.endpoint, model=options.model, deadline_s=_deadline_s(options),
        config=options.config, json_out=options.json_out,
    )  # fmt: skip


def _asking(asked: AskOptions, options: AnswerOptions) -> Asking:
    config = configured(asked)
    mode = cast(Mode, options.mode or config.query.mode)
    return Asking(config, rulebook(config.site.jurisdiction), mode, _deadline_s(options))


async def _scored(
    runs: Sequence[Run], asked: AskOptions, asking: Asking, options: AnswerOptions, *,
    has_model: bool,
) -> list[Score]:  # fmt: skip
    query = asking.config.query

    def found(candidates: bool) -> list[Case]:
        return cases(
            runs, about=cast(About, options.about), candidates=candidates,
            pre_roll_s=query.pre_roll_s, post_roll_s=query.post_roll_s,
        )  # fmt: skip

    given: list[Given] = [from_evidence(case, asking) for case in found(False)]
    if has_model:
        async with AsyncExitStack() as resources:
            patience = Patience(asking.deadline_s, SystemClock())  # a question has its own
            client = await client_of(asking.config, asking.mode, asked, patience, resources)
            assert client is not None  # there is an endpoint
            for blind in (False, True) if options.blind else (False,):
                for number, case in enumerate(whole := found(True), 1):
                    given.append(await from_model(case, client, asking, SystemClock(), blind=blind))
                    _told(number, len(whole), blind)
    order = {run.entry.file: number for number, run in enumerate(runs)}
    given.sort(key=lambda one: (order[one.case.entry.file], one.case.label.start_s))
    return [score(one) for one in given]


def _told(number: int, of: int, blind: bool) -> None:
    if sys.stderr.isatty():
        end = "\n" if number == of else ""
        what = "blind answers" if blind else "answers"
        print(f"\r{number} of {of} {what}", end=end, file=sys.stderr, flush=True)
