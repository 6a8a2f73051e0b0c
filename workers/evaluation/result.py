"""The result of an evaluation as one JSON document. Real and rendered clips are never mixed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any, Final

from workers.evaluation import thresholds
from workers.evaluation.exact import evidence_errors
from workers.evaluation.figures import Run, Scored, figures, score_all
from workers.evaluation.found import Found
from workers.evaluation.scoring import ZONES, EventScore
from workers.evaluation.written import Origin

FORMAT: Final = 2
_ORIGINS: Final[tuple[Origin, ...]] = ("real", "rendered")


def result(runs: Sequence[Run], *, cues: bool = True) -> dict[str, Any]:
    """``cues``: also without each kind of trigger and with it alone.

    The figures at the top are those of real clips, or of rendered ones where there are no real
    ones; ``origin`` says which. Excluded clips are only in ``per_clip``.
    """
    sets = {origin: _main(runs, origin) for origin in _ORIGINS}
    scored = score_all(runs)
    parts = {origin: _part(members, cues) for origin, members in sets.items() if members}
    first = next((origin for origin in _ORIGINS if sets[origin]), None)
    top = parts[first] if first else figures([])
    return {
        "format": FORMAT,
        "origin": first,
        **top,
        "real": parts.get("real"),
        "rendered": parts.get("rendered"),
        "cost": cost(runs),
        "per_clip": [_clip(run, one) for run, one in zip(runs, scored, strict=True)],
    }


def _main(runs: Sequence[Run], origin: Origin) -> list[Run]:
    return [run for run in runs if not run.entry.excluded and run.entry.origin == origin]


def _part(runs: list[Run], cues: bool) -> dict[str, Any]:
    made = figures(score_all(runs))
    points = thresholds.table(runs)
    made["lofo"] = [
        thresholds.leave_one_out(points, allowed) for allowed in thresholds.ALLOWED_PER_HOUR
    ]
    alert_points = thresholds.table(runs, alerts=True)
    made["alert_lofo"] = [
        thresholds.leave_one_out(alert_points, allowed)
        for allowed in thresholds.ALERTS_ALLOWED_PER_HOUR
    ]
    made["second_looks"] = _second_looks(runs)
    made["by_cue"] = _by_cue(runs) if cues else {}
    made["evidence_errors"] = evidence_errors(runs)
    return made


def _second_looks(runs: Sequence[Run]) -> dict[str, Any]:
    """How many there were and what they said; CPU time per second of video looked at."""
    judged = [one for run in runs for replay in run.replays for one in replay.judged]
    window_s = sum(one.window_s for one in judged)
    return {
        "looks": len(judged),
        "confirmed": sum(one.confirmed is True for one in judged),
        "rejected": sum(one.confirmed is False for one in judged),
        "undecided": sum(one.confirmed is None for one in judged),
        "alerts_taken_back": sum(
            alert.taken_back for run in runs for replay in run.replays for alert in replay.alerts
        ),
        "cpu_s_per_window_s": sum(one.cpu_ms for one in judged) / 1000 / window_s
        if window_s
        else None,
    }


def _by_cue(runs: Sequence[Run]) -> dict[str, Any]:
    """What each kind of candidate brings: the rest without it, and it alone."""
    kinds = sorted({f.kind for run in runs for replay in run.replays for f in replay.candidates})
    return {
        kind: {
            "without": _brief([thresholds.only(run, _other_than(kind)) for run in runs]),
            "alone": _brief([thresholds.only(run, partial(_is, kind)) for run in runs]),
        }
        for kind in kinds
    }


def _is(kind: str, found: Found) -> bool:
    return found.kind == kind


def _other_than(kind: str) -> Callable[[Found], bool]:
    return lambda found: found.kind != kind


def _brief(runs: Sequence[Run]) -> dict[str, Any]:
    made = figures(score_all(runs))
    return {name: made[name] for name in ("detection_rate", "lookback_rate",
                                          "nuisance_per_camera_hour")}  # fmt: skip


def cost(runs: Sequence[Run]) -> dict[str, Any]:
    """CPU time on one thread, of everything that watch does with a picture."""
    costs = [replay.cost for run in runs for replay in run.replays]
    looked_at = sum(one.looked_at for one in costs)
    played_s = sum(r.end_s + r.lead_in_s for run in runs for r in run.replays)
    cpu_ms = sum(one.cpu_ms for one in costs)
    return {
        "pictures": looked_at,
        "decoded": sum(one.decoded for one in costs),
        "ms_per_picture": cpu_ms / looked_at if looked_at else None,
        "times_faster_than_real": played_s / (cpu_ms / 1000) if cpu_ms else None,
        "by_module_on": None,
        "by_module": {},
    }


def _clip(run: Run, scored: Scored) -> dict[str, Any]:
    entry, first = run.entry, run.replays[0]
    return {
        "file": entry.file,
        "source_family": entry.family,
        "origin": entry.origin,
        "excluded": entry.excluded or None,
        "lead_in": first.lead_in,
        "lead_in_s": first.lead_in_s,
        "watched_s": first.end_s - first.armed_s,
        "events": [
            _event(events) for events in zip(*(clip.events for clip in scored.clips), strict=True)
        ],
        "nuisances": {zone: [len(clip.nuisances[zone]) for clip in scored.clips] for zone in ZONES},
        "alert_nuisances": {
            zone: [len(clip.alert_nuisances[zone]) for clip in scored.clips] for zone in ZONES
        },
        "phases": [
            {
                "phase_ms": replay.phase_ms,
                "candidates": [_found(one) for one in replay.candidates],
                "alerts": [{**_found(one), "taken_back": one.taken_back} for one in replay.alerts],
                "second_looks": [asdict(one) for one in replay.judged],
                "broken": replay.broken,
                "cost": asdict(replay.cost),
            }
            for replay in run.replays
        ],
    }


def _event(events: Sequence[EventScore]) -> dict[str, Any]:
    label = events[0].label
    return {
        "type": label.type,
        "start_s": label.start_s,
        "may_be_missed": label.may_be_missed,
        "found": [event.found for event in events],
        "with_look_back": [event.with_look_back for event in events],
        "alerted": [event.alerted for event in events],
        "alerted_with_look_back": [event.alerted_with_look_back for event in events],
        "delay_s": [event.delay_s for event in events],
        "contact_error_s": [event.contact_error_s for event in events],
        "located": [event.located for event in events],
    }


def _found(found: Found) -> dict[str, Any]:
    return {
        "decided_s": found.decided_s, "time_s": found.time_s, "score": found.score,
        "kind": found.kind, "box": found.box, "reason": found.reason,
    }  # fmt: skip
