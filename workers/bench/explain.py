"""``causeway bench explain``: the evidence explainer on rendered crashes, after the real trigger.

Short films of each kind, 1280x720 at 20 or 25 pictures a second, are rendered (finished ones are
kept), replayed as ``causeway eval`` does (kept as well, until the code of watching changes), and
the answer to each incident's contact is held against the scene's truth. Two rows for each kind:
what subscribers would get (without an alert there is no answer, and that is a miss), and the answer
where the truth gives the contact's time and place and the second look measures the rest, so that
measuring and explaining are seen apart from finding. The limits are for the first.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, get_args

from monitor.config.asking import Query
from monitor.domain import Evidence
from monitor.evidence import explain, verify
from monitor.scene import render_to
from monitor.scene.hours import crash
from monitor.scene.hours.segments import truth_path
from workers import exits
from workers.bench._explain_replays import run
from workers.commands.evaluate import clips_of, progress
from workers.evaluation.answers_cases import About, Case, cases
from workers.evaluation.answers_given import Given
from workers.evaluation.answers_score import CONTACT_S, Score, score
from workers.evaluation.figures import Run
from workers.evaluation.intervals import wilson

STAGED: Final = "staged_rear_end"
KINDS: Final = (STAGED, *crash.KINDS)
LEAST: Final = 0.9
_MARKS: Final = re.compile(r"(<!-- bench explain -->\n).*?(<!-- end -->)", re.DOTALL)


def main(
    json_out: bool = False,
    seeds: int = 20,
    first_seed: int = 0,
    kinds: str = ",".join(KINDS),
    scenes: str = "/tmp/causeway-scene/explain",
    jobs: int = 0,
    render_missing: bool = True,
    write: str = "",
) -> int:
    """Print the shares; 0 if the limits are reached for every kind.

    ``render_missing=false``: only what is there, also of an older version of the scene.
    ``write``: a Markdown file whose table between the marks is replaced.
    """
    began_s = time.monotonic()
    wanted = [kind.strip() for kind in kinds.split(",")]
    if unknown := sorted(set(wanted) - set(KINDS)):
        print(f"no kind {', '.join(unknown)}; there are: {', '.join(KINDS)}", file=sys.stderr)
        return exits.USAGE
    rows: list[dict[str, Any]] = []
    for kind in wanted:
        folder = Path(scenes) / kind
        clips = rendered(folder, kind, range(first_seed, first_seed + seeds), make=render_missing)
        if not clips:
            print(f"{kind}: no scene in {folder}", file=sys.stderr)
            continue
        entries = clips_of(folder, folder, only=clips)
        runs = run(entries, jobs or None, progress)
        for about in get_args(About):
            rows.append(row(kind, about, len(clips), scored(runs, about)))
    table = "\n".join(lines(rows))
    if write:
        page = Path(write)
        page.write_text(_MARKS.sub(lambda m: f"{m[1]}{table}\n{m[2]}", page.read_text("utf-8")))
    print(json.dumps(rows, indent=1) if json_out else table)
    print(f"took {(time.monotonic() - began_s) / 60:.0f} min", file=sys.stderr)
    return exits.OK if rows and reached(rows) else exits.FAILED


def rendered(folder: Path, kind: str, seeds: Iterable[int], *, make: bool) -> list[str]:
    """The names of the scenes of these seeds; what is missing is rendered first."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for seed in seeds:
        if kind == STAGED:
            path = folder / f"rear_end_s{seed}.mp4"
            there = truth_path(path).is_file()
            if not there and make:
                render_to(path, "rear_end", seed)
        else:
            path = crash.path_of(folder, kind, seed)
            there = crash.complete(folder, kind, seed)
            if not make:  # one that an older version of the scene made will do
                there = truth_path(path).is_file() and path.is_file()
            if not there and make:
                crash.render(folder, kind, seed)
        if there or make:
            found.append(path.name)
    return found


def scored(runs: Sequence[tuple[Run, Sequence[Evidence]]], about: About) -> list[Score]:
    """Of every incident's contact: the answer from measurements. Who runs into a wreck later has
    no label of its own kind and counts for nothing.
    """
    defaults = Query()
    found = []
    for one, at_truth in runs:
        found += [
            case if about == "trigger" else replace(case, evidence=tuple(at_truth))
            for case in cases(
                [one], about=about, candidates=False,
                pre_roll_s=defaults.pre_roll_s, post_roll_s=defaults.post_roll_s,
            )
        ]  # fmt: skip
    return [score(_answered(case)) for case in found if case.label.incident_type]


def _answered(case: Case) -> Given:
    if case.incident is None:
        return Given("evidence", case, reason="no_alert")
    answer = explain(case.incident, case.evidence, case.window, lang="en")
    verification = verify(answer, case.evidence, case.window, lang="en")
    return Given("evidence", case, answer, verification, json="valid")


def row(kind: str, about: About, scenes: int, scores: Sequence[Score]) -> dict[str, Any]:
    """Shares of all contacts of a kind; a missing answer misses everything."""
    timed = [abs(pair.error_s) for one in scores for pair in one.matched]
    made: dict[str, Any] = {
        "kind": kind, "about": about, "scenes": scenes, "contacts": len(scores),
        "labelled": sum(one.of for one in scores),
        "time_error_s": sum(timed) / len(timed) if timed else None,
    }  # fmt: skip
    hits = {
        "answered": [one.given.answer is not None for one in scores],
        "contact": [
            one.event_error_s is not None
            and about == "trigger"
            and abs(one.event_error_s) <= CONTACT_S
            for one in scores
        ],
        "antecedents": [one.near == one.of for one in scores if one.of],
        "kind_exact": [bool(one.type_exact) for one in scores],
        "kind_general": [one.type_fits for one in scores],
        "root_supported": [
            bool(one.verdicts) and one.verdicts[0].value == "supported" for one in scores
        ],
    }
    for name, found in hits.items():
        made[name] = sum(found)
        made[f"{name}_of"] = len(found)
        made[f"{name}_interval"] = wilson(sum(found), len(found))
    return made


def reached(rows: Sequence[dict[str, Any]]) -> bool:
    """Contact, antecedents and exact kind, each in nine of ten contacts of every kind."""
    return all(
        one[f"{name}_of"] and one[name] >= LEAST * one[f"{name}_of"]
        for one in rows
        if one["about"] == "trigger"
        for name in ("contact", "antecedents", "kind_exact")
    )


def lines(rows: Sequence[dict[str, Any]]) -> list[str]:
    """A Markdown table: hits and, in brackets, 95 % of their share."""
    made = [
        "| kind | scenes, contacts | asked about | answered | contact within 0.3 s | "
        "all antecedents within 1 s | mean error | kind exact | some collision | root supported |",
        "|---" * 10 + "|",
    ]
    for one in rows:
        by_truth = one["about"] == "label"
        error = "-" if one["time_error_s"] is None else f"{one['time_error_s']:.2f} s"
        cells = [
            one["kind"].replace("_", " "), f"{one['scenes']}, {one['contacts']}",
            "by the truth" if by_truth else "by the trigger", _share(one, "answered"),
            "-" if by_truth else _share(one, "contact"), _share(one, "antecedents"), error,
            _share(one, "kind_exact"), _share(one, "kind_general"), _share(one, "root_supported"),
        ]  # fmt: skip
        made.append("| " + " | ".join(cells) + " |")
    return made


def _share(one: dict[str, Any], name: str) -> str:
    bounds = one[f"{name}_interval"]
    if bounds is None:
        return "-"
    return f"{one[name]} of {one[f'{name}_of']} ({bounds[0]:.2f} .. {bounds[1]:.2f})"
