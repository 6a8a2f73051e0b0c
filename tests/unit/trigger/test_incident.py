from __future__ import annotations

from dataclasses import replace

import pytest

from monitor import wire
from monitor.domain import (
    Actor,
    Box,
    Evidence,
    EvidenceKind,
    Incident,
    IncidentStatus,
    Level,
    Severity,
    Trigger,
)
from monitor.trigger.forensic.verdict import Verdict
from monitor.trigger.incident import absorb, chief, due, is_closed, rejection, settled, severity_of
from monitor.trigger.judge import STRONG, graded, judge

K = EvidenceKind
T0 = 1_760_000_000_000
HERE: Box = (0.4, 0.4, 0.1, 0.1)
THERE: Box = (0.7, 0.1, 0.1, 0.1)


def evidence(
    kind: K, strength: float, *, at_ms: int = T0, track: int | None = 1, other: int | None = None
) -> Evidence:
    return Evidence(
        f"{kind}-{at_ms}-{track}", kind, at_ms, Actor.VEHICLE, strength, track, other, box=HERE
    )


FELT = evidence(K.IMPULSE, 0.3)


def raw(fresh: Evidence, *recent: Evidence) -> tuple[float, ...]:
    return tuple(one.score for one in judge([fresh], (*recent, fresh), T0 + 400))


def judged(
    fresh: Evidence, *recent: Evidence, operating: float = 1.0
) -> tuple[tuple[float, Level], ...]:
    triggers = graded(judge([fresh], (*recent, fresh), T0 + 400), operating)
    return tuple((one.score, one.level) for one in triggers)


def test_a_contact_is_a_candidate_or_an_alert_by_its_strength() -> None:
    assert judged(evidence(K.CONTACT, 0.3)) == ()
    assert judged(evidence(K.CONTACT, 0.4)) == ((1.28, Level.CANDIDATE),)
    assert judged(evidence(K.CONTACT, 0.75), FELT) == ((2.4, Level.CANDIDATE),), "looked at again"
    assert judged(evidence(K.CONTACT, 0.8), FELT) == ((2.56, Level.ALERT),)


def test_a_contact_of_tracks_that_nothing_was_felt_of_is_a_candidate() -> None:
    assert judged(evidence(K.CONTACT, 1.0)) == ((1.5, Level.CANDIDATE),)
    early = evidence(K.IMPULSE, 0.3, at_ms=T0 - 1_600)
    assert judged(evidence(K.CONTACT, 1.0), early) == ((1.5, Level.CANDIDATE),)
    elsewhere = replace(FELT, box=THERE)
    assert judged(evidence(K.CONTACT, 1.0), elsewhere) == ((1.5, Level.CANDIDATE),)


def test_an_impulse_counts_more_where_a_track_was_measured_and_never_alerts_alone() -> None:
    felt = evidence(K.IMPULSE, 0.75)
    assert judged(felt) == ((3.0, Level.CANDIDATE),)
    assert judged(felt, evidence(K.HARD_BRAKE, 0.5, at_ms=T0 - 900)) == ((3.5, Level.CANDIDATE),)


def test_a_score_is_relative_to_the_cameras_own_operating_score() -> None:
    assert judged(evidence(K.CONTACT, 0.5), operating=2.0) == ()
    assert judged(evidence(K.CONTACT, 0.75), FELT, operating=2.0) == ((1.2, Level.CANDIDATE),)
    assert judged(evidence(K.CONTACT, 1.0), FELT, operating=2.0) == ((1.6, Level.ALERT),)


def test_a_quiet_camera_makes_more_candidates_but_alerts_no_sooner() -> None:
    assert judged(evidence(K.CONTACT, 0.3), FELT, operating=0.5) == ((1.92, Level.CANDIDATE),)
    assert judged(evidence(K.CONTACT, 0.75), FELT, operating=0.5) == ((4.8, Level.CANDIDATE),)
    assert judged(evidence(K.CONTACT, 0.9), FELT, operating=0.5) == ((5.76, Level.ALERT),)


def test_what_is_below_the_threshold_is_scored_all_the_same() -> None:
    assert raw(evidence(K.CONTACT, 0.1)) == pytest.approx((0.32,))
    assert raw(evidence(K.CONTACT, 0.07)) == (), "below the floor"


def test_a_trigger_says_what_it_is_about_and_what_decided_it() -> None:
    (trigger,) = judge([evidence(K.CONTACT, 1.0, other=2)], (), T0 + 400)
    assert (trigger.time_ms, trigger.decided_ms) == (T0, T0 + 400)
    assert trigger.tracks == (1, 2)
    assert trigger.source == "measured"


@pytest.mark.parametrize("kind", [K.PEDESTRIAN_IN_ROAD, K.BRAKE_LIGHT_ONSET, K.NEAR_MISS])
def test_a_reason_to_brake_supports_hard_braking(kind: K) -> None:
    braking = evidence(K.HARD_BRAKE, 0.5)
    assert raw(braking) == pytest.approx((0.8,))
    assert raw(braking, evidence(kind, 0.5, at_ms=T0 - 2_900, track=9)) == pytest.approx((1.05,))
    assert raw(braking, evidence(kind, 0.5, at_ms=T0 - 3_100, track=9)) == pytest.approx((0.8,))


def test_braking_never_outweighs_a_contact() -> None:
    braking = judged(evidence(K.HARD_BRAKE, 1.0), evidence(K.BRAKE_LIGHT_ONSET, 1.0))
    assert braking == ((1.5, Level.CANDIDATE),)


def test_a_near_miss_needs_one_of_both_to_brake_hard() -> None:
    near = evidence(K.NEAR_MISS, 0.7, other=2)
    assert raw(near) == ()
    assert raw(near, evidence(K.HARD_BRAKE, 0.4, track=3)) == ()
    assert raw(near, evidence(K.HARD_BRAKE, 0.4, track=2)) == pytest.approx((1.16,))


@pytest.mark.parametrize(
    "kind", [K.PEDESTRIAN_IN_ROAD, K.BRAKE_LIGHT_ONSET, K.HEADWAY, K.QUEUE, K.SUDDEN_STOP]
)
def test_supporting_evidence_never_triggers_alone(kind: K) -> None:
    assert raw(evidence(kind, 1.0)) == ()


def trigger(
    kind: K = K.HARD_BRAKE,
    at_s: float = 0.0,
    score: float = 1.0,
    *,
    box: Box | None = HERE,
    tracks: tuple[int, ...] = (1,),
) -> Trigger:
    at_ms = T0 + round(at_s * 1000)
    return Trigger(kind, at_ms, at_ms + 300, score, "for a test", box, tracks)


def opened(*triggers: Trigger) -> Incident:
    changes = absorb(None, triggers, "cam", 30.0)
    assert sum(change.opened for change in changes) == 1
    return changes[-1].incident


def test_the_first_trigger_opens_an_incident_named_by_its_time() -> None:
    (change,) = absorb(None, [trigger()], "cam", 30.0)
    assert change.opened
    assert change.grew
    incident = change.incident
    assert incident.id == f"cam-{T0}"
    assert (incident.start_ms, incident.peak_ms, incident.last_ms) == (T0, T0, T0)
    assert incident.triggers == (trigger(),)


def test_a_later_one_extends_it_under_the_same_id() -> None:
    braking, contact = trigger(), trigger(K.CONTACT, 1.5, 2.0, tracks=(2, 1))
    (change,) = absorb(opened(braking), [contact], "cam", 30.0)
    assert not change.opened
    assert change.grew, "subscribers hear of it: it is graver now"
    incident = change.incident
    assert incident.id == f"cam-{T0}"
    assert (incident.start_ms, incident.peak_ms, incident.last_ms) == (T0, T0 + 1500, T0 + 1500)
    assert incident.severity is Severity.HIGH
    assert chief(incident) == contact


def test_a_trigger_found_with_hindsight_moves_the_start_back() -> None:
    (change,) = absorb(opened(trigger(at_s=2.0)), [trigger(K.STOPPED_IN_LANE)], "cam", 30.0)
    assert change.incident.start_ms == T0
    assert change.incident.id == f"cam-{T0 + 2000}", "the id never changes"


@pytest.mark.parametrize(("after_s", "opens"), [(29.9, False), (30.1, True)])
def test_merging_ends_so_long_after_the_last_trigger(after_s: float, opens: bool) -> None:
    first = opened(trigger(), trigger(K.CONTACT, 10.0))
    (change,) = absorb(first, [trigger(at_s=10.0 + after_s)], "cam", 30.0)
    assert change.opened is opens


def test_the_same_again_changes_nothing() -> None:
    first = opened(trigger())
    assert absorb(first, [trigger(at_s=0.8, score=1.1, tracks=(77,))], "cam", 30.0) == ()


def test_a_replay_of_all_triggers_changes_nothing() -> None:
    triggers = [trigger(), trigger(K.CONTACT, 1.5, 2.0), trigger(box=THERE, at_s=0.5, tracks=(9,))]
    first = opened(*triggers)
    assert absorb(first, triggers, "cam", 30.0) == ()


def test_the_same_kind_elsewhere_is_another_trigger() -> None:
    (change,) = absorb(opened(trigger()), [trigger(box=THERE, tracks=(9,))], "cam", 30.0)
    assert len(change.incident.triggers) == 2
    assert not change.grew


def test_graver_than_before_is_news_even_if_known() -> None:
    first = opened(trigger(K.CONTACT, score=1.2))
    (change,) = absorb(first, [trigger(K.CONTACT, 0.1, 3.0)], "cam", 30.0)
    assert change.grew
    assert change.incident.severity is Severity.CRITICAL


def test_severity_never_falls() -> None:
    first = opened(trigger(K.CONTACT, score=3.0))
    (change,) = absorb(first, [trigger(K.STOPPED_IN_LANE, 4.0)], "cam", 30.0)
    assert change.incident.severity is Severity.CRITICAL
    assert change.incident.peak_ms == T0, "it is still about the contact"


def test_triggers_of_one_moment_are_taken_in_order_of_time() -> None:
    late, early = trigger(K.CONTACT, 1.5, 2.0), trigger()
    assert opened(late, early) == opened(early, late)
    assert opened(late, early).id == f"cam-{T0}"


@pytest.mark.parametrize(
    ("kind", "score", "severity"),
    [
        (K.CONTACT, 1.0, Severity.HIGH),
        (K.CONTACT, 2.4, Severity.CRITICAL),
        (K.HARD_BRAKE, 1.0, Severity.LOW),
        (K.HARD_BRAKE, 1.3, Severity.MEDIUM),
        (K.STOPPED_IN_LANE, 1.0, Severity.MEDIUM),
        (K.NEAR_MISS, 1.0, Severity.MEDIUM),
    ],
)
def test_severity_is_of_kind_and_score(kind: K, score: float, severity: Severity) -> None:
    assert severity_of(trigger(kind, score=score)) is severity


def test_what_a_model_saw_on_patrol_never_outranks_what_was_measured() -> None:
    seen = replace(trigger(K.CONTACT, 1.0, 9.0), source="patrol")
    incident = opened(trigger(), seen)
    assert chief(incident).source == "measured"


def test_an_incident_does_not_grow_without_end() -> None:
    incident = opened(trigger())
    for index in range(45):
        for change in absorb(incident, [trigger(at_s=1.1 * index)], "cam", 30.0):
            incident = change.incident
    assert len(incident.triggers) == 32


def candidate(
    kind: K = K.HARD_BRAKE, at_s: float = 0.0, score: float = 1.2, *, box: Box | None = HERE
) -> Trigger:
    return replace(trigger(kind, at_s, score, box=box), level=Level.CANDIDATE)


def verdict(confirmed: bool | None, at_s: float = 0.3, score: float = 1.5) -> Verdict:
    return Verdict(
        confirmed, score, K.CONTACT, T0 + round(at_s * 1000), 0.05, None, HERE, "it was looked at"
    )


def test_an_incident_stored_before_there_were_candidates_is_an_alert() -> None:
    old = wire.to_json(opened(trigger())).decode()
    old = old.replace(',"status":"alerted","looks":[]', "")
    assert "status" not in old
    assert wire.from_json(Incident, old).status is IncidentStatus.ALERTED


def test_a_candidate_opens_an_incident_that_is_no_alert() -> None:
    assert opened(candidate()).status is IncidentStatus.CANDIDATE
    assert opened(candidate(), candidate(K.NEAR_MISS, 3.0)).status is IncidentStatus.CANDIDATE


def test_a_strong_trigger_makes_an_alert_of_the_candidate_it_belongs_to() -> None:
    (change,) = absorb(opened(candidate()), [trigger(K.HARD_BRAKE, 5.0)], "cam", 30.0)
    assert not change.opened
    assert change.grew
    assert change.incident.status is IncidentStatus.ALERTED
    assert change.incident.id == f"cam-{T0}"
    assert len(change.incident.triggers) == 2, "the revision rises"


def test_the_same_thing_measured_strongly_makes_an_alert_of_it_too() -> None:
    (change,) = absorb(opened(candidate()), [trigger()], "cam", 30.0)
    assert change.incident.status is IncidentStatus.ALERTED
    assert absorb(change.incident, [candidate(), trigger()], "cam", 30.0) == ()


def test_a_candidate_does_not_make_less_of_an_alert() -> None:
    (change,) = absorb(opened(trigger()), [candidate(K.NEAR_MISS, 2.0)], "cam", 30.0)
    assert change.incident.status is IncidentStatus.ALERTED


def test_a_full_candidate_still_becomes_an_alert() -> None:
    incident = opened(candidate())
    for index in range(45):
        for change in absorb(incident, [candidate(at_s=1.1 * index)], "cam", 30.0):
            incident = change.incident
    assert len(incident.triggers) == 32
    (change,) = absorb(incident, [trigger(at_s=60.0)], "cam", 30.0)
    assert change.incident.status is IncidentStatus.ALERTED


def test_confirmed_it_is_an_alert_about_what_the_second_look_saw() -> None:
    first = opened(candidate())
    (asked,) = first.triggers
    assert due(first) == asked
    made = settled(first, asked, verdict(True), T0 + 9_000)
    assert made.status is IncidentStatus.ALERTED
    assert (made.id, made.peak_ms, made.severity) == (first.id, T0 + 300, Severity.CRITICAL)
    seen = chief(made)
    assert (seen.kind, seen.verified, seen.decided_ms) == (K.CONTACT, True, T0 + 9_000)
    assert seen.score == pytest.approx(1.5 * STRONG)
    assert len(made.triggers) == 2, "the revision rises"
    assert due(made) is None
    assert absorb(made, [candidate()], "cam", 30.0) == ()


def test_a_verified_trigger_is_what_the_incident_stays_about() -> None:
    made = settled(opened(candidate()), candidate(), verdict(True, score=1.0), T0 + 9_000)
    (change,) = absorb(made, [trigger(K.CONTACT, 6.0, 3.0, box=THERE)], "cam", 30.0)
    assert chief(change.incident).verified


def test_rejected_it_is_dismissed_and_closed() -> None:
    gone = settled(opened(candidate()), candidate(), verdict(False, score=0.4), T0 + 9_000)
    assert gone.status is IncidentStatus.DISMISSED
    assert len(gone.triggers) == 1
    look = rejection(gone)
    assert look is not None
    assert (look.score, look.reason) == (0.4, "it was looked at")
    assert due(gone) is None
    assert absorb(gone, [candidate()], "cam", 30.0) == (), "the same again opens nothing"
    (change,) = absorb(gone, [candidate(K.STOPPED_IN_LANE)], "cam", 30.0)
    assert change.opened
    assert change.incident.id == f"cam-{T0 + 1}", "another name than the dismissed one's"
    (change,) = absorb(gone, [trigger()], "cam", 30.0)
    assert change.opened, "what was weak is strong now"


def test_an_alert_is_dismissed_as_well_keeping_its_triggers() -> None:
    gone = settled(opened(trigger(K.CONTACT, score=1.7)), trigger(K.CONTACT, score=1.7),
                   verdict(False), T0 + 9_000)  # fmt: skip
    assert gone.status is IncidentStatus.DISMISSED
    assert gone.severity is Severity.HIGH


def test_every_trigger_gets_its_look_before_a_dismissal_the_strongest_first() -> None:
    weak, strong = candidate(), candidate(K.NEAR_MISS, 10.0, 1.4)
    near = candidate(K.STOPPED_IN_LANE, 11.5, 1.1)
    incident = opened(weak, strong, near)
    assert due(incident) == strong
    incident = settled(incident, strong, verdict(False), T0 + 20_000)
    assert incident.status is IncidentStatus.CANDIDATE
    assert due(incident) == weak, "the one beside the first was looked at with it"
    incident = settled(incident, weak, verdict(False), T0 + 21_000)
    assert incident.status is IncidentStatus.DISMISSED


def test_looks_have_an_end() -> None:
    incident = opened(*(candidate(at_s=5.0 * n) for n in range(8)))
    for count in range(4):
        asked = due(incident)
        assert asked is not None
        assert incident.status is IncidentStatus.CANDIDATE
        incident = settled(incident, asked, verdict(False), T0 + count)
    assert incident.status is IncidentStatus.DISMISSED


@pytest.mark.parametrize("first", [candidate(), trigger()])
def test_a_look_that_cannot_tell_changes_nothing_but_that_it_was_made(first: Trigger) -> None:
    before = opened(first)
    after = settled(before, first, verdict(None), T0 + 9_000)
    assert (after.status, after.triggers) == (before.status, before.triggers)
    assert due(after) is None
    assert absorb(after, [first], "cam", 30.0) == (), "the same again is no news"


def test_one_rejection_does_not_answer_for_what_another_look_could_not_tell() -> None:
    one, other = candidate(score=1.5), candidate(K.NEAR_MISS, 8.0)
    after = settled(opened(one, other), one, verdict(None), T0 + 9_000)
    assert due(after) == other
    after = settled(after, other, verdict(False), T0 + 13_000)
    assert after.status is IncidentStatus.CANDIDATE, "one of its triggers may be true"
    assert is_closed(after)


def test_after_looks_that_could_not_tell_the_next_candidate_gets_a_look_of_its_own() -> None:
    unsure = settled(opened(candidate()), candidate(), verdict(None), T0 + 9_000)
    later = candidate(K.HARD_BRAKE, 12.0)
    (change,) = absorb(unsure, [later], "cam", 30.0)
    assert change.opened
    assert due(change.incident) == later
    again = absorb(change.incident, [candidate()], "cam", 30.0, [unsure])
    assert again == (), "what the first one knew is no news to the second"


def test_a_strong_trigger_makes_an_alert_of_it_all_the_same() -> None:
    unsure = settled(opened(candidate()), candidate(), verdict(None), T0 + 9_000)
    (change,) = absorb(unsure, [trigger(K.CONTACT, 12.0, 2.0)], "cam", 30.0)
    assert not change.opened
    assert change.incident.status is IncidentStatus.ALERTED


def test_what_a_model_saw_is_not_taken_back_for_a_candidate_beside_it() -> None:
    seen = replace(trigger(K.STOPPED_IN_LANE), source="patrol")
    (change,) = absorb(opened(seen), [candidate(K.NEAR_MISS, 3.0)], "cam", 30.0)
    asked = due(change.incident)
    assert asked is not None
    after = settled(change.incident, asked, verdict(False), T0 + 9_000)
    assert after.status is IncidentStatus.ALERTED
    assert due(after) is None


def test_what_a_model_saw_is_not_looked_at_again() -> None:
    assert due(opened(replace(trigger(), source="patrol"))) is None
