"""Two whose ways met from the side, head-on, or on a bicycle: told, and claims about it held."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.domain import Actor, Answer, Evidence, IncidentType, Verdict
from monitor.evidence import explain, verify
from monitor.evidence.explain import Lang
from tests.unit.evidence.timelines import LEADER_BOX, WALKER_BOX, WINDOW, ev, incident

TURNER, COMES = 3, 7


def crossing(angle_deg: float = 90.0, spread_deg: float = 6.0) -> list[Evidence]:
    """The turner in the other's path from 13.2 s on, contact at 14.0, the other braking at 13.6."""
    return [
        ev("appeared", 11.4, COMES, other=TURNER, box=WALKER_BOX),
        ev("closing", 12.4, COMES, other=TURNER, value=1.9, unit="s", box=WALKER_BOX),
        ev("path_entered", 13.2, TURNER, other=COMES, value=0.8, unit="s", uncertainty=0.2,
           box=LEADER_BOX),
        ev("hard_brake", 13.6, COMES, value=0.5, unit="1/s", box=WALKER_BOX),
        ev("course", 13.9, TURNER, other=COMES, value=10.0, unit="deg", uncertainty=spread_deg,
           box=LEADER_BOX),
        ev("course", 13.9, COMES, other=TURNER, value=10.0 + angle_deg, unit="deg",
           uncertainty=spread_deg, box=WALKER_BOX),
        ev("contact", 14.0, COMES, other=TURNER, box=LEADER_BOX),
    ]  # fmt: skip


def told(evidence: list[Evidence], lang: Lang = "en") -> Answer:
    return explain(incident("contact", 14.0, COMES, TURNER), evidence, WINDOW, lang=lang)


@pytest.mark.parametrize(
    ("angle", "spread", "kind"),
    [
        (90.0, 6.0, IncidentType.SIDE_COLLISION),
        (-90.0, 6.0, IncidentType.SIDE_COLLISION),
        (170.0, 6.0, IncidentType.HEAD_ON_COLLISION),
        (190.0, 6.0, IncidentType.HEAD_ON_COLLISION),
        (40.0, 20.0, IncidentType.REAR_END_COLLISION),  # not decided: the struck one braked
        (150.0, 20.0, IncidentType.COLLISION),  # not decided, but surely not the same way
    ],
)
def test_the_angle_of_the_courses_tells_the_kind(
    angle: float, spread: float, kind: IncidentType
) -> None:
    evidence = crossing(angle, spread)
    if spread == 20.0:
        evidence.append(ev("hard_brake", 12.0, TURNER, value=0.5, unit="1/s", box=LEADER_BOX))
    assert told(evidence).incident_type is kind


@pytest.mark.parametrize(
    ("before", "kind"),
    [(50.0, IncidentType.SIDE_COLLISION), (20.0, IncidentType.HEAD_ON_COLLISION)],
)
def test_who_turned_in_front_of_somebody_is_hit_from_the_side_though_nearly_head_on(
    before: float, kind: IncidentType
) -> None:
    evidence = crossing(170.0)
    evidence.append(ev("course", 10.5, TURNER, other=COMES, value=before, unit="deg",
                       uncertainty=6.0, box=LEADER_BOX))  # fmt: skip
    assert told(evidence).incident_type is kind


@pytest.mark.parametrize(
    ("lost", "kind"),
    [(0.9, IncidentType.REAR_END_COLLISION), (0.3, IncidentType.COLLISION)],
)
def test_who_lost_most_of_its_speed_was_run_into_from_behind(
    lost: float, kind: IncidentType
) -> None:
    evidence = [one for one in crossing(5.0) if one.kind != "hard_brake"]
    evidence.append(ev("slowing", 11.0, TURNER, other=COMES, value=lost, box=LEADER_BOX))
    assert told(evidence).incident_type is kind


def test_the_faster_of_two_that_no_track_was_named_of_came_upon_the_other() -> None:
    evidence = [
        replace(one, track=None, other=None) if one.kind == "contact" else one
        for one in crossing(5.0)
        if one.kind != "hard_brake"
    ]
    evidence.append(ev("slowing", 11.0, TURNER, other=COMES, value=0.9, box=LEADER_BOX))
    answer = told(evidence)
    assert answer.incident_type is IncidentType.REAR_END_COLLISION
    slowed = next(one for one in answer.antecedents if one.kind == "slowing")
    assert slowed.actor == "leading vehicle (track 3)"


def test_without_both_courses_it_is_a_collision_and_no_more() -> None:
    one_sided = [one for one in crossing() if one.kind != "course" or one.track != COMES]
    answer = told(one_sided)
    assert answer.incident_type is IncidentType.COLLISION
    assert "not decided" in answer.root_cause


def test_who_was_in_whose_path_is_the_cause_and_the_little_time_left_the_weakness() -> None:
    answer = told(crossing())
    assert answer.root_cause == (
        "Two road users (tracks 3, 7) met at 14.0 s, their courses crossing at 90° (±8°);"
        " the other road user (track 3) had been in the path of one road user (track 7)"
        " for 0.8 s; before that, one road user (track 7) began to brake hard at 13.6 s."
    )
    assert [(one.kind, one.t_s) for one in answer.antecedents] == [
        ("closing", 12.4), ("path_entered", 13.2), ("hard_brake", 13.6),
    ]  # fmt: skip
    assert "0.8 s were left, under two seconds" in answer.chain.systemic_weakness
    assert "path of" in answer.chain.direct_trigger


def test_whose_path_is_left_open_where_nothing_says_so() -> None:
    evidence = [one for one in crossing() if one.kind != "path_entered"]
    assert told(evidence).root_cause.endswith("Whose path was entered is not decided by what was"
                                              " measured.")  # fmt: skip


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_cyclist_is_told_by_what_rode(lang: Lang) -> None:
    evidence = [
        replace(one, actor=Actor.CYCLIST) if one.kind == "course" and one.track == TURNER else one
        for one in crossing(12.0)
    ]
    answer = told(evidence, lang)
    assert answer.incident_type is IncidentType.CYCLIST_COLLISION
    assert ("cyclist" if lang == "en" else "骑行者") in answer.root_cause
    assert verify(answer, evidence, WINDOW, lang=lang)[0].verdict is Verdict.SUPPORTED


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_its_own_answer_is_supported_by_its_evidence(lang: Lang) -> None:
    evidence = crossing()
    answer = told(evidence, lang)
    assert {one.verdict for one in verify(answer, evidence, WINDOW, lang=lang)} == {
        Verdict.SUPPORTED
    }


@pytest.mark.parametrize(
    ("claimed", "angle", "verdict"),
    [
        (IncidentType.HEAD_ON_COLLISION, 90.0, Verdict.CONTRADICTED),
        (IncidentType.REAR_END_COLLISION, 90.0, Verdict.CONTRADICTED),
        (IncidentType.SIDE_COLLISION, 90.0, Verdict.SUPPORTED),
        (IncidentType.SIDE_COLLISION, 10.0, Verdict.UNVERIFIED),
        (IncidentType.HEAD_ON_COLLISION, 175.0, Verdict.SUPPORTED),
        (IncidentType.CYCLIST_COLLISION, 90.0, Verdict.UNVERIFIED),
    ],
)
def test_a_claimed_kind_is_held_against_the_courses(
    claimed: IncidentType, angle: float, verdict: Verdict
) -> None:
    evidence = crossing(angle)
    answer = replace(
        told(evidence), incident_type=claimed,
        root_cause="A vehicle was in the path of another.",
    )  # fmt: skip
    assert verify(answer, evidence, WINDOW, lang="en")[0].verdict is verdict


def test_a_path_that_was_measured_only_of_others_bears_nothing_out() -> None:
    evidence = [
        replace(one, track=40, other=41) if one.kind == "path_entered" else one
        for one in crossing()
    ]
    answer = told(evidence)
    assert "path_entered" not in [one.kind for one in answer.antecedents]
    claimed = replace(answer, root_cause="The one turned across the path of the other.")
    assert verify(claimed, evidence, WINDOW, lang="en")[0].verdict is Verdict.UNVERIFIED


def test_a_long_incident_is_told_by_the_crash_at_its_peak() -> None:
    early = [
        ev("contact", 3.0, 20, other=21, box=WALKER_BOX),
        ev("course", 2.9, 20, other=21, value=0.0, unit="deg", uncertainty=5.0, box=WALKER_BOX),
        ev("course", 2.9, 21, other=20, value=175.0, unit="deg", uncertainty=5.0, box=WALKER_BOX),
    ]
    first, second = incident("contact", 3.0, 20, 21), incident("contact", 14.0, COMES, TURNER)
    both = replace(
        second, start_ms=first.start_ms, triggers=(*first.triggers, *second.triggers)
    )  # fmt: skip
    answer = explain(both, [*early, *crossing()], WINDOW, lang="en")
    assert answer.incident_type is IncidentType.SIDE_COLLISION
    assert "at 14.0 s" in answer.root_cause


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_pedestrian_whose_step_was_not_seen_was_in_the_path(lang: Lang) -> None:
    evidence = [
        replace(one, actor=Actor.PEDESTRIAN) if one.track == TURNER else one
        for one in crossing()
        if one.kind != "hard_brake"
    ]
    answer = told(evidence, lang)
    assert answer.incident_type is IncidentType.PEDESTRIAN_COLLISION
    assert ("0.8 s after a pedestrian" if lang == "en" else "0.8秒之前") in answer.root_cause
    assert verify(answer, evidence, WINDOW, lang=lang)[0].verdict is Verdict.SUPPORTED


def test_what_hindsight_says_of_a_body_goes_before_what_it_looked_like() -> None:
    evidence = [
        replace(one, actor=Actor.CYCLIST) if one.kind == "course" and one.track == TURNER else one
        for one in crossing(12.0)
    ]
    evidence.append(ev("pedestrian_in_road", 10.0, TURNER, box=LEADER_BOX))
    assert told(evidence).incident_type is IncidentType.CYCLIST_COLLISION


def test_a_headway_of_others_beside_a_contact_of_known_bodies_says_nothing() -> None:
    one_course = [one for one in crossing() if one.kind != "course" or one.track == COMES]
    evidence = [
        replace(one, track=None, other=None) if one.kind == "contact" else one for one in one_course
    ]
    evidence.append(ev("headway", 12.0, 40, other=41, value=1.0, unit="s", box=LEADER_BOX))
    answer = explain(incident("contact", 14.0, box=LEADER_BOX), evidence, WINDOW, lang="en")
    assert answer.incident_type is not IncidentType.REAR_END_COLLISION


@pytest.mark.parametrize(
    ("lang", "said"),
    [("en", "went at 13.4 m/s (±0.8 m/s)."), ("zh", "的速度为13.4 m/s（±0.8 m/s）。")],
)
def test_how_fast_the_striking_one_was_is_told_in_metres_only(lang: Lang, said: str) -> None:
    fast = ev("speed", 13.8, COMES, other=TURNER, value=13.4, unit="m/s", uncertainty=0.8,
              box=WALKER_BOX)  # fmt: skip
    slow = ev("speed", 13.8, TURNER, other=COMES, value=2.0, unit="m/s", box=LEADER_BOX)
    answer = told([*crossing(), fast, slow], lang)
    assert answer.chain.direct_trigger.endswith(said)
    assert "2.0 m/s" not in answer.chain.direct_trigger
    assert [one.kind for one in answer.antecedents] == [
        one.kind for one in told(crossing(), lang).antecedents
    ]
    sizes = replace(fast, unit="sizes/s", value=4.9)
    assert told([*crossing(), sizes], lang) == told(crossing(), lang)


@pytest.mark.parametrize(
    ("t_s", "value", "uncertainty"),
    [(8.0, 13.4, 0.8), (13.8, 195.0, 9.0), (13.8, 12.0, 6.0)],
    ids=["it may have braked since", "nobody is so fast", "hardly known"],
)
def test_what_says_little_of_the_speed_just_before_is_not_told(
    t_s: float, value: float, uncertainty: float
) -> None:
    fast = ev("speed", t_s, COMES, other=TURNER, value=value, unit="m/s", uncertainty=uncertainty,
              box=WALKER_BOX)  # fmt: skip
    assert "m/s" not in told([*crossing(), fast]).chain.direct_trigger


@pytest.mark.parametrize(
    ("text", "unit", "verdict"),
    [
        ("It came at 13 m/s.", "m/s", Verdict.SUPPORTED),
        ("It came at about 48 km/h.", "m/s", Verdict.SUPPORTED),
        ("It came fast.", "m/s", Verdict.SUPPORTED),
        ("It came at 60 m/s.", "m/s", Verdict.CONTRADICTED),
        ("It crawled at 1 m/s.", "m/s", Verdict.CONTRADICTED),
        ("It was speeding at 200 km/h.", "m/s", Verdict.CONTRADICTED),
        ("车速超过90公里/小时。", "m/s", Verdict.CONTRADICTED),
        ("It was speeding.", "m/s", Verdict.UNVERIFIED),
        ("It came at 13 m/s.", "sizes/s", Verdict.UNVERIFIED),
    ],
)
def test_a_claimed_speed_is_held_against_its_measurement(
    text: str, unit: str, verdict: Verdict
) -> None:
    fast = ev("speed", 13.8, COMES, other=TURNER, value=13.4, unit=unit, uncertainty=0.8,
              box=WALKER_BOX)  # fmt: skip
    answer = told([*crossing(), fast])
    claimed = replace(
        answer,
        antecedents=(
            replace(answer.antecedents[0], t_s=13.8, kind="speed", text=text),
            *answer.antecedents[1:],
        ),
    )
    checks = verify(claimed, [*crossing(), fast], WINDOW, lang="en")
    assert checks[1].verdict is verdict
    assert checks[1].text
