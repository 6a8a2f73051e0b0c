"""The whole trigger on drawn pictures: what is the matter with the view, and no cry for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from monitor.config.models import Camera
from monitor.domain import ViewCondition
from monitor.media.decode import Planes
from monitor.trigger import CameraTrigger, StepResult
from tests.street import HEIGHT_PX, START_MS, WIDTH_PX, Car, Street, grey

V = ViewCondition
CARS = (Car(-60, 70, 60, seed=7), Car(-260, 70, 60, seed=8), Car(-160, 120, 75, seed=9))
STREET = Street(CARS)
ELSEWHERE = Street(seed=90)


def camera(**settings: object) -> Camera:
    return Camera.model_validate({"id": "cam", "url": "rtsp://127.0.0.1/x", **settings})


def play(
    picture: Callable[[float], Planes], end_s: float, *, trigger: CameraTrigger | None = None,
    start_s: float = 0.0,
) -> list[tuple[float, StepResult]]:  # fmt: skip
    trigger = trigger or CameraTrigger(camera())
    results = []
    for index in range(round((end_s - start_s) * 10)):
        time_s = start_s + index / 10
        results.append((time_s, trigger.step(START_MS + round(time_s * 1000), picture(time_s))))
    return results


def view_at(results: Sequence[tuple[float, StepResult]], time_s: float) -> ViewCondition:
    return min(results, key=lambda one: abs(one[0] - time_s))[1].view


def triggers(results: Sequence[tuple[float, StepResult]]) -> list[object]:
    return [trigger for _, result in results for trigger in result.triggers]


def test_it_warms_up_and_then_sees() -> None:
    results = play(STREET.picture, 6.0)
    assert view_at(results, 1.0) is V.WARMING_UP
    assert view_at(results, 3.0) is V.NORMAL
    assert triggers(results) == []


def test_of_25_pictures_a_second_only_some_are_worth_looking_at() -> None:
    trigger, looked_at = CameraTrigger(camera()), 0
    picture = STREET.picture(0.0)
    for index in range(100):
        if trigger.wants(START_MS + 40 * index):
            trigger.step(START_MS + 40 * index, picture)
            looked_at += 1
    assert 4 * 5 <= looked_at <= 4 * 10


def test_a_frozen_picture_is_said_and_is_no_incident() -> None:
    frozen = STREET.picture(6.0)
    results = play(lambda t: STREET.picture(t) if t < 6 else frozen, 14.0)
    assert view_at(results, 9.5) is V.NORMAL, "a traffic light is no frozen camera"
    assert view_at(results, 10.6) is V.FROZEN
    assert triggers(results) == []


def test_it_goes_on_after_it_was_frozen() -> None:
    frozen = STREET.picture(6.0)
    results = play(lambda t: frozen if 6 <= t < 12 else STREET.picture(t), 14.0)
    assert view_at(results, 11.9) is V.FROZEN
    assert view_at(results, 13.0) is V.NORMAL
    assert triggers(results) == []


def test_a_cut_to_another_view_is_said_and_learned_anew() -> None:
    def picture(time_s: float) -> Planes:
        if time_s < 6:
            return STREET.picture(time_s)
        other = ELSEWHERE.picture(time_s)
        luma = np.clip(other.y.astype(np.int16) * 5 - 400, 0, 255).astype(np.uint8)
        return Planes(luma, other.u + 20, other.v - 15)  # other colours: no shadow

    results = play(picture, 14.0)
    assert view_at(results, 6.9) is V.VIEW_CHANGED
    assert view_at(results, 12.0) is V.NORMAL
    assert triggers(results) == []


def test_a_flash_is_no_change_of_view() -> None:
    def picture(time_s: float) -> Planes:
        white = np.random.default_rng(1).integers(0, 255, (HEIGHT_PX, WIDTH_PX)).astype(np.uint8)
        return grey(white) if 6.0 <= time_s < 6.3 else STREET.picture(time_s)

    results = play(picture, 9.0)
    assert V.VIEW_CHANGED not in {view_at(results, 6.5), view_at(results, 7.0)}
    assert view_at(results, 8.8) is V.NORMAL
    assert triggers(results) == []


def test_darkness_is_said() -> None:
    results = play(lambda t: STREET.picture(t, gain=1.0 if t < 6 else 0.1), 12.0)
    assert view_at(results, 5.5) is V.NORMAL
    assert view_at(results, 9.0) is V.TOO_DARK
    assert triggers(results) == []


@pytest.mark.parametrize("gain", [0.6, 1.4])
def test_a_step_of_exposure_is_no_incident(gain: float) -> None:
    results = play(lambda t: STREET.picture(t, gain=1.0 if t < 6 else gain), 10.0)
    assert triggers(results) == []
    assert view_at(results, 9.5) is V.NORMAL


def test_a_shaking_mast_is_no_incident() -> None:
    def picture(time_s: float) -> Planes:
        shaking = time_s >= 6
        shift = (2.5 * np.sin(9 * time_s), 1.5 * np.cos(7 * time_s)) if shaking else (0.0, 0.0)
        return STREET.picture(time_s, shift=shift)

    results = play(picture, 12.0)
    assert triggers(results) == []
    assert view_at(results, 5.5) is V.NORMAL
    assert view_at(results, 11.5) is V.SHAKING


def test_a_gap_in_the_pictures_is_no_incident() -> None:
    trigger = CameraTrigger(camera())
    results = play(STREET.picture, 5.0, trigger=trigger)
    results += play(STREET.picture, 11.0, start_s=7.0, trigger=trigger)
    assert triggers(results) == []


def test_time_that_goes_back_starts_again() -> None:
    trigger = CameraTrigger(camera())
    play(STREET.picture, 5.0, trigger=trigger)
    result = trigger.step(START_MS + 1000, STREET.picture(1.0))
    assert result.view is V.WARMING_UP


def test_another_picture_size_starts_again() -> None:
    trigger = CameraTrigger(camera())
    play(STREET.picture, 5.0, trigger=trigger)
    small = grey(STREET.luma(5.0)[:120, :200].copy())
    assert trigger.step(START_MS + 5000, small).view is V.WARMING_UP


def bodies_followed(settings: dict[str, object]) -> set[int]:
    trigger, seen = CameraTrigger(camera(**settings)), set()
    for index in range(80):
        time_s = index / 10
        trigger.step(START_MS + round(time_s * 1000), STREET.picture(time_s))
        seen |= {one.id for one in trigger.tracker.tracks}
    return seen


def test_nothing_is_looked_for_within_a_mask() -> None:
    everything = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    upper = ((0.0, 0.0), (1.0, 0.0), (1.0, 0.58), (0.0, 0.58))
    in_all = bodies_followed({})
    assert in_all
    assert 0 < len(bodies_followed({"masks": [upper]})) < len(in_all)
    assert bodies_followed({"masks": [everything]}) == set()


def test_the_same_pictures_give_the_same_results() -> None:
    assert play(STREET.picture, 8.0) == play(STREET.picture, 8.0)


def test_tracks_begin_where_it_is_told() -> None:
    trigger = CameraTrigger(camera(), first_track=500)
    play(STREET.picture, 6.0, trigger=trigger)
    assert trigger.tracker.tracks
    assert min(one.id for one in trigger.tracker.tracks) >= 500


@pytest.mark.parametrize(("fps", "wanted"), [(10.0, 20), (12.5, 25), (25.0, 13), (None, 10)])
def test_of_a_slow_camera_every_picture_is_looked_at(fps: float | None, wanted: int) -> None:
    trigger, street = CameraTrigger(camera()), Street()
    trigger.fps = fps
    looked_at = 0
    for index in range(round(2 * (fps or 10.0))):
        at_ms = START_MS + round(1000 * index / (fps or 10.0))
        if trigger.wants(at_ms):
            trigger.step(at_ms, street.picture(index / (fps or 10.0)))
            looked_at += 1
    assert looked_at == wanted


@pytest.mark.parametrize("spacing_ms", [60, 80, 95, 125, 160])
def test_it_settles_once_whatever_the_spacing_of_pictures(spacing_ms: int) -> None:
    trigger, street = CameraTrigger(camera()), Street((Car(20.0, 70.0, 40.0),))
    views = [
        trigger.step(START_MS + at_ms, street.picture(at_ms / 1000)).view
        for at_ms in range(0, 4_000, spacing_ms)
    ]
    assert views[0] is ViewCondition.WARMING_UP
    assert views[-1] is ViewCondition.NORMAL
