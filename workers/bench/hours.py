"""bench hours: hours of rendered traffic through the watch code, resumable, on all cores.

What is missing is rendered, what has not been watched by this code is watched; both are kept
in ``--dir``, segment by segment, so that a stopped run goes on where it was. Rendered figures
are never mixed with real ones.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any, Final

from monitor.errors import CausewayError
from monitor.scene.hours.command import kinds
from monitor.scene.hours.segments import SEGMENT_S, Plan, missing, render_all
from workers import exits
from workers.bench._hours_report import report
from workers.bench._hours_segment import code_key, known, watch

_DEFAULT: Final = ("day", "night", "rain")


def main(
    json_out: bool = False,
    condition: tuple[str, ...] = _DEFAULT,
    hours: float = 2.0,
    seed: int = 0,
    dir: str = "var/hours",
    incidents: str = "none",
    incident_hours: float = 1.0,
    per_hour: float = 40.0,
    segment: float = SEGMENT_S,
    jobs: int = os.cpu_count() or 1,
    fresh: bool = False,
) -> int:
    """Measure; 0 whatever the figures are. ``--fresh`` watches again what was watched."""
    folder = Path(dir)
    plans = [Plan(name, seed, hours, (), per_hour, segment) for name in condition]  # type: ignore[arg-type]  # checked there
    chosen = kinds(incidents)
    if chosen:
        plans += [Plan(p.condition, seed, incident_hours, chosen, per_hour, segment) for p in plans]
    try:
        plans = [plan.checked() for plan in plans]
        timing = _render(plans, folder, jobs)
        videos = [plan.path(folder, part) for plan in plans for part in range(plan.parts)]
        began = time.monotonic()
        segments = watch_all(videos, jobs, fresh=fresh, told=_progress)
    except CausewayError as error:
        print(error, file=sys.stderr)
        return exits.FAILED
    timing["watched_in_s"] = time.monotonic() - began
    made = {**report(segments), "seed": seed, "segments": len(segments), "timing": timing}
    if json_out:
        print(json.dumps(made, allow_nan=False))
    else:
        _show(made)
    return exits.OK


def _render(plans: Sequence[Plan], folder: Path, jobs: int) -> dict[str, Any]:
    to_do = sum(plan.lasts_s(part) for plan, part in missing(plans, folder))
    began = time.monotonic()
    render_all(plans, folder, jobs, lambda path: print(f"rendered {path.name}", file=sys.stderr))
    return {"rendered_s": to_do, "rendered_in_s": time.monotonic() - began}


def watch_all(
    videos: Sequence[Path], jobs: int, *, fresh: bool = False,
    told: Callable[[int, int], None] = lambda done, of: None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Results in the order of the videos; kept ones are taken where they are of this code."""
    code = code_key()
    results = {video: None if fresh else known(video, code) for video in videos}
    to_do = [video for video, result in results.items() if result is None]
    if jobs <= 1 or len(to_do) <= 1:
        for number, video in enumerate(to_do, 1):
            results[video] = watch(video, code)
            told(number, len(to_do))
    else:
        context = multiprocessing.get_context("forkserver")
        with ProcessPoolExecutor(jobs, mp_context=context) as pool:
            waiting = {pool.submit(watch, video, code): video for video in to_do}
            for number, future in enumerate(as_completed(waiting), 1):
                results[waiting[future]] = future.result()
                told(number, len(to_do))
    return [result for result in results.values() if result is not None]


def _progress(done: int, of: int) -> None:
    print(f"watched {done} of {of} segments", file=sys.stderr, flush=True)


def _show(made: dict[str, Any]) -> None:
    print("RENDERED traffic, not to be mixed with real footage")
    for name, figures in (*made["conditions"].items(), ("all", made["all"])):
        print(f"\n{name}: {figures['hours']:.2f} h of normal traffic")
        for what in ("alerts", "candidates"):
            rate = figures[f"{what}_per_camera_hour"]
            if rate is not None:
                low, high = rate["interval"]
                kinds_told = ", ".join(f"{k} {n}" for k, n in sorted(rate["by_kind"].items()))
                print(f"  {what:<11} {rate['rate']:7.2f} per camera-hour ({low:.2f} .. {high:.2f})"
                      f"  {kinds_told}")  # fmt: skip
        for kind, found in figures["incidents"].items():
            low, high = found["interval"]
            print(f"  {kind:<19} {found['detected']:3d} of {found['of']:3d} detected "
                  f"({low:.2f} .. {high:.2f}), {found['alerted']} alerted, "
                  f"{found['at_once']} at once")  # fmt: skip
        for what in ("contact", "headway", "brake_lamp_onset", "hard_brake_onset"):
            errors = figures[f"{what}_error_s"]
            if errors["of"]:
                spread = " ".join(
                    f"{p} {errors[p]:.2f} s" for p in ("p50", "p80") if errors[p] is not None
                )
                print(f"  {what:<19} {errors['n']:3d} of {errors['of']:3d} measured; {spread}")
    for one in made["memory_mb"]:
        print(
            f"\nmemory of a process over {one['segments']} segments: {one['start']:.0f} MB before,"
            f" {one['after_first']:.0f} after the first, {one['end']:.0f} at the end,"
            f" {one['peak']:.0f} at most"
        )
    timing = made["timing"]
    if timing["rendered_s"]:
        ratio = timing["rendered_s"] / timing["rendered_in_s"]
        print(f"rendered {timing['rendered_s'] / 3600:.2f} h at {ratio:.1f} times real time")
