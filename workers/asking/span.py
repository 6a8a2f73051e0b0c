"""Lengths and moments as people write them: ``3m``, ``1h30m``, ``90s``, ``12.5``, ``1:23:45``."""

from __future__ import annotations

import re
from typing import Final

_UNITS: Final = re.compile(
    r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m(?:in)?)?(?:(\d+(?:\.\d+)?)s?)?", re.IGNORECASE
)
_CLOCK: Final = re.compile(r"(?:(\d{1,4}):)?(\d{1,4}):(\d{1,2}(?:\.\d+)?)")
_LONGEST_S: Final = 1_000_000


def seconds(text: str) -> float:
    """``ValueError`` with what to write instead, where it is none."""
    text = text.strip()
    match = _CLOCK.fullmatch(text) or (_UNITS.fullmatch(text) if text else None)
    if match is not None:
        hours, minutes, rest = (float(part or 0) for part in match.groups())
        found = 3600 * hours + 60 * minutes + rest
        if found <= _LONGEST_S:
            return found
    raise ValueError(f"{text!r} is no time: write 90s, 3m, 1h30m or 1:23:45")


def shown(time_s: float) -> str:
    """As a player shows it: ``0:12.3``, ``1:02:03.4``."""
    tenths = round(time_s * 10)
    minutes, tenths = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}:{minutes:02}" if hours else str(minutes)
    return f"{head}:{tenths // 10:02}.{tenths % 10}"
