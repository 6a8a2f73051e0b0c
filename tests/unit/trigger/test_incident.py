from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.domain import Actor, Box, Evidence, EvidenceKind, Incident, Severity, Trigger
from monitor.trigger.incident import absorb, chief, severity_of
from monitor.trigger.judge import gain, judge

K = EvidenceKind
T0 = 1_760_000_000_000
HERE: Box = (0.4, 0.4, 0.1, 0.1)
THERE: Box = (0.7, 0.1, 0.1, 0.1)


def evidence(
    kind: K, strength: float, *, at_ms: int = T0, track: int | None = 1, other: int | None = None
) -> Evidence:
    return Evidence(f"{kind}-{at_ms}-{track}", kind, at_ms, Actor.VEHICLE, strength, track, other)


def judged(fresh: Evidence, *recent: Evidence, sensitivity: float = 0.5) -> tuple[float, ...]:
    triggers = judge([fresh], (*recent, fresh), T0 + 400, sensitivity)
    return tuple(one.score for one in triggers)


def test_sensitivity_halves_and_doubles() -> None:
    assert [gain(s) for s in (0.0, 0.5, 1.0)] == pytest.approx([0.5, 1.0, 2.0])


def test_a_contact_triggers_by_its_strength() -> None:
    assert judged(evidence(K.CONTACT, 0.5)) == (1.6,)
    assert judged(evidence(K.CONTACT, 0.3)) == ()
    assert judged(evidence(K.CONTACT, 0.3), sensitivity=1.0) == (1.92,)
    assert judged(evidence(K.CONTACT, 0.5), sensitivity=0.0) == ()


def test_a_trigger_says_what_it_is_about_and_what_decided_it() -> None:
    (trigger,) = judge([evidence(K.CONTACT, 1.0, other=2)], (), T0 + 400, 0.5)
    assert (trigger.time_ms, trigger.decided_ms) == (T0, T0 + 400)
    assert trigger.tracks == (1, 2)
    assert trigger.source == "measured"


@pytest.mark.parametrize("kind", [K.PEDESTRIAN_IN_ROAD, K.BRAKE_LIGHT_ONSET, K.NEAR_MISS])
def test_a_reason_to_brake_supports_hard_braking(kind: K) -> None:
    braking = evidence(K.HARD_BRAKE, 0.5)
    assert judged(braking) == ()
    assert judged(braking, evidence(kind, 0.5, at_ms=T0 - 2_900, track=9)) == (1.05,)
    assert judged(braking, evidence(kind, 0.5, at_ms=T0 - 3_100, track=9)) == ()


def test_braking_never_outweighs_a_contact() -> None:
    assert judged(evidence(K.HARD_BRAKE, 1.0), evidence(K.BRAKE_LIGHT_ONSET, 1.0)) == (1.5,)


def test_a_near_miss_needs_one_of_both_to_brake_hard() -> None:
    near = evidence(K.NEAR_MISS, 0.7, other=2)
    assert judged(near) == ()
    assert judged(near, evidence(K.HARD_BRAKE, 0.4, track=3)) == ()
    assert judged(near, evidence(K.HARD_BRAKE, 0.4, track=2)) == (1.16,)


@pytest.mark.parametrize(
    "kind", [K.PEDESTRIAN_IN_ROAD, K.BRAKE_LIGHT_ONSET, K.HEADWAY, K.QUEUE, K.SUDDEN_STOP]
)
def test_supporting_evidence_never_triggers_alone(kind: K) -> None:
    assert judged(evidence(kind, 1.0), sensitivity=1.0) == ()


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
