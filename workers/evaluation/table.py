"""The result as tables for a person."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from workers.evaluation.compare import Difference

_SHOWN_MS: Final = 0.03


def show(result: dict[str, Any], console: Console) -> None:
    """Real and rendered apart, then clip by clip, then the cost."""
    for origin in ("real", "rendered"):
        if result[origin] is not None:
            _figures(origin, result[origin], console)
    _clips(result["per_clip"], console)
    _cost(result["cost"], console)


def differences(found: Sequence[Difference], path: Path, console: Console) -> None:
    """What changed since another run."""
    if not found:
        console.print(f"nothing differs from {path}")
        return
    table = Table("", "", "before", "now", title=f"against {path}", title_justify="left")
    for one in found:
        table.add_row(one.where, one.what, _any(one.before), _any(one.now))
    console.print(table)


def _any(value: Any) -> str:
    if isinstance(value, list):
        return (
            "".join("+" if v else "-" for v in value)
            if value and isinstance(value[0], bool)
            else "/".join(str(v) for v in value)
        )
    return _number(value) if isinstance(value, float) else str(value)


def _cost(cost: dict[str, Any], console: Console) -> None:
    console.print(
        f"{cost['pictures']} pictures looked at, {cost['decoded']} decoded; "
        f"{_number(cost['ms_per_picture'], 1)} ms of CPU per picture looked at, all in; "
        f"{_number(cost['times_faster_than_real'], 1)} times faster than real time on one core"
    )
    if not cost["by_module"]:
        return
    table = Table("module", "ms per picture", title=f"on {cost['by_module_on']}")
    for name, each_ms in cost["by_module"].items():
        if each_ms >= _SHOWN_MS:
            table.add_row(name, f"{each_ms:.2f}")
    console.print(table)


def _figures(origin: str, part: dict[str, Any], console: Console) -> None:
    title = (
        f"{origin}: {part['clips']} clips of {part['families']} families, {part['events']} events, "
        f"{part['phases']} phases, {60 * part['hours']:.2f} min outside events"
    )
    table = Table("", "found", "rate", "95 %", title=title, title_justify="left")
    for name, about in (
        ("detection", "candidates"), ("lookback", "with look-back"),
        ("alert", "alerts"), ("alert_lookback", "alerts with look-back"),
    ):  # fmt: skip
        table.add_row(
            about, f"{part[f'{name}_hits']:.1f} of {part[f'{name}_of']:.1f}",
            _number(part[f"{name}_rate"]), _range(part[f"{name}_interval"]),
        )  # fmt: skip
    table.add_row("chance: windows elsewhere", "", _number(part["chance_rate"]), "")
    table.add_row("chance: strewn over the clip", "", _number(part["chance_scattered_rate"]), "")
    if part["located_of"]:
        table.add_row("located", f"of {part['located_of']}", _number(part["located_rate"]), "")
    console.print(table)
    table = Table("nuisance per camera-hour", "count", "hours", "rate", "95 %")
    for name, about in (("nuisance", "candidates"), ("alert_nuisance", "alerts")):
        for suffix, zone in (
            ("", "normal and pre-roll"), ("_normal", "normal clips"), ("_pre_roll", "pre-roll"),
            ("_after", "after events"),
        ):  # fmt: skip
            table.add_row(
                f"{about}, {zone}", f"{part[f'{name}{suffix}_count']:.1f}",
                f"{part[f'{name}{suffix}_hours']:.4f}",
                _number(part[f"{name}{suffix}_per_camera_hour"], 1),
                _range(part[f"{name}{suffix}_interval"], 0),
            )  # fmt: skip
    console.print(table)
    spread = Table("seconds", "p50", "p80", "n")
    for name, about in (
        ("delay_s", "delay of candidates"), ("alert_delay_s", "delay of alerts"),
        ("contact_error_s", "contact time, |error|"),
    ):  # fmt: skip
        one = part[name]
        spread.add_row(about, _number(one["p50"]), _number(one["p80"]), str(one.get("n", "")))
    for kind, one in part["evidence_errors"].items():
        time_error, value = one["time_error_s"], one["value_error"]
        spread.add_row(
            f"{kind}: time", _number(time_error["p50"]), _number(time_error["p80"]),
            f"{one['measured']} of {one['of']}",
        )  # fmt: skip
        if value["p50"] is not None:
            spread.add_row(f"{kind}: value", _number(value["p50"]), _number(value["p80"]), "")
    console.print(spread)
    looks = part["second_looks"]
    console.print(
        f"second looks: {looks['looks']} at all phases, {looks['confirmed']} confirmed, "
        f"{looks['rejected']} rejected, {looks['undecided']} could not tell; "
        f"{looks['alerts_taken_back']} alerts taken back; "
        f"{_number(looks['cpu_s_per_window_s'])} s of CPU per second of video"
    )
    _lofo(part, console)
    _cues(part["by_cue"], console)


def _lofo(part: dict[str, Any], console: Console) -> None:
    table = Table("leave one family out", "found", "rate", "95 %", "nuisance per h", "95 %")
    for about, rows in (("candidates", part["lofo"]), ("alerts", part["alert_lofo"])):
        for row in rows:
            table.add_row(
                f"{about}, <= {row['allowed_per_hour']:.0f} per h allowed",
                f"{row['hits']:.1f} of {row['of']:.1f}", _number(row["rate"]),
                _range(row["interval"]), _number(row["nuisance_per_camera_hour"], 1),
                _range(row["nuisance_interval"], 0),
            )  # fmt: skip
    console.print(table)


def _cues(by_cue: dict[str, Any], console: Console) -> None:
    if not by_cue:
        return
    table = Table("cue", "without it: found", "look-back", "nuisance", "alone: found", "look-back",
                  "nuisance")  # fmt: skip
    for kind, both in by_cue.items():
        cells = [
            _number(both[side][name], digits)
            for side in ("without", "alone")
            for name, digits in (
                ("detection_rate", 2), ("lookback_rate", 2), ("nuisance_per_camera_hour", 0)
            )
        ]  # fmt: skip
        table.add_row(kind, *cells)
    console.print(table)


def _clips(clips: Sequence[dict[str, Any]], console: Console) -> None:
    table = Table("clip", "watched", "lead-in", "event", "found", "look-back", "alert", "delay",
                  "nuisances", "alert n.", title="clip by clip; one mark per phase",
                  title_justify="left")  # fmt: skip
    for clip in clips:
        nuisances = _zones(clip["nuisances"])
        alert_nuisances = _zones(clip["alert_nuisances"])
        lead = "" if clip["lead_in"] == "none" else f"{clip['lead_in']} ({clip['lead_in_s']:.1f} s)"
        name = clip["file"] + (f" [{clip['excluded']}]" if clip["excluded"] else "")
        rows = clip["events"] or [None]
        for number, event in enumerate(rows):
            head = (name, f"{clip['watched_s']:.1f} s", lead) if number == 0 else ("", "", "")
            tail = (nuisances, alert_nuisances) if number == 0 else ("", "")
            if event is None:
                table.add_row(*head, "", "", "", "", "", *tail)
                continue
            about = f"{event['type']} {event['start_s']:.2f}"
            table.add_row(
                *head, about + (" (may be missed)" if event["may_be_missed"] else ""),
                _marks(event["found"]), _marks(event["with_look_back"]),
                _marks(event["alerted_with_look_back"]),
                " ".join(_number(one) for one in event["delay_s"]), *tail,
            )  # fmt: skip
    console.print(table)


def _zones(counts: dict[str, list[int]]) -> str:
    return " ".join(
        f"{zone} {'/'.join(map(str, per_phase))}"
        for zone, per_phase in counts.items()
        if any(per_phase)
    )


def _marks(found: Sequence[bool]) -> str:
    return "".join("+" if one else "-" for one in found)


def _number(value: float | None, digits: int = 2) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _range(interval: Sequence[float] | None, digits: int = 2) -> str:
    return "" if interval is None else f"{interval[0]:.{digits}f} .. {interval[1]:.{digits}f}"
