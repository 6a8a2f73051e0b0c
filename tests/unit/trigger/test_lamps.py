from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from monitor.domain import Evidence, EvidenceKind
from monitor.trigger.blobs import PixelBox
from monitor.trigger.lamps import LampWatch, lamp_level
from tests.moving import HEIGHT_PX, WIDTH_PX, Body, Motion, Stage, wall_s

Red = npt.NDArray[np.uint8]
GREY = 128


def red_plane(box: PixelBox, left: int, right: int, body: int = GREY, noise: int = 0) -> Red:
    """The V plane with a body whose two lamps are so red."""
    random = np.random.default_rng(round(box.y * 10))
    red = np.full((HEIGHT_PX // 2, WIDTH_PX // 2), GREY, np.uint8)
    x, y = round(box.x / 2), round(box.y / 2)
    w, h = round(box.width / 2), round(box.height / 2)
    red[y : y + h, x : x + w] = body
    red[y + h // 2 : y + h // 2 + 3, x + 1 : x + 4] = left
    red[y + h // 2 : y + h // 2 + 3, x + w - 4 : x + w - 1] = right
    if noise:
        red = (red + random.integers(-noise, noise + 1, red.shape)).astype(np.uint8)
    return red


BOX = PixelBox(100.0, 100.0, 40.0, 30.0)


def test_both_lamps_count_above_the_body() -> None:
    assert lamp_level(red_plane(BOX, 170, 170), BOX) == pytest.approx(42.0)


def test_the_lesser_of_both_sides_counts() -> None:
    assert lamp_level(red_plane(BOX, 170, 140), BOX) == pytest.approx(12.0)
    assert lamp_level(red_plane(BOX, 170, GREY), BOX) == pytest.approx(0.0), "an indicator"


def test_a_red_body_is_no_lamp() -> None:
    assert lamp_level(red_plane(BOX, 180, 180, body=180), BOX) == pytest.approx(0.0)


def test_a_body_of_a_few_pixels_has_no_lamps() -> None:
    assert lamp_level(red_plane(BOX, 170, 170), PixelBox(100.0, 100.0, 8.0, 6.0)) is None


AWAY: Motion = lambda time_s: (30.0, 33.0 - 4.0 * time_s)  # noqa: E731 - a Motion
TOWARDS: Motion = lambda time_s: (30.0, 8.0 + 4.0 * time_s)  # noqa: E731 - a Motion


def watch(motion: Motion, lit_s: float, left: int, right: int, body: int = GREY) -> list[Evidence]:
    """Lamps glow at 138 and are ``left`` and ``right`` from ``lit_s`` on."""
    watching, found = LampWatch(), []
    for moment in Stage({1: Body(motion)}).moments(5.0):
        lit = moment.now_s >= lit_s
        box = moment.tracks[0].box
        levels = (left, right) if lit else (138, 138)
        red = red_plane(box, *levels, body=body if lit else GREY, noise=1)
        found += watching.step(moment, red)
    return found


def test_lamps_that_light_up_on_both_sides_are_a_brake_light_onset() -> None:
    (onset,) = watch(AWAY, 2.5, 170, 170)
    assert onset.kind is EvidenceKind.BRAKE_LIGHT_ONSET
    assert onset.track == 1
    assert wall_s(onset.time_ms) == pytest.approx(2.45, abs=0.06)
    assert onset.value == pytest.approx(32 / 255, abs=0.02)


@pytest.mark.parametrize(
    ("motion", "left", "right", "body"),
    [
        (AWAY, 170, 138, GREY),
        (AWAY, 175, 175, 165),
        (AWAY, 143, 143, GREY),
        (TOWARDS, 170, 170, GREY),
    ],
    ids=["an indicator", "the whole body reddens", "a faint change", "headlamps and a front"],
)
def test_what_is_no_brake_light(motion: Motion, left: int, right: int, body: int) -> None:
    assert watch(motion, 2.5, left, right, body) == []


def test_lamps_of_a_body_that_another_hides_are_not_read() -> None:
    watching, found = LampWatch(), []
    bodies = {1: Body(AWAY), 2: Body(lambda time_s: (31.0, 33.5 - 4.0 * time_s))}
    for moment in Stage(bodies).moments(5.0):
        level = 170 if moment.now_s >= 2.5 else 138
        found += watching.step(moment, red_plane(moment.tracks[0].box, level, level))
    assert found == []
