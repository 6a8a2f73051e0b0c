"""``causeway scene SCENARIO --seed N --out FILE``, or ``causeway scene --hours N --seed N``."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from monitor.errors import SceneError
from monitor.scene import SCENARIOS, render_to
from monitor.scene.hours.command import main as render_hours
from monitor.scene.hours.command import parser as parser_of_hours

_HELP = ("-h", "--help")


def main(arguments: list[str] | None = None) -> int:
    """Render one scenario, or hours of traffic; prints where it is."""
    given = sys.argv[1:] if arguments is None else arguments
    if any(argument.split("=")[0] == "--hours" for argument in given):
        asked = any(argument in _HELP for argument in given)
        return render_hours(["--help"] if asked else given)
    parser = argparse.ArgumentParser(
        prog="causeway scene",
        usage=(
            "causeway scene SCENARIO --out FILE [options]\n"
            "       causeway scene --hours N [options]"
        ),
        description="One scenario as a film with its truth beside it.",
        epilog=parser_of_hours().format_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("scenario", choices=SCENARIOS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True, help="the film")
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, default=720)
    parser.add_argument("--fps", type=int, default=25)
    options = parser.parse_args(given)
    began = time.monotonic()
    try:
        done = render_to(
            options.out, options.scenario, options.seed, (options.width, options.height),
            options.fps,
        )  # fmt: skip
    except SceneError as error:
        print(error, file=sys.stderr)
        return 1
    took = time.monotonic() - began
    print(
        f"{done.video}: {done.frames} frames, {done.bytes / 1e6:.1f} MB, in {took:.1f} s; "
        f"truth in {done.truth}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
