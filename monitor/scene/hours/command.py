"""``causeway scene --hours N``: renders hours of traffic into a folder of segments."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from monitor.errors import SceneError
from monitor.scene.hours.incidents import KINDS
from monitor.scene.hours.segments import RATE_FPS, SEGMENT_S, SIZE, Plan, missing, render_all
from monitor.scene.hours.weather import CONDITIONS

FOLDER: Final = Path("var/hours")
"""Where segments are kept, from where it is called: big, made again from their seed, in no
repository."""


def kinds(text: str) -> tuple[str, ...]:
    """``none``, ``all``, or names between commas."""
    if text in ("", "none"):
        return ()
    if text == "all":
        return KINDS
    return tuple(part.strip() for part in text.split(",") if part.strip())


def parser(prog: str = "causeway scene") -> argparse.ArgumentParser:
    """The options of rendered hours."""
    made = argparse.ArgumentParser(
        prog=prog, usage=f"{prog} --hours N [options]", description="Hours of traffic, in segments."
    )
    made.add_argument("--hours", type=float, required=True, metavar="N", help="of each condition")
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--condition", default="day", help=f"with commas: {','.join(CONDITIONS)}")
    made.add_argument(
        "--incidents", default="none", metavar="none|all|KIND,...", help=f"kinds: {','.join(KINDS)}"
    )
    made.add_argument("--per-hour", type=float, default=40.0, help="incidents an hour, in all")
    made.add_argument(
        "--out", type=Path, default=FOLDER, help=f"folder ({FOLDER}); finished files are kept"
    )
    made.add_argument("--segment", type=float, default=SEGMENT_S, help="seconds a file lasts")
    made.add_argument("--width", type=int, default=SIZE[0])
    made.add_argument("--height", type=int, default=SIZE[1])
    made.add_argument("--fps", type=int, default=RATE_FPS)
    made.add_argument("--jobs", type=_processes, default=os.cpu_count() or 1)
    return made


def _processes(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError("a whole number, at least 1")
    return number


def main(arguments: Sequence[str] | None = None) -> int:
    """Render what is missing; prints each file and how fast it went."""
    options = parser().parse_args(arguments)
    try:
        plans = [
            Plan(
                condition, options.seed, options.hours, kinds(options.incidents),
                options.per_hour, options.segment, (options.width, options.height), options.fps,
            ).checked()
            for condition in options.condition.split(",")
        ]  # fmt: skip
        to_do = sum(plan.lasts_s(part) for plan, part in missing(plans, options.out))
        began = time.monotonic()
        render_all(plans, options.out, options.jobs, lambda path: print(path, flush=True))
    except SceneError as error:
        print(error, file=sys.stderr)
        return 1
    took = time.monotonic() - began
    if to_do:
        print(f"{to_do / 3600:.2f} h rendered in {took:.0f} s: {to_do / took:.1f} times real time")
    else:
        print("everything is there already")
    return 0
