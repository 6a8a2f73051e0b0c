"""The terminal: progress, thought and answer as they come on standard error; the result after.

What a model writes is shown as plain text: no markup, no control character of it reaches the
terminal.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from monitor.clock import utc
from monitor.domain import Explainer
from monitor.query.loose_json import NotJson, loads
from workers.asking.engine import TRAFFIC, Result
from workers.asking.seen import Progress as Tell
from workers.asking.span import shown

_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]+")
_READ_AGAIN_S: Final = 0.25
_THOUGHT_CHARS: Final = 600
_PARTIAL_MAX: Final = 20_000
_VERDICTS: Final = {"supported": "green", "contradicted": "red", "unverified": "yellow"}


class TerminalScreen:
    """The ``Screen`` of a person; silent where standard error is no terminal."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=console
        )
        self._task: TaskID | None = None
        self._live = Live(console=console, transient=True, refresh_per_second=8)
        self._thought = self._answer = ""
        self._partial: dict[str, Any] = {}
        self._read_s = 0.0

    @contextmanager
    def shown(self) -> Iterator[None]:
        """While the work goes on."""
        if not self._live.console.is_terminal:
            yield
            return
        with self._live:
            yield

    def step(self, text: str) -> Tell:
        if self._task is not None:
            self._progress.update(self._task, total=1.0, completed=1.0)
        task = self._task = self._progress.add_task(text, total=None)
        self._live.update(self._picture())

        def tell(share: float) -> None:
            self._progress.update(task, total=1.0, completed=share)

        return tell

    def delta(self, thought: str, answer: str) -> None:
        self._thought = (self._thought + thought)[-_THOUGHT_CHARS:]
        self._answer += answer
        now_s = time.monotonic()
        if now_s - self._read_s < _READ_AGAIN_S:
            return
        self._read_s = now_s
        if len(self._answer) <= _PARTIAL_MAX:
            try:
                self._partial = loads(self._answer)[0]
            except NotJson:
                self._partial = {}
        self._live.update(self._picture())

    def _picture(self) -> RenderableType:
        parts: list[RenderableType] = [self._progress]
        if self._thought:
            parts.append(Padding(Text(plain(self._thought), style="dim italic"), (1, 2)))
        for name, value in self._partial.items():
            parts.append(Text.assemble((f"{plain(name)}: ", "bold"), plain(_brief(value))))
        return Group(*parts)


def plain(text: str) -> str:
    """Without what could command a terminal."""
    return _CONTROL.sub(" ", text)


def report(result: Result, console: Console) -> None:
    """The result for a person."""
    console.print(Text(_headline(result), style="bold"))
    for note in (result.note, result.hint, *result.seen.notes):
        if note:
            console.print(Text(plain(note), style="yellow"))
    answer = result.answer
    if answer is None:
        console.print(Text(_nothing(result)))
        _measured(result, console)
        return
    if answer.thinking:
        console.print(Text("\nThought", style="bold"))
        for number, step in enumerate(answer.thinking, 1):
            console.print(Padding(Text(f"{number}. {plain(step)}", style="dim"), (0, 2)))
    console.print()
    console.print(Text.assemble(("Root cause  ", "bold"), plain(answer.root_cause)))
    verdicts = {one.claim: one.verdict.value for one in result.verification}
    if "root_cause" in verdicts:
        console.print(Padding(_verdict(verdicts["root_cause"]), (0, 0, 0, 12)))
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("when", "what", "who", "event", "measured"):
        table.add_column(name, header_style="bold", no_wrap=name == "when")
    for number, event in enumerate(answer.antecedents, 1):
        table.add_row(
            "not seen" if event.t_s is None else _when(result, event.t_s),
            event.kind.replace("_", " "), Text(plain(event.actor)), Text(plain(event.text)),
            _verdict(verdicts.get(f"antecedent_{number}", "")),  # type: ignore[call-overload]  # a Claim
        )  # fmt: skip
    console.print()
    console.print(table)
    console.print()
    for name, layer in (
        ("Environment", answer.chain.environment),
        ("Direct trigger", answer.chain.direct_trigger),
        ("Systemic weakness", answer.chain.systemic_weakness),
    ):
        console.print(Text.assemble((f"{name}  ", "bold"), plain(layer)))
    if answer.rules:
        console.print(Text.assemble(("Rules  ", "bold"), plain(", ".join(answer.rules))))
    console.print(Text.assemble(("Confidence  ", "bold"), f"{answer.confidence:.2f}"))
    _measured(result, console)


def _headline(result: Result) -> str:
    run, seen = result.run, result.seen
    length = shown((seen.window.end_ms - seen.window.start_ms) / 1000)
    where = f"{plain(seen.name)}, {length} from {_when(result, 0.0)}"
    if result.explainer is Explainer.QWEN3_VL and run is not None:
        tokens = "" if run.prompt_tokens is None else f", {run.prompt_tokens} tokens in"
        tokens += "" if run.output_tokens is None else f", {run.output_tokens} out"
        blind = ", blind" if result.asked.blind else f", {run.frames} pictures"
        return f"{plain(run.name)} ({run.mode}{blind}{tokens}, {run.latency_s:.1f} s) on {where}"
    if result.explainer is Explainer.EVIDENCE:
        return f"From measurements alone, not an answer to the question's words: {where}"
    return where


def _nothing(result: Result) -> str:
    if result.asked.profile not in TRAFFIC:
        return "There is no answer: only a model can give one to this profile."
    if not result.seen.measured:
        return "There is no answer: nothing was measured, and no model was asked."
    return "There is no answer: nothing was measured that looks like an incident."


def _measured(result: Result, console: Console) -> None:
    seen = result.seen
    if not seen.measured:
        return
    evidence = sorted(seen.evidence, key=lambda one: one.time_ms)
    strong = [one for one in evidence if one.strength >= 0.5][:20]
    console.print(Text(f"\nMeasured: {len(evidence)} observations", style="bold"))
    for one in strong:
        value = "" if one.value is None else f" {one.value:.2g} {one.unit}".rstrip()
        track = "" if one.track is None else f", track {one.track}"
        when = _when(result, seen.window.t_s(one.time_ms))
        console.print(Text(f"  {when}  {one.kind.value.replace('_', ' ')}{value}{track}"))


def _when(result: Result, t_s: float) -> str:
    start_ms = result.seen.window.start_ms
    if not result.seen.live:
        return shown(start_ms / 1000 + t_s)
    moment = utc(start_ms) + timedelta(seconds=t_s)
    return f"{moment:%H:%M:%S}.{moment.microsecond // 100_000} UTC"


def _verdict(word: str) -> Text:
    return Text(word, style=_VERDICTS.get(word, ""))


def _brief(value: object) -> str:
    if isinstance(value, dict):
        return "; ".join(_brief(one) for one in value.values())
    if isinstance(value, list):
        return "".join(f"\n  - {_brief(one)}" for one in value)
    return str(value)
