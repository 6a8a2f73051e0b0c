"""Foreground, regions and the tracker on drawn pictures."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from monitor.trigger.background import Background, Image
from monitor.trigger.blobs import PixelBox, find_blobs
from monitor.trigger.track import Track
from monitor.trigger.tracker import Tracker
from tests.street import HEIGHT_PX, WIDTH_PX, Car, Street, grey

INTERVAL_S = 0.1
EMPTY = Street(noise=1.0)


def learned() -> Background:
    background = Background(EMPTY.picture(0.0))
    for index in range(1, 10):
        background.collect(EMPTY.picture(index * 0.25))
    background.settle()
    return background


def nothing() -> Image:
    return np.zeros((HEIGHT_PX, WIDTH_PX), np.uint8)


def share(mask: Image) -> float:
    return cv2.countNonZero(mask) / mask.size


def test_the_empty_scene_has_no_foreground() -> None:
    background = learned()
    assert max(share(background.foreground(EMPTY.picture(3 + t))) for t in range(5)) < 0.001


def test_what_moved_through_while_learning_is_not_in_the_empty_scene() -> None:
    street = Street((Car(-40, 90, 120),), noise=1.0)
    background = Background(street.picture(0.0))
    for index in range(1, 12):
        background.collect(street.picture(index * 0.25))
    background.settle()
    difference = cv2.absdiff(background.picture, Street(noise=0.0).luma(0.0))
    assert float(np.quantile(difference, 0.99)) <= 3.0


def test_a_body_is_foreground_where_it_is() -> None:
    street = Street((Car(120, 90, 0),), noise=1.0)
    background = learned()
    background.foreground(EMPTY.picture(3.0))
    mask = background.foreground(street.picture(3.1))
    (blob,) = find_blobs(mask)
    assert blob.box.x == pytest.approx(120, abs=3)
    assert blob.box.y == pytest.approx(90, abs=3)
    assert blob.box.width == pytest.approx(48, abs=5)
    assert blob.box.height == pytest.approx(26, abs=5)


def test_a_cast_shadow_is_none() -> None:
    luma = EMPTY.luma(3.0)
    luma[90:116, 120:168] = (luma[90:116, 120:168] * 0.7).astype(np.uint8)
    assert share(learned().foreground(grey(luma))) < 0.001


def test_a_dark_body_is_no_shadow() -> None:
    luma = EMPTY.luma(3.0)
    luma[90:116, 120:168] = 20
    assert share(learned().foreground(grey(luma))) == pytest.approx(48 * 26 / luma.size, rel=0.2)


def test_a_change_of_exposure_is_followed_not_seen() -> None:
    background = learned()
    picture = EMPTY.picture(3.0, gain=1.3)
    assert background.follow_exposure(picture.y) == pytest.approx(1.3, abs=0.04)
    assert share(background.foreground(picture)) < 0.005


def test_a_body_in_the_picture_is_no_change_of_exposure() -> None:
    assert learned().follow_exposure(Street((Car(120, 90, 0),)).luma(3.0)) == 1.0


def test_what_stands_and_belongs_to_nobody_is_learned() -> None:
    street, background = Street((Car(120, 90, 0),), noise=1.0), learned()
    for index in range(60):
        picture = street.picture(3 + index * INTERVAL_S)
        mask = background.foreground(picture)
        background.learn(picture, mask, nothing())
    assert share(mask) < 0.001


def test_a_tracked_body_that_stands_stays_foreground() -> None:
    street, background = Street((Car(120, 90, 0),), noise=1.0), learned()
    owned = nothing()
    owned[85:121, 115:173] = 255
    for index in range(60):
        picture = street.picture(3 + index * INTERVAL_S)
        mask = background.foreground(picture)
        background.learn(picture, mask, owned)
    assert share(mask) == pytest.approx(48 * 26 / mask.size, rel=0.2)


def test_regions_come_largest_first_and_specks_do_not() -> None:
    mask = nothing()
    mask[20:40, 20:60] = 255
    mask[100:110, 200:212] = 255
    mask[150:152, 5:7] = 255
    small, large = PixelBox(200, 100, 12, 10), PixelBox(20, 20, 40, 20)
    assert [blob.box for blob in find_blobs(mask)] == [large, small]


def test_boxes_overlap_unite_and_clip() -> None:
    a, b = PixelBox(0, 0, 10, 10), PixelBox(5, 5, 10, 10)
    assert a.overlap(b) == 25
    assert a.overlap(PixelBox(20, 0, 5, 5)) == 0
    assert a.union(b) == PixelBox(0, 0, 15, 15)
    assert a.grown(0.5) == PixelBox(-5, -5, 20, 20)
    assert a.grown(0.5).clipped(12, 8) == (0, 0, 12, 8)
    assert a.foot == (5, 10)


def track(street: Street, end_s: float) -> list[tuple[float, Sequence[Track]]]:
    """The tracker's bodies after each picture; the empty scene is known."""
    tracker, empty, seen = Tracker(WIDTH_PX, HEIGHT_PX), Street(noise=0.0).luma(0.0), []
    for index in range(round(end_s / INTERVAL_S)):
        time_s = index * INTERVAL_S
        luma = street.luma(time_s)
        mask = np.where(cv2.absdiff(luma, empty) > 14, 255, 0).astype(np.uint8)
        mask = np.asarray(
            cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)), dtype=np.uint8
        )
        tracker.update(time_s, luma, mask, empty)
        seen.append((time_s, tracker.tracks))
    return seen


def test_a_body_is_one_track_with_its_place_and_speed() -> None:
    car = Car(20, 90, 60)
    seen = track(Street((car,)), 4.0)
    time_s, (found,) = seen[-1]
    assert {one.id for _, tracks in seen for one in tracks} == {found.id}
    assert found.velocity == pytest.approx([60.0, 0.0], abs=3.0)
    assert found.foot[0] == pytest.approx(car.left(time_s) + 24, abs=4)
    assert found.foot[1] == pytest.approx(116, abs=3)


def test_it_keeps_its_identity_behind_a_post() -> None:
    car = Car(20, 90, 80)
    seen = track(Street((car,), post=(150, 175)), 3.0)
    (before,) = seen[8][1]
    time_s, after = seen[-1]
    (same,) = [one for one in after if one.id == before.id]
    assert car.left(time_s) - 4 < same.foot[0] < car.left(time_s) + 52
    assert same.velocity == pytest.approx([80.0, 0.0], abs=4.0)


def test_two_that_hide_each_other_come_out_as_they_went_in() -> None:
    behind, ahead = Car(10, 84, 90, seed=7), Car(230, 98, -70, seed=11)
    seen = track(Street((behind, ahead)), 2.8)
    before = {one.id: one.velocity[0] > 0 for one in seen[9][1]}
    after = {one.id: one.velocity[0] > 0 for one in seen[-1][1]}
    assert len(before) == 2
    assert after == before


def test_a_flickering_sign_is_no_body() -> None:
    tracker, empty = Tracker(WIDTH_PX, HEIGHT_PX), Street(noise=0.0).luma(0.0)
    for index in range(30):
        luma, mask = empty.copy(), nothing()
        if index % 2:
            luma[50:70, 50:90], mask[50:70, 50:90] = 240, 255
        tracker.update(index * INTERVAL_S, luma, mask, empty)
        assert tracker.tracks == []


def test_bodies_gone_at_once_from_the_middle_are_a_cut() -> None:
    cars = (Car(40, 40, 50, seed=7), Car(60, 120, 60, seed=9))
    street, empty = Street(cars, noise=0.0), Street(noise=0.0).luma(0.0)
    tracker = Tracker(WIDTH_PX, HEIGHT_PX)
    for index in range(20):
        luma = street.luma(index * INTERVAL_S)
        mask = np.where(cv2.absdiff(luma, empty) > 14, 255, 0).astype(np.uint8)
        tracker.update(index * INTERVAL_S, luma, mask, empty)
    assert len(tracker.tracks) == 2
    tracker.update(2.0, empty, nothing(), empty)
    assert tracker.jumped
    assert tracker.tracks == []


def test_ids_are_not_used_again() -> None:
    tracker = Tracker(WIDTH_PX, HEIGHT_PX, first_id=40)
    street, empty = Street((Car(40, 40, 50),), noise=0.0), Street(noise=0.0).luma(0.0)
    for begin_s in (0.0, 1.5):
        for index in range(12):
            luma = street.luma(begin_s + index * INTERVAL_S)
            mask = np.where(cv2.absdiff(luma, empty) > 14, 255, 0).astype(np.uint8)
            tracker.update(begin_s + index * INTERVAL_S, luma, mask, empty)
        (found,) = tracker.tracks
        assert found.id == (40 if begin_s == 0.0 else 41)
        tracker.forget()
