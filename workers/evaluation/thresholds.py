"""Operating points chosen without the clips they are judged on: leave one family out. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from workers.evaluation.figures import Run, figures, score_all
from workers.evaluation.found import Found
from workers.evaluation.intervals import per_hour, wilson

ALLOWED_PER_HOUR: Final = (30.0, 60.0, 100.0)
ALERTS_ALLOWED_PER_HOUR: Final = (10.0,)
_MOST: Final = 60
NEVER: Final = float("inf")


@dataclass(frozen=True, slots=True)
class Point:
    """One family at one threshold: sums, so that families add up."""

    hits: float
    of: float
    nuisances: float
    hours: float


def table(runs: Sequence[Run], *, alerts: bool = False) -> dict[float, dict[str, Point]]:
    """threshold -> family -> sums, for every threshold that could matter."""
    families = sorted({run.entry.family for run in runs})
    by_family = {name: [run for run in runs if run.entry.family == name] for name in families}
    found: dict[float, dict[str, Point]] = {}
    for threshold in candidates_for(runs, alerts=alerts):
        found[threshold] = {
            name: _point([_cut(run, threshold) for run in members], alerts=alerts)
            for name, members in by_family.items()
        }
    return found


def candidates_for(runs: Sequence[Run], *, alerts: bool) -> list[float]:
    """Every score seen, thinned out, and one that nothing reaches."""
    scores = sorted(
        {
            f.score
            for run in runs
            for r in run.replays
            for f in (r.alerts if alerts else r.candidates)
        }
    )
    if len(scores) > _MOST:
        scores = [scores[round(i * (len(scores) - 1) / (_MOST - 1))] for i in range(_MOST)]
    return [*scores, NEVER]


def leave_one_out(points: dict[float, dict[str, Point]], allowed_per_hour: float) -> dict[str, Any]:
    """For each family the lowest threshold that keeps all others within the allowance.

    With one family alone there are no others: the rate is None.
    """
    families = sorted({name for by in points.values() for name in by})
    total = Point(0.0, 0.0, 0.0, 0.0)
    chosen: dict[str, float | None] = {}
    for family in families:
        threshold = choose(
            {t: add([p for name, p in by.items() if name != family]) for t, by in points.items()},
            allowed_per_hour,
        )
        chosen[family] = None if threshold == NEVER else threshold
        total = add([total, points[threshold][family]])
    rate = per_hour(total.nuisances, total.hours)
    return {
        "allowed_per_hour": allowed_per_hour,
        "rate": total.hits / total.of if total.of and len(families) > 1 else None,
        "hits": total.hits,
        "of": total.of,
        "interval": wilson(total.hits, total.of),
        "nuisance_per_camera_hour": None if rate is None else rate[0],
        "nuisance_interval": None if rate is None else rate[1:],
        "thresholds": chosen,
    }


def choose(points: dict[float, Point], allowed_per_hour: float) -> float:
    """The lowest threshold that keeps the allowance and above which all do."""
    chosen = max(points)
    for threshold in sorted(points, reverse=True):
        point = points[threshold]
        if point.nuisances > allowed_per_hour * point.hours + 1e-9:
            break
        chosen = threshold
    return chosen


def add(points: Sequence[Point]) -> Point:
    """Sums."""
    return Point(
        sum(p.hits for p in points), sum(p.of for p in points),
        sum(p.nuisances for p in points), sum(p.hours for p in points),
    )  # fmt: skip


def only(run: Run, kept: Callable[[Found], bool]) -> Run:
    """The run as if nothing else had been found."""
    return Run(
        run.entry,
        tuple(
            replace(
                one,
                candidates=tuple(filter(kept, one.candidates)),
                alerts=tuple(filter(kept, one.alerts)),
            )
            for one in run.replays
        ),
    )


def _cut(run: Run, threshold: float) -> Run:
    return only(run, lambda found: found.score >= threshold)


def _point(runs: Sequence[Run], *, alerts: bool) -> Point:
    made = figures(score_all(runs))
    name = "alert" if alerts else "detection"
    nuisance = "alert_nuisance" if alerts else "nuisance"
    return Point(
        made[f"{name}_hits"], made[f"{name}_of"], made[f"{nuisance}_count"],
        made[f"{nuisance}_hours"],
    )  # fmt: skip
