"""The command line. Each command imports what it runs only when it runs, so that help is quick."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from monitor.errors import CausewayError, ConfigError
from workers import exits
from workers.cli_options import (
    STREAMS,
    AnswersAbout,
    AskMode,
    AskProfile,
    ConfigOption,
    JsonOption,
    Language,
    Level,
    LevelOption,
    Schema,
)

EPILOG = (
    "Exit status: 0 done; 1 it ran and the answer is no; 2 wrong usage; "
    "3 streams.yaml is wrong; 4 already running."
)
app = typer.Typer(
    name="causeway",
    help="Watches road intersections and says why an incident happened, with the evidence.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they show local variables, and those may hold passwords
    context_settings={"help_option_names": ["-h", "--help"]},
)


PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


@app.command()
def run(config: ConfigOption = STREAMS, log_level: LevelOption = Level.INFO) -> None:
    """Start and supervise everything on this machine."""
    from workers.commands.run import run as run_all

    raise typer.Exit(run_all(config, log_level.value))


@app.command()
def demo(
    once: Annotated[
        bool, typer.Option("--once", help="Print the first explained alert as JSON and end.")
    ] = False,
    video: Annotated[
        list[Path] | None, typer.Option("--video", help="Play this file; may be given again.")
    ] = None,
    scenario: Annotated[str, typer.Option(help="Which story the scene tells.")] = "rear_end",
    seed: Annotated[int, typer.Option(help="Which variant of it.")] = 0,
    port: Annotated[int, typer.Option(help="Of the dashboard, if it is free.")] = 8080,
    lang: Annotated[str, typer.Option(help="Language of the alerts: en or zh.")] = "en",
    timeout_s: Annotated[float, typer.Option(help="With --once: give up after so long.")] = 120.0,
    log_level: LevelOption = Level.WARNING,
) -> None:
    """Show it all at work on a rendered intersection, or on your own video files."""
    from workers.demo import DemoOptions
    from workers.demo import demo as show

    options = DemoOptions(
        tuple(video or ()), scenario, seed, port, lang, timeout_s, log_level.value
    )
    raise typer.Exit(show(options, once=once))


def _add_worker(name: str, about: str, *, hidden: bool = False) -> None:
    def command(config: ConfigOption = STREAMS, log_level: LevelOption = Level.INFO) -> None:
        from workers.commands.worker import run_worker

        raise typer.Exit(run_worker(name, config, log_level.value))

    app.command(name, help=about, hidden=hidden)(command)


_add_worker("ingest", "One worker: cameras into the rings.")
_add_worker("watch", "One worker: rings to evidence and incidents.")
_add_worker("analyse", "One worker: incidents to explained alerts.")
_add_worker("publish", "One worker: alerts to the archive and MQTT.")
_add_worker("dashboard", "One worker: the web app and the API.")
_add_worker("embedded-redis", "The Redis of `run` where none is configured.", hidden=True)
_add_worker("embedded-broker", "The broker of `run` where none is configured.", hidden=True)


@app.command()
def check(
    file: Annotated[Path | None, typer.Argument(help="Default: streams.yaml.")] = None,
    config: ConfigOption = STREAMS,
    json_out: JsonOption = False,
) -> None:
    """Say everything that is wrong with the configuration, and what to write instead."""
    from workers.commands.check import check as examine

    raise typer.Exit(examine(file or config, json_out=json_out))


@app.command()
def schema(
    what: Annotated[Schema, typer.Argument(help="alert or config")],
    markdown: Annotated[bool, typer.Option(help="Of config: its settings as tables.")] = False,
) -> None:
    """Print the JSON Schema of alerts or of the configuration."""
    from workers.commands.check import schema as show

    raise typer.Exit(show(what.value, markdown=markdown))


@app.command()
def doctor(config: ConfigOption = STREAMS, json_out: JsonOption = False) -> None:
    """Report versions, configuration and what answers; without any password."""
    from workers.doctor import doctor as examine

    raise typer.Exit(examine(config, json_out=json_out))


@app.command()
def health(
    worker: Annotated[str, typer.Argument(help="ingest, watch, analyse, publish or dashboard")],
    config: ConfigOption = STREAMS,
    max_age_s: Annotated[float, typer.Option(help="How old the last sign of life may be.")] = 15.0,
    json_out: JsonOption = False,
) -> None:
    """Say whether a worker is alive, for a container's health check."""
    from workers.commands.health import health as look

    raise typer.Exit(look(worker, config, max_age_s=max_age_s, json_out=json_out))


@app.command("eval")
def evaluate(
    catalogue: Annotated[Path, typer.Argument(metavar="CATALOG", help="Labels: docs/eval.md.")],
    clips: Annotated[Path, typer.Option(help="The folder of the clips.")],
    only: Annotated[str, typer.Option(help="These clips alone, with commas.")] = "",
    exclude: Annotated[str, typer.Option(help="Leave these out of the main set.")] = "",
    without: Annotated[str, typer.Option(help="Ignore these cues, with commas.")] = "",
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
    deadline_s: Annotated[float, typer.Option(help="For one answer of the model.")] = 300.0,
    report: Annotated[
        Path | None, typer.Option(help="With --answers: a folder for Markdown, JSON, pictures.")
    ] = None,
    config: ConfigOption = STREAMS,
    json_out: JsonOption = False,
) -> None:
    """Replay labelled clips through the real watch code and score what it finds or says."""
    if answers:
        from workers.commands.answers import AnswerOptions, evaluate_answers
        from workers.commands.evaluate import names as parts

        raise typer.Exit(
            evaluate_answers(
                AnswerOptions(
                    catalogue, clips, parts(only), parts(exclude), operating, lead_in,
                    jobs or None, about.value, blind, endpoint, model,
                    None if mode is None else mode.value, None if lang is None else lang.value,
                    context, frames, deadline_s, config, report, html, json_out,
                )
            )
        )  # fmt: skip
    if blind or endpoint or report:
        print("--blind, --endpoint and --report go with --answers", file=sys.stderr)
        raise typer.Exit(exits.USAGE)
    from workers.commands.evaluate import Options, names
    from workers.commands.evaluate import evaluate as replay

    options = Options(
        catalogue, clips, names(only), names(exclude), names(without), phases, operating,
        lead_in, jobs or None, html, compare, components, json_out,
    )  # fmt: skip
    raise typer.Exit(replay(options))


@app.command()
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


@app.command()
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


@app.command(context_settings=PASSED_ON)
def bench(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="Which; without one they are listed.")] = None,
    json_out: JsonOption = False,
) -> None:
    """Measure speed and memory on this machine, each figure beside its floor.

    `causeway bench NAME --options` lists what that one takes.
    """
    from workers.commands.bench import bench as measure
    from workers.commands.bench import names

    if name is None:
        print("\n".join(names()))
        raise typer.Exit(exits.OK)
    raise typer.Exit(measure(name, list(context.args), json_out=json_out))


@app.command(context_settings=PASSED_ON, add_help_option=False)
def scene(context: typer.Context) -> None:
    """Render a scenario of the crossing, with its ground truth; see `causeway scene --help`."""
    from monitor.scene.__main__ import main as render

    raise typer.Exit(render(list(context.args)))


@app.command("serve-rtsp", context_settings=PASSED_ON, add_help_option=False)
def serve_rtsp(context: typer.Context) -> None:
    """Play files as RTSP cameras; see `causeway serve-rtsp --help`."""
    from monitor.capture.rtsp_server.__main__ import main as serve

    raise typer.Exit(serve(list(context.args)))


def main() -> None:
    """The entry point: errors of ours become a message and an exit status, never a traceback."""
    try:
        app()
    except ConfigError as error:
        print(error, file=sys.stderr)
        sys.exit(exits.CONFIG)
    except CausewayError as error:
        from monitor.logs import Scrubber

        print(Scrubber()(str(error)), file=sys.stderr)
        sys.exit(exits.FAILED)


if __name__ == "__main__":
    main()
