"""``causeway demo``: the whole chain on this machine, with a camera of our own.

A rendered crossing (or the user's own files) is played over real RTSP; ingest, watch, analyse,
publish and the dashboard run under the supervisor as in production. ``--once`` ends with the
first explained alert as one line of JSON on standard output; all else goes to standard error.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

from monitor.config import endpoints
from monitor.config.environment import PREFIX
from monitor.config.loader import load
from monitor.config.models import Config
from workers import exits
from workers.commands.run import connects_to_port, line_printer, specs
from workers.commands.worker import SUPERVISED, serve, start_logging
from workers.data_dir_lock import AlreadyRunningError, DataDirLock
from workers.demo_alerts import alerts, describe
from workers.demo_videos import DemoVideo, own_videos, say, scene_video
from workers.supervisor import STOP_BUDGET_S, ProcessSpec, Supervisor

SITE: Final = "demo"
_TRIES: Final = 20


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the command line says."""

    videos: tuple[Path, ...] = ()
    scenario: str = "rear_end"
    seed: int = 0
    port: int = 8080
    lang: str = "en"
    timeout_s: float = 120.0
    log_level: str = "warning"


def demo(options: DemoOptions, *, once: bool) -> int:
    """Run until interrupted, or with ``once`` until the first explained alert."""
    folder = demo_folder()
    cache = folder / "videos"
    videos = (
        own_videos(cache, options.videos)
        if options.videos
        else [scene_video(cache, options.scenario, options.seed)]
    )
    with ExitStack() as held:
        run_folder = _claim(folder, held)
        environ = {k: v for k, v in os.environ.items() if not k.startswith(PREFIX)}
        config_path = run_folder / "streams.yaml"
        camera_port = free_port(8554)
        document = demo_config(videos, camera_port, options, run_folder)
        with config_path.open("w") as file:
            YAML(typ="safe", pure=True).dump(document, file)
        config = load(config_path, environ)
        start_logging("demo", config, options.log_level)
        return asyncio.run(_run(config, config_path, videos, camera_port, environ, options, once))


def demo_folder() -> Path:
    """``var/demo`` here, or in the user's cache where this folder cannot be written."""
    here = Path.cwd()
    if os.access(here, os.W_OK):
        return here / "var" / "demo"
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "causeway" / "demo"


def demo_config(
    videos: Sequence[DemoVideo], camera_port: int, options: DemoOptions, folder: Path
) -> dict[str, Any]:
    """The demo's streams.yaml; ports that are taken are replaced by free ones."""
    dashboard_port = free_port(options.port)
    return {
        "site": {"id": SITE, "name": "Causeway demo", "lang": options.lang},
        "data_dir": str(folder),
        "cameras": [
            {
                "id": video.camera,
                "name": video.name,
                "url": f"rtsp://127.0.0.1:{camera_port}/{video.camera}",
                "calibration": list(video.calibration),
            }
            for video in videos
        ],
        "mqtt": {"embedded_port": free_port(18830, avoid={dashboard_port})},
        "dashboard": {"port": dashboard_port},
    }


def free_port(wanted: int, avoid: frozenset[int] | set[int] = frozenset()) -> int:
    """The wanted port of 127.0.0.1, or some other that nobody listens on."""
    for port in (wanted, *[0] * _TRIES):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except (OSError, OverflowError):
                continue
            found = int(probe.getsockname()[1])
        if found not in avoid:
            return found
    raise AlreadyRunningError("no free port was found on 127.0.0.1")


def _claim(folder: Path, held: ExitStack) -> Path:
    """A data folder no other demo uses now: demos may run side by side."""
    for number in range(1, _TRIES):
        candidate = folder / ("run" if number == 1 else f"run-{number}")
        try:
            held.enter_context(DataDirLock(candidate))
        except AlreadyRunningError:
            continue
        return candidate
    raise AlreadyRunningError(f"{_TRIES} demos run in {folder} already")


async def _run(
    config: Config,
    config_path: Path,
    videos: Sequence[DemoVideo],
    camera_port: int,
    environ: Mapping[str, str],
    options: DemoOptions,
    once: bool,
) -> int:
    wanted = [
        spec
        for spec in specs(config, config_path, options.log_level)
        if not (once and spec.name == "dashboard")
    ]
    supervisor = Supervisor(
        specs=[camera_spec(videos, camera_port), *wanted],
        print_line=line_printer(()),
        status_path=endpoints.run_dir(config) / "supervisor.json",
        env={**environ, SUPERVISED: "1", "PYTHONUNBUFFERED": "1"},
    )
    found: list[str] = []
    told = await serve(
        lambda stop: _show(supervisor, config, videos, options, once, stop, found),
        grace_s=STOP_BUDGET_S + 2.0,
    )
    if not once:
        return exits.OK
    if found:
        print(found[0], flush=True)
        return exits.OK
    if not told:
        say(f"No explained alert came within {options.timeout_s:g} s.")
        for line in supervisor.summary():
            say(f"  {line}")
        say("More is shown with: causeway demo --once --log-level info")
    return exits.FAILED


async def _show(
    supervisor: Supervisor,
    config: Config,
    videos: Sequence[DemoVideo],
    options: DemoOptions,
    once: bool,
    stop: asyncio.Event,
    found: list[str],
) -> None:
    """Supervise until told to stop, tell of alerts meanwhile, end early with ``once``."""
    ending = asyncio.Event()
    running = asyncio.create_task(supervisor.run(ending), name="supervisor")
    told = asyncio.create_task(stop.wait(), name="told to stop")
    telling = asyncio.create_task(_tell(config, once, found), name="alerts")
    try:
        if once:
            known = [v.contact_s for v in videos if v.contact_s is not None]
            when = f"; the crash comes {known[0]:.0f} s into the scene" if known else ""
            say(f"Waiting for the first explained alert{when} ...")
            timeout = options.timeout_s
        else:
            say(_welcome(config))
            timeout = None
        await asyncio.wait(
            {running, told, telling}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED
        )
    finally:
        telling.cancel()
        told.cancel()
        ending.set()
        await asyncio.wait({running})
        await asyncio.gather(telling, told, return_exceptions=True)
    for task in (running, telling):
        if not task.cancelled():
            task.result()  # raises what broke it


async def _tell(config: Config, once: bool, found: list[str]) -> None:
    address = endpoints.mqtt_address(config)
    async for text in alerts(*address, config.mqtt.topic_prefix, SITE):
        said, explained = describe(text)
        say(said)
        if once and explained:
            found.append(text)
            return


def camera_spec(videos: Sequence[DemoVideo], port: int) -> ProcessSpec:
    """The process that plays the files over RTSP."""
    command = [sys.executable, "-m", "workers.demo_camera", str(port)]
    for video in videos:
        command += [video.camera, str(video.path)]
    return ProcessSpec("camera", tuple(command), 0, connects_to_port("127.0.0.1", port))


def _welcome(config: Config) -> str:
    return f"""
Causeway is starting. Open  http://127.0.0.1:{config.dashboard.port}

  A camera is played in a loop: {", ".join(camera.name for camera in config.cameras)}.
  Seconds after an incident a provisional alert appears here and on the dashboard; some ten
  seconds later it turns into the explained one, with its cause and three antecedents.
  Subscribers: mosquitto_sub -h 127.0.0.1 -p {config.mqtt.embedded_port} -t 'causeway/#'

End with Ctrl-C.
"""
