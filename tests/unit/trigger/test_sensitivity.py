"""The operating score follows a camera's own scores, slowly, within bounds."""

from __future__ import annotations

import json

import numpy as np
import pytest

from monitor.trigger.sensitivity import (
    HIGHEST,
    LOWEST,
    MOMENT_MS,
    ORDINARY_PER_DAY,
    Sensitivity,
)

T0 = 1_760_000_000_000
STEP_MS = 5_000
DAY = 86_400_000


def watch(
    one: Sensitivity, days: float, per_day: float, *, tail: float = 2.0, from_day: float = 0.0,
    seed: int = 1,
) -> None:  # fmt: skip
    """So many moments a day reach a score of 1; how many reach more falls by the tail's power."""
    random = np.random.default_rng(seed)
    steps = round(days * DAY / STEP_MS)
    start_ms = T0 + round(from_day * DAY)
    floor = 0.45
    share = per_day * floor**-tail * STEP_MS / DAY
    hits = random.random(steps) < share
    scores = floor * (1.0 - random.random(steps)) ** (-1.0 / tail)
    for step in range(steps):
        now_ms = start_ms + step * STEP_MS
        if hits[step]:
            one.note(now_ms, float(scores[step]))
        one.watched(now_ms)


def made(days: float, per_day: float, **more: float) -> Sensitivity:
    one = Sensitivity()
    watch(one, days, per_day, **more)  # type: ignore[arg-type]  # only numbers are passed
    return one


def test_without_a_history_an_ordinary_camera_is_assumed() -> None:
    assert Sensitivity().operating(ORDINARY_PER_DAY) == pytest.approx(1.0, abs=0.01)
    assert Sensitivity().operating(ORDINARY_PER_DAY / 2) == pytest.approx(2**0.5, abs=0.02)


def test_more_a_day_is_a_lower_score() -> None:
    scores = [Sensitivity().operating(per_day) for per_day in (40, 400, 1000, 2000, 5000)]
    assert scores == sorted(scores, reverse=True)
    assert (scores[0], scores[-1]) == (HIGHEST, LOWEST)


def test_an_ordinary_camera_stays_where_it_began() -> None:
    assert made(4, 800).operating(800) == pytest.approx(1.0, rel=0.15)


def test_a_noisy_camera_gets_a_higher_score_so_that_about_as_many_are_left() -> None:
    one = made(6, 2200)
    operating = one.operating(1000)
    assert 1.2 < operating < 1.7
    scores = 2200 * operating**-2
    moments = scores / (1 + scores * MOMENT_MS / DAY)  # what is within half a minute is one
    assert moments == pytest.approx(1000, rel=0.2)


def test_however_noisy_it_does_not_go_blind() -> None:
    assert made(6, 20_000, tail=0.7).operating(100) == HIGHEST


def test_a_quiet_camera_looks_twice_at_less_but_not_at_everything() -> None:
    operating = made(4, 40).operating(1000)
    assert operating == LOWEST
    silent = made(8, 0.0)
    assert silent.operating(1000) == LOWEST


def test_the_first_hours_say_little() -> None:
    assert made(1 / 24, 8000).operating(1000) == pytest.approx(1.0, abs=0.2)
    assert made(1.0, 0.0).operating(1000) == pytest.approx(0.7, abs=0.05)


def test_what_changes_is_followed_within_days() -> None:
    one = made(5, 2200)
    loud = one.operating(1000)
    watch(one, 6, 200, from_day=5.0, seed=2)
    assert one.operating(1000) < 0.75 * loud
    watch(one, 6, 2200, from_day=11.0, seed=3)
    assert one.operating(1000) == pytest.approx(loud, rel=0.25)


def test_an_incident_does_not_make_it_blind_to_the_next() -> None:
    one = made(2, 200)
    before = one.operating(200)
    crash_ms = T0 + 2 * DAY
    for second in range(0, 600, 5):
        one.note(crash_ms + 1000 * second, 3.0)
        one.watched(crash_ms + 1000 * second)
        if second == 20:
            one.excuse(crash_ms)
    watch(one, 0.01, 0.0, from_day=2.01)
    assert one.operating(200) == pytest.approx(before, rel=0.03)


def test_even_an_unconfirmed_burst_of_an_hour_moves_it_little() -> None:
    one = made(3, 300)
    before = one.operating(300)
    for second in range(0, 3600, 5):
        one.note(T0 + 3 * DAY + 1000 * second, 3.0)
        one.watched(T0 + 3 * DAY + 1000 * second)
    assert one.operating(300) == pytest.approx(before, rel=0.1)


def test_scores_of_one_moment_count_once() -> None:
    one, other = Sensitivity(), Sensitivity()
    for at_ms, score in ((0, 1.0), (10_000, 1.7), (25_000, 0.6)):
        one.note(T0 + at_ms, score)
    other.note(T0, 1.7)
    for at_ms in range(0, 400_000, STEP_MS):
        one.watched(T0 + at_ms)
        other.watched(T0 + at_ms)
    assert one.to_json() == other.to_json()


def test_what_was_not_watched_neither_counts_nor_fades() -> None:
    one = made(2, 800)
    before = one.operating(500)
    one.watched(T0 + 40 * DAY)
    assert one.operating(500) == before


def test_it_goes_on_after_a_restart_and_counts_nothing_twice() -> None:
    one = made(0.5, 800)
    now_ms = T0 + DAY // 2
    one.note(now_ms, 1.4)
    again = Sensitivity.from_json(one.to_json())
    again.note(now_ms, 1.4)  # the restart sees it again
    again.note(now_ms - 600_000, 1.4)  # and this one was counted
    for each in (one, again):
        for at_ms in range(now_ms, now_ms + 400_000, STEP_MS):
            each.watched(at_ms)
    assert again.operating(500) == pytest.approx(one.operating(500), rel=1e-4)
    assert len(one.to_json()) < 2000


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", '"x"', "null", Sensitivity().to_json().replace('"days": 1.0', '"days": 0'),
     json.dumps({**json.loads(Sensitivity().to_json()), "version": 0}),
     json.dumps({**json.loads(Sensitivity().to_json()), "bins": [-1.0] * 41})],
)  # fmt: skip
def test_what_is_not_its_own_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Sensitivity.from_json(text)
