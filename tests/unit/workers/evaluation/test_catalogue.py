"""Reading labels: what is scored, and errors that name the entry."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from monitor.errors import CatalogueError
from workers.evaluation.catalogue import Antecedent, load

EVENT = {"type": "collision", "start_s": 5.0, "peak_s": 5.2, "end_s": 6.0}


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    for name in ("a.mp4", "b.mp4", "clip_013.mp4"):
        (tmp_path / name).write_bytes(b"")
    return tmp_path


def written(folder: Path, document: Any) -> Path:
    path = folder / "catalog.json"
    path.write_text(json.dumps(document))
    return path


def clip(file: str = "a.mp4", *events: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"file": file, "source_family": "f", "events": list(events), **more}


def test_roles_follow_type_order_and_confidence(clips: Path) -> None:
    events = [
        EVENT,
        {**EVENT, "type": "stopped_vehicle", "start_s": 6.0, "peak_s": 6.0, "end_s": 9.0},
        {**EVENT, "type": "congestion"},
        {**EVENT, "type": "near_miss", "confidence": 0.45},
    ]
    catalogue = load(written(clips, [clip("a.mp4", *events)]), clips)
    assert {label.type: label.role for label in catalogue.entries[0].labels} == {
        "collision": "scored", "stopped_vehicle": "aftermath", "congestion": "normal",
        "near_miss": "unsure",
    }  # fmt: skip


def test_a_vehicle_that_stands_without_a_crash_is_scored(clips: Path) -> None:
    event = {**EVENT, "type": "stopped_vehicle"}
    [entry] = load(written(clips, [clip("a.mp4", event)]), clips).entries
    assert [label.role for label in entry.labels] == ["scored"]


def test_what_begins_within_a_second_may_be_missed(clips: Path) -> None:
    early, late = {**EVENT, "start_s": 0.99}, EVENT
    [entry] = load(written(clips, [clip("a.mp4", early, late)]), clips).entries
    assert [label.may_be_missed for label in entry.labels] == [True, False]


def test_known_clips_are_excluded_only_under_their_own_family(clips: Path) -> None:
    known = {**clip("clip_013.mp4"), "source_family": "stock"}
    assert load(written(clips, [known]), clips).entries[0].excluded == "a staged scene"
    other = {**clip("clip_013.mp4"), "source_family": "elsewhere"}
    assert load(written(clips, [other]), clips).entries[0].excluded == ""


def test_clips_are_excluded_by_hand_and_by_the_catalogue(clips: Path) -> None:
    path = written(clips, [clip("a.mp4"), clip("b.mp4", exclude="shaky")])
    assert [e.excluded for e in load(path, clips, ["a"]).entries] == [
        "excluded by --exclude", "shaky",
    ]  # fmt: skip
    with pytest.raises(CatalogueError, match="--exclude nowhere: there is no such clip"):
        load(path, clips, ["nowhere"])


def test_an_unknown_type_is_said_and_not_scored(clips: Path) -> None:
    catalogue = load(written(clips, [clip("a.mp4", {**EVENT, "type": "meteor"})]), clips)
    assert catalogue.entries[0].labels[0].role == "unsure"
    assert catalogue.remarks == (
        "entry 0 (a.mp4): type 'meteor' is not scored; its time is left out",
    )


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"source_family": "f", "events": []}, "entry 0: file: field required"),
        ({"file": "a.mp4", "events": []}, "entry 0 (a.mp4): source_family: field required"),
        (clip() | {"events": "none"}, "entry 0 (a.mp4): events: input should be a valid list"),
        (clip("a.mp4", {**EVENT, "start_s": "5"}), "entry 0 (a.mp4): events[0].start_s: input"),
        (clip("a.mp4", {**EVENT, "start_s": -1.0}), "events[0].start_s: input should be greater"),
        (clip("a.mp4", {**EVENT, "end_s": 5.1}), "events[0]: start_s, peak_s and end_s must not"),
        (clip("a.mp4", EVENT, duration_s=4.0), "events[0]: begins after the clip's end"),
        (clip("a.mp4", {**EVENT, "box": [0, 0, 2, 1]}), "events[0].box[2]: input should be less"),
        (clip("gone.mp4"), "entry 0 (gone.mp4): "),
        (clip("../a.mp4"), "file: must be a name below --clips"),
        (7, "entry 0: entry: input should be"),
    ],
)
def test_a_mistake_is_named_by_its_entry(clips: Path, entry: Any, told: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        load(written(clips, [entry]), clips)
    assert told in str(caught.value)


def test_every_mistake_is_told_at_once(clips: Path) -> None:
    entries = [clip("gone.mp4"), clip("a.mp4"), {"file": "b.mp4"}, clip("a.mp4")]
    with pytest.raises(CatalogueError) as caught:
        load(written(clips, entries), clips)
    told = str(caught.value)
    assert f"{clips / 'gone.mp4'} is missing" in told
    assert "entry 2 (b.mp4): events" in told
    assert "entry 3 (a.mp4): the same file as entry 1" in told


@pytest.mark.parametrize("text", ["", "{", "3", "[]", '{"a": 1}'])
def test_what_is_no_catalogue_is_refused(clips: Path, text: str) -> None:
    path = clips / "catalog.json"
    path.write_text(text)
    with pytest.raises(CatalogueError, match="catalog"):
        load(path, clips)


def test_a_missing_catalogue_is_refused(clips: Path) -> None:
    with pytest.raises(CatalogueError, match="No such file"):
        load(clips / "nothing.json", clips)


TRUTH = {
    "format": 1, "scenario": "rear_end", "seed": 3, "duration_s": 40.0,
    "events": [
        {"t_s": 21.9, "kind": "pedestrian_in_road", "value": None, "box": [0.6, 0.3, 0.1, 0.1]},
        {"t_s": 22.5, "kind": "hard_brake", "value": 6.9, "box": [0.5, 0.4, 0.1, 0.1]},
        {"t_s": 24.3, "kind": "contact", "value": 9.2, "box": [0.5, 0.4, 0.1, 0.1]},
        {"t_s": 25.1, "kind": "stopped_in_lane", "value": 14.9, "box": [0.5, 0.4, 0.1, 0.1]},
        {"t_s": 30.0, "kind": "hard_brake", "value": 5.0, "box": [0.5, 0.4, 0.1, 0.1]},
        {"t_s": 31.0, "kind": "hard_brake", "value": 5.0, "box": None},
    ],
}  # fmt: skip


@pytest.mark.parametrize("how", ["folder", "file", "entry"])
def test_a_rendered_scene_is_an_entry_by_its_truth(clips: Path, how: str) -> None:
    (clips / "a.mp4.truth.json").write_text(json.dumps(TRUTH))
    path = {
        "folder": clips,
        "file": clips / "a.mp4.truth.json",
        "entry": written(clips, [{"file": "a.mp4", "truth": "a.mp4.truth.json"}]),
    }[how]
    [entry] = load(path, clips).entries
    assert (entry.origin, entry.family) == ("rendered", "scene-rear_end-3")
    assert [(label.type, label.start_s) for label in entry.scored] == [
        ("collision", 24.3), ("hard_brake", 30.0),
    ]  # fmt: skip
    assert len(entry.measurements) == 5


def test_a_truth_that_is_none_is_refused(clips: Path) -> None:
    (clips / "a.mp4.truth.json").write_text('{"events": [{}]}')
    with pytest.raises(CatalogueError, match="not a scene's truth"):
        load(clips, clips)


def test_labelled_antecedents_are_kept_and_checked(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    event = {
        "type": "collision",
        "start_s": 2.0,
        "peak_s": 2.0,
        "end_s": 3.0,
        "incident_type": "rear_end_collision",
        "antecedents": [{"t_s": 1, "what": "brakes"}, {"t_s": 1.5, "kind": "headway"}],
    }
    entry = {"file": "a.mp4", "source_family": "x", "events": [event]}
    (tmp_path / "c.json").write_text(json.dumps([entry]))
    (label,) = load(tmp_path / "c.json", tmp_path).entries[0].labels
    assert label.incident_type == "rear_end_collision"
    assert label.antecedents == (
        Antecedent(1.0, "", "brakes"), Antecedent(1.5, "headway"),
    )  # fmt: skip
    event["antecedents"] = [{"t_s": -1.0}]
    (tmp_path / "c.json").write_text(json.dumps([entry]))
    with pytest.raises(CatalogueError, match=r"events\[0\]\.antecedents\[0\]\.t_s"):
        load(tmp_path / "c.json", tmp_path)


@pytest.mark.parametrize(
    ("truth", "told"),
    [
        ([1, 2], "is not a scene's truth (entry: input should be a valid dictionary"),
        ({"events": 5, "scenario": "x"}, "seed: field required"),
        (TRUTH | {"events": [{}]}, "events[0].t_s: field required"),
        (TRUTH | {"events": [None]}, "events[0]: input should be a valid dictionary"),
        (TRUTH | {"incidents": 5}, "incidents: input should be a valid list"),
    ],
)
def test_a_truth_with_wrong_fields_is_told_by_its_field(clips: Path, truth: Any, told: str) -> None:
    (clips / "t.json").write_text(json.dumps(truth))
    (clips / "a.mp4.truth.json").write_text(json.dumps(truth))
    for path in (written(clips, [{"file": "a.mp4", "truth": "t.json"}]), clips):
        with pytest.raises(CatalogueError) as caught:
            load(path, clips)
        assert told in str(caught.value)


def test_one_truth_alone_with_a_field_missing_is_told(clips: Path) -> None:
    (clips / "t.json").write_text('{"events": [{}], "scenario": "x"}')
    with pytest.raises(CatalogueError, match=r"t\.json: is not a scene's truth \(seed: field req"):
        load(clips / "t.json", clips)


@pytest.mark.parametrize(
    ("measurements", "told"),
    [
        (5, "measurements: input should be a valid list"),
        ([1], "measurements[0]: input should be"),
        ([{"type": "contact"}], "measurements[0].t_s: field required"),
    ],
)
def test_measurements_of_another_shape_are_told(clips: Path, measurements: Any, told: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        load(written(clips, [clip(measurements=measurements)]), clips)
    assert told in str(caught.value)


@pytest.mark.parametrize("text", ["[" * 100_000 + "]" * 100_000, '[{"t": 1' + "0" * 5_000 + "}]"])
def test_what_json_cannot_hold_is_told(clips: Path, text: str) -> None:
    (clips / "catalog.json").write_text(text)
    with pytest.raises(CatalogueError, match="is not JSON that can be read"):
        load(clips / "catalog.json", clips)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"value": float("inf")}, "events[0].value: input should be a finite number"),
        ({"box": [0.9, 0.9, 0.9, 0.9]}, "events[0].box: reaches past the picture"),
        ({"box": [0.5, 0.5, 0.0, 0.1]}, "events[0].box: has no size"),
    ],
)
def test_values_that_nothing_can_be_are_told(
    clips: Path, changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(CatalogueError) as caught:
        load(written(clips, [clip("a.mp4", {**EVENT, **changes})]), clips)
    assert told in str(caught.value)


def test_a_name_that_is_nearly_a_fields_is_told_and_others_are_left_alone(clips: Path) -> None:
    event = {**EVENT, "confidance": 0.2, "boxx": [0, 0, 1, 1], "note": "rain"}
    catalogue = load(written(clips, [clip("a.mp4", event, evnts=[], weather="rain")]), clips)
    assert [remark.removeprefix("entry 0 (a.mp4): ") for remark in catalogue.remarks] == [
        "evnts is no field and left alone; events is: is it meant?",
        "events[0].confidance is no field and left alone; confidence is: is it meant?",
        "events[0].boxx is no field and left alone; box is: is it meant?",
    ]


def test_a_misspelt_field_that_is_needed_is_told_with_what_is_missing(clips: Path) -> None:
    entry = {"file": "a.mp4", "source_family": "f", "evnts": []}
    with pytest.raises(CatalogueError) as caught:
        load(written(clips, [entry]), clips)
    assert "events: field required" in str(caught.value)
    assert "evnts is no field" in str(caught.value)
