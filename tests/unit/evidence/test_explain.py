"""What the explainer says of hand-made measurements."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.domain import Answer, Evidence, EvidenceKind, Incident, IncidentType
from monitor.evidence import explain
from monitor.evidence.claims import deceleration_of
from monitor.wire import from_json, to_json
from tests.unit.evidence.timelines import (
    FAR_BOX,
    FOLLOWER,
    LEADER,
    LEADER_BOX,
    WALKER,
    WALKER_BOX,
    WINDOW,
    distractors,
    ev,
    incident,
    rear_end,
)

CRASH = incident("contact", 14.0, FOLLOWER, LEADER)
BLAME = re.compile(
    r"\b(fault|blame|guilt|guilty|liable|responsib|negligen)|责任|过错|有罪|违法", re.I
)


def english(case: Incident, evidence: Sequence[Evidence]) -> Answer:
    return explain(case, evidence, WINDOW, lang="en")


def times(answer: Answer) -> list[tuple[float | None, str]]:
    return [(a.t_s, a.kind) for a in answer.antecedents]


def test_a_rear_end_collision_names_its_causes_with_their_numbers() -> None:
    answer = english(CRASH, rear_end())

    assert answer.incident_type is IncidentType.REAR_END_COLLISION
    assert answer.severity is CRASH.severity
    assert times(answer) == [
        (11.0, "pedestrian_in_road"),
        (11.8, "headway"),
        (12.1, "brake_light_onset"),
    ]
    assert "0.8 s (±0.1 s) behind, under the two-second rule" in answer.root_cause
    assert "braked at 12.1 s, 1.1 s after a pedestrian" in answer.root_cause
    assert "struck it at 14.0 s" in answer.root_cause
    assert "headway 0.8 s" in answer.chain.systemic_weakness
    assert "stepped onto the roadway at 11.0 s" in answer.chain.environment
    assert "12.1 s" in answer.chain.direct_trigger
    assert answer.antecedents[0].actor == f"pedestrian (track {WALKER})"


def test_the_same_in_chinese() -> None:
    answer = explain(CRASH, rear_end(), WINDOW, lang="zh")

    assert times(answer) == times(english(CRASH, rear_end()))
    assert "后车（轨迹7）的车头时距只有0.8秒（±0.1秒），不足两秒" in answer.root_cause
    assert "第14.0秒追尾碰到前车" in answer.root_cause
    assert answer.antecedents[2].actor == "前车（轨迹3）"
    assert not re.search(r"[a-zA-Z]{3,}", answer.root_cause)


def test_other_tracks_elsewhere_change_nothing() -> None:
    assert english(CRASH, rear_end() + distractors()) == english(CRASH, rear_end())


def test_the_order_of_the_evidence_changes_nothing() -> None:
    evidence = rear_end() + distractors()
    assert english(CRASH, evidence[::-1]) == english(CRASH, evidence)


@pytest.mark.parametrize(
    ("headway_s", "spread_s", "sentence", "weakness"),
    [
        (2.6, 0.1, "does not decide why it did not stop", "Not seen: "),
        (1.95, 0.2, "Why it did not stop is not decided", "is not decided"),
        (1.2, 0.1, "under the two-second rule", "under the two-second rule"),
    ],
)
def test_a_headway_is_held_against_two_seconds_with_its_uncertainty(
    headway_s: float, spread_s: float, sentence: str, weakness: str
) -> None:
    answer = english(CRASH, rear_end(headway_s=headway_s, spread_s=spread_s))

    assert sentence in answer.root_cause
    assert weakness in answer.chain.systemic_weakness


def test_a_late_reaction_is_the_weakness_where_the_headway_was_long_enough() -> None:
    evidence = [e for e in rear_end(headway_s=3.0) if e.id != ids(rear_end(), "hard_brake", 7)]
    evidence.append(ev("hard_brake", 13.8, FOLLOWER, value=0.7, unit="1/s"))
    answer = english(CRASH, evidence)

    assert "began to brake only 1.7 s after the vehicle in front" in answer.root_cause
    assert answer.chain.systemic_weakness.startswith("Late reaction: 1.7 s")
    assert (13.8, "hard_brake") in times(answer)


def ids(evidence: Sequence[Evidence], kind: str, track: int) -> str:
    return next(e.id for e in evidence if e.kind == EvidenceKind(kind) and e.track == track)


def test_without_a_headway_it_says_that_why_is_not_decided() -> None:
    evidence = [e for e in rear_end() if e.kind is not EvidenceKind.HEADWAY]
    answer = english(CRASH, evidence)

    assert answer.incident_type is IncidentType.REAR_END_COLLISION
    assert "why is not decided" in answer.root_cause
    assert "inferred from its braking" in answer.chain.direct_trigger
    assert answer.chain.systemic_weakness.startswith("Not seen")
    assert answer.confidence < english(CRASH, rear_end()).confidence


def test_a_contact_and_nothing_else_is_a_collision_of_unknown_cause() -> None:
    answer = english(CRASH, [e for e in rear_end() if e.kind is EvidenceKind.CONTACT])

    assert answer.incident_type is IncidentType.COLLISION
    assert [a.kind for a in answer.antecedents] == ["not_seen"] * 3
    assert [a.t_s for a in answer.antecedents] == [None] * 3
    assert "not decided" in answer.root_cause
    assert answer.chain.environment.startswith("Not seen")


def test_a_trigger_that_nothing_backs_is_told_as_such() -> None:
    answer = english(CRASH, [])

    assert "The trigger reported a contact of two bodies at 14.0 s" in answer.root_cause
    assert answer.confidence <= 0.12


def test_a_contact_that_names_its_two_the_other_way_round_is_put_right_by_the_headway() -> None:
    evidence = [e for e in rear_end() if e.kind is not EvidenceKind.CONTACT]
    evidence.append(ev("contact", 14.0, LEADER, other=FOLLOWER))
    answer = english(CRASH, evidence)

    assert f"following vehicle (track {FOLLOWER}) was only 0.8 s" in answer.root_cause


def test_a_broken_track_is_followed_by_its_place_with_less_confidence() -> None:
    """The leader's braking was measured under another number, at the leader's place."""
    renamed = [
        ev("brake_light_onset", 12.1, 30, box=LEADER_BOX) if "brake_light" in e.id else e
        for e in rear_end()
        if not (e.kind is EvidenceKind.HARD_BRAKE and e.track == LEADER)
    ]
    answer = english(CRASH, renamed)
    whole = [e for e in rear_end() if not (e.kind is EvidenceKind.HARD_BRAKE and e.track == LEADER)]

    assert (12.1, "brake_light_onset") in times(answer)
    assert answer.confidence < english(CRASH, whole).confidence
    elsewhere = [
        ev("brake_light_onset", 12.1, 30, box=FAR_BOX) if e.track == 30 else e for e in renamed
    ]
    assert (12.1, "brake_light_onset") not in times(english(CRASH, elsewhere))


def test_a_contact_without_tracks_finds_its_parties_by_place() -> None:
    evidence = [e for e in rear_end() if e.kind is not EvidenceKind.CONTACT]
    evidence.append(ev("contact", 14.0, box=(0.48, 0.50, 0.16, 0.12)))
    answer = english(incident("contact", 14.0), evidence + distractors())

    assert answer.incident_type is IncidentType.REAR_END_COLLISION
    assert times(answer) == times(english(CRASH, rear_end()))


def test_the_impact_itself_is_not_taken_for_the_followers_braking() -> None:
    evidence = [e for e in rear_end() if e.id != ids(rear_end(), "hard_brake", FOLLOWER)]
    evidence.append(ev("hard_brake", 13.95, FOLLOWER, value=2.0, unit="1/s"))
    assert (13.95, "hard_brake") not in times(english(CRASH, evidence))


def test_the_pedestrian_nearest_to_the_leaders_way_and_reaction_is_taken() -> None:
    lawful = ev("pedestrian_in_road", 6.5, 50, box=WALKER_BOX)
    after = ev("pedestrian_in_road", 13.0, 51, box=WALKER_BOX)
    answer = english(CRASH, [*rear_end(), lawful, after])
    assert answer.antecedents[0].actor == f"pedestrian (track {WALKER})"


def test_a_pedestrian_seen_late_beside_the_leader_beats_an_earlier_one_across_the_road() -> None:
    """Its first step is known to 0.4 s, so it may be measured after the lamps it caused."""
    seen_late = ev("pedestrian_in_road", 12.5, WALKER, box=WALKER_BOX, time_uncertainty_s=0.4)
    across = ev("pedestrian_in_road", 7.0, 40, box=(0.2, 0.36, 0.016, 0.08))
    answer = english(CRASH, [across, seen_late, *rear_end()[1:]])

    assert (12.5, "pedestrian_in_road") in times(answer)
    assert "at about the moment that a pedestrian" in answer.root_cause


def test_a_chain_crash_is_told_from_its_first_contact() -> None:
    second = ev("contact", 15.2, 9, other=FOLLOWER)
    case = incident("contact", 15.2, 9, FOLLOWER)
    answer = english(case, [*rear_end(), second])
    assert "14.0 s" in answer.root_cause


def test_hard_braking_without_contact() -> None:
    evidence = [e for e in rear_end() if e.kind is not EvidenceKind.CONTACT]
    answer = english(incident("hard_brake", 12.3, LEADER), evidence)

    assert answer.incident_type is IncidentType.HARD_BRAKE
    assert "braked at 12.1 s, 1.1 s after a pedestrian" in answer.root_cause
    assert "losing 45 % of its speed per second" in answer.root_cause
    assert all(t is None or t <= 12.3 for t, _ in times(answer))
    assert "another vehicle (track 7)'s headway 0.8 s" in answer.chain.systemic_weakness.lower()


def test_lamps_measured_after_the_braking_they_announce_are_not_told_as_its_beginning() -> None:
    evidence = [
        ev("pedestrian_in_road", 11.0, 12),
        ev("hard_brake", 12.1, LEADER, value=0.5, unit="1/s"),
        ev("brake_light_onset", 12.3, LEADER),
    ]
    answer = english(incident("hard_brake", 12.1, LEADER), evidence)
    assert "12.3 s" not in answer.root_cause
    assert "began to brake hard at 12.1 s" in answer.root_cause
    assert "1.1 s after a pedestrian" in answer.root_cause


def test_a_calibrated_deceleration_is_told_in_metres() -> None:
    brake = ev("hard_brake", 9.0, 5, value=6.12, unit="m/s2")
    answer = english(incident("hard_brake", 9.0, 5), [brake])
    assert "at 6.1 m/s²" in answer.root_cause
    assert "for a reason that was not seen" in answer.root_cause


def test_a_near_miss_of_one_behind_the_other() -> None:
    evidence = [e for e in rear_end() if e.kind is not EvidenceKind.CONTACT]
    evidence.append(ev("near_miss", 14.0, FOLLOWER, other=LEADER, value=0.4, unit="s"))
    answer = english(incident("near_miss", 14.0, FOLLOWER, LEADER), evidence)

    assert answer.incident_type is IncidentType.NEAR_MISS
    assert "came close to it at 14.0 s" in answer.root_cause
    assert "under the two-second rule" in answer.root_cause


def test_crossing_paths_are_not_decided_without_a_swerve_or_wrong_way() -> None:
    near = ev("near_miss", 9.0, 5, other=6, value=0.7, unit="s")
    case = incident("near_miss", 9.0, 5, 6)
    open_case = english(case, [near, ev("hard_brake", 8.0, 6, value=0.5, unit="1/s")])
    assert "Whose path was entered is not decided" in open_case.root_cause

    swerved = english(case, [near, ev("swerve", 8.4, 5)])
    assert "swerved at 8.4 s" in swerved.root_cause


def test_a_vehicle_against_the_traffic_that_hits_another_is_no_rear_end() -> None:
    evidence = [
        ev("wrong_way", 5.0, 5),
        ev("hard_brake", 8.0, 6, value=0.5, unit="1/s"),
        ev("contact", 9.0, 5, other=6),
    ]
    answer = english(incident("contact", 9.0, 5, 6), evidence)
    assert answer.incident_type is IncidentType.COLLISION
    assert "going against the traffic at 5.0 s" in answer.root_cause


@pytest.mark.parametrize("swapped", [False, True])
def test_a_pedestrian_struck(swapped: bool) -> None:
    pair = {"track": 12, "other": 5} if swapped else {"track": 5, "other": 12}
    evidence = [
        ev("pedestrian_in_road", 10.9, 12),
        ev("hard_brake", 11.9, 5, value=0.5, unit="1/s"),
        ev("contact", 12.3, **pair),
    ]
    answer = english(incident("contact", 12.3, 5, 12), evidence)

    assert answer.incident_type is IncidentType.PEDESTRIAN_COLLISION
    assert "1.4 s after the pedestrian stepped onto the roadway" in answer.root_cause
    assert "began to brake 0.4 s before" in answer.root_cause
    assert times(answer)[:2] == [(10.9, "pedestrian_in_road"), (11.9, "hard_brake")]


def test_a_stopped_vehicle() -> None:
    evidence = [
        ev("hard_brake", 11.0, 5, value=0.6, unit="1/s"),
        ev("sudden_stop", 12.2, 5, value=1.2, unit="s"),
        ev("stopped_in_lane", 12.3, 5, value=9.0, unit="s"),
    ]
    answer = english(incident("stopped_in_lane", 12.3, 5), evidence)
    assert answer.incident_type is IncidentType.STOPPED_VEHICLE
    assert "came to rest in the lane at 12.3 s" in answer.root_cause
    assert (11.0, "hard_brake") in times(answer)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("wrong_way", IncidentType.WRONG_WAY),
        ("pedestrian_in_road", IncidentType.PEDESTRIAN_IN_ROAD),
        ("queue", IncidentType.CONGESTION),
        ("swerve", IncidentType.OTHER),
        ("sudden_stop", IncidentType.HARD_BRAKE),
    ],
)
def test_every_other_kind_has_its_type(kind: str, expected: IncidentType) -> None:
    answer = english(incident(kind, 9.0, 5), [ev(kind, 9.0, 5)])
    assert answer.incident_type is expected
    assert times(answer)[0] == (9.0, kind)


def test_a_standing_vehicle_ahead_is_the_reason_for_braking() -> None:
    evidence = [e for e in rear_end() if e.kind is not EvidenceKind.PEDESTRIAN_IN_ROAD]
    evidence.append(ev("stopped_in_lane", 4.0, 60, value=9.0, unit="s", box=WALKER_BOX))
    answer = english(CRASH, evidence)
    assert "after another vehicle (track 60) came to rest in the lane" in answer.root_cause


def test_evidence_outside_the_window_is_left_out() -> None:
    early = ev("headway", -3.0, FOLLOWER, other=LEADER, value=0.2, unit="s")
    late = ev("contact", 29.0, FOLLOWER, other=LEADER)
    assert english(CRASH, [*rear_end(), early, late]) == english(CRASH, rear_end())


def test_rules_are_cited_only_for_a_short_headway() -> None:
    rules = ("generic-two-seconds",)
    short = explain(CRASH, rear_end(), WINDOW, lang="en", headway_rules=rules)
    long = explain(CRASH, rear_end(headway_s=2.6), WINDOW, lang="en", headway_rules=rules)
    assert short.rules == rules
    assert long.rules == ()


def test_the_confidence_formula() -> None:
    """0.9 x (0.4 + 0.6 x mean(0.9 x 0.8, 0.9, 0.9)): the pedestrian is linked by path, 0.8."""
    assert english(CRASH, rear_end()).confidence == pytest.approx(
        0.9 * (0.4 + 0.6 * (0.72 + 0.9 + 0.9) / 3), abs=1e-3
    )


KINDS = [k.value for k in EvidenceKind]


@st.composite
def timelines(draw: st.DrawFn) -> list[Evidence]:
    """Anything a trigger might write, sensible or not."""
    count = draw(st.integers(0, 14))
    box = st.tuples(*[st.floats(0, 1) for _ in range(4)])
    made = []
    for number in range(count):
        kind = draw(st.sampled_from(KINDS))
        value = draw(st.none() | st.floats(0, 20))
        made.append(
            ev(
                kind,
                round(draw(st.floats(-2, 31)), 2),
                draw(st.none() | st.integers(0, 4)),
                id=f"{kind}-{number}",
                other=draw(st.none() | st.integers(0, 4)),
                value=value,
                unit=draw(st.sampled_from(["", "s", "1/s", "m/s2"])),
                uncertainty=draw(st.none() | st.floats(0, 2)),
                time_uncertainty_s=draw(st.none() | st.floats(0, 2)),
                strength=draw(st.floats(0, 1)),
                box=draw(st.none() | box),
            )
        )
    return made


@settings(max_examples=150, deadline=None)
@given(
    timelines(),
    st.sampled_from(KINDS),
    st.lists(st.integers(0, 4), max_size=2),
    st.sampled_from(["en", "zh"]),
    st.randoms(use_true_random=False),
)
def test_any_timeline_gives_a_valid_answer(
    evidence: list[Evidence], kind: str, tracks: list[int], lang: str, chance: object
) -> None:
    case = incident(kind, 14.0, *tracks)
    answer = explain(case, evidence, WINDOW, lang="zh" if lang == "zh" else "en")

    assert from_json(Answer, to_json(answer)) == answer
    assert 0.0 <= answer.confidence <= 0.95
    measured = {(round(WINDOW.t_s(e.time_ms), 3), e.kind.value) for e in evidence}
    seen = [a for a in answer.antecedents if a.t_s is not None]
    assert all((a.t_s, a.kind) in measured for a in seen)
    assert all((a.t_s is None) == (a.kind == "not_seen") for a in answer.antecedents)
    assert [a.t_s for a in seen] == sorted(a.t_s for a in seen if a.t_s is not None)
    assert all(0 <= a.t_s <= 28 for a in seen if a.t_s is not None)
    assert answer.antecedents[: len(seen)] == tuple(seen)
    chance.shuffle(evidence)  # type: ignore[attr-defined]  # hypothesis types it as object
    again = explain(case, evidence, WINDOW, lang="zh" if lang == "zh" else "en")
    assert again == answer
    told = to_json(answer).decode()
    assert not BLAME.search(told)


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("value", [1.2, 3.1, 6.7])
def test_braking_above_all_of_the_speed_in_a_second_is_told_as_a_time_and_read_back(
    lang: Literal["en", "zh"], value: float
) -> None:
    brake = ev("hard_brake", 12.3, LEADER, value=value, unit="1/s", uncertainty=0.1)
    answer = explain(incident("hard_brake", 12.3, LEADER), [brake], WINDOW, lang=lang)

    told = next(a for a in answer.antecedents if a.kind == "hard_brake")
    assert "%" not in told.text
    read = deceleration_of(told.text)
    assert read is not None
    assert read[0].value == pytest.approx(value, rel=0.05)
