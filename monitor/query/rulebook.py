"""The rule book: which rules an answer may cite, for this site and this incident.

``rules/*.yaml`` holds one pack per jurisdiction. A site may cite its own pack and ``generic``,
nothing else: a country outside the Vienna Convention gets no ``vienna``, and a treaty is not put
beside the national law that carries it out. Called by ``ask``; it never decides who is at fault.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from monitor.domain import EvidenceKind
from monitor.errors import ConfigError

Jurisdiction = Literal["cn", "vienna", "uk", "de", "generic"]
GENERIC: Jurisdiction = "generic"

TAGS: Mapping[EvidenceKind, tuple[str, ...]] = {
    EvidenceKind.HEADWAY: ("short_headway",),
    EvidenceKind.BRAKE_LIGHT_ONSET: ("brake_onset",),
    EvidenceKind.HARD_BRAKE: ("hard_brake", "brake_onset"),
    EvidenceKind.SUDDEN_STOP: ("hard_brake",),
    EvidenceKind.CONTACT: ("low_ttc", "stop_after_contact"),
    EvidenceKind.NEAR_MISS: ("low_ttc", "low_pet", "no_yield"),
    EvidenceKind.STOPPED_IN_LANE: ("stop_in_lane", "no_warning_device", "junction_block"),
    EvidenceKind.WRONG_WAY: ("wrong_way", "reversing"),
    EvidenceKind.SWERVE: ("lane_change_cut_in",),
    EvidenceKind.IMPULSE: (),
    EvidenceKind.PEDESTRIAN_IN_ROAD: (
        "pedestrian_in_roadway", "pedestrian_on_crossing", "pedestrian_dart_out",
    ),
    EvidenceKind.QUEUE: ("queue_jump", "junction_block"),
    EvidenceKind.COURSE: (),
    EvidenceKind.PATH_ENTERED: ("no_yield", "lane_change_cut_in"),
    EvidenceKind.CLOSING: ("low_ttc",),
    EvidenceKind.SLOWING: (),
    EvidenceKind.APPEARED: (),
    EvidenceKind.SPEED: (),  # what is allowed there is not measured
}  # fmt: skip
"""Which of the packs' observation tags a kind of measured evidence can bear on."""

_NOT_CONDUCT = frozenset({"procedure"})
_CHARS_PER_TOKEN = {"en": 3.5, "zh": 1.2}  # a cautious reading of Qwen's tokenizer


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: an article, said in our words, and what can be seen of it."""

    id: str
    instrument: str
    article: str
    topic: str
    force: str  # must, should, mixed, treaty, procedure, guidance
    en: str
    zh: str
    evidence: tuple[str, ...]
    verified: bool
    verified_scope: str
    source: str
    note_en: str = ""  # what keeps a reader from citing it wrongly
    note_zh: str = ""

    def line(self, lang: str) -> str:
        """How it stands in a prompt, with what keeps it from being cited wrongly."""
        text, note = (self.zh, self.note_zh) if lang == "zh" else (self.en, self.note_en)
        return f"{self.id} ({self.article}): {text}{f' [{note}]' if note else ''}"


@dataclass(frozen=True, slots=True)
class Pack:
    """The rules of one jurisdiction."""

    id: str
    title: str
    traffic_side: str  # right, left, either
    caveats: tuple[str, ...]  # for whoever chooses it: ``causeway check`` says them
    rules: tuple[Rule, ...]


class RuleBook:
    """The packs a site may cite."""

    def __init__(self, packs: Sequence[Pack]) -> None:
        self.packs = tuple(packs)
        self._rules = {rule.id: rule for pack in self.packs for rule in pack.rules}

    def rule(self, rule_id: str) -> Rule | None:
        """None for an id that is in none of the packs."""
        return self._rules.get(rule_id)

    def headway_rules(self) -> tuple[str, ...]:
        """Ids of each pack's first rule on the gap to the vehicle ahead, on any road."""
        found = (
            next((rule.id for rule in pack.rules if _is_on_headway(rule)), None)
            for pack in self.packs
        )
        return tuple(rule_id for rule_id in found if rule_id is not None)

    def select(
        self, kinds: Iterable[EvidenceKind], *, lang: str, max_tokens: int = 900
    ) -> tuple[Rule, ...]:
        """The rules that can bear on what was measured, most fitting first, within the budget.

        A rule fits by the share of the measured tags it can be observed by. Rules that nothing
        observable supports, that are not about conduct, or that were not read at a source are
        never given. With nothing measured, the generic ones are.
        """
        measured = Counter(tag for kind in sorted(set(kinds)) for tag in TAGS[kind])
        scored = []
        for order, rule in enumerate(self._rules.values()):
            if not rule.verified or rule.force in _NOT_CONDUCT:
                continue
            hits = sum(measured[tag] for tag in rule.evidence)
            if not measured and rule.instrument == "ENGINEERING":
                hits = 1
            if hits:
                scored.append((-hits / len(rule.evidence) ** 0.5, order, rule))
        chosen, used = [], 0
        for _, _, rule in sorted(scored, key=lambda entry: entry[:2]):
            cost = estimated_tokens(rule.line(lang), lang)
            if used + cost <= max_tokens:
                chosen.append(rule)
                used += cost
        return tuple(chosen)


def _is_on_headway(rule: Rule) -> bool:
    return (
        rule.verified and rule.topic == "following_distance" and rule.evidence[0] == "short_headway"
    )


def estimated_tokens(text: str, lang: str) -> int:
    """About how many tokens a text costs, erring on the high side."""
    return round(len(text) / _CHARS_PER_TOKEN["zh" if lang == "zh" else "en"]) + 1


def rulebook(jurisdiction: Jurisdiction) -> RuleBook:
    """The packs of a site: its own, and the generic one."""
    names = [jurisdiction] if jurisdiction == GENERIC else [jurisdiction, GENERIC]
    return RuleBook([load_pack(name) for name in names])


def load_pack(name: str) -> Pack:
    """One pack of the package; ``ConfigError`` where it is missing or broken."""
    resource = files("monitor.query").joinpath("rules", f"{name}.yaml")
    try:
        document: dict[str, Any] = YAML(typ="safe", pure=True).load(resource.read_text("utf-8"))
        sources = {source["id"]: source for source in document["sources"]}
        return Pack(
            id=document["pack"],
            title=document["title"],
            traffic_side=document["traffic_side"],
            caveats=tuple(document["caveats"]),
            rules=tuple(_rule(entry, sources) for entry in document["rules"]),
        )
    except (OSError, YAMLError, KeyError, TypeError) as error:
        raise ConfigError(f"the rule pack {name} cannot be read: {error}") from error


def _rule(entry: dict[str, Any], sources: Mapping[str, Any]) -> Rule:
    source = entry.get("source") or sources[entry["instrument"]]
    note = entry.get("note", {"en": "", "zh": ""})
    where = [source[key] for key in ("title", "repo", "commit", "path") if source.get(key)]
    return Rule(
        id=entry["id"],
        instrument=entry["instrument"],
        article=entry["article"],
        topic=entry["topic"],
        force=entry["force"],
        en=entry["en"],
        zh=entry["zh"],
        evidence=tuple(entry["evidence"]),
        verified=entry["verified"],
        verified_scope=entry["verified_scope"],
        source=" ".join([*where, *source.get("urls", ())]),
        note_en=note["en"],
        note_zh=note["zh"],
    )
