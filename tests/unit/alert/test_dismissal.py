"""What an alert says that a second look took back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import jsonschema
import pytest

from monitor.alert import build
from monitor.alert.build import TAKEN_BACK
from monitor.alert.dismissal import dismissal
from monitor.alert.schema import alert_schema
from monitor.domain import Explainer, IncidentStatus, SecondLook, Stage, Verdict
from monitor.evidence import verify
from monitor.wire import to_object
from tests import alerts

LOOK = SecondLook(alerts.PEAK_MS, False, 0.4, "both went on at 6 lengths/s", alerts.PEAK_MS + 9000)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_it_fits_the_schema_and_says_why(lang: str) -> None:
    incident = replace(alerts.incident(), status=IncidentStatus.DISMISSED, looks=(LOOK,))
    answer = dismissal(LOOK, "zh" if lang == "zh" else "en")
    verification = verify(answer, (), alerts.window(), lang="zh" if lang == "zh" else "en")
    alert = build.explained(
        incident, (), alerts.window(), site="demo", lang=lang, now=datetime.now(UTC),
        answer=answer, verification=verification, explainer=Explainer.EVIDENCE,
        stage=Stage.DISMISSED, asking=TAKEN_BACK,
    )  # fmt: skip
    jsonschema.validate(to_object(alert), alert_schema())
    assert not answer.is_incident
    assert LOOK.reason in answer.root_cause
    assert answer.confidence == 0.6
    assert {one.verdict for one in verification} == {Verdict.UNVERIFIED}


def test_what_is_taken_back_stays_so_whatever_the_explanation_does_meanwhile() -> None:
    taken_back = [build.revision_of(alerts.incident(triggers=n), TAKEN_BACK) for n in (1, 5, 999)]
    told = [alerts.provisional(triggers=n).revision for n in (1, 5, 999)]
    told += [alerts.explained(triggers=n).revision for n in (1, 5, 999)]
    assert min(taken_back) > max(told)


def test_a_reason_of_any_length_fits() -> None:
    assert len(dismissal(replace(LOOK, reason="x" * 900), "en").root_cause) <= 600
