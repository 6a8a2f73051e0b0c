"""``python -m monitor.scene SCENARIO --seed N --out FILE``, or ``--hours N --out FOLDER``."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from monitor.errors import SceneError
from monitor.scene import SCENARIOS, render_to
from monitor.scene.hours.command import main as render_hours


def main(arguments: list[str] | None = None) -> int:
    """Render one scenario, or hours of traffic; prints where it is."""
    given = sys.argv[1:] if arguments is None else arguments
    if any(argument.split("=")[0] == "--hours" for argument in given):
        return render_hours(given)
    parser = argparse.ArgumentParser(prog="python -m monitor.scene", description=__doc__)
    parser.add_argument("scenario", choices=SCENARIOS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
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
