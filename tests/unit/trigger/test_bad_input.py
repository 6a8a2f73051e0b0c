"""Pictures and times as they should not be: a state, no crash, and never a trigger."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import av
import cv2
import numpy as np
import pytest

from monitor.config.models import Camera
from monitor.domain import Trigger, ViewCondition
from monitor.media.decode import Planes, planes
from monitor.trigger import WIDTH_PX, CameraTrigger, StepResult
from tests.quiet_street import encoded
from tests.street import START_MS, Car, Street, grey
from workers.watching.eye import Eye

V = ViewCondition
TRAFFIC = Street((Car(-60, 70, 60, seed=7), Car(-260, 70, 60, seed=8), Car(-160, 120, 75, seed=9)))
EVERYTHING = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    yield
    cv2.setNumThreads(before)


def camera(**settings: object) -> Camera:
    return Camera.model_validate({"id": "cam", "url": "rtsp://127.0.0.1/x", **settings})


def play(
    picture: Callable[[float], Planes], seconds: float = 12.0, fps: float = 8.0, **settings: object
) -> list[StepResult]:
    trigger = CameraTrigger(camera(**settings))
    results = []
    for index in range(round(seconds * fps)):
        at_ms = START_MS + round(index * 1000 / fps)
        if trigger.wants(at_ms):
            results.append(trigger.step(at_ms, picture(index / fps)))
    return results


def triggers(results: list[StepResult]) -> list[object]:
    return [one for result in results for one in (*result.triggers, *result.scores)]


def flat(level: int) -> Callable[[float], Planes]:
    return lambda _: grey(np.full((180, 320), level, np.uint8))


def noise(time_s: float) -> Planes:
    random = np.random.default_rng(round(1000 * time_s))
    sizes = ((180, 320), (90, 160), (90, 160))
    return Planes(*(random.integers(0, 256, size, np.uint8) for size in sizes))


@pytest.mark.parametrize(
    ("picture", "views"),
    [
        (flat(0), {V.TOO_DARK, V.NO_SIGNAL}),
        (flat(255), {V.TOO_BRIGHT, V.NO_SIGNAL}),
        (flat(120), {V.NO_SIGNAL, V.FROZEN}),
        (noise, {V.NO_SIGNAL}),
    ],
    ids=["black", "white", "one colour", "noise"],
)
def test_a_picture_of_nothing_is_a_state(
    picture: Callable[[float], Planes], views: set[ViewCondition]
) -> None:
    results = play(picture)
    assert results[-1].view in views
    assert triggers(results) == []


def test_from_traffic_to_nothing_and_back_is_no_incident() -> None:
    def failing(time_s: float) -> Planes:
        if 8.0 <= time_s < 11.0:
            return noise(time_s)
        return flat(0)(0.0) if 11.0 <= time_s < 14.0 else TRAFFIC.picture(time_s)

    assert triggers(play(failing, 20.0)) == []


def frame(width: int, height: int, pixels: str = "gray", shade: int = 0) -> av.VideoFrame:
    column = np.linspace(40, 200, width, dtype=np.uint8)
    image = np.broadcast_to(column, (height, width)) + np.uint8(shade)
    return av.VideoFrame.from_ndarray(image.copy(), format="gray").reformat(format=pixels)


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (3, 1), (16, 9), (1920, 2), (5, 1080)])
def test_a_picture_too_small_to_see_in(size: tuple[int, int]) -> None:
    results = play(lambda t: planes(frame(*size, shade=int(4 * t)), WIDTH_PX), 4.0)
    assert {one.view for one in results} == {V.NO_SIGNAL}
    assert triggers(results) == []


@pytest.mark.parametrize("pixels", ["yuv420p", "gray"])
def test_a_picture_of_8k(pixels: str) -> None:
    large = frame(7680, 4320, pixels)
    small = planes(large, WIDTH_PX)
    assert small.y.shape == (360, 640)
    assert small.u.shape == small.v.shape == (180, 320)
    results = play(lambda t: planes(large, WIDTH_PX), 0.5)
    assert triggers(results) == []


def test_a_monochrome_camera_is_watched_as_any_other() -> None:
    grey_planes = planes(frame(640, 360, "gray"), WIDTH_PX)
    assert grey_planes.y.std() > 10
    assert abs(float(grey_planes.u.mean()) - 128) <= 1
    assert abs(float(grey_planes.v.mean()) - 128) <= 1


def test_a_resolution_that_changes_begins_anew() -> None:
    def changing(time_s: float) -> Planes:
        luma = TRAFFIC.luma(time_s)
        part = round(time_s / 3) % 3
        size = ((320, 180), (200, 120), (2, 2))[part]
        return grey(np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.uint8))

    results = play(changing, 24.0)
    assert {V.WARMING_UP, V.NO_SIGNAL} <= {one.view for one in results}
    assert triggers(results) == []


@pytest.mark.parametrize("fps", [1.0, 60.0])
def test_slow_and_fast_cameras(fps: float) -> None:
    results = play(TRAFFIC.picture, 16.0, fps)
    assert len(results) <= 16 * min(fps, 10.0)
    assert triggers(results) == []


def holes(index: int) -> int:
    return 100 * index + 1500 * (index // 25)


def repeats(index: int) -> int:
    return 100 * (index - index % 3)


def goes_back(index: int) -> int:
    return 100 * index - 700 * (index // 30)


def backwards(index: int) -> int:
    return -100 * index


def jumps_far(index: int) -> int:
    return 100 * index + 10**11 * (index // 60)


@pytest.mark.parametrize("times", [holes, repeats, goes_back, backwards, jumps_far])
def test_times_with_holes_and_repeats(times: Callable[[int], int]) -> None:
    trigger = CameraTrigger(camera())
    found: list[StepResult] = []
    for index in range(160):
        at_ms = START_MS + times(index)
        if trigger.wants(at_ms):
            found.append(trigger.step(at_ms, TRAFFIC.picture(index / 10)))
    assert found
    assert triggers(found) == []


def test_a_camera_that_is_masked_altogether_sees_nobody() -> None:
    results = play(TRAFFIC.picture, 12.0, masks=[EVERYTHING])
    assert triggers(results) == []
    assert not any(result.evidence for result in results)
    assert {result.view for result in results} == {V.MASKED}


@pytest.mark.parametrize("lowest", [0.5, 0.97])
def test_a_mask_that_leaves_a_part_of_the_picture_leaves_its_state(lowest: float) -> None:
    mask = ((0.0, 0.0), (1.0, 0.0), (1.0, lowest), (0.0, lowest))
    assert V.MASKED not in {one.view for one in play(TRAFFIC.picture, 3.0, masks=[mask])}


def test_masks_that_cover_everything_together_are_told_too() -> None:
    halves = [
        ((left, 0.0), (left + 0.5, 0.0), (left + 0.5, 1.0), (left, 1.0)) for left in (0.0, 0.5)
    ]
    assert {one.view for one in play(TRAFFIC.picture, 1.0, masks=halves)} == {V.MASKED}


def test_a_mask_that_crosses_itself() -> None:
    mask = ((0.1, 0.1), (0.9, 0.9), (0.9, 0.1), (0.1, 0.9))
    assert triggers(play(TRAFFIC.picture, 6.0, masks=[mask])) == []


def test_video_that_is_none_is_said_and_is_no_incident() -> None:
    units, params = encoded(TRAFFIC.picture, 6.0)
    eye = Eye(camera())
    eye.use(params)
    random = np.random.default_rng(1)
    found: list[Trigger] = []
    broken, view = 0, V.NORMAL
    for unit in units:
        junk = random.bytes(len(unit.data)) if unit.entry_ms > START_MS + 3_000 else unit.data
        seen = eye.look((type(unit)(unit.entry_ms, unit.capture_ms, unit.is_key, 1, junk),),
                        tell_after_ms=0)  # fmt: skip
        found += seen.triggers
        broken += seen.broken
        view = seen.view
    assert found == []
    assert broken > 0
    assert view is V.UNDECODABLE
