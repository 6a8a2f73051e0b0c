"""``causeway bench peers``: plainer triggers on the same clips, judged by the same rules.

Their figures beside those of the real trigger come from one command, on one machine; what each
peer does is in ``workers.evaluation.peers``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from workers.commands.evaluate import prepared, scratch
from workers.evaluation.catalogue import load
from workers.evaluation.figures import Run, figures, score_all
from workers.evaluation.peers import PEERS, peer_replay
from workers.evaluation.replay import Settings, replay
from workers.evaluation.running import PHASES_MS, run_all
from workers.evaluation.thresholds import leave_one_out, table

ALLOWED_PER_HOUR: Final = 60.0


def main(
    json_out: bool = False, catalog: str = "", clips: str = "", phases: int = 3, jobs: int = 0
) -> int:
    """Print the table. Without ``catalog`` and ``clips`` it says what it needs."""
    if not catalog or not clips:
        print("bench peers needs --catalog FILE and --clips FOLDER", file=sys.stderr)
        return 2
    labelled = load(Path(catalog), Path(clips))
    for remark in labelled.remarks:
        print(remark, file=sys.stderr)
    entries = prepared([e for e in labelled.entries if not e.excluded], scratch())
    rows: list[dict[str, Any]] = []
    for name, replayer in {"causeway": replay, **{p: peer_replay(p) for p in PEERS}}.items():
        runs = run_all(entries, PHASES_MS[:phases], Settings(), jobs=jobs or None,
                       replayer=replayer)  # fmt: skip
        for origin in ("real", "rendered"):
            members = [run for run in runs if run.entry.origin == origin]
            if members:
                rows.append(_row(name, origin, members))
    if json_out:
        print(json.dumps({"allowed_per_hour": ALLOWED_PER_HOUR, "rows": rows}))
    else:
        _show(rows)
    return 0


def _row(name: str, origin: str, runs: list[Run]) -> dict[str, Any]:
    made = figures(score_all(runs))
    costs = [one.cost for run in runs for one in run.replays]
    return {
        "trigger": name,
        "clips": origin,
        **{
            key: made[key]
            for key in (
                "detection_rate", "detection_interval", "chance_rate", "chance_scattered_rate",
                "lookback_rate", "nuisance_per_camera_hour", "nuisance_interval", "delay_s",
            )
        },
        "lofo": leave_one_out(table(runs), ALLOWED_PER_HOUR),
        "ms_per_picture": sum(c.cpu_ms for c in costs) / max(1, sum(c.looked_at for c in costs)),
    }  # fmt: skip


def _show(rows: list[dict[str, Any]]) -> None:
    view = Table("trigger", "clips", "found", "95 %", "chance", "strewn", "nuisance/h", "95 %",
                 "delay s", f"LOFO <= {ALLOWED_PER_HOUR:.0f}/h", "at", "ms/picture")  # fmt: skip
    for row in rows:
        view.add_row(
            row["trigger"], row["clips"], _number(row["detection_rate"]),
            _range(row["detection_interval"], 2), _number(row["chance_rate"]),
            _number(row["chance_scattered_rate"]), _number(row["nuisance_per_camera_hour"], 0),
            _range(row["nuisance_interval"], 0), _number(row["delay_s"]["p50"]),
            _number(row["lofo"]["rate"]), _number(row["lofo"]["nuisance_per_camera_hour"], 0),
            _number(row["ms_per_picture"], 1),
        )  # fmt: skip
    Console(width=None if sys.stdout.isatty() else 150).print(view)


def _number(value: float | None, digits: int = 2) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _range(interval: tuple[float, float] | None, digits: int) -> str:
    return "" if interval is None else f"{interval[0]:.{digits}f} .. {interval[1]:.{digits}f}"
