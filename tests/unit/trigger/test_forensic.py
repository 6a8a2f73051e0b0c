"""The second look: contacts between known bodies, what is none, and pictures of all kinds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import cv2
import numpy as np
import pytest

from monitor.config.models import Camera
from monitor.domain import EvidenceKind, Trigger
from monitor.media.decode import Planes
from monitor.trigger.forensic import Verdict, examine
from tests.crash import (
    HEIGHT_PX,
    START_MS,
    WIDTH_PX,
    Mover,
    braking,
    film,
    steady,
    struck,
)
from tests.street import grey

CONTACT_S = 1.6


def camera(**settings: object) -> Camera:
    return Camera.model_validate({"id": "cam", "url": "rtsp://127.0.0.1/cam", **settings})


def trigger(time_s: float, kind: EvidenceKind = EvidenceKind.CONTACT) -> Trigger:
    time_ms = START_MS + round(1000 * time_s)
    return Trigger(kind, time_ms, time_ms + 300, 1.0, "a candidate")


def look(pictures: Iterable[tuple[int, Planes]], time_s: float = CONTACT_S) -> Verdict:
    return examine(pictures, trigger(time_s), camera())


def rear_end() -> list[Mover]:
    """One drives into another that crawls; both go on at a speed between."""
    return [
        Mover(struck(10, 80, (100, 0), CONTACT_S, (30, 0)), seed=7),
        Mover(struck(180, 80, (22, 0), CONTACT_S, (55, 6)), seed=9),
    ]


def side_swipe_free() -> list[Mover]:
    """Two that pass each other in neighbouring lanes."""
    return [Mover(steady(-40, 70, 90), seed=7), Mover(steady(300, 108, -90), seed=9)]


def stopping() -> list[Mover]:
    """One brakes as hard as tyres allow behind one that stands still."""
    return [
        Mover(braking(0, 80, 110, 1.0, 90), seed=7),
        Mover(steady(180, 80, 0), seed=9),
    ]


def test_a_contact_is_found_when_and_where_it_was() -> None:
    verdict = look(film(rear_end(), 3.2))
    assert verdict.confirmed is True
    assert verdict.kind is EvidenceKind.CONTACT
    assert verdict.time_ms == pytest.approx(START_MS + 1000 * CONTACT_S, abs=150)
    assert verdict.box is not None
    x, y, width, height = verdict.box
    assert x * WIDTH_PX < 210 < (x + width) * WIDTH_PX
    assert y * HEIGHT_PX < 95 < (y + height) * HEIGHT_PX
    contacts = [one for one in verdict.evidence if one.kind is EvidenceKind.CONTACT]
    assert [one.time_ms for one in contacts] == [verdict.time_ms]
    assert contacts[0].track is not None
    assert verdict.onset_ms is not None
    assert verdict.onset_ms <= verdict.time_ms
    assert "Contact" in verdict.reason


def test_it_is_found_though_the_trigger_is_two_seconds_off() -> None:
    verdict = look(film(rear_end(), 4.0), CONTACT_S + 2.0)
    assert verdict.confirmed is True
    assert verdict.time_ms == pytest.approx(START_MS + 1000 * CONTACT_S, abs=150)


@pytest.mark.parametrize(
    ("scene", "confirmed"), [(side_swipe_free, False), (stopping, None)], ids=["passing", "braking"]
)
def test_traffic_is_no_contact(scene: object, confirmed: bool | None) -> None:
    """Rejected is only what was seen to go on as it did."""
    assert callable(scene)
    verdict = look(film(scene(), 3.2))
    assert verdict.confirmed is confirmed
    assert not [one for one in verdict.evidence if one.kind is EvidenceKind.CONTACT]


def test_what_happens_in_a_mask_is_not_looked_at() -> None:
    masks = [[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]]
    verdict = examine(film(rear_end(), 3.2), trigger(CONTACT_S), camera(masks=masks))
    assert verdict.confirmed is None, "nobody was seen to go on either"


def grey_pictures(size: tuple[int, int], level: int = 90) -> Iterator[tuple[int, Planes]]:
    for index in range(60):
        yield START_MS + 40 * index, grey(np.full(size, level, np.uint8))


def noise_pictures() -> Iterator[tuple[int, Planes]]:
    random = np.random.default_rng(1)
    for index in range(60):
        luma = random.integers(0, 256, (HEIGHT_PX, WIDTH_PX)).astype(np.uint8)
        yield START_MS + 40 * index, grey(luma)


def tiny_pictures() -> Iterator[tuple[int, Planes]]:
    random = np.random.default_rng(1)
    for index in range(60):
        luma = random.integers(0, 256, (1, 1)).astype(np.uint8)
        yield START_MS + 40 * index, Planes(luma, luma, luma)


def dark_pictures() -> Iterator[tuple[int, Planes]]:
    random = np.random.default_rng(1)
    for index in range(60):
        luma = random.integers(0, 9, (HEIGHT_PX, WIDTH_PX)).astype(np.uint8)
        yield START_MS + 40 * index, grey(luma)


@pytest.mark.parametrize(
    "pictures",
    [
        lambda: iter(()),
        lambda: film(rear_end(), 0.3),
        lambda: grey_pictures((HEIGHT_PX, WIDTH_PX)),
        lambda: grey_pictures((2, 2)),
        tiny_pictures,
        noise_pictures,
        dark_pictures,
    ],
)
def test_what_cannot_be_judged_is_said(pictures: object) -> None:
    assert callable(pictures)
    verdict = look(pictures(), 0.2)
    assert verdict.confirmed is None
    assert verdict.reason.startswith("Cannot tell: ")
    assert verdict.evidence == ()


def test_no_pictures_of_the_moment() -> None:
    assert look(film(rear_end(), 2.0), 9.0).confirmed is None


def test_repeated_and_disordered_times_change_nothing() -> None:
    def stammering() -> Iterator[tuple[int, Planes]]:
        for index, (time_ms, planes) in enumerate(film(rear_end(), 3.2)):
            yield time_ms, planes
            if index % 7 == 3:
                yield time_ms, planes
                yield time_ms - 200, planes

    assert look(stammering()) == look(film(rear_end(), 3.2))


def test_a_hole_makes_no_contact_of_passing_traffic() -> None:
    pictures = [one for one in film(side_swipe_free(), 3.2) if not 1.3 < at(one) < 1.9]
    assert look(pictures).confirmed is not True


def at(picture: tuple[int, Planes]) -> float:
    return (picture[0] - START_MS) / 1000


def test_another_size_of_pictures_ends_the_window() -> None:
    other = [(START_MS + 3_300 + 40 * i, p) for i, (_, p) in enumerate(grey_pictures((90, 160)))]
    assert look([*film(rear_end(), 3.2), *other]) == look(film(rear_end(), 3.2))


def test_sixty_pictures_a_second_are_as_good() -> None:
    verdict = look(film(rear_end(), 3.2, fps=60))
    assert verdict.confirmed is True
    assert verdict.time_ms == pytest.approx(START_MS + 1000 * CONTACT_S, abs=150)


@pytest.mark.parametrize("fps", [1, 5])
def test_few_pictures_never_confirm_what_was_not(fps: int) -> None:
    assert look(film(side_swipe_free(), 6.0, fps=fps)).confirmed is not True


@pytest.mark.parametrize("kind", [EvidenceKind.STOPPED_IN_LANE, EvidenceKind.PEDESTRIAN_IN_ROAD])
def test_of_what_takes_longer_to_see_it_cannot_tell(kind: EvidenceKind) -> None:
    verdict = examine(film(side_swipe_free(), 3.2), trigger(CONTACT_S, kind), camera())
    assert verdict.confirmed is None
    assert verdict.kind is kind


def test_a_sign_of_momentum_lost_where_traffic_drove_on_is_rejected() -> None:
    called = trigger(CONTACT_S, EvidenceKind.IMPULSE)
    assert examine(film(side_swipe_free(), 3.2), called, camera()).confirmed is False


def test_what_is_too_small_to_be_judged_is_not_rejected() -> None:
    far = [Mover(steady(60, 70, 60), width=12, height=8)]
    called = trigger(CONTACT_S, EvidenceKind.IMPULSE)
    assert examine(film(far, 3.2), called, camera()).confirmed is None


@pytest.mark.parametrize(("size", "confirmed"), [(0.1, False), (0.03, None)])
def test_where_nobody_moved_it_is_rejected_unless_it_is_too_small_a_place(
    size: float, confirmed: bool | None
) -> None:
    called = replace(trigger(CONTACT_S, EvidenceKind.IMPULSE), box=(0.8, 0.8, size, size))
    assert examine(film(side_swipe_free(), 3.2), called, camera()).confirmed is confirmed


def test_a_contact_confirms_whatever_called() -> None:
    called = trigger(CONTACT_S, EvidenceKind.STOPPED_IN_LANE)
    verdict = examine(film(rear_end(), 3.2), called, camera())
    assert verdict.confirmed is True
    assert verdict.kind is EvidenceKind.CONTACT


def test_light_that_comes_and_goes_is_no_contact() -> None:
    def flashing() -> Iterator[tuple[int, Planes]]:
        for time_ms, planes in film(side_swipe_free(), 3.2):
            gain = 1.4 if 1.4 < at((time_ms, planes)) < 1.8 else 1.0
            luma = np.clip(planes.y * gain, 0, 255).astype(np.uint8)
            yield time_ms, Planes(luma, planes.u, planes.v)

    assert look(flashing()).confirmed is not True


@pytest.mark.parametrize(("pixels", "seconds"), [(6, 0.3), (15, 0.4), (8, 1.0)])
def test_a_jolt_of_the_mast_is_no_contact(pixels: float, seconds: float) -> None:
    def shaken() -> Iterator[tuple[int, Planes]]:
        for time_ms, planes in film(side_swipe_free(), 3.2):
            phase = (at((time_ms, planes)) - 1.5) / seconds
            shift = pixels * np.sin(np.pi * phase) if 0.0 < phase < 1.0 else 0.0
            matrix = np.array([[1.0, 0.0, shift], [0.0, 1.0, shift / 2]])
            luma = cv2.warpAffine(
                planes.y, matrix, (WIDTH_PX, HEIGHT_PX), borderMode=cv2.BORDER_REPLICATE
            )
            yield time_ms, Planes(np.asarray(luma, np.uint8), planes.u, planes.v)

    assert look(shaken()).confirmed is False
