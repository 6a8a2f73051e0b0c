"""Where it is looked closely at an incident, the most important moment first."""

from __future__ import annotations

import pytest

from monitor.domain import Actor, Evidence, EvidenceKind, Incident, Severity, Trigger
from workers.analysis.media import important_times_ms

PEAK = 1_760_000_020_000


def incident(kind: EvidenceKind) -> Incident:
    first = Trigger(kind, PEAK, PEAK + 300, 2.0, "x", tracks=(1, 2))
    later = Trigger(EvidenceKind.IMPULSE, PEAK + 4_000, PEAK + 4_300, 1.1, "x")
    return Incident("a", "cam", Severity.HIGH, PEAK, PEAK, PEAK + 4_000, (first, later))


def measured(before_s: float, track: int, strength: float) -> Evidence:
    time_ms = PEAK - round(1000 * before_s)
    return Evidence(
        f"{time_ms}", EvidenceKind.HEADWAY, time_ms, Actor.VEHICLE, strength, track=track
    )


@pytest.mark.parametrize("kind", [EvidenceKind.CONTACT, EvidenceKind.IMPULSE])
def test_what_the_parties_did_before_the_peak_comes_first_and_bystanders_last(
    kind: EvidenceKind,
) -> None:
    evidence = [measured(1, 9, 1.0), measured(-1, 2, 0.9), measured(3, 1, 0.4)]
    assert [ms - PEAK for ms in important_times_ms(incident(kind), evidence)] == [
        0, -3_000, 1_000, -1_500, -1_000, 4_000
    ]  # fmt: skip


def test_who_brakes_hard_meets_what_it_was_for_within_seconds() -> None:
    found = important_times_ms(incident(EvidenceKind.HARD_BRAKE), [measured(3, 1, 0.4)])
    assert [ms - PEAK for ms in found] == [0, -3_000, 2_000, 3_500, -1_500, 4_000]
