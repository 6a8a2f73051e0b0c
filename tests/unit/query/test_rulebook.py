"""Rules are whole, sourced, and only those of the site that can bear on what was measured."""

from __future__ import annotations

from itertools import combinations

import pytest

from monitor.config.models import Site
from monitor.domain import EvidenceKind
from monitor.errors import ConfigError
from monitor.query.rulebook import TAGS, Jurisdiction, estimated_tokens, load_pack, rulebook

PACKS: list[Jurisdiction] = ["cn", "vienna", "uk", "de", "generic"]


@pytest.mark.parametrize("name", PACKS)
def test_every_rule_says_what_and_where_from(name: Jurisdiction) -> None:
    pack = load_pack(name)
    assert pack.id == name
    assert pack.caveats
    for rule in pack.rules:
        assert rule.article, rule.id
        assert rule.en, rule.id
        assert any("一" <= letter <= "鿿" for letter in rule.zh), rule.id
        assert rule.evidence, rule.id
        assert rule.source, rule.id
        assert rule.verified_scope, rule.id
        assert bool(rule.note_en) == bool(rule.note_zh), rule.id
        assert rule.force in {"must", "should", "mixed", "treaty", "procedure", "guidance"}


def test_ids_are_unique_over_all_packs() -> None:
    ids = [rule.id for name in PACKS for rule in load_pack(name).rules]
    assert len(ids) == len(set(ids))


def test_a_site_cites_its_own_pack_and_the_generic_one() -> None:
    for name in PACKS:
        assert {pack.id for pack in rulebook(name).packs} == {name, "generic"}
    assert rulebook("cn").rule("vc-13") is None
    assert rulebook("cn").rule("cn-rtsl-43") is not None


def test_every_tag_of_the_evidence_is_one_the_packs_use() -> None:
    used = {tag for name in PACKS for rule in load_pack(name).rules for tag in rule.evidence}
    assert {tag for tags in TAGS.values() for tag in tags} <= used
    assert set(TAGS) == set(EvidenceKind)


def test_a_rear_end_collision_gets_the_rules_on_following() -> None:
    kinds = [EvidenceKind.HEADWAY, EvidenceKind.BRAKE_LIGHT_ONSET, EvidenceKind.CONTACT]
    for name, expected in [("cn", "cn-rtsl-43"), ("uk", "uk-hc-126"), ("de", "de-stvo-4"),
                           ("vienna", "vc-13"), ("generic", "gen-two-seconds")]:  # fmt: skip
        assert expected in [rule.id for rule in rulebook(name).select(kinds, lang="en")]  # type: ignore[arg-type]  # a literal, looped over


@pytest.mark.parametrize("name", PACKS)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_selection_fits_the_budget_and_gives_only_what_may_be_cited(
    name: Jurisdiction, lang: str
) -> None:
    book = rulebook(name)
    for kinds in combinations(EvidenceKind, 2):
        for max_tokens in (0, 100, 900):
            chosen = book.select(kinds, lang=lang, max_tokens=max_tokens)
            assert sum(estimated_tokens(rule.line(lang), lang) for rule in chosen) <= max_tokens
            tags = {tag for kind in kinds for tag in TAGS[kind]}
            for rule in chosen:
                assert rule.verified
                assert rule.force != "procedure"
                # What bears on no rule counts as nothing measured.
                assert tags & set(rule.evidence) if tags else rule.instrument == "ENGINEERING"


def test_the_order_of_the_evidence_does_not_matter() -> None:
    book = rulebook("cn")
    kinds = [EvidenceKind.CONTACT, EvidenceKind.HEADWAY, EvidenceKind.CONTACT]
    assert book.select(kinds, lang="zh") == book.select(set(kinds), lang="zh")


def test_with_nothing_measured_the_generic_rules_are_given() -> None:
    chosen = rulebook("uk").select([], lang="en")
    assert chosen
    assert {rule.instrument for rule in chosen} == {"ENGINEERING"}


def test_only_generic_rules_name_the_two_seconds_outside_the_highway_code() -> None:
    for name in ("cn", "vienna", "de"):
        for rule in load_pack(name).rules:
            assert "two second" not in rule.en.lower(), rule.id
            assert "两秒" not in rule.zh, rule.id


def test_an_unknown_pack() -> None:
    with pytest.raises(ConfigError, match="mars"):
        load_pack("mars")


def test_one_rule_on_headway_of_each_pack() -> None:
    assert rulebook("cn").headway_rules() == ("cn-rtsl-43", "gen-two-seconds")
    assert rulebook("uk").headway_rules() == ("uk-hc-126", "gen-two-seconds")
    assert rulebook("generic").headway_rules() == ("gen-two-seconds",)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_a_rule_does_not_say_stands_beside_it(lang: str) -> None:
    rule = rulebook("cn").rule("cn-impl-38")
    assert rule is not None
    note = (
        "a right turn on a full red is not by itself a violation"
        if lang == "en"
        else "右转本身不违法"
    )
    assert note in rule.line(lang).lower()
    assert rule.line(lang).startswith("cn-impl-38 (Art. 38): ")


@pytest.mark.parametrize("name", PACKS)
def test_a_site_keeps_to_the_side_of_its_pack_unless_it_says_otherwise(name: Jurisdiction) -> None:
    side = load_pack(name).traffic_side
    assert side in {"right", "left", "either"}
    assert Site(id="a", jurisdiction=name).keeps == {"left": "left"}.get(side, "right")
    assert Site(id="a", jurisdiction=name, traffic_side="left").keeps == "left"
