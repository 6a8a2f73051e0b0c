"""The fast cues on a drawn street: momentum that goes on, breaks, or only seems to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest

from monitor.domain import Evidence, EvidenceKind
from monitor.trigger.fast import ImpulseWatch, odds
from monitor.trigger.fast.ballot import Ballot, Vote
from monitor.trigger.fast.bodies import moving_bodies
from monitor.trigger.fast.cues import FastCues
from monitor.trigger.fast.features import MAX_FEATURES, FeaturePool
from monitor.trigger.fast.trail import Motion, Trail
from tests.street import HEIGHT_PX, START_MS, WIDTH_PX, Car, Image, Street

STEP_S = 0.1
CRASH_S = 2.0


class Stopping(Car):
    """Drives at ``speed`` until it is stopped at once."""

    def left(self, time_s: float) -> float:
        return self.x + self.speed * min(time_s, CRASH_S)


class Easing(Car):
    """Slows down as a driver does before a signal: over three seconds."""

    def left(self, time_s: float) -> float:
        braked_s = min(max(0.0, time_s - 1.0), 3.0)
        return self.x + self.speed * (min(time_s, 1.0) + braked_s - braked_s**2 / 6.0)


def seen(picture: Callable[[float], Image], until_s: float = 4.0) -> list[Evidence]:
    watch, found = ImpulseWatch(), []
    for k in range(round(until_s / STEP_S)):
        now_s = k * STEP_S
        found += watch.step(now_s, START_MS + round(1000 * now_s), picture(now_s))
    return found


def strongest(found: list[Evidence]) -> float:
    return max((odds(one.strength) for one in found), default=0.0)


def test_a_body_stopped_at_once_is_told_with_its_time_and_place() -> None:
    struck = Stopping(20.0, 70.0, 70.0)
    other = Car(218.0, 70.0, 0.0, seed=11)
    found = seen(Street((struck, other)).luma)
    assert strongest(found) > 1.0
    best = max(found, key=lambda one: one.strength)
    assert best.kind is EvidenceKind.IMPULSE
    assert abs((best.time_ms - START_MS) / 1000 - CRASH_S) < 0.6
    assert best.value is not None
    assert best.value > 0.6
    assert best.box is not None
    x, y, width, height = best.box
    assert x < struck.left(CRASH_S) / WIDTH_PX + 0.1 < x + width + 0.1
    assert y < 83 / HEIGHT_PX < y + height


@pytest.mark.parametrize("speed", [30.0, 70.0, -70.0])
def test_traffic_that_drives_on_is_not_told(speed: float) -> None:
    start = 20.0 if speed > 0 else 270.0
    assert strongest(seen(Street((Car(start, 70.0, speed),)).luma)) < 0.5


def test_easing_off_before_a_signal_is_no_impulse() -> None:
    assert strongest(seen(Street((Easing(30.0, 70.0, 60.0),)).luma)) < 1.0


def test_a_body_that_leaves_the_picture_is_not_told() -> None:
    assert strongest(seen(Street((Car(200.0, 70.0, 90.0),)).luma)) < 0.5


def test_bodies_that_pass_each_other_are_not_told() -> None:
    passing = (Car(20.0, 60.0, 60.0), Car(260.0, 92.0, -60.0, seed=5))
    assert strongest(seen(Street(passing).luma)) < 1.0


def test_a_camera_that_sways_is_taken_out() -> None:
    street = Street((Car(20.0, 70.0, 60.0),))
    found = seen(lambda t: street.luma(t, (4.0 * np.sin(9.0 * t), 2.0 * np.cos(7.0 * t))))
    assert strongest(found) < 1.0


def test_a_cut_to_another_view_is_not_told() -> None:
    before = Street((Car(20.0, 70.0, 70.0),))
    after = Street((Car(40.0, 110.0, 50.0, seed=23),), seed=9)
    assert strongest(seen(lambda t: (before if t < CRASH_S else after).luma(t))) < 0.5


def test_frozen_and_repeated_pictures_are_not_told() -> None:
    street = Street((Car(20.0, 70.0, 70.0),), noise=0.0)
    assert strongest(seen(lambda t: street.luma(min(t, CRASH_S)))) < 0.5


def test_a_hole_in_time_forgets_what_was_before() -> None:
    street, watch, found = Street((Car(20.0, 70.0, 60.0),)), ImpulseWatch(), []
    for now_s in [*np.arange(0.0, 1.5, STEP_S), *np.arange(2.5, 4.0, STEP_S)]:
        found += watch.step(float(now_s), START_MS, street.luma(float(now_s)))
    assert strongest(found) < 0.5


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (3, 400), (200, 4)])
def test_tiny_and_narrow_pictures_say_nothing(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(1)
    found = seen(lambda _: random.integers(0, 255, shape).astype(np.uint8), 1.0)
    assert strongest(found) < 1.0


def test_noise_black_and_a_size_that_changes_say_nothing() -> None:
    random = np.random.default_rng(2)
    street = Street((Car(20.0, 70.0, 60.0),))

    def picture(time_s: float) -> Image:
        if time_s < 1.0:
            return random.integers(0, 255, (HEIGHT_PX, WIDTH_PX)).astype(np.uint8)
        if time_s < 2.0:
            return np.zeros((HEIGHT_PX, WIDTH_PX), np.uint8)
        luma = street.luma(time_s)
        return luma if time_s < 3.0 else np.asarray(cv2.resize(luma, (400, 300)), np.uint8)

    assert strongest(seen(picture)) < 1.0


def test_one_event_keeps_its_name_while_its_score_grows() -> None:
    found = seen(Street((Stopping(20.0, 70.0, 70.0), Car(218.0, 70.0, 0.0, seed=11))).luma)
    assert len(found) > 1
    assert len({one.id for one in found}) == 1
    strengths = [one.strength for one in found]
    assert strengths == sorted(strengths)


def test_features_lie_on_what_moves_and_stay_few() -> None:
    pool, street = FeaturePool(), Street((Car(20.0, 70.0, 60.0),), noise=0.0)
    for k in range(10):
        features = pool.step(k * STEP_S, street.luma(k * STEP_S))
    assert 10 < len(features.ids) <= MAX_FEATURES
    assert (np.diff(features.ids) > 0).all()
    left = street.cars[0].left(0.9)
    x, y = features.points.T
    on_car = (x > left - 4) & (x < left + 52) & (y > 66) & (y < 100)
    assert on_car.mean() > 0.8  # new ones are looked for where it was, too


def test_a_small_body_gets_its_share_of_features_beside_a_large_one() -> None:
    cars = (Car(0.0, 10.0, 60.0, width=220, height=120), Car(20.0, 150.0, 40.0, 24, 14, seed=4))
    pool, street = FeaturePool(), Street(cars, noise=0.0)
    for k in range(8):
        features = pool.step(k * STEP_S, street.luma(k * STEP_S))
    assert ((features.points[:, 1] > 146).sum()) >= 5


def test_a_chain_of_neighbours_is_one_body_however_its_corners_are_numbered() -> None:
    along = np.random.default_rng(3).permutation(40)
    places = np.stack([20.0 + 8.0 * along, np.full(40, 60.0)], axis=1)
    apart = places + np.array([0.0, 100.0])
    points = np.concatenate([places, apart])
    motion = Motion(
        1.0, 0.3, np.arange(80), points - 9.0, points, np.full((80, 2), 30.0), np.full(80, 42.0)
    )
    bodies = moving_bodies(motion, WIDTH_PX)
    assert bodies.count.tolist() == [40, 40]
    assert len(set(bodies.of[:40].tolist())) == len(set(bodies.of[40:].tolist())) == 1
    assert bodies.place[bodies.of[0]] == pytest.approx(places.mean(axis=0))
    assert bodies.velocity == pytest.approx(np.full((2, 2), 30.0))


def test_two_bodies_are_told_apart_by_their_motion() -> None:
    street = Street((Car(20.0, 60.0, 60.0), Car(150.0, 64.0, -60.0, seed=5)), noise=0.0)
    pool, trail = FeaturePool(), Trail()
    for k in range(8):
        trail.add(pool.step(k * STEP_S, street.luma(k * STEP_S)))
    motion = trail.motion(0.3)
    assert motion is not None
    bodies = moving_bodies(motion, WIDTH_PX)
    speeds = sorted(float(v) for v in bodies.velocity[:, 0])
    assert len(bodies) == 2
    assert speeds == pytest.approx([-60.0, 60.0], abs=4.0)


def test_votes_add_up_near_each_other_and_not_across_the_picture() -> None:
    here = Vote(0.0, 1.0, np.array([100.0, 50.0]), 20.0, 0.8)
    ballot = Ballot()
    ballot.cast([here, replace(here, place=np.array([110.0, 50.0]))], 1.0)
    ballot.cast([replace(here, place=np.array([300.0, 50.0]))], 1.0)
    best = ballot.best(0.5)
    assert best is not None
    assert best.total == pytest.approx(2.0)
    assert best.place[0] == pytest.approx(105.0)
    assert ballot.best(0.9) is None


def test_cues_take_any_width() -> None:
    street = Street((Stopping(20.0, 70.0, 70.0), Car(218.0, 70.0, 0.0, seed=11)))
    scores = []
    for factor in (1.0, 2.0, 4.0):
        cues, best = FastCues(), 0.0
        for k in range(32):
            luma = street.luma(k * STEP_S)
            large = np.asarray(cv2.resize(luma, None, fx=factor, fy=factor), np.uint8)
            sudden = cues.step(k * STEP_S, large)
            best = max(best, 0.0 if sudden is None else sudden.score)
        scores.append(best)
    assert min(scores) > 1.0
