"""bench hours: hours of rendered traffic through the watch code, resumable, on all cores.

What is missing is rendered, what has not been watched by this code is watched; both are kept
in ``--dir``, segment by segment, so that a stopped run goes on where it was. Segments of one
condition and seed are one camera: what it learned of its view in the first one it knows in all
others. Rendered figures are never mixed with real ones.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any, Final

from monitor.errors import CausewayError
from monitor.scene.hours.command import kinds
from monitor.scene.hours.segments import SEGMENT_S, Plan, missing, render_all
from workers import exits
from workers.bench._hours_report import report
from workers.bench._hours_segment import code_key, known, memory_path, watch

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
        began = time.monotonic()
        segments = watch_all(_cameras(plans, folder), jobs, fresh=fresh, told=_progress)
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


def _cameras(plans: Sequence[Plan], folder: Path) -> list[list[Path]]:
    """Segments of one condition and seed are one camera; its normal traffic comes first."""
    cameras: dict[tuple[str, int], list[Path]] = {}
    for plan in sorted(plans, key=lambda one: bool(one.incidents)):
        camera = cameras.setdefault((plan.condition, plan.seed), [])
        camera += [plan.path(folder, part) for part in range(plan.parts)]
    return list(cameras.values())


def watch_all(
    cameras: Sequence[Sequence[Path]], jobs: int, *, fresh: bool = False,
    told: Callable[[int, int], None] = lambda done, of: None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Results camera by camera; kept ones are taken where they are of this code.

    A camera is new in its first segment. What it learned there it knows in each of the others,
    which can so be watched in any order.
    """
    code = code_key()
    of = sum(len(videos) for videos in cameras)
    results: dict[Path, dict[str, Any]] = {}

    def take(asked: Sequence[_Asked], teaches: bool) -> None:
        kept = {
            video: None if fresh else known(video, code, knew, teaches=teaches)
            for video, knew in asked
        }
        results.update({video: one for video, one in kept.items() if one is not None})
        to_do = [one for one in asked if kept[one[0]] is None]
        for video, result in _watched(to_do, code, jobs, teaches=teaches):
            results[video] = result
            told(len(results), of)

    take([(videos[0], None) for videos in cameras], True)
    learned = [memory_path(videos[0]).read_bytes() for videos in cameras]
    take([(v, knew) for videos, knew in zip(cameras, learned, strict=True) for v in videos[1:]],
         False)  # fmt: skip
    return [results[video] for videos in cameras for video in videos]


_Asked = tuple[Path, bytes | None]
"""A segment, and the memory that its camera begins it with."""


def _watched(
    to_do: Sequence[_Asked], code: str, jobs: int, *, teaches: bool
) -> Iterator[tuple[Path, dict[str, Any]]]:
    """As they come."""
    if jobs <= 1 or len(to_do) <= 1:
        for video, knew in to_do:
            yield video, watch(video, code, knew, teaches=teaches)
        return
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        waiting = {
            pool.submit(watch, video, code, knew, teaches=teaches): video for video, knew in to_do
        }
        for future in as_completed(waiting):
            yield waiting[future], future.result()


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
