"""Whether a site's rule pack can be its own, and what to know of it, for ``causeway check``."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from monitor.config.loader import place
from monitor.config.models import Config
from monitor.config.problems import Problem, dotted
from monitor.query.rulebook import GENERIC, load_pack

_CHINA: Final = frozenset(
    {"Asia/Shanghai", "Asia/Urumqi", "Asia/Chongqing", "Asia/Chungking", "Asia/Harbin",
     "Asia/Kashgar", "PRC"}
)  # fmt: skip
_UNITED_STATES: Final = frozenset(
    {f"America/{name}" for name in (
        "New_York", "Detroit", "Chicago", "Menominee", "Denver", "Boise", "Phoenix", "Los_Angeles",
        "Anchorage", "Juneau", "Sitka", "Metlakatla", "Yakutat", "Nome", "Adak",
        "Atka", "Fort_Wayne", "Indianapolis", "Knox_IN", "Louisville", "Shiprock",  # older names
    )} | {"Pacific/Honolulu", "Pacific/Johnston", "Navajo", "EST5EDT", "CST6CDT", "MST7MDT",
          "PST8PDT", "MST", "HST"}
)  # fmt: skip
_UNITED_STATES_IN: Final = (
    "US/", "America/Indiana/", "America/Kentucky/", "America/North_Dakota/",
)  # fmt: skip


def misplaced_rules(path: Path, config: Config) -> list[Problem]:
    """A side that is not the pack's; a treaty for a country that the time zone says is outside."""
    site, found = config.site, []
    side = load_pack(site.jurisdiction).traffic_side
    if site.traffic_side is not None and side not in ("either", site.traffic_side):
        told = (
            f"traffic keeps {site.traffic_side}, but the rules of `{site.jurisdiction}` are for "
            f"traffic that keeps {side}; leave traffic_side out, or take jurisdiction: generic"
        )
        found.append(_problem(path, ("site", "traffic_side"), told))
    outside = _outside_the_convention(site.timezone) if site.jurisdiction == "vienna" else None
    if outside is not None:
        instead = "cn" if outside == "China" else GENERIC
        told = (
            f"the time zone {site.timezone} is one of {outside}, which is not party to the Vienna "
            f"Convention: its rules must not be cited there; write {instead}"
        )
        found.append(_problem(path, ("site", "jurisdiction"), told))
    return found


def remarks(config: Config) -> list[str]:
    """What whoever chose the pack should know of it; nothing where none was chosen."""
    site = config.site
    if site.jurisdiction == GENERIC:
        return []
    pack = load_pack(site.jurisdiction)
    head = f"rules: {pack.title}; traffic keeps {site.keeps}"
    return [head, *(f"  {caveat}" for caveat in pack.caveats)]


def _problem(path: Path, setting: tuple[str, str], told: str) -> Problem:
    return Problem(place(path, setting), dotted(setting), told)


def _outside_the_convention(timezone: str) -> str | None:
    if timezone in _CHINA:
        return "China"
    if timezone in _UNITED_STATES or timezone.startswith(_UNITED_STATES_IN):
        return "the United States"
    return None
