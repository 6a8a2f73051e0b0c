"""What is the matter with the view, by name, and that none of it is taken for an incident.

Once on a drawn street, where everything is known, and once on the rendered crossing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from monitor.config.models import Camera
from monitor.domain import ViewCondition
from monitor.scene.renderer import Renderer
from monitor.scene.simulation import build
from monitor.trigger import CameraTrigger, StepResult
from monitor.trigger.camera_motion import CameraMotion
from monitor.trigger.normal import SceneMemory
from monitor.trigger.signs import read, sample_of
from monitor.trigger.view import ViewWatch
from tests.street import START_MS, Car, Street, grey, texture

V = ViewCondition
Image = npt.NDArray[np.uint8]
Filter = Callable[[Image, float], Image]

BEGINS_S, ENDS_S, OVER_S = 6.0, 11.0, 16.0
"""What is the matter begins and ends; then it must be normal again before it is over."""

RATE = 8
STREET = Street(
    (Car(-60, 70, 60, seed=7), Car(-260, 70, 60, seed=8), Car(-160, 120, 75, seed=9)), noise=1.5
)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    yield
    cv2.setNumThreads(before)


@pytest.fixture(scope="module")
def crossing() -> list[Image]:
    """Luma of the rendered crossing with its traffic, eight pictures a second."""
    fps = 24
    renderer = Renderer(build("normal", 0, fps=fps), (640, 360))
    begin = 3 * fps
    count = round(OVER_S * RATE)
    return [
        np.asarray(
            cv2.cvtColor(renderer.frame(begin + n * fps // RATE), cv2.COLOR_BGR2GRAY), np.uint8
        )
        for n in range(count)
    ]


@pytest.fixture(scope="module")
def drawn() -> list[Image]:
    return [STREET.luma(n / RATE) for n in range(round(OVER_S * RATE))]


def play(lumas: Sequence[Image], spoil: Filter, *, drop: Callable[[float], bool] | None = None,
         spoiled: Callable[[float], bool] = lambda t: BEGINS_S <= t < ENDS_S,
         ) -> list[tuple[float, StepResult]]:  # fmt: skip
    """The pictures through a trigger, those of the bad span spoiled."""
    trigger = CameraTrigger(Camera.model_validate({"id": "cam", "url": "rtsp://127.0.0.1/x"}))
    results = []
    for number, luma in enumerate(lumas):
        time_s = number / RATE
        if drop is not None and drop(time_s):
            continue
        picture = grey(spoil(luma, time_s) if spoiled(time_s) else luma)
        results.append((time_s, trigger.step(START_MS + round(time_s * 1000), picture)))
    return results


def states(results: Sequence[tuple[float, StepResult]], begin_s: float, end_s: float) -> set[V]:
    return {result.view for time_s, result in results if begin_s <= time_s < end_s}


def quiet(results: Sequence[tuple[float, StepResult]]) -> bool:
    return not any(result.triggers for _, result in results)


def noise(luma: Image, time_s: float) -> Image:
    random = np.random.default_rng(round(time_s * 1000))
    return random.integers(16, 235, luma.shape).astype(np.uint8)


def blue(luma: Image, time_s: float) -> Image:
    return np.full_like(luma, 70)


def white(luma: Image, time_s: float) -> Image:
    return np.asarray(np.clip(luma.astype(np.int16) + 150, 0, 235), np.uint8)


def night(luma: Image, time_s: float) -> Image:
    return np.asarray(16 + luma.astype(np.float32) * 0.09, np.uint8)


def rain(luma: Image, time_s: float) -> Image:
    random = np.random.default_rng(round(time_s * 1000))
    wet, (height, width) = luma.copy(), luma.shape
    for x, y in zip(random.integers(0, width, 260), random.integers(0, height, 260), strict=True):
        level = int(min(235, int(luma[y, x]) + 45))
        cv2.line(wet, (int(x), int(y)), (int(x) + 2, int(y) + 14), level, 1)
    return wet


def glare(luma: Image, time_s: float) -> Image:
    dark = (16 + luma.astype(np.float32) * 0.25).astype(np.uint8)
    height, width = luma.shape
    for share in (0.3, 0.6):
        middle = (round(width * share), round(height * 0.55))
        cv2.circle(dark, middle, round(0.09 * width), 235, -1)
    return dark


def brighter(luma: Image, time_s: float) -> Image:
    return np.asarray(np.clip(luma.astype(np.float32) * 1.25, 0, 235), np.uint8)


def moved_by(dx: float, dy: float, zoom: float, luma: Image) -> Image:
    height, width = luma.shape
    matrix = np.array([
        [zoom, 0.0, dx + (1 - zoom) * width / 2], [0.0, zoom, dy + (1 - zoom) * height / 2],
    ])  # fmt: skip
    moved = cv2.warpAffine(luma, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)
    return np.asarray(moved, np.uint8)


def shaking(luma: Image, time_s: float) -> Image:
    share = luma.shape[1] / 320
    dx, dy = 2.5 * share * np.sin(9 * time_s), 1.5 * share * np.cos(7 * time_s)
    return moved_by(dx, dy, 1.0, luma)


SPOILED: dict[V, Filter] = {
    V.TOO_DARK: night,
    V.TOO_BRIGHT: white,
    V.RAIN: rain,
    V.SHAKING: shaking,
    V.EXPOSURE_STEP: brighter,
    V.GLARE: glare,
}

WEATHER = (V.RAIN, V.GLARE)
"""Ends as slowly as it begins."""


@pytest.mark.parametrize("scene", ["drawn", "crossing"])
@pytest.mark.parametrize("state", SPOILED)
def test_it_is_named_and_is_no_incident(
    state: V, scene: str, request: pytest.FixtureRequest
) -> None:
    lumas: list[Image] = request.getfixturevalue(scene)
    results = play(lumas, SPOILED[state])
    assert states(results, 4.0, BEGINS_S) == {V.NORMAL}
    assert state in states(results, BEGINS_S, ENDS_S)
    after = {V.NORMAL, state} if state in WEATHER else {V.NORMAL}
    assert states(results, OVER_S - 1.0, OVER_S) <= after
    assert quiet(results)


@pytest.mark.parametrize("state", WEATHER)
def test_weather_is_gone_when_it_has_not_been_seen_for_a_while(state: V) -> None:
    view, shown = ViewWatch(), []
    view.start(-10.0)
    for number in range(25 * 4):
        time_s = number / 4
        luma = STREET.luma(time_s)
        view.look(time_s, SPOILED[state](luma, time_s) if time_s < 8.0 else luma)
        shown.append(view.condition(time_s))
    assert shown[7 * 4] is state
    assert shown[-1] is V.NORMAL
    changes = [one for one, before in zip(shown[1:], shown, strict=False) if one is not before]
    assert changes == [state, V.NORMAL], "it does not flicker"


@pytest.mark.parametrize("scene", ["drawn", "crossing"])
@pytest.mark.parametrize("lost", [noise, blue])
def test_without_a_signal_the_scene_is_kept_for_when_it_is_back(
    lost: Filter, scene: str, request: pytest.FixtureRequest
) -> None:
    results = play(request.getfixturevalue(scene), lost)
    assert V.NO_SIGNAL in states(results, BEGINS_S + 2.5, ENDS_S)
    assert states(results, OVER_S - 1.0, OVER_S) == {V.NORMAL}
    assert quiet(results)


@pytest.mark.parametrize("scene", ["drawn", "crossing"])
def test_a_frozen_picture_is_said_and_traffic_after_it_has_not_jumped(
    scene: str, request: pytest.FixtureRequest
) -> None:
    lumas: list[Image] = request.getfixturevalue(scene)
    frozen = lumas[round(BEGINS_S * RATE) - 1]
    results = play(lumas, lambda luma, time_s: frozen)
    assert V.FROZEN in states(results, BEGINS_S + 4.0, ENDS_S)
    assert V.NORMAL in states(results, ENDS_S + 1.5, OVER_S)
    assert quiet(results)


@pytest.mark.parametrize("scene", ["drawn", "crossing"])
def test_pictures_that_repeat_now_and_then_stall(
    scene: str, request: pytest.FixtureRequest
) -> None:
    lumas: list[Image] = request.getfixturevalue(scene)

    def held(luma: Image, time_s: float) -> Image:
        return lumas[round((time_s - time_s % 1.0) * RATE)]  # one picture a second

    results = play(lumas, held)
    assert V.STALLING in states(results, BEGINS_S + 2.0, ENDS_S)
    assert quiet(results)


@pytest.mark.parametrize("scene", ["drawn", "crossing"])
def test_holes_in_time_stall(scene: str, request: pytest.FixtureRequest) -> None:
    lumas: list[Image] = request.getfixturevalue(scene)
    results = play(
        lumas,
        lambda luma, time_s: luma,
        drop=lambda t: BEGINS_S < t < ENDS_S and t % 2.0 > 0.8,
    )
    assert V.STALLING in states(results, BEGINS_S + 3.0, ENDS_S)
    assert quiet(results)


@pytest.mark.parametrize(("dx", "zoom"), [(55.0, 0.0), (0.0, 0.22)], ids=["a pan", "a zoom"])
def test_a_camera_that_turns_is_said_and_the_new_view_is_learned(
    crossing: list[Image], dx: float, zoom: float
) -> None:
    def turning(luma: Image, time_s: float) -> Image:
        gone_s = min(2.0, time_s - BEGINS_S)
        return moved_by(-dx * gone_s, 0.0, 1.0 + zoom * gone_s, luma)

    results = play(crossing, turning, spoiled=lambda t: t >= BEGINS_S)
    assert V.CAMERA_MOVING in states(results, BEGINS_S, BEGINS_S + 2.5)
    assert states(results, OVER_S - 1.0, OVER_S) == {V.NORMAL}
    assert quiet(results)


def test_dense_traffic_is_no_movement_of_the_camera() -> None:
    motion, road = CameraMotion(), texture(3, 640, 360, 80, 130, grain=10)
    stripe = texture(5, 1200, 200, 40, 220)
    for number in range(30):
        luma = road.copy()
        luma[60:260] = stripe[:, 12 * number : 12 * number + 640]
        motion.look(number / 8, luma, 0.55)
        assert not motion.moving


def test_a_lorry_before_the_lens_is_no_cut(drawn: list[Image]) -> None:
    lorry = texture(11, 320, 180, 150, 250, grain=30)

    def passing(luma: Image, time_s: float) -> Image:
        begin = round(320 * (1.4 * (time_s - BEGINS_S) - 1.0))
        hidden = luma.copy()
        first, last = max(0, begin), min(320, begin + 320)
        if first < last:
            hidden[40:150, first:last] = lorry[40:150, first - begin : last - begin]
        return hidden

    results = play(drawn, passing)
    assert V.VIEW_CHANGED not in states(results, BEGINS_S, OVER_S)
    assert quiet(results)


def test_traffic_that_fills_the_picture_at_the_start_is_no_cut() -> None:
    def luma(time_s: float) -> Image:
        picture = texture(3, 320, 180, 80, 130, grain=10)
        stripe = texture(5, 1600, 110, 140, 240, grain=12)
        at = round(60 * time_s)
        picture[40:150] = stripe[:, at : at + 320]
        return picture

    results = play([luma(n / RATE) for n in range(6 * RATE)], noise, spoiled=lambda t: False)
    assert states(results, 0.0, 2.5) == {V.WARMING_UP}


def test_what_never_changes_over_day_and_night_is_drawn_on_the_picture() -> None:
    memory = SceneMemory()
    day = texture(4, 48, 27, 60, 200, grain=3)
    for gain in (1.0, 0.7, 0.4, 0.2):
        picture = (day * gain).astype(np.uint8)
        picture[:3, :20] = 210
        memory.see(picture)
    assert memory.overlay_share() == pytest.approx(60 / (48 * 27), abs=0.02)
    again = SceneMemory.from_bytes(memory.to_bytes())
    assert again.overlay_share() == memory.overlay_share()
    always_day = SceneMemory()
    always_day.see(day)
    always_day.see(day)
    assert always_day.overlay_share() == 0.0, "nothing has changed yet"


def test_an_overlay_is_shown_when_nothing_worse_is_the_matter() -> None:
    view = ViewWatch()
    view.start(0.0)
    view.overlaid = True
    assert view.condition(5.0) is V.OVERLAY
    view.exposed(5.0)
    assert view.condition(5.5) is V.EXPOSURE_STEP


def test_a_still_logo_is_no_matter(drawn: list[Image]) -> None:
    def logo(luma: Image, time_s: float) -> Image:
        drawn_on = luma.copy()
        drawn_on[5:30, 5:90] = 220
        return drawn_on

    results = play(drawn, logo, spoiled=lambda t: True)
    assert states(results, 4.0, OVER_S) == {V.NORMAL}
    assert quiet(results)


def test_a_clock_that_ticks_is_no_body(drawn: list[Image]) -> None:
    def clock(luma: Image, time_s: float) -> Image:
        drawn_on = luma.copy()
        drawn_on[5:25, 200:310] = 30
        text = f"12:00:{int(time_s):02}"
        cv2.putText(drawn_on, text, (205, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 230, 1)
        return drawn_on

    results = play(drawn, clock, spoiled=lambda t: True)
    assert states(results, 4.0, OVER_S) == {V.NORMAL}
    assert quiet(results)


@pytest.mark.parametrize("size", [(2, 2), (2, 640), (360, 2), (4320, 7680)])
def test_any_size_can_be_read(size: tuple[int, int]) -> None:
    luma = np.zeros(size, np.uint8)
    signs = read(luma, sample_of(luma), None, None, None)
    assert signs.dark
    again = read(luma, sample_of(luma), sample_of(luma), sample_of(luma), sample_of(luma))
    assert again.same
