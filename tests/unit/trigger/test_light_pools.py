"""At night and in rain: light and shade that are smooth against the empty scene are no bodies."""

from __future__ import annotations

import cv2
import numpy as np

from monitor.trigger import light_pools
from monitor.trigger.background import Background, Image
from monitor.trigger.blobs import find_blobs
from tests.street import HEIGHT_PX, WIDTH_PX, Car, Street, grey

NOISE = 1.0
EMPTY = Street(noise=0.0).luma(0.0)
CAR = (120, 90, 48, 26)


def noisy(luma: Image, seed: int) -> Image:
    random = np.random.default_rng(seed)
    return np.clip(luma + random.normal(0.0, NOISE, luma.shape), 0, 235).astype(np.uint8)


def by_night(luma: Image) -> Image:
    return np.asarray(luma * 0.4, np.uint8)


def learned(empty: Image) -> Background:
    background = Background(grey(noisy(empty, 0)))
    for seed in range(1, 10):
        background.collect(grey(noisy(empty, seed)))
    background.settle()
    background.foreground(grey(noisy(empty, 10)))  # takes note of the light
    return background


def lit(luma: Image, gain: float) -> Image:
    """A soft pool of light about the middle, on whatever is painted there."""
    y, x = np.mgrid[:HEIGHT_PX, :WIDTH_PX]
    pool = np.exp(-(((x - 160) / 60.0) ** 2) - ((y - 100) / 30.0) ** 2)
    return np.asarray(np.clip(luma * (1.0 + gain * pool), 0, 235), np.uint8)


def with_car(luma: Image, level: float) -> Image:
    x, y, width, height = CAR
    drawn = Street((Car(x, y, 0.0),), noise=0.0).luma(0.0)
    result = luma.copy()
    result[y : y + height, x : x + width] = drawn[y : y + height, x : x + width] * level
    return result


def boxes(mask: Image) -> list[tuple[float, float, float, float]]:
    return [(b.box.x, b.box.y, b.box.width, b.box.height) for b in find_blobs(mask)]


def test_a_pool_of_light_at_night_is_no_body() -> None:
    road = by_night(EMPTY)
    pool = noisy(lit(road, 1.5), 20)
    assert np.abs(pool.astype(int) - road).max() > 40
    assert boxes(learned(road).foreground(grey(pool))) == []


def test_by_day_light_is_told_from_bodies_by_nothing() -> None:
    pool = noisy(lit(EMPTY, 0.8), 20)
    assert len(boxes(learned(EMPTY).foreground(grey(pool)))) == 1


def test_a_body_in_a_pool_of_light_is_found_alone() -> None:
    road = by_night(EMPTY)
    found = boxes(learned(road).foreground(grey(noisy(with_car(lit(road, 1.5), 0.9), 20))))
    assert len(found) == 1
    assert np.allclose(found[0], CAR, atol=9.0)


def test_a_dark_body_in_rain_is_no_shadow() -> None:
    """Moderately darker than the road and of its colour, but with edges."""
    x, y, width, height = CAR
    luma = EMPTY.copy()
    luma[y : y + height, x : x + width] = luma[y : y + height, x : x + width] * 0.7
    background = learned(EMPTY)
    assert boxes(background.foreground(grey(noisy(luma, 20)))) == []
    background.raining = True
    (found,) = boxes(background.foreground(grey(noisy(luma, 21))))
    assert np.allclose(found, CAR, atol=7.0)


def test_falling_drops_are_no_bodies() -> None:
    luma = EMPTY.copy()
    for x in range(20, WIDTH_PX - 20, 30):
        cv2.line(luma, (x, 60), (x + 1, 80), 190, 2)
    background = learned(EMPTY)
    assert len(boxes(background.foreground(grey(noisy(luma, 20))))) > 3
    background.raining = True
    assert boxes(background.foreground(grey(noisy(luma, 21)))) == []


def test_a_pool_that_comes_and_goes_is_not_learned_but_one_that_stays_is() -> None:
    road = by_night(EMPTY)
    background, nobody = learned(road), np.zeros(EMPTY.shape, np.uint8)
    pool = lit(road, 1.5)
    inside = pool.astype(int) - road > 30
    for step in range(12):
        picture = grey(noisy(pool if step % 6 < 3 else road, 30 + step))
        background.learn(picture, background.foreground(picture), nobody)
    assert np.abs(background.picture.astype(int) - road)[inside].mean() < 4
    for step in range(60):
        picture = grey(noisy(pool, 60 + step))
        background.learn(picture, background.foreground(picture), nobody)
    assert np.abs(background.picture.astype(int) - pool)[inside].mean() < 6


def test_where_nothing_differs_nothing_is_found() -> None:
    nothing = np.zeros_like(EMPTY)
    assert light_pools.bodies(nothing, EMPTY, EMPTY, drops=True).max() == 0


def test_a_night_is_dark_and_a_day_is_not() -> None:
    assert light_pools.is_dark(by_night(EMPTY))
    assert not light_pools.is_dark(EMPTY)
