"""Alerts: same incident in, same id and revision out; revisions only rise."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from monitor.alert import build
from monitor.clock import utc
from monitor.domain import Explainer, Incident, Severity, Stage
from tests import alerts


def test_a_replay_gives_the_same_alert() -> None:
    assert alerts.provisional() == alerts.provisional()
    assert alerts.explained() == alerts.explained()


def test_times_are_one_timeline() -> None:
    alert = alerts.provisional()

    assert alert.id == f"north-{alerts.PEAK_MS - 3200}"
    assert alert.window_start == utc(alerts.PEAK_MS - 20_400)
    assert alert.trigger.t_s == 20.4
    for item in alert.evidence:
        assert item.time == alert.window_start + timedelta(seconds=item.t_s)
    assert [item.kind for item in alert.evidence] == [
        "pedestrian_in_road", "headway", "brake_light_onset", "contact",
    ]  # fmt: skip


def test_the_strongest_trigger_is_published_the_earliest_of_equals() -> None:
    grown = alerts.incident(triggers=3)
    first, second, third = grown.triggers

    assert build.strongest((second, third, first)) == first
    assert build.strongest((third, second)) == second
    with pytest.raises(ValueError, match="without a trigger"):
        build.strongest(())


def test_the_published_trigger_is_what_the_peak_is_about() -> None:
    grown = alerts.incident(triggers=2)
    later = replace(grown, peak_ms=grown.triggers[1].time_ms)

    def published(incident: Incident) -> float:
        return build.provisional(
            incident, (), alerts.window(), site="demo", lang="en", now=datetime.now(UTC)
        ).trigger.score

    assert published(grown) == grown.triggers[0].score
    assert published(later) == grown.triggers[1].score
    assert published(replace(grown, peak_ms=1)) == grown.triggers[0].score


def test_every_explanation_outranks_every_provisional_and_grows_with_the_incident() -> None:
    provisional = [alerts.provisional(triggers=n).revision for n in (1, 2, 40, 5000)]
    first = [alerts.explained(triggers=n).revision for n in (1, 2, 40, 5000)]
    again = [alerts.explained(triggers=n, asking=2).revision for n in (1, 2, 40, 5000)]

    assert provisional == [1, 2, 40, 999]
    assert first == [1001, 1002, 1040, 1999]
    assert again == [2001, 2002, 2040, 2999]


def test_stages_carry_what_belongs_to_them() -> None:
    provisional = alerts.provisional()
    explained = alerts.explained()

    assert (provisional.stage, provisional.explainer) == (Stage.PROVISIONAL, None)
    assert (provisional.answer, provisional.verification) == (None, ())
    assert (explained.stage, explained.explainer) == (Stage.EXPLAINED, Explainer.QWEN3_VL)
    assert len(explained.verification) == 4
    assert explained.id == provisional.id


def test_severity_is_the_answers_once_there_is_one() -> None:
    incident = alerts.incident()
    taken_back = build.explained(
        incident, (), alerts.window(), stage=Stage.DISMISSED, site="demo", lang="zh",
        now=datetime.now(UTC),
        answer=alerts.answer(is_incident=False, severity=Severity.LOW), verification=(),
        explainer=Explainer.EVIDENCE, explainer_note="no endpoint",
    )  # fmt: skip

    assert taken_back.stage is Stage.DISMISSED
    assert taken_back.revision == 1001
    assert (incident.severity, taken_back.severity) == (Severity.HIGH, Severity.LOW)
    assert taken_back.lang == "zh"


def test_an_explanation_cannot_take_a_provisional_revision() -> None:
    with pytest.raises(ValueError, match="asking 1 or later"):
        alerts.explained(asking=0)


def test_an_incident_without_a_trigger_is_refused() -> None:
    empty = Incident("north-1", "north", Severity.LOW, 1, 1, 1, ())

    with pytest.raises(ValueError, match="without a trigger"):
        build.provisional(empty, (), alerts.window(), site="demo", lang="en", now=datetime.now(UTC))
