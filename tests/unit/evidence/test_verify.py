"""Claims, true and false, held against hand-made measurements."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from monitor.domain import (
    Answer,
    Antecedent,
    AntecedentKind,
    Chain,
    Evidence,
    EvidenceKind,
    IncidentType,
    Severity,
    Verdict,
    Verification,
)
from monitor.evidence import adjusted_confidence, explain, verify
from monitor.evidence.hold import off_s, tolerance_s
from monitor.evidence.timeline import Timeline
from tests.unit.evidence.timelines import (
    FOLLOWER,
    LEADER,
    WINDOW,
    distractors,
    ev,
    incident,
    rear_end,
)

YES, NO, OPEN = Verdict.SUPPORTED, Verdict.CONTRADICTED, Verdict.UNVERIFIED

WALKS = Antecedent(11.2, "pedestrian_in_road", "pedestrian", "A pedestrian steps onto the road.")
LAMPS = Antecedent(12.0, "brake_light_onset", "lead car", "Its brake lights come on.")
BRAKES = Antecedent(13.3, "hard_brake", "following car", "The follower brakes hard.")
CLOSE = Antecedent(11.6, "headway", "following car", "It follows too closely.")
ROOT = "The following car was too close behind when the lead car braked for a pedestrian."


def claimed(*antecedents: Antecedent, root: str = ROOT, **fields: Any) -> Answer:
    """An answer as a model gives it."""
    given: dict[str, Any] = {
        "is_incident": True,
        "incident_type": IncidentType.REAR_END_COLLISION,
        "severity": Severity.HIGH,
        "confidence": 0.8,
    }
    return Answer(
        root_cause=root,
        antecedents=antecedents or (WALKS, LAMPS, BRAKES),
        chain=Chain("a", "b", "c"),
        rules=(),
        **(given | fields),
    )


def held(
    answer: Answer, evidence: Sequence[Evidence] | None = None, lang: str = "en"
) -> tuple[Verification, ...]:
    measured = rear_end() + distractors() if evidence is None else evidence
    return verify(answer, measured, WINDOW, lang="zh" if lang == "zh" else "en")


def first(antecedent: Antecedent, evidence: Sequence[Evidence] | None = None) -> Verification:
    """The finding on one antecedent, beside two that claim nothing."""
    gap = Antecedent(None, "not_seen", "nobody", "Not seen.")
    return held(claimed(antecedent, gap, gap), evidence)[1]


def test_what_was_measured_is_supported_with_its_evidence() -> None:
    root, *antecedents = held(claimed(WALKS, CLOSE, LAMPS))

    assert [v.claim for v in (root, *antecedents)] == [
        "root_cause",
        "antecedent_1",
        "antecedent_2",
        "antecedent_3",
    ]
    assert [v.verdict for v in antecedents] == [YES] * 3
    assert [v.evidence for v in antecedents] == [
        (rear_end()[0].id,),
        (rear_end()[1].id,),
        (rear_end()[2].id,),
    ]
    assert antecedents[2].text == "Brake lamps coming on was measured at 12.1 s (track 3)."
    assert root.verdict is YES
    assert "a pedestrian, braking, a short headway" in root.text
    assert rear_end()[5].id in root.evidence


def test_the_sentences_in_chinese() -> None:
    answer = claimed(
        replace(WALKS, actor="行人", text="行人走上车行道。"),
        replace(LAMPS, actor="前车", text="前车制动灯亮起。"),
        replace(BRAKES, actor="后车", t_s=5.0, text="后车急刹车。"),
        root="后车跟车过近，前车因行人制动时未能停下。",
    )
    found = held(answer, lang="zh")
    assert [v.verdict for v in found] == [YES, YES, YES, NO]
    assert found[2].text == "第12.1秒测得制动灯亮起（轨迹3）。"
    assert found[3].text == "急刹车测得于第13.2秒（轨迹7），而不是第5.0秒。"


@pytest.mark.parametrize(
    ("change", "verdict", "words"),
    [
        ({"t_s": 40.0}, NO, "outside the window"),
        ({"t_s": 15.5}, NO, "after the event"),
        ({"t_s": 9.0}, NO, "measured at 12.1 s (track 3), not at 9.0 s"),
        ({"t_s": 9.0, "actor": "a car"}, OPEN, "within 0.7 s of 9.0 s"),
        ({"t_s": 12.7, "actor": "track 3"}, YES, "12.1 s (track 3)"),
        ({"actor": "following car"}, NO, "not of the one named"),
        ({"actor": "car (track 99)"}, NO, "not of the one named"),
        ({"actor": "pedestrian"}, NO, "not of the one named"),
        ({"kind": "other"}, OPEN, "not measured"),
        ({"kind": "swerve"}, OPEN, "No swerve was measured in the window"),
        ({"text": "The pedestrian waves."}, OPEN, "something else than brake lamps"),
    ],
)
def test_one_antecedent(change: dict[str, Any], verdict: Verdict, words: str) -> None:
    finding = first(replace(LAMPS, **change), rear_end())
    assert finding.verdict is verdict
    assert words in finding.text


def test_a_measurement_of_an_unknown_track_is_not_taken_for_the_one_named() -> None:
    evidence = [e for e in rear_end() if e.kind is not EvidenceKind.BRAKE_LIGHT_ONSET]
    finding = first(LAMPS, [*evidence, ev("brake_light_onset", 12.0, 77)])
    assert finding.verdict is OPEN
    assert "is not known" in finding.text


def test_an_antecedent_that_claims_nothing_stays_unverified() -> None:
    gap = Antecedent(None, "not_seen", "nobody", "Nothing was measured before it.")
    assert first(gap).verdict is OPEN
    assert first(gap).evidence == ()


def test_one_measurement_bears_out_one_claim() -> None:
    again = replace(LAMPS, t_s=12.2)
    found = held(claimed(LAMPS, again, replace(LAMPS, t_s=12.4)))[1:]
    assert [v.verdict for v in found].count(YES) == 1
    assert sum("already bears out" in v.text for v in found) == 2


def test_events_claimed_in_the_reverse_order_are_not_supported() -> None:
    close = [
        ev("pedestrian_in_road", 11.7, 12),
        ev("brake_light_onset", 12.1, LEADER),
        ev("contact", 14.0, FOLLOWER, other=LEADER),
    ]
    walks, lamps = replace(WALKS, t_s=12.1), replace(LAMPS, t_s=11.7)
    found = held(claimed(walks, lamps, BRAKES), close)
    assert [v.verdict for v in found[1:3]] == [NO, NO]
    assert "wrong order" in found[1].text

    vague = [replace(e, time_uncertainty_s=0.5) for e in close]
    found = held(claimed(walks, lamps, BRAKES), vague)
    assert [v.verdict for v in found[1:3]] == [OPEN, OPEN]
    assert "order of events was not" in found[1].text


@pytest.mark.parametrize(
    ("headway_s", "text", "verdict", "words"),
    [
        (0.8, "Its headway is 0.9 s.", YES, "measured"),
        (0.8, "Its headway is 2.5 s.", NO, "was 0.8 s, not 2.5 s"),
        (2.6, "It follows too closely.", NO, "not under two seconds"),
        (2.6, "It is less than 1.0 s behind.", NO, "was 2.6 s, not 1.0 s"),
        (2.0, "It follows too closely.", OPEN, "is not decided"),
        (0.8, "It is under 1.0 s behind the lead car.", YES, "measured"),
        (0.8, "与前车的车头时距仅2.8秒。", NO, "0.8 s, not 2.8 s"),
    ],
)
def test_a_claimed_headway_against_the_measured_one(
    headway_s: float, text: str, verdict: Verdict, words: str
) -> None:
    finding = first(replace(CLOSE, text=text), rear_end(headway_s=headway_s))
    assert finding.verdict is verdict
    assert words in finding.text


@pytest.mark.parametrize(
    ("value", "unit", "text", "verdict"),
    [
        (6.1, "m/s2", "It brakes at 6.5 m/s².", YES),
        (6.1, "m/s2", "It brakes at 9.5 m/s2.", NO),
        (2.0, "m/s2", "It brakes hard.", NO),
        (0.6, "1/s", "It brakes, losing 60 % of its speed each second.", YES),
        (0.6, "1/s", "It brakes, losing 20 % of its speed each second.", NO),
        (0.6, "1/s", "It brakes at 9.5 m/s2.", YES),  # another unit: nothing to compare
    ],
)
def test_a_claimed_brake_against_the_measured_deceleration(
    value: float, unit: str, text: str, verdict: Verdict
) -> None:
    evidence = [e for e in rear_end() if "hard_brake-7" not in e.id]
    evidence.append(ev("hard_brake", 13.2, FOLLOWER, value=value, unit=unit))
    assert first(replace(BRAKES, text=text), evidence).verdict is verdict


def test_braking_that_was_measured_contradicts_that_there_was_none() -> None:
    claim = Antecedent(13.5, "other", "following car", "The follower did not brake.")
    finding = first(claim)
    assert finding.verdict is NO
    assert "Braking was measured at 13.2 s (track 7)" in finding.text
    late = replace(claim, text="The follower did not brake in time.")
    assert first(late).verdict is OPEN


@pytest.mark.parametrize(
    ("root", "verdict", "words"),
    [
        (ROOT, YES, "every cause it names"),
        ("The lead car braked hard and the follower never braked.", NO, "though none is claimed"),
        ("The follower was speeding.", OPEN, "speeding, signals"),
        ("The driver was distracted while the lead car braked.", OPEN, "attention"),
        ("Bad luck.", OPEN, "no cause that can be measured"),
        ("The lead car swerved.", OPEN, "(a swerve) was not measured"),
        ("The follower's headway was 2.9 s when the lead car braked.", NO, "0.8 s, not 2.9 s"),
        ("The follower reacted late.", OPEN, "a late reaction"),
        ("A car came the wrong way.", NO, "only at 20.0 s, after the event"),
        ("后车跟车过近，前车制动时未能停下。", YES, "braking, a short headway"),
        ("后车驾驶员分心。", OPEN, "attention"),
    ],
)
def test_a_root_cause(root: str, verdict: Verdict, words: str) -> None:
    evidence = [*rear_end(), *distractors(), ev("wrong_way", 20.0, 88)]
    finding = held(claimed(root=root), evidence)[0]
    assert finding.verdict is verdict, finding.text
    assert words in finding.text


def test_a_long_headway_contradicts_a_root_cause_of_following_too_closely() -> None:
    finding = held(claimed(), rear_end(headway_s=2.6))[0]
    assert finding.verdict is NO
    assert "2.6 s, which is not under two seconds" in finding.text


def test_a_quick_reaction_contradicts_a_late_one() -> None:
    evidence = [e for e in rear_end() if "hard_brake-7" not in e.id]
    evidence.append(ev("hard_brake", 12.8, FOLLOWER, value=0.6, unit="1/s"))
    finding = held(claimed(root="The follower reacted late."), evidence)[0]
    assert finding.verdict is NO
    assert "0.7 s after" in finding.text


@pytest.mark.parametrize(
    ("claim", "evidence", "verdict", "words"),
    [
        (IncidentType.NONE, rear_end(), NO, "a contact was measured at 14.0 s"),
        (IncidentType.NEAR_MISS, rear_end(), NO, "a contact was measured at 14.0 s"),
        (IncidentType.PEDESTRIAN_COLLISION, rear_end(), NO, "not of the kind claimed"),
        (IncidentType.SINGLE_VEHICLE_COLLISION, rear_end(), NO, "not of the kind claimed"),
        (IncidentType.SIDE_COLLISION, rear_end(), OPEN, "does not show this kind"),
        (IncidentType.COLLISION, rear_end(), YES, "every cause"),
        (IncidentType.REAR_END_COLLISION, rear_end()[:4], OPEN, "does not show this kind"),
        (IncidentType.NONE, [], OPEN, "Nothing is claimed"),
        (IncidentType.OTHER, rear_end(), OPEN, "does not show this kind"),
    ],
)
def test_the_event_that_is_claimed(
    claim: IncidentType, evidence: list[Evidence], verdict: Verdict, words: str
) -> None:
    finding = held(claimed(incident_type=claim), evidence)[0]
    assert finding.verdict is verdict
    assert words in finding.text


def test_vehicles_that_collide_are_not_a_pedestrian_struck() -> None:
    evidence = [ev("pedestrian_in_road", 10.9, 12), ev("contact", 12.3, 5, other=12)]
    finding = held(claimed(), evidence)[0]
    assert finding.verdict is NO
    assert "not of the kind claimed" in finding.text


def test_a_root_cause_does_not_stand_on_antecedents_that_are_all_contradicted() -> None:
    wrong = (replace(LAMPS, t_s=5.0), replace(BRAKES, t_s=5.5), replace(WALKS, t_s=40.0))
    assert held(claimed(*wrong))[0].verdict is OPEN


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("headway_s", [0.8, 1.95, 2.6])
def test_the_explainers_own_answer_is_never_contradicted(lang: str, headway_s: float) -> None:
    evidence = rear_end(headway_s=headway_s) + distractors()
    case = incident("contact", 14.0, FOLLOWER, LEADER)
    answer = explain(case, evidence, WINDOW, lang="zh" if lang == "zh" else "en")
    found = held(answer, evidence, lang)
    assert [v.verdict for v in found[1:]] == [YES] * 3
    assert found[0].verdict in (YES, OPEN)


def test_the_confidence_after_verification() -> None:
    def finding(claim: Any, verdict: Verdict) -> Verification:
        return Verification(claim, verdict, (), "x")

    fine = [finding("root_cause", YES), finding("antecedent_1", OPEN)]
    assert adjusted_confidence(0.8, fine) == 0.8
    assert adjusted_confidence(0.8, [finding("root_cause", OPEN)]) == 0.64
    assert adjusted_confidence(0.8, [finding("root_cause", NO)]) == 0.32
    bad = [finding("root_cause", NO), finding("antecedent_1", NO), finding("antecedent_2", NO)]
    assert adjusted_confidence(0.8, bad) == pytest.approx(0.8 * 0.4 * 0.8 * 0.8, abs=1e-3)


# Properties: what a claim would have to be to be believed, whatever was measured.

KINDS: list[AntecedentKind] = [
    k for k in get_args(AntecedentKind) if k not in ("other", "not_seen")
]
ACTORS = ["the lead car", "the following car", "a pedestrian", "a car", "后车", "行人", "track 3"]


@st.composite
def measured(draw: st.DrawFn) -> list[Evidence]:
    made = []
    for number in range(draw(st.integers(0, 12))):
        kind = draw(st.sampled_from(KINDS))
        made.append(
            ev(
                kind,
                round(draw(st.floats(0, 28)), 1),
                draw(st.none() | st.integers(1, 5)),
                id=f"{kind}-{number}",
                other=draw(st.none() | st.integers(1, 5)),
                value=draw(st.none() | st.floats(0, 12)),
                unit=draw(st.sampled_from(["", "s", "1/s", "m/s2"])),
                time_uncertainty_s=draw(st.none() | st.floats(0, 1)),
                strength=draw(st.floats(0, 1)),
            )
        )
    return made


@st.composite
def claims(draw: st.DrawFn) -> Antecedent:
    text = st.sampled_from(["It happened.", "The follower brakes.", "A pedestrian.", "跟车过近。"])
    return Antecedent(
        t_s=round(draw(st.floats(-5, 40)), 1),
        kind=draw(st.sampled_from(get_args(AntecedentKind)[:-1])),
        actor=draw(st.sampled_from(ACTORS)),
        text=draw(text),
    )


@settings(max_examples=400, deadline=None)
@given(measured(), st.tuples(claims(), claims(), claims()), st.sampled_from(["en", "zh"]))
def test_only_its_own_kind_near_its_time_bears_out_a_claim(
    evidence: list[Evidence], three: tuple[Antecedent, Antecedent, Antecedent], lang: str
) -> None:
    found = held(claimed(*three), evidence, lang)[1:]
    timeline = Timeline(evidence, WINDOW)
    by_id = {e.id: e for e in evidence}
    used: list[str] = []
    for claim, finding in zip(three, found, strict=True):
        assert set(finding.evidence) <= set(by_id)
        if finding.verdict is not YES:
            continue
        assert claim.t_s is not None
        proof = by_id[finding.evidence[0]]
        assert proof.kind.value == claim.kind
        assert off_s(claim.t_s, proof, timeline) <= tolerance_s(proof) <= 1.5
        assert 0 <= claim.t_s <= 28
        used.append(proof.id)
    assert len(used) == len(set(used))


@settings(max_examples=300, deadline=None)
@given(st.floats(-14, 14), st.integers(0, 4), st.sampled_from(["en", "zh"]))
def test_an_antecedent_shifted_beyond_its_tolerance_is_never_supported(
    shift_s: float, which: int, lang: str
) -> None:
    evidence = rear_end() + distractors()
    target = rear_end()[which]
    t_s = round(WINDOW.t_s(target.time_ms) + shift_s, 2)
    timeline = Timeline(evidence, WINDOW)
    same = timeline.of(target.kind)
    assume(all(off_s(t_s, e, timeline) > tolerance_s(e) for e in same))
    actor = {3: "lead car", 7: "following car", 12: "pedestrian"}[target.track or 0]
    claim = Antecedent(t_s, target.kind.value, actor, "It happened.")
    assert held(claimed(claim, WALKS, LAMPS), evidence, lang)[1].verdict is not YES


@settings(max_examples=200, deadline=None)
@given(st.permutations(range(4)), st.floats(0.8, 2.0), st.floats(1.0, 2.5))
def test_shuffled_antecedents_are_never_all_supported(
    order: list[int], first_gap_s: float, second_gap_s: float
) -> None:
    """Times dealt out to the wrong events: none that moved stays supported."""
    at = [6.0, 6.0 + first_gap_s, 6.0 + first_gap_s + second_gap_s]
    at.append(at[2] + 1.0)
    kinds: list[AntecedentKind] = [
        "pedestrian_in_road",
        "brake_light_onset",
        "hard_brake",
        "swerve",
    ]
    tracks = [12, LEADER, FOLLOWER, FOLLOWER]
    actors = ["pedestrian", "lead car", "following car", "following car"]
    evidence = [ev(k, t, n) for k, t, n in zip(kinds, at, tracks, strict=True)]
    evidence.append(ev("contact", at[3] + 1.0, FOLLOWER, other=LEADER))
    dealt = [Antecedent(round(at[order[i]], 3), kinds[i], actors[i], "It happened.")
             for i in range(3)]  # fmt: skip
    found = held(claimed(*dealt), evidence)[1:]
    for i in range(3):
        assert (found[i].verdict is YES) == (order[i] == i)


def test_ten_thousand_invented_antecedents() -> None:
    """Kinds that were not measured at all, at any time, of anybody: none is ever supported."""
    chance = random.Random(20261122)
    evidence = rear_end() + distractors()
    absent: list[AntecedentKind] = ["other"]
    absent += [k for k in KINDS if k not in {e.kind.value for e in evidence}]
    supported = 0
    for _ in range(10_000 // 3 + 1):
        three = [
            Antecedent(
                round(chance.uniform(0, 28), 1),
                chance.choice(absent),
                chance.choice(ACTORS),
                chance.choice(["It happened.", "The car swerved.", "排队。"]),
            )
            for _ in range(3)
        ]
        supported += sum(v.verdict is YES for v in held(claimed(*three), evidence)[1:])
    assert supported == 0
