"""The published schema: complete, described, and true of every alert that is built."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from monitor.alert.schema import alert_schema, schema_text
from monitor.domain import Alert, Explainer, Stage
from monitor.wire import from_json, to_json, to_object
from tests import alerts

DISMISSED = replace(alerts.explained(), stage=Stage.DISMISSED)


def test_the_package_carries_the_schema_of_this_code() -> None:
    shipped = files("monitor.alert").joinpath("alert.v1.schema.json").read_text(encoding="utf-8")

    assert shipped == schema_text()


def test_it_is_a_draft_2020_12_schema_with_an_id_and_every_field_described() -> None:
    schema = alert_schema()

    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == "urn:causeway:alert:v1"
    for definition in (schema, *schema["$defs"].values()):
        assert definition["description"]
        for field in definition.get("properties", {}).values():
            assert field["description"]


@pytest.mark.parametrize(
    "alert",
    [
        alerts.provisional(),
        alerts.provisional(triggers=4),
        alerts.explained(),
        alerts.explained(asking=3),
        replace(
            alerts.explained(), explainer=Explainer.EVIDENCE, explainer_note="timeout", model=None
        ),
        DISMISSED,
    ],
    ids=lambda alert: f"{alert.stage}-{alert.revision}",
)
def test_every_built_alert_validates_and_survives_the_wire(alert: Alert) -> None:
    text = to_json(alert)

    Draft202012Validator(alert_schema()).validate(json.loads(text))
    assert from_json(Alert, text) == alert


def _without(field: str) -> dict[str, Any]:
    fields: dict[str, Any] = to_object(alerts.explained())
    del fields[field]
    return fields


@pytest.mark.parametrize(
    "wrong",
    [
        _without("id"),
        _without("evidence"),
        to_object(alerts.explained()) | {"revision": 0},
        to_object(alerts.explained()) | {"stage": "guessed"},
        to_object(alerts.explained()) | {"answer": None},
        to_object(alerts.explained()) | {"verification": []},
        to_object(alerts.explained()) | {"schema_version": 2},
        to_object(alerts.explained()) | {"stage": "provisional"},
    ],
)
def test_what_is_no_alert_does_not_validate(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Draft202012Validator(alert_schema()).validate(wrong)


def test_a_field_added_later_passes() -> None:
    later = to_object(alerts.explained()) | {"weather": "rain"}

    Draft202012Validator(alert_schema()).validate(later)
