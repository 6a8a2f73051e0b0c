"""``causeway bench sampling``: is there a picture where it matters? Ours beside three others' ways.

For every labelled antecedent: is one of the chosen pictures within 0.5 s of it? The real trigger
is run on the clip and gives our sampling its evidence; labels are only compared with afterwards.
The window is the one the product would cut (20 s before the incident to 8 s after), or the whole
clip where the trigger found nothing, as in ``causeway ask``. All pickers get the same one.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
from pydantic import Field

from monitor.domain import Window
from monitor.media.decode import planes
from monitor.media.recording import Recording
from monitor.query.sampling import Budget, plan
from monitor.scene import render_to
from workers import exits
from workers.analysis.media import important_times_ms
from workers.asking.measure import Measured, measure
from workers.bench._crash_questions import crash_questions
from workers.bench._pickers import Grey, lowest_similarity, similarity, tail, uniform

BUDGETS: Final = (8, 16, 32, 64)
NEAR_S: Final = 0.5
PICKERS: Final = ("ours", "uniform", "lowest similarity", "last 15 s at 4 fps")
LEAST_AT_32: Final = 0.95
AHEAD_AT: Final = (8, 16)

_SCENARIOS: Final = ("rear_end",)  # the truths of the others name no antecedents
_NOT_SCORED: Final = {"clip_013", "clip_014", "clip_017", "clip_022", "clip_007", "clip_010"}
"""As the footage's own README says: staged, generated, or an overlay gives the answer away."""

_CANDIDATES_S: Final = 0.5  # LLM Vision compares one in 1 to 10 s: kinder to it
_THUMB_PX: Final = 320
_PRE_MS, _POST_MS = 20_000, 8_000
_MARKS: Final = re.compile(r"(<!-- bench sampling -->\n).*?(<!-- end -->)", re.DOTALL)
_PIXELS: Final = 640 * 352 // 1024


@dataclass(frozen=True, slots=True)
class Clip:
    """A labelled clip."""

    path: Path
    group: str
    antecedents_s: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about a clip: its window, and where to look closely in it. The clip's own ms."""

    clip: Clip
    fired: bool
    window: Window
    important_ms: Sequence[int]  # most important first
    times_ms: Sequence[int]  # of the pictures that there are


@dataclass(frozen=True, slots=True)
class Chosen:
    """One question's result: per picker and budget, how many antecedents have a picture near."""

    clip: Clip
    fired: bool
    near: dict[tuple[str, int], int]


def main(
    json_out: bool = False,
    footage: str = "../shared/footage",
    scenes: str = "/tmp/causeway-scene",
    seeds: Annotated[int, Field(ge=0)] = 1,
    crash_seeds: Annotated[int, Field(ge=0)] = 0,
    first_crash_seed: Annotated[int, Field(ge=0)] = 0,
    jobs: Annotated[int, Field(ge=0)] = 0,
    write: str = "",
) -> int:
    """Print the shares; 0 if they are as ``reached`` wants them.

    ``crash_seeds``: of each kind of crash film (docs/scene.md), rendered and watched as in
    ``bench explain``, which keeps both. ``write``: a Markdown file whose table between the marks
    is replaced.
    """
    clips = [*_footage(Path(footage)), *_rendered(Path(scenes), seeds)]
    results = [_compared(_asked(clip)) for clip in clips]
    crashes = range(first_crash_seed, first_crash_seed + crash_seeds)
    for one in crash_questions(Path(scenes) / "explain", crashes, jobs or None):
        clip = Clip(one.path, "crash films", one.antecedents_s)
        results.append(_compared(Asked(clip, True, one.window, one.important_ms, one.times_ms)))
    if not any(one.clip.antecedents_s for one in results):
        print(
            f"nothing to compare: {footage} has no catalog.json with antecedents, and no film is "
            "asked for; name a folder with --footage, or films with --seeds or --crash-seeds",
            file=sys.stderr,
        )
        return exits.USAGE
    figures = [
        _shares(group, [one for one in results if group in ("all", one.clip.group)])
        for group in (*sorted({one.clip.group for one in results}), "all")
    ]
    table = _table(figures)
    if write:
        page = Path(write)
        page.write_text(_MARKS.sub(lambda m: f"{m[1]}{table}\n{m[2]}", page.read_text("utf-8")))
    print(json.dumps(figures, indent=2) if json_out else table)
    return exits.OK if reached(figures[-1]["shares"]) else exits.FAILED


def reached(shares: Mapping[str, Mapping[str, float]]) -> bool:
    """95 % at 32 pictures, never behind, and ahead at 8 and 16 of whoever is short of all.

    ``shares``: per picker and budget, 0 to 1.
    """
    ours = shares["ours"]
    if ours["32"] < LEAST_AT_32:
        return False
    for other in PICKERS[1:]:
        for budget in map(str, BUDGETS):
            theirs = shares[other][budget]
            if ours[budget] < theirs:
                return False
            if int(budget) in AHEAD_AT and ours[budget] == theirs < 1.0:
                return False
    return True


def _footage(folder: Path) -> Iterator[Clip]:
    catalogue = folder / "catalog.json"
    if not catalogue.is_file():
        return
    for entry in json.loads(catalogue.read_text("utf-8")):
        path = folder / entry["file"]
        times = {a["t_s"] for event in entry["events"] for a in event["antecedents"]}
        if times and path.stem not in _NOT_SCORED:
            yield Clip(path, "footage", tuple(sorted(times)))


def _rendered(folder: Path, seeds: int) -> Iterator[Clip]:
    folder.mkdir(parents=True, exist_ok=True)
    for scenario in _SCENARIOS:
        for seed in range(seeds):
            path = folder / f"{scenario}_s{seed}.mp4"
            truth = path.with_name(path.name + ".truth.json")
            if not truth.is_file():
                render_to(path, scenario, seed)
            told = json.loads(truth.read_text("utf-8"))["antecedents"]
            if told:
                yield Clip(path, "rendered", tuple(sorted({one["t_s"] for one in told})))


def _asked(clip: Clip) -> Asked:
    with Recording(clip.path) as recording:
        found = measure(recording, 0, None, traffic=True, progress=lambda share: None)
    window, important_ms = _window(found)
    times_ms = [ms for ms in found.times_ms if window.start_ms <= ms <= window.end_ms]
    return Asked(clip, bool(found.triggers), window, important_ms, times_ms)


def _compared(asked: Asked) -> Chosen:
    clip, window, times_ms = asked.clip, asked.window, asked.times_ms
    times_s = [ms / 1000 for ms in times_ms]
    candidates, scores = _similarities(clip.path, times_ms)
    near: dict[tuple[str, int], int] = {}
    for budget in BUDGETS:
        pairs = plan(
            window, [window.t_s(ms) for ms in asked.important_ms],
            [window.t_s(ms) for ms in times_ms], Budget(budget, _PIXELS, 10**6),
        )  # fmt: skip
        sent_ms = [ms for pair in pairs for ms in (pair.first_ms, pair.second_ms)]
        ours = [(window.start_ms + ms) / 1000 for ms in sent_ms]
        chosen = {
            "ours": ours,
            "uniform": uniform(times_s, budget),
            "lowest similarity": lowest_similarity(candidates, scores, budget),
            "last 15 s at 4 fps": tail(times_s, budget),
        }
        for picker, pictures in chosen.items():
            near[picker, budget] = _near(clip.antecedents_s, pictures)
    return Chosen(clip, asked.fired, near)


def _window(found: Measured) -> tuple[Window, list[int]]:
    """As the product cuts it, and where it looks closely in it."""
    incident = next(iter(found.incidents()), None)
    if incident is None:
        strongest = sorted(found.evidence, key=lambda one: (-one.strength, one.time_ms, one.id))
        return found.window, [one.time_ms for one in strongest]
    window = Window(
        max(found.window.start_ms, incident.peak_ms - _PRE_MS),
        min(found.window.end_ms, max(incident.peak_ms, incident.last_ms) + _POST_MS),
    )
    inside = [one for one in found.evidence if window.start_ms <= one.time_ms <= window.end_ms]
    return window, important_times_ms(incident, inside)


def _similarities(path: Path, times_ms: Sequence[int]) -> tuple[list[float], list[float]]:
    """Candidate pictures and how like each is to the one before."""
    times: list[float] = []
    scores: list[float] = []
    before: Grey | None = None
    due_ms = times_ms[0]
    with Recording(path) as recording:
        for one in recording.frames(times_ms[0], times_ms[-1]):
            if one.time_ms < due_ms:
                continue
            due_ms = one.time_ms + round(1000 * _CANDIDATES_S)
            grey = planes(one.frame, _THUMB_PX).y
            times.append(one.time_ms / 1000)
            scores.append(1.0 if before is None else similarity(before, grey))
            before = grey
    return times, scores


def _near(wanted_s: Sequence[float], pictures_s: Sequence[float]) -> int:
    if not pictures_s:
        return 0
    pictures = np.asarray(pictures_s)
    return sum(bool(np.abs(pictures - want).min() <= NEAR_S + 1e-9) for want in wanted_s)


def _shares(group: str, results: Sequence[Chosen]) -> dict[str, Any]:
    total = sum(len(one.clip.antecedents_s) for one in results)
    return {
        "group": group,
        "clips": len(results),
        "fired": sum(one.fired for one in results),
        "antecedents": total,
        "shares": {
            picker: {
                str(budget): round(sum(one.near[picker, budget] for one in results) / total, 4)
                for budget in BUDGETS
            }
            for picker in PICKERS
        },
    }


def _table(figures: Sequence[dict[str, Any]]) -> str:
    lines = [
        "| clips | antecedents | picker | " + " | ".join(f"{b} pictures" for b in BUDGETS) + " |",
        "|---|---|---|" + "---|" * len(BUDGETS),
    ]
    for one in figures:
        for picker in PICKERS:
            shares = " | ".join(f"{one['shares'][picker][str(b)]:.1%}" for b in BUDGETS)
            name = f"{one['group']}: {one['clips']}, the trigger fired in {one['fired']}"
            first = (name, str(one["antecedents"])) if picker == PICKERS[0] else ("", "")
            lines.append(f"| {first[0]} | {first[1]} | {picker} | {shares} |")
    return "\n".join(lines)
