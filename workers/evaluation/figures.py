"""Scores of all clips and phases to figures with intervals. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workers.evaluation.catalogue import Entry
from workers.evaluation.found import Replay
from workers.evaluation.intervals import per_hour, percentile, wilson
from workers.evaluation.scoring import ZONES, ClipScore, EventScore, Zone, free_spans, score


@dataclass(frozen=True, slots=True)
class Run:
    """An entry with its replays, one per sampling phase."""

    entry: Entry
    replays: tuple[Replay, ...]


@dataclass(frozen=True, slots=True)
class Scored:
    """An entry's scores, one per sampling phase."""

    entry: Entry
    clips: tuple[ClipScore, ...]


def score_all(runs: Sequence[Run]) -> list[Scored]:
    """Chance is drawn from the clip itself, else from all clips of the same phase."""
    phases = max((len(run.replays) for run in runs), default=0)
    elsewhere = [
        [
            (span, run.replays[phase])
            for run in runs
            if phase < len(run.replays)
            for span in free_spans(run.entry, run.replays[phase])
        ]
        for phase in range(phases)
    ]
    return [
        Scored(
            run.entry,
            tuple(score(run.entry, one, elsewhere[n]) for n, one in enumerate(run.replays)),
        )
        for run in runs
    ]


def figures(scored: Sequence[Scored]) -> dict[str, Any]:
    """Everything that is reported of one set of clips."""
    trials = _trials(scored)
    counted = [t for t in trials if any(one.counts for one in t)]
    delays = [e.delay_s for t in trials for e in t if e.delay_s is not None]
    alert_delays = [e.alert_delay_s for t in trials for e in t if e.alert_delay_s is not None]
    errors = [abs(e.contact_error_s) for t in trials for e in t if e.contact_error_s is not None]
    placed = [e.located for t in trials for e in t if e.located is not None]
    result: dict[str, Any] = {
        "clips": len(scored),
        "families": len({one.entry.family for one in scored}),
        "events": len(trials),
        "phases": max((len(one.clips) for one in scored), default=0),
        "hours": _hours(scored, ZONES),
    }
    rates: dict[str, Callable[[EventScore], bool]] = {
        "detection": lambda e: e.found,
        "lookback": lambda e: e.with_look_back,
        "alert": lambda e: e.alerted,
        "alert_lookback": lambda e: e.alerted_with_look_back,
    }
    for name, found in rates.items():
        hits, of = _hits(trials, found)
        result[f"{name}_rate"] = hits / of if of else None
        result[f"{name}_hits"] = hits
        result[f"{name}_of"] = of
        result[f"{name}_interval"] = wilson(hits, of)
    result["chance_rate"] = _mean([e.chance for t in counted for e in t])
    result["chance_scattered_rate"] = _mean([e.scattered for t in counted for e in t])
    result["located_rate"] = _mean([float(one) for one in placed])
    result["located_of"] = len(placed)
    _add_nuisance(result, scored, "", lambda clip: clip.nuisances)
    _add_nuisance(result, scored, "alert_", lambda clip: clip.alert_nuisances)
    result["delay_s"] = _spread(delays)
    result["alert_delay_s"] = _spread(alert_delays)
    result["contact_error_s"] = {**_spread(errors), "n": len(errors)}
    result["by_type"] = {
        kind: _by_type([t for t in trials if t[0].label.type == kind])
        for kind in sorted({t[0].label.type for t in trials})
    }
    return result


Trial = tuple[EventScore, ...]


def _trials(scored: Sequence[Scored]) -> list[Trial]:
    """One event at all phases."""
    return [trial for one in scored for trial in zip(*(c.events for c in one.clips), strict=True)]


def _hits(trials: Sequence[Trial], found: Callable[[EventScore], bool]) -> tuple[float, float]:
    """Events found and events counted: means over the phases, one event one trial."""
    hits = of = 0.0
    for trial in trials:
        share = 1 / len(trial)
        hits += share * sum(found(event) for event in trial)
        of += share * sum(found(event) or not event.label.may_be_missed for event in trial)
    return hits, of


def _hours(scored: Sequence[Scored], zones: Sequence[Zone]) -> float:
    return sum(
        clip.false_alarm_s[zone] / len(one.clips) / 3600
        for one in scored
        for clip in one.clips
        for zone in zones
    )


def _add_nuisance(
    result: dict[str, Any],
    scored: Sequence[Scored],
    prefix: str,
    of: Callable[[ClipScore], Mapping[Zone, Sequence[object]]],
) -> None:
    """Headline: normal clips and the time before events; each zone apart."""
    sets: dict[str, tuple[Zone, ...]] = {
        "": ("normal", "pre_roll"), "_normal": ("normal",), "_pre_roll": ("pre_roll",),
        "_after": ("after",),
    }  # fmt: skip
    for suffix, zones in sets.items():
        count = sum(
            len(of(clip)[zone]) / len(one.clips)
            for one in scored
            for clip in one.clips
            for zone in zones
        )
        hours = _hours(scored, zones)
        rate = per_hour(count, hours)
        name = f"{prefix}nuisance{suffix}"
        result[f"{name}_per_camera_hour"] = None if rate is None else rate[0]
        result[f"{name}_interval"] = None if rate is None else rate[1:]
        result[f"{name}_count"] = count
        result[f"{name}_hours"] = hours


def _by_type(trials: Sequence[Trial]) -> dict[str, Any]:
    found, of = _hits(trials, lambda e: e.found)
    late, _ = _hits(trials, lambda e: e.with_look_back)
    alerted, _ = _hits(trials, lambda e: e.alerted_with_look_back)
    return {
        "events": len(trials), "of": of, "detected": found, "with_look_back": late,
        "alerted_with_look_back": alerted, "interval": wilson(found, of),
    }  # fmt: skip


def _spread(values: Sequence[float]) -> dict[str, float | None]:
    return {"p50": percentile(list(values), 0.5), "p80": percentile(list(values), 0.8)}


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
