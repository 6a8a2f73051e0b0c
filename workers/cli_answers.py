"""The commands about answers: getting one, scoring them, and the server that gives them.

Only their options; each imports what it runs when it runs. ``cli`` gives them their names.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from workers import exits
from workers.cli_options import (
    STREAMS,
    AnswersAbout,
    AskMode,
    AskProfile,
    ConfigOption,
    JsonOption,
    Language,
)

_FOR_ANSWERS: Final = (
    "about", "endpoint", "model", "mode", "lang", "context", "frames", "blind", "deadline_s",
    "report", "config",
)  # fmt: skip
_FOR_DETECTION: Final = ("phases", "compare", "components")


def _idle(context: typer.Context, names: Sequence[str]) -> str:
    """Which of some options are on the command line; where they mean nothing they are refused."""
    return ", ".join(
        next(one for one in _typed(context, parameter) if one.startswith("--"))
        for parameter in context.command.params
        if parameter.name in names
        and (source := context.get_parameter_source(parameter.name)) is not None
        and source.name == "COMMANDLINE"
    )


def _typed(context: typer.Context, parameter: Any) -> list[str]:
    """Its names; of a pair like ``--components``, ``--no-components`` the one that was meant."""
    meant_no = parameter.secondary_opts and context.params[parameter.name] is False
    names: list[str] = parameter.secondary_opts if meant_no else parameter.opts
    return names


def evaluate(
    called: typer.Context,
    catalogue: Annotated[Path, typer.Argument(metavar="CATALOG", help="Labels: docs/eval.md.")],
    clips: Annotated[Path, typer.Option(help="The folder of the clips.")],
    only: Annotated[str, typer.Option(help="These clips alone, with commas.")] = "",
    exclude: Annotated[str, typer.Option(help="Leave these out of the main set.")] = "",
    without: Annotated[str, typer.Option(help="Leave these cues out, with commas.")] = "",
    phases: Annotated[int, typer.Option(min=1, max=3, help="Sampling phases.")] = 3,
    operating: Annotated[
        float, typer.Option(min=0.25, max=10, help="The raw score of a candidate.")
    ] = 1.0,
    lead_in: Annotated[
        str, typer.Option(help="Before a short clip: auto, hold, loop or none.")
    ] = "auto",
    jobs: Annotated[int, typer.Option(min=0, help="Processes; 0: one per core.")] = 0,
    html: Annotated[Path | None, typer.Option(help="Write a report with pictures here.")] = None,
    compare: Annotated[
        Path | None, typer.Option(help="The --json of another run to set beside this one.")
    ] = None,
    components: Annotated[
        bool, typer.Option(help="Say what of the time goes where; takes longer.")
    ] = True,
    answers: Annotated[
        bool, typer.Option("--answers", help="Score what is said of the events, not what is found.")
    ] = False,
    about: Annotated[
        AnswersAbout, typer.Option(help="With --answers: who says that there is something.")
    ] = AnswersAbout.TRIGGER,
    endpoint: Annotated[
        str | None, typer.Option(help="With --answers: http://.../v1 of a model to ask as well.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="As the server names it.")] = None,
    mode: Annotated[AskMode | None, typer.Option(help="Default: query.mode.")] = None,
    lang: Annotated[Language | None, typer.Option(help="Default: site.lang.")] = None,
    context: Annotated[int | None, typer.Option(help="Tokens of a query at most.")] = None,
    frames: Annotated[int | None, typer.Option(help="Pictures at most, in pairs.")] = None,
    blind: Annotated[
        bool, typer.Option("--blind", help="Ask the model without pictures, too.")
    ] = False,
    deadline_s: Annotated[
        float | None, typer.Option(help="For one answer of the model; default: 300.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="With --answers: a folder for Markdown, JSON, pictures.")
    ] = None,
    config: ConfigOption = STREAMS,
    json_out: JsonOption = False,
) -> None:
    """Replay labelled clips through the real watch code and score what it finds or says."""
    idle = _idle(called, _FOR_DETECTION if answers else _FOR_ANSWERS)
    if idle:
        how = "do not go" if "," in idle else "does not go"
        print(f"{idle} {how} {'with' if answers else 'without'} --answers", file=sys.stderr)
        raise typer.Exit(exits.USAGE)
    if answers:
        from workers.commands.answers import AnswerOptions, evaluate_answers
        from workers.commands.evaluate import names as parts

        raise typer.Exit(
            evaluate_answers(
                AnswerOptions(
                    catalogue, clips, parts(only), parts(exclude), parts(without), operating,
                    lead_in, jobs or None, about.value, blind, endpoint, model,
                    None if mode is None else mode.value, None if lang is None else lang.value,
                    context, frames, deadline_s, config, report, html, json_out,
                )
            )
        )  # fmt: skip
    from workers.commands.evaluate import Options, names
    from workers.commands.evaluate import evaluate as replay

    options = Options(
        catalogue, clips, names(only), names(exclude), names(without), phases, operating,
        lead_in, jobs or None, html, compare, components, json_out,
    )  # fmt: skip
    raise typer.Exit(replay(options))


def ask(
    target: Annotated[str, typer.Argument(metavar="FILE|CAMERA", help="A video, picture or id.")],
    question: Annotated[
        str | None, typer.Argument(help="What you want to know; `-` reads it from standard input.")
    ] = None,
    last: Annotated[str | None, typer.Option(help="Only the end: 3m, 90s.")] = None,
    at: Annotated[str | None, typer.Option(help="Of a file: around this moment: 1:23.5.")] = None,
    mode: Annotated[AskMode | None, typer.Option(help="Default: query.mode.")] = None,
    context: Annotated[int | None, typer.Option(help="Tokens of the query at most.")] = None,
    lang: Annotated[Language | None, typer.Option(help="Default: site.lang.")] = None,
    profile: Annotated[AskProfile, typer.Option(help="What is looked at.")] = AskProfile.WHY,
    frames: Annotated[int | None, typer.Option(help="Pictures at most, in pairs.")] = None,
    blind: Annotated[bool, typer.Option("--blind", help="Send no pictures.")] = False,
    endpoint: Annotated[
        str | None, typer.Option(help="http://.../v1, its key in CAUSEWAY_API_KEY.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="As the server names it.")] = None,
    deadline_s: Annotated[float, typer.Option(help="For the model's answer.")] = 300.0,
    config: ConfigOption = STREAMS,
    json_out: JsonOption = False,
) -> None:
    """Ask why about a video file, a picture or a camera's last minutes."""
    from workers.commands.ask import AskOptions
    from workers.commands.ask import ask as put

    options = AskOptions(
        target, question, last, at, None if mode is None else mode.value, context,
        None if lang is None else lang.value, profile.value, frames, blind, endpoint, model,
        deadline_s, config, json_out,
    )  # fmt: skip
    raise typer.Exit(put(options))


def vllm(
    model: Annotated[str | None, typer.Argument(help="Default: Qwen/Qwen3-VL-2B-Instruct.")] = None,
    print_only: Annotated[
        bool, typer.Option("--print", help="Show the command, do not start it.")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Ask a running server.")] = False,
    endpoint: Annotated[
        str | None, typer.Option(help="To check; its key in CAUSEWAY_API_KEY.")
    ] = None,
    context: Annotated[int | None, typer.Option(help="Tokens; default: what fits.")] = None,
    memory_gb: Annotated[
        float | None, typer.Option(min=1, help="Of a GPU that is not here.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
    config: ConfigOption = STREAMS,
    json_out: JsonOption = False,
) -> None:
    """Start vLLM with the flags for this GPU and model; --print shows, --check asks a server."""
    from workers.commands.vllm import VllmOptions
    from workers.commands.vllm import vllm as serve

    options = VllmOptions(
        model, print_only, check, endpoint, context, memory_gb, host, port, config, json_out
    )
    raise typer.Exit(serve(options))
