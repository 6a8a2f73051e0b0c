"""What is darker than the empty scene: cast shadows, and what only looks like one."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from monitor.trigger.shade import cast_shadows

Image = npt.NDArray[np.uint8]

SHAPE = (120, 160)
LYING = (slice(60, 84), slice(40, 90))
UPRIGHT = (slice(70, 86), slice(100, 106))


def road(noise: float = 1.5) -> Image:
    """Asphalt with a white line across it."""
    rng = np.random.default_rng(3)
    picture = np.full(SHAPE, 120.0) + rng.normal(0.0, noise, SHAPE)
    picture[70:73, :] += 70.0
    return np.asarray(np.clip(picture, 0, 255), np.uint8)


def darkened(empty: Image, where: tuple[slice, slice], share: float) -> Image:
    """The same with less light somewhere, softly at the border, and other noise."""
    light = np.ones(SHAPE)
    light[where] = share
    soft = cv2.blur(light, (5, 5))
    noise = np.random.default_rng(4).normal(0.0, 1.5, SHAPE)
    return np.asarray(np.clip(empty * soft + noise, 0, 255), np.uint8)


def found(luma: Image, empty: Image) -> tuple[Image, Image]:
    """What differs, and what of it is taken for a shadow; all that is darker might be one."""
    mask = np.where(np.abs(luma.astype(int) - empty) > 12, 255, 0).astype(np.uint8)
    shade = np.where(luma < empty, mask, 0).astype(np.uint8)
    return mask, cast_shadows(shade, mask, luma, empty)


def share_of(picture: Image, where: tuple[slice, slice]) -> float:
    return float((picture[where] > 0).mean())


@pytest.mark.parametrize("share", [0.55, 0.7, 0.8])
def test_an_even_shade_is_a_shadow_also_across_a_line(share: float) -> None:
    empty = road()
    mask, shadow = found(darkened(empty, LYING, share), empty)
    assert share_of(mask, LYING) > 0.9
    assert share_of(shadow, LYING) > 0.9


def test_a_grey_vehicle_with_windows_is_none() -> None:
    empty = road()
    luma = darkened(empty, LYING, 0.75)
    luma[64:72, 48:60] = 48  # two windows
    luma[64:72, 66:82] = 48
    luma[78:81, 44:86] = 45  # its bumper
    mask, shadow = found(luma, empty)
    assert share_of(mask, LYING) > 0.9
    assert share_of(shadow, LYING) < 0.5


def test_dark_trousers_are_none() -> None:
    empty = road(0.0)
    luma = empty.copy()
    luma[UPRIGHT] = 80
    _, shadow = found(luma, empty)
    assert not shadow.any()


def test_a_shadow_in_the_dark_is_not_rough_for_its_noise() -> None:
    rng = np.random.default_rng(5)
    empty = np.asarray(rng.normal(44.0, 1.5, SHAPE), np.uint8)
    _, shadow = found(darkened(empty, LYING, 0.55), empty)
    assert share_of(shadow, LYING) > 0.7


def test_nothing_darker_is_no_shadow() -> None:
    empty = road()
    _, shadow = found(empty, empty)
    assert not shadow.any()


@pytest.mark.parametrize("place", [(60, 40), (0, 0), (96, 110)])
def test_only_what_is_near_has_a_say(place: tuple[int, int]) -> None:
    row, column = place
    where = (slice(row, row + 24), slice(column, column + 50))
    empty = road()
    luma = darkened(empty, where, 0.7)
    luma[row + 6 : row + 14, column + 10 : column + 24] = 40
    mask, shadow = found(luma, empty)
    shade = np.where(luma < empty, mask, 0).astype(np.uint8)
    rough = 0.5 * empty + np.random.default_rng(5).uniform(0, 120, SHAPE)
    far = cv2.dilate(shade, np.ones((15, 15), np.uint8)) == 0
    other = np.where(far, rough, luma).astype(np.uint8)
    assert np.array_equal(cast_shadows(shade.copy(), mask, other, empty), shadow)
    assert 0 < np.count_nonzero(shadow) < np.count_nonzero(shade)
