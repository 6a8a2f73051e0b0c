"""The command line. Each command imports what it runs only when it runs, so that help is quick."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from monitor.errors import CausewayError, ConfigError
from workers import exits
from workers.cli_answers import ask, evaluate, vllm
from workers.cli_options import STREAMS, ConfigOption, JsonOption, Level, LevelOption, Schema

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


app.command("eval")(evaluate)
app.command()(ask)
app.command()(vllm)


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
