"""Scores of answers to figures with intervals. Real and rendered clips are never mixed. Pure.

What an answer has several of (antecedents, claims) is not independent: an event is one trial, its
share of them counts. The interval of a mean error is the bootstrap's over events.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from monitor import wire
from monitor.domain import Verdict
from workers.evaluation.answers_given import Variant
from workers.evaluation.answers_score import CONTACT_S, PARTS, Score
from workers.evaluation.intervals import percentile, wilson

FORMAT: Final = 1
_DRAWS: Final = 2000
VARIANTS: Final[tuple[Variant, ...]] = ("evidence", "model", "blind")


def result(scores: Sequence[Score]) -> dict[str, Any]:
    """The whole document: figures of each set and variant, then case by case."""
    made: dict[str, Any] = {"format": FORMAT}
    for origin in ("real", "rendered"):
        members = [
            one for one in scores
            if one.given.case.entry.origin == origin and not one.given.case.entry.excluded
        ]  # fmt: skip
        made[origin] = {
            variant: figures(chosen)
            for variant in VARIANTS
            if (chosen := [one for one in members if one.given.variant == variant])
        } or None
    made["cases"] = [case(one) for one in scores]
    return made


def figures(scores: Sequence[Score]) -> dict[str, Any]:
    """Of one variant's answers to one set of events."""
    answered = [one for one in scores if one.given.answer is not None]
    timed = [one for one in answered if one.of]
    errors = [[abs(pair.error_s) for pair in one.matched] for one in timed if one.matched]
    peaks = [abs(one.event_error_s) for one in answered if one.event_error_s is not None]
    runs = [one.given.run for one in answered if one.given.run is not None]
    came = [one for one in scores if one.given.json != "none"]
    made: dict[str, Any] = {
        "events": len(scores),
        "antecedents_labelled": sum(one.of for one in scores),
        "antecedents_matched": sum(map(len, errors)),
        "time_error_s": _mean([e for of_one in errors for e in of_one]),
        "time_error_s_interval": _bootstrap(errors),
        "event_error_s": {
            "p50": percentile(list(peaks), 0.5), "p80": percentile(list(peaks), 0.8)
        },
        "reasons": _counted(one.given.reason for one in scores if one.given.reason),
        "latency_s": _mean([run.latency_s for run in runs]),
        "prompt_tokens": _mean([run.prompt_tokens for run in runs if run.prompt_tokens]),
    }  # fmt: skip
    exact = [one for one in answered if one.type_exact is not None]
    kinds = [
        [pair.kind_fits for pair in one.matched if pair.kind_fits is not None] for one in timed
    ]
    rates: dict[str, tuple[Sequence[Score], Callable[[Score], float]]] = {
        "answered": (scores, lambda one: one.given.answer is not None),
        "within_1s": (timed, lambda one: one.near / one.of),
        "within_1s_of_all": ([one for one in scores if one.of], lambda one: one.near / one.of),
        "all_within_1s": (timed, lambda one: one.near == one.of),
        "event_within_0.3s": (
            answered,
            lambda one: one.event_error_s is not None and abs(one.event_error_s) <= CONTACT_S,
        ),
        "type": (answered, lambda one: one.type_fits),
        "type_exact": (exact, lambda one: bool(one.type_exact)),
        "complete": (answered, lambda one: one.parts == PARTS),
        "parts_said": (answered, lambda one: one.parts / PARTS),
        "supported": (answered, lambda one: _share(one, Verdict.SUPPORTED)),
        "contradicted": (answered, lambda one: _share(one, Verdict.CONTRADICTED)),
        "unverified": (answered, lambda one: _share(one, Verdict.UNVERIFIED)),
        "root_supported": (answered, lambda one: one.verdicts[:1] == (Verdict.SUPPORTED,)),
        "root_contradicted": (answered, lambda one: one.verdicts[:1] == (Verdict.CONTRADICTED,)),
        "json_valid": (came, lambda one: one.given.json == "valid"),
        "rules_valid": ([one for one in answered if one.rules[1]], lambda o: _of(o.rules)),
        "measurements_valid": (
            [one for one in answered if one.measurements[1]], lambda o: _of(o.measurements),
        ),
    }  # fmt: skip
    for name, (members, share) in rates.items():
        _rate(made, name, [float(share(one)) for one in members])
    _rate(made, "kind", [sum(fits) / len(fits) for fits in kinds if fits])
    return made


def case(one: Score) -> dict[str, Any]:
    """One answer beside its label, for the JSON report."""
    given, label = one.given, one.given.case.label
    steps = [
        {
            "t_s": step.t_s, "kind": step.kind or None, "what": step.what,
            "stated": next((m.stated + 1 for m in one.matched if m.step is step), None),
            "error_s": next((round(m.error_s, 3) for m in one.matched if m.step is step), None),
        }
        for step in one.steps
    ]  # fmt: skip
    return {
        "file": given.case.entry.file,
        "origin": given.case.entry.origin,
        "excluded": given.case.entry.excluded or None,
        "event": {
            "type": label.type, "start_s": label.start_s,
            "incident_type": label.incident_type or None, "description": label.description,
            "antecedents": steps,
        },
        "variant": given.variant,
        "incident": None if given.case.incident is None else given.case.incident.id,
        "clock_starts_s": given.case.clip_s(0.0),
        "answer": None if given.answer is None else wire.to_object(given.answer),
        "verification": [wire.to_object(v) for v in given.verification],
        "reason": given.reason or None,
        "json": given.json,
        "repairs": list(given.repairs),
        "unknown_rules": given.unknown_rules,
        "model": None if given.run is None else wire.to_object(given.run),
        "score": {
            "within_1s": one.near, "of": one.of, "type": one.type_fits,
            "type_exact": one.type_exact, "event_error_s": one.event_error_s,
            "parts_said": one.parts, "rules": one.rules, "measurements": one.measurements,
        },
    }  # fmt: skip


def _rate(made: dict[str, Any], name: str, shares: Sequence[float]) -> None:
    made[name] = _mean(shares)
    made[f"{name}_of"] = len(shares)
    made[f"{name}_interval"] = wilson(sum(shares), len(shares))


def _share(one: Score, verdict: Verdict) -> float:
    return one.verdicts.count(verdict) / len(one.verdicts) if one.verdicts else 0.0


def _of(counted: tuple[int, int]) -> float:
    return counted[0] / counted[1]


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _counted(words: Any) -> dict[str, int]:
    kept = list(words)
    return {word: kept.count(word) for word in sorted(set(kept))}


def _bootstrap(errors: Sequence[Sequence[float]]) -> tuple[float, float] | None:
    """95 % of the mean error, events drawn with replacement; None of fewer than two events."""
    if len(errors) < 2:
        return None
    sums = np.array([sum(one) for one in errors])
    counts = np.array([len(one) for one in errors])
    drawn = np.random.default_rng(0).integers(0, len(errors), (_DRAWS, len(errors)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)
