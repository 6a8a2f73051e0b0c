"""What the hours look like: conditions, lamps, steadiness; and the files they are kept in."""

from __future__ import annotations

import json
import random
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from monitor.errors import SceneError
from monitor.scene.__main__ import main
from monitor.scene.camera import PinholeCamera
from monitor.scene.drawing import Image
from monitor.scene.hours.command import kinds
from monitor.scene.hours.figures import cyclist_sprite, person_sprite
from monitor.scene.hours.incidents import KINDS
from monitor.scene.hours.picture import Painter
from monitor.scene.hours.segments import Plan, complete, missing, render_all, truth_path
from monitor.scene.hours.stretch import HourFrame, begin, frames, specs
from monitor.scene.hours.users import CyclistState
from monitor.scene.hours.weather import CONDITIONS, Condition, still, weather
from monitor.scene.light import Light
from monitor.scene.pedestrians import Person, PersonState, Waypoint
from monitor.scene.vehicles import VehicleSpec
from workers.evaluation.catalogue import load

SIZE = (320, 180)


@cache
def moment() -> tuple[tuple[HourFrame, ...], dict[int, VehicleSpec]]:
    town = begin(2, 0, 30.0)
    return tuple(frames(town, 0.4, 10)), specs(town)


def painter(condition: Condition, *, quiet: bool = True) -> Painter:
    chosen = weather(condition, random.Random(1))
    return Painter(
        PinholeCamera(), still(chosen) if quiet else chosen, SIZE, random.Random("sensor")
    )


@cache
def drawn(condition: Condition) -> Image:
    seen, known = moment()
    return painter(condition).picture(seen[0], known)


def luma(picture: Image) -> Image:
    return picture[: SIZE[1]]


def test_pictures_are_yuv_of_the_size_asked_for() -> None:
    assert drawn("day").shape == (SIZE[1] * 3 // 2, SIZE[0])
    assert drawn("day").dtype == np.uint8


def test_night_is_dark_with_bright_lamps_and_rain_lies_between() -> None:
    day, rain, night = (luma(drawn(c)) for c in ("day", "rain", "night"))
    assert day.mean() > rain.mean() + 15
    assert rain.mean() > night.mean() + 10
    assert night[20:].max() > 200  # lamps; the caption is above


@pytest.mark.parametrize("condition", CONDITIONS)
def test_the_same_frame_is_the_same_picture(condition: Condition) -> None:
    seen, known = moment()
    first, second = painter(condition, quiet=False), painter(condition, quiet=False)
    for frame in seen[:2]:
        assert np.array_equal(first.picture(frame, known), second.picture(frame, known))


def test_what_stands_does_not_flicker() -> None:
    seen, known = moment()
    quiet = painter("day")
    before, after = (luma(quiet.picture(frame, known)).astype(np.int16) for frame in seen[:2])
    building = (slice(15, 40), slice(100, 140))
    assert np.abs(before - after)[building].max() == 0


def test_noise_and_shake_are_there_but_small() -> None:
    seen, known = moment()
    live = painter("night", quiet=False)
    before, after = (luma(live.picture(frame, known)).astype(np.float64) for frame in seen[:2])
    grass = (slice(130, 175), slice(290, 318))
    assert 1.0 < (before - after)[grass].std() < 25.0


def test_vehicles_change_the_picture_where_they_are() -> None:
    seen, known = moment()
    quiet = painter("day")
    full = luma(quiet.picture(seen[0], known)).astype(np.int16)
    frame = seen[0]
    empty = HourFrame(0, 0.0, (), (), (), frame.main, frame.side, frame.walk)
    bare = luma(painter("day").picture(empty, known)).astype(np.int16)
    camera = PinholeCamera()
    shown = 0
    for state in frame.vehicles:
        u, v = camera.project(np.array([[state.x, state.y, 0.7]]))[0]
        if 0.05 < u < 0.95 and 0.1 < v < 0.95 and camera.depth(
            np.array([[state.x, state.y, 0.7]])
        )[0] < 95.0:  # fmt: skip
            x, y = int(u * SIZE[0]), int(v * SIZE[1])
            shown += int(np.abs(full - bare)[y - 3 : y + 4, x - 3 : x + 4].max() > 12)
    assert shown >= 3


def test_a_cyclist_is_higher_than_long_seen_from_behind_and_flat_when_lying() -> None:
    camera, light = PinholeCamera(), Light()

    def sprite(heading: float, *, lies: bool = False) -> tuple[int, int]:
        state = CyclistState(1, 2.0, 15.0, heading, 5.0, 1.0, lies)
        made = cyclist_sprite((1280, 720), camera, light, (40, 40, 200), state)
        assert made is not None
        rows, columns = np.nonzero(made.alpha > 100)
        return int(np.ptp(columns)), int(np.ptp(rows))

    wide, high = sprite(1.57)
    assert high > 1.5 * wide
    across, _ = sprite(0.0)
    assert across > 1.5 * wide
    _, lying = sprite(0.0, lies=True)
    assert lying < 0.7 * high


def test_people_lie_flat_after_a_fall() -> None:
    person = Person(1, 1.75, (40, 60, 150), (44, 40, 38), (Waypoint(0, 0, 0), Waypoint(1, 1, 0)))
    state = PersonState(1, 2.0, 15.0, 0.0, 0.0, 0.0, True)
    tall = person_sprite((1280, 720), PinholeCamera(), Light(), person, state)
    flat = person_sprite((1280, 720), PinholeCamera(), Light(), person, state, lies=True)
    assert tall is not None
    assert flat is not None
    assert np.ptp(np.nonzero(flat.alpha > 100)[0]) < 0.6 * np.ptp(np.nonzero(tall.alpha > 100)[0])


PLAN = Plan("rain", 3, 10.0 / 3600.0, segment_s=5.0, size=(160, 92))


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"condition": "snow"}, "snow"), ({"incidents": ("meteor",)}, "meteor"),
        ({"hours": 0.0}, "hours"), ({"fps": 7}, "7 frames"), ({"size": (161, 92)}, "divisible"),
        ({"per_hour": 100.0}, "60"), ({"segment_s": 1.0}, "segment"),
    ],
)  # fmt: skip
def test_plans_that_make_no_sense_are_refused(changed: dict[str, object], says: str) -> None:
    with pytest.raises(SceneError, match=says):
        Plan(**{"condition": "day", "seed": 0, "hours": 1.0, **changed}).checked()  # type: ignore[arg-type]  # wrong on purpose


def test_a_rest_too_short_to_watch_makes_no_segment() -> None:
    assert Plan("day", 0, 1.0).parts == 6
    assert Plan("day", 0, 0.16667).parts == 1
    assert Plan("day", 0, 0.25).lasts_s(1) == 300.0


def test_segments_are_kept_and_cut_off_ones_made_again(tmp_path: Path) -> None:
    assert render_all([PLAN], tmp_path, jobs=1) == 2
    assert missing([PLAN], tmp_path) == []
    first = PLAN.path(tmp_path, 0)
    kept = first.read_bytes()
    truth_path(PLAN.path(tmp_path, 1)).write_text('{"settings": {"par')  # cut off
    assert missing([PLAN], tmp_path) == [(PLAN, 1)]
    assert render_all([PLAN], tmp_path, jobs=1) == 1
    assert first.read_bytes() == kept
    other = Plan("rain", 3, PLAN.hours, ("swerve",), segment_s=5.0, size=(160, 92))
    assert not complete(other, 0, tmp_path)
    with av.open(str(first)) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (160, 92)
        assert stream.average_rate is not None
        assert float(stream.average_rate) == 10.0
        assert sum(1 for _ in container.decode(stream)) == 50
    document = json.loads(truth_path(first).read_text())
    assert document["light"] == "rain"
    assert document["incidents"] == []
    assert not [e for e in document["events"] if e["kind"] != "brake_light_onset"]
    entries = load(truth_path(first), tmp_path).entries  # as causeway eval reads it
    assert entries[0].origin == "rendered"
    assert entries[0].scored == ()


def test_the_command_names_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(tmp_path)
    assert main(["--hours", "1", "--condition", "fog", "--out", folder]) == 1
    assert "fog" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    short = ["--hours", "0.0014", "--segment", "5", "--width", "64", "--height", "64"]
    assert main([*short, "--out", str(tmp_path / "file" / "below"), "--jobs", "1"]) == 1
    assert "cannot write" in capsys.readouterr().err


def test_kinds_are_read_from_the_command_line() -> None:
    assert kinds("none") == ()
    assert kinds("all") == KINDS
    assert kinds("swerve, near_miss") == ("swerve", "near_miss")


def test_a_picture_goes_back_to_colours() -> None:
    colours = cv2.cvtColor(drawn("day"), cv2.COLOR_YUV2BGR_I420)
    grass = colours[150:178, 262:280].reshape(-1, 3).mean(axis=0)
    assert grass[1] > grass[0]  # greener than blue
