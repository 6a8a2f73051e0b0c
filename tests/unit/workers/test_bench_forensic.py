"""What the bench of the second look counts as confirmed, as false and as a trial."""

from __future__ import annotations

from pathlib import Path

import pytest

from workers.bench.forensic import Asked, chosen, figures, main
from workers.evaluation.catalogue import Entry, Label


def entry(family: str, *labels: Label) -> Entry:
    return Entry(f"{family}.mp4", Path(f"{family}.mp4"), family, labels, "real")


def crash(*, missable: bool = False) -> Label:
    return Label("collision", 5.0, 5.1, 6.0, "scored", may_be_missed=missable)


def look(of: Entry, score: float, label: Label | None = None, found_s: float = 5.0) -> Asked:
    return Asked(of, label, 5.0, score, score >= 1.0, found_s, 0.2)


def test_three_looks_at_one_event_are_one_trial() -> None:
    label = crash()
    one = entry("a", label)
    made = figures([look(one, score, label) for score in (2.0, 2.0, 0.5)])
    assert made["confirm_of"] == 1
    assert made["confirm_rate"] == pytest.approx(2 / 3)


def test_a_miss_of_what_has_nothing_before_it_does_not_count() -> None:
    label = crash(missable=True)
    assert figures([look(entry("a", label), 0.5, label)])["confirm_of"] == 0
    assert figures([look(entry("a", label), 1.5, label)])["confirm_of"] == 1


def test_errors_are_of_confirmed_contacts_only() -> None:
    label = crash()
    one = entry("a", label)
    made = figures([look(one, 2.0, label, 5.25), look(one, 0.4, label, 8.0)])
    assert made["contact_error_s"] == {"p50": 0.25, "p80": 0.25, "of": 1}


def test_a_confirmation_of_nothing_counts_against_the_time_looked_at() -> None:
    normal = entry("b")
    made = figures([look(normal, 1.2), *(look(normal, 0.0) for _ in range(99))])
    assert made["false_confirmations"] == 1
    assert made["looks_at_nothing"] == 100
    rate = made["false_per_camera_hour"]
    assert rate is not None
    assert rate[0] == pytest.approx(12.0)


def test_a_family_is_judged_by_the_others_threshold() -> None:
    label = crash()
    event, normal = entry("a", label), entry("b")
    looks = [look(event, 1.1, label), look(normal, 1.4)]
    assert chosen([looks[1]]) == pytest.approx(1.45)
    made = figures(looks)
    assert made["confirm_rate"] == 1.0
    assert made["lofo"]["confirm_rate"] == 0.0  # the other's false one forbids 1.1
    assert made["lofo"]["false_confirmations"] == 1  # and no normal time bounds its threshold


def test_it_says_what_it_needs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 2
    assert "--catalog" in capsys.readouterr().err
