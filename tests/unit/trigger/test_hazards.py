from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from monitor.domain import Evidence, EvidenceKind
from monitor.trigger.blobs import PixelBox
from monitor.trigger.hazards import Flashing, HazardWatch, flash_on_both_sides, flashes
from monitor.trigger.normal import SceneMemory
from tests.moving import HEIGHT_PX, WIDTH_PX, Body, Motion, Stage, drive_over, driving, wall_s

Levels = npt.NDArray[np.float64]
Luma = npt.NDArray[np.uint8]
GREY, LIT = 90, 200
BOX = PixelBox(100.0, 100.0, 40.0, 30.0)


def square_wave(times: Levels, period_s: float, low: float = 10.0, high: float = 40.0) -> Levels:
    return np.where(times % period_s < 0.5 * period_s, high, low)


def pictures(rate: float, for_s: float = 3.4) -> Levels:
    return np.arange(0.0, for_s, 1.0 / rate)


@pytest.mark.parametrize("rate", [8.0, 10.0, 25.0])
@pytest.mark.parametrize("per_minute", [70, 90, 115])
def test_lamps_flash_in_the_rhythm_that_is_prescribed(rate: float, per_minute: int) -> None:
    times = pictures(rate)
    assert flashes(times, square_wave(times, 60.0 / per_minute))


@pytest.mark.parametrize("period_s", [0.25, 2.2])
def test_faster_or_slower_is_something_else(period_s: float) -> None:
    times = pictures(10.0)
    assert not flashes(times, square_wave(times, period_s))


def test_what_passes_in_front_now_and_then_is_no_rhythm() -> None:
    times = pictures(10.0, 4.0)
    passing = np.where(np.isin(np.floor(times / 0.3), (1, 3, 7, 8, 12)), 30.0, 0.0)
    assert not flashes(times, passing)


def test_brake_lamps_that_light_once_do_not_flash() -> None:
    times = pictures(10.0)
    assert not flashes(times, np.where(times > 1.5, 40.0, 10.0))


def test_noise_does_not_flash() -> None:
    times = pictures(10.0)
    random = np.random.default_rng(4)
    for _ in range(200):
        assert not flashes(times, random.normal(10.0, 2.0, len(times)))


def picture(box: PixelBox, left: int, right: int, brakes: int = GREY) -> Luma:
    """A body with two lamps so bright, and its brake lamps beside them."""
    luma = np.full((HEIGHT_PX, WIDTH_PX), GREY, np.uint8)
    x, y, w, h = (round(side) for side in (box.x, box.y, box.width, box.height))
    rows = slice(y + h // 2, y + h // 2 + 4)
    luma[rows, x + 2 : x + 6], luma[rows, x + w - 6 : x + w - 2] = left, right
    luma[rows, x + 7 : x + 13] = luma[rows, x + w - 13 : x + w - 7] = brakes
    return luma


def looked_at(left: int, right: int, brakes: int = GREY) -> Flashing:
    """For four seconds, lit to such levels half of the time."""
    flashing = Flashing()
    for now_s in pictures(10.0, 4.0).tolist():
        lit = now_s % 0.7 < 0.35
        flashing.look(
            now_s, picture(BOX, left if lit else GREY, right if lit else GREY, brakes), BOX
        )
    return flashing


def test_light_that_comes_and_goes_on_all_of_it_is_a_beacon_or_a_sign() -> None:
    textured = np.random.default_rng(5).integers(60, 140, (HEIGHT_PX, WIDTH_PX)).astype(np.uint8)
    flashing = Flashing()
    for now_s in pictures(10.0, 4.0).tolist():
        flashing.look(now_s, textured + np.uint8(16 if now_s % 0.7 < 0.35 else 0), BOX)
    assert not flashing.decide()


def test_both_sides_flash() -> None:
    assert looked_at(LIT, LIT).decide()


def test_brake_lamps_that_stay_lit_do_not_hide_it() -> None:
    assert looked_at(LIT, LIT, brakes=230).decide()


def test_one_side_alone_is_an_indicator() -> None:
    assert not looked_at(LIT, GREY).decide()
    assert not looked_at(GREY, LIT).decide()


def test_things_that_flash_by_turns_are_no_hazard_lamps() -> None:
    flashing = Flashing()
    for now_s in pictures(10.0, 4.0).tolist():
        left, right = (LIT, GREY) if now_s % 0.7 < 0.35 else (GREY, LIT)
        flashing.look(now_s, picture(BOX, left, right), BOX)
    assert not flashing.decide()


def test_a_rhythm_that_no_single_place_has_is_no_lamp() -> None:
    times = pictures(10.0)
    random = np.random.default_rng(2)
    looks = random.integers(0, 255, (len(times), 16, 24))
    looks += (square_wave(times, 0.7, 0.0, 30.0)).astype(np.int64)[:, None, None]
    assert not flash_on_both_sides(times, np.clip(looks, 0, 255).astype(np.uint8))


def test_nothing_flashes_on_a_plain_body() -> None:
    assert not looked_at(GREY, GREY).decide()


def test_once_seen_it_is_believed() -> None:
    flashing = looked_at(LIT, LIT)
    assert flashing.decide()
    for now_s in (4.0 + pictures(10.0, 5.0)).tolist():
        flashing.look(now_s, picture(BOX, GREY, GREY), BOX)
    assert flashing.decide()


def test_what_is_too_small_or_out_of_the_picture_says_nothing() -> None:
    for box in (PixelBox(100.0, 100.0, 5.0, 4.0), PixelBox(-90.0, 100.0, 40.0, 30.0)):
        flashing = Flashing()
        for now_s in pictures(10.0, 4.0).tolist():
            flashing.look(now_s, picture(BOX, LIT, LIT), box)
        assert not flashing.decide()


STOPPING = driving(8.0, x=5.0, brakes_s=2.0, decel=4.0)  # at rest at 4 s


def stopped(
    motions: dict[int, Motion],
    flashing: int | None,
    memory: SceneMemory | None = None,
    lamps: PixelBox | None = None,
) -> list[Evidence]:
    """What is told of vehicles of which one flashes from 3 s on, where nobody passes.

    ``lamps``: where they stay whatever the box does.
    """
    memory = memory or driven_road()
    watching, found = HazardWatch(), []
    for moment in Stage({n: Body(m) for n, m in motions.items()}, memory=memory).moments(12.0):
        luma = np.full((HEIGHT_PX, WIDTH_PX), GREY, np.uint8)
        for track in moment.tracks:
            lit = track.id == flashing and moment.now_s > 3.0 and moment.now_s % 0.7 < 0.4
            level = LIT if lit else GREY
            luma = np.maximum(luma, picture(lamps or track.box, level, level))
        watching.look(moment, luma)
        found += watching.step(moment)
    return found


def driven_road() -> SceneMemory:
    memory = SceneMemory()
    drive_over(memory, 4)
    return memory


def test_who_stands_with_flashing_lamps_is_in_the_way_though_nobody_passes() -> None:
    (first, *_) = stopped({1: STOPPING}, 1)
    assert first.kind is EvidenceKind.STOPPED_IN_LANE
    assert first.track == 1
    assert wall_s(first.time_ms) == pytest.approx(4.0, abs=0.4), "when it came to rest"
    assert first.value is not None
    assert first.value < 5.0, "how long it stood when that was said"
    assert first.strength < 0.9, "a candidate, no alert"


def test_told_again_now_and_then_only() -> None:
    assert len(stopped({1: STOPPING}, 1)) == 1


def test_without_flashing_nothing_is_told() -> None:
    assert stopped({1: STOPPING}, None) == []


def test_in_a_queue_the_one_that_flashes_is_told() -> None:
    ahead = driving(8.0, x=13.0, brakes_s=2.0, decel=4.0)
    assert {one.track for one in stopped({1: STOPPING, 2: ahead}, 1)} == {1}


def test_off_the_roadway_it_is_parked() -> None:
    assert stopped({1: STOPPING}, 1, SceneMemory()) == []


def test_a_box_that_jitters_has_not_driven_off() -> None:
    def jittering(time_s: float) -> tuple[float, float]:
        """Far off a pixel is metres: to and fro by one it is as fast as who drives off."""
        x, y = STOPPING(time_s)
        return x + (1.2 * (int(time_s / 1.2) % 2) if time_s > 4.5 else 0.0), y

    found = stopped({1: jittering}, 1, lamps=PixelBox(270.0, 70.0, 40.0, 30.0))
    assert wall_s(found[0].time_ms) == pytest.approx(4.0, abs=0.4)


def test_who_drove_off_and_stands_again_has_come_to_rest_there() -> None:
    def twice(time_s: float) -> tuple[float, float]:
        x, y = STOPPING(time_s)
        return x + 8.0 * min(max(0.0, time_s - 5.0), 1.0), y

    assert wall_s(stopped({1: twice}, 1)[0].time_ms) == pytest.approx(6.0, abs=0.5)
