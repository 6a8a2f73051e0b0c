"""Where the CPU time of a picture goes, module by module.

Python's profiler makes small calls look dearer, so only its shares are used: they divide the CPU
time of the same replay without it. Time in OpenCV, NumPy and FFmpeg counts for the module that
called.
"""

from __future__ import annotations

import cProfile
import pstats
from collections import defaultdict
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any, Final

from workers.evaluation.catalogue import Entry
from workers.evaluation.replay import Settings, replay

_OURS: Final = ("monitor", "workers")


def by_module(entry: Entry, settings: Settings) -> dict[str, float]:
    """ms of CPU per picture looked at, by module, the dearest first."""
    plain = replay(entry, 0, settings).cost
    profiler = cProfile.Profile()
    replay(entry, 0, settings, profiler)
    shares = attributed(pstats.Stats(profiler).stats)  # type: ignore[attr-defined]  # not in its stub
    total = sum(shares.values())
    if not plain.looked_at or total <= 0:
        return {}
    each_ms = plain.cpu_ms / plain.looked_at
    ordered = sorted(shares.items(), key=lambda item: -item[1])
    return {name: each_ms * seconds / total for name, seconds in ordered}


def representative(entries: Sequence[Entry]) -> Entry:
    """The largest clip of usual traffic, if there is one."""
    return min(
        entries,
        key=lambda entry: (bool(entry.excluded), len(entry.scored), -entry.path.stat().st_size),
    )


Function = tuple[str, int, str]


def attributed(stats: dict[Function, Any]) -> dict[str, float]:
    """Seconds by our module: its own time, and that of what is not ours but was called by it."""
    seconds: dict[str, float] = defaultdict(float)
    for function, (_, _, own_s, _, callers) in stats.items():
        module = module_of(function)
        if module is not None:
            seconds[module] += own_s
            continue
        for caller, (_, _, part_s, _) in callers.items():
            owner = _owner(caller, stats, depth=6)
            if owner is not None:
                seconds[owner] += part_s
    return dict(seconds)


def _owner(function: Function, stats: dict[Function, Any], depth: int) -> str | None:
    """Our module nearest up the calls, by the caller that spent most."""
    module = module_of(function)
    if module is not None or depth == 0:
        return module
    callers = stats[function][4] if function in stats else {}
    if not callers:
        return None
    most = max(callers, key=lambda caller: callers[caller][3])
    return _owner(most, stats, depth - 1)


def module_of(function: Function) -> str | None:
    """Dotted name of a module of this project; None for others and for built-ins."""
    parts = PurePath(function[0]).with_suffix("").parts
    for at, part in enumerate(parts):
        if part in _OURS and "site-packages" not in parts[:at] and len(parts) > at + 1:
            return ".".join(parts[at:])
    return None
