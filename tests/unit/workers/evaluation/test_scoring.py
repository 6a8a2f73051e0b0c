"""Which events count as found, what counts as a nuisance, and what chance would do."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.base import Box
from workers.evaluation.catalogue import Entry, Label
from workers.evaluation.figures import Run, figures, score_all
from workers.evaluation.found import Found, Judged, Measured, Replay
from workers.evaluation.scoring import chance_of, free_spans, scattered, score

Role = Literal["scored", "aftermath", "normal", "unsure"]


def label(
    start_s: float, peak_s: float | None = None, end_s: float | None = None, *,
    kind: str = "collision", role: Role = "scored", may_be_missed: bool = False,
    box: Box | None = None,
) -> Label:  # fmt: skip
    peak_s = start_s if peak_s is None else peak_s
    return Label(kind, start_s, peak_s, end_s or peak_s, role, may_be_missed, box)


def entry(*labels: Label, file: str = "a.mp4", family: str = "f") -> Entry:
    return Entry(file, Path(file), family, labels, "real")


def found(decided_s: float, time_s: float | None = None, *, score: float = 1.0,
          kind: str = "contact", box: Box | None = None) -> Found:  # fmt: skip
    return Found(decided_s, decided_s if time_s is None else time_s, score, kind, box)


def replay(
    *candidates: Found, alerts: tuple[Found, ...] = (), end_s: float = 40.0, armed_s: float = 0.0,
    file: str = "a.mp4", evidence: tuple[Measured, ...] = (),
) -> Replay:  # fmt: skip
    return Replay(file, 0, "none", 0.0, armed_s, end_s, candidates, alerts, evidence)


@pytest.mark.parametrize(
    ("decided_s", "expected"),
    [(8.99, False), (9.0, True), (10.0, True), (13.5, True), (13.51, False)],
)
def test_an_event_is_found_from_a_second_before_to_three_after_its_peak(
    decided_s: float, expected: bool
) -> None:
    [event] = score(entry(label(10.0, 10.5)), replay(found(decided_s, 30.0))).events
    assert event.found is expected


@pytest.mark.parametrize(
    ("decided_s", "time_s", "expected"),
    [
        (25.5, 10.0, True),
        (25.51, 10.0, False),  # too late
        (20.0, 8.0, True),
        (20.0, 7.99, False),  # about something before
        (20.0, 12.0, True),
        (20.0, 12.01, False),
        (8.9, 9.5, False),  # decided before anything could be seen
    ],
)
def test_look_back_needs_the_right_moment_in_time(
    decided_s: float, time_s: float, expected: bool
) -> None:
    [event] = score(entry(label(10.0, 10.5)), replay(found(decided_s, time_s))).events
    assert not event.found
    assert event.with_look_back is expected


def test_what_is_found_at_once_is_found_with_look_back_too() -> None:
    [event] = score(entry(label(10.0)), replay(found(12.9))).events
    assert (event.found, event.with_look_back) == (True, True)
    assert event.delay_s == pytest.approx(2.9)


def test_the_delay_is_that_of_the_first_decision() -> None:
    [event] = score(entry(label(10.0)), replay(found(11.0), found(10.25), found(9.5))).events
    assert event.delay_s == -0.5


def test_alerts_are_judged_by_the_same_rule() -> None:
    made = replay(found(10.2), alerts=(found(18.0, 10.1),))
    [event] = score(entry(label(10.0)), made).events
    assert (event.found, event.alerted, event.alerted_with_look_back) == (True, False, True)


def test_two_events_are_judged_one_by_one() -> None:
    events = score(entry(label(10.0), label(20.0)), replay(found(20.5))).events
    assert [event.found for event in events] == [False, True]


def test_false_alarm_time_is_outside_every_incident_and_what_follows_it() -> None:
    clip = entry(
        label(10.0, 11.0, 12.0),
        label(13.0, 14.0, 20.0, role="aftermath", kind="stopped_vehicle"),
        label(0.0, 5.0, 40.0, role="normal", kind="congestion"),
    )
    assert free_spans(clip, replay(armed_s=2.5)) == [(2.5, 9.0), (20.0, 40.0)]


def test_nuisances_by_where_they_are() -> None:
    clip = entry(label(10.0, 10.0, 12.0))
    made = replay(found(3.0), found(10.1), found(20.0, 10.0), found(30.0), found(33.0), found(36.0))
    scored = score(clip, made)
    assert {zone: [f.decided_s for f in at] for zone, at in scored.nuisances.items()} == {
        "normal": [], "pre_roll": [3.0], "after": [30.0, 36.0],
    }  # fmt: skip
    assert scored.false_alarm_s == {"normal": 0.0, "pre_roll": 9.0, "after": 27.0}


def test_a_clip_without_events_is_all_false_alarm_time() -> None:
    scored = score(entry(), replay(found(5.0), end_s=36.0))
    assert scored.false_alarm_s["normal"] == 36.0
    made = figures(score_all([Run(entry(), (replay(found(5.0), end_s=36.0),))]))
    assert made["nuisance_per_camera_hour"] == pytest.approx(100.0)
    assert made["nuisance_interval"] == pytest.approx((2.5318, 557.16), rel=1e-3)
    assert made["detection_rate"] is None


def test_what_fires_all_the_time_is_no_good_trigger() -> None:
    """It finds every event, counts as many nuisances as fit, and chance does as well."""
    always = replay(*(found(t / 10) for t in range(400)))
    made = figures(score_all([Run(entry(label(20.0)), (always,))]))
    assert made["detection_rate"] == made["chance_rate"] == 1.0
    assert made["nuisance_pre_roll_per_camera_hour"] > 600


def test_a_miss_of_what_begins_at_once_does_not_count_but_a_hit_does() -> None:
    clip = entry(label(0.7, may_be_missed=True))
    missed = figures(score_all([Run(clip, (replay(),))]))
    hit = figures(score_all([Run(clip, (replay(found(1.0)),))]))
    assert (missed["detection_of"], hit["detection_of"]) == (0.0, 1.0)


def test_phases_are_averaged_and_stay_one_event() -> None:
    clip = entry(label(10.0))
    made = figures(score_all([Run(clip, (replay(found(10.5)), replay(), replay(found(11.0))))]))
    assert made["events"] == 1
    assert made["detection_rate"] == pytest.approx(2 / 3)
    assert made["delay_s"]["p50"] == pytest.approx(0.75)


def test_a_place_is_found_by_a_box_in_or_near_it() -> None:
    clip = entry(label(10.0, box=(0.4, 0.4, 0.2, 0.2)))
    there = replay(found(10.0, box=(0.6, 0.45, 0.1, 0.1)))
    elsewhere = replay(found(10.0, box=(0.8, 0.45, 0.1, 0.1)))
    nowhere = replay(found(10.0))
    located = [score(clip, one).events[0].located for one in (there, elsewhere, nowhere, replay())]
    assert located == [True, False, False, None]


def test_the_contact_error_is_that_of_the_surest_second_look() -> None:
    def look(
        time_s: float, score: float, kind: str = "contact", confirmed: bool | None = True
    ) -> Judged:
        return Judged(9.8, 13.8, time_s, confirmed, score, kind, None, "they met", 5.0, 12.0)

    def error(*judged: Judged) -> float | None:
        [event] = score(entry(label(10.0)), dataclasses.replace(replay(), judged=judged)).events
        return event.contact_error_s

    looks = look(9.5, 1.1), look(10.2, 1.9), look(9.9, 2.0, "hard_brake")
    assert error(*looks, look(10.0, 2.5, confirmed=None)) == pytest.approx(0.2)
    assert error(look(20.0, 2.0)) is None, "about something else"
    assert error(look(10.0, 0.9, confirmed=False)) is None


def test_chance_is_the_share_of_places_that_would_hit() -> None:
    # A window of 4 s in 24 s can start anywhere in 20; a time at 10 is in it for starts of 6..10.
    assert chance_of(4.0, [((0.0, 24.0), [10.0])]) == pytest.approx(0.2)
    assert chance_of(4.0, [((0.0, 24.0), [])]) == 0.0
    assert chance_of(4.0, [((0.0, 4.0), [1.0])]) is None
    assert scattered(4.0, 40.0, 0) == 0.0
    assert scattered(4.0, 40.0, 2) == pytest.approx(0.19)
    assert scattered(4.0, 3.0, 1) == 1.0


@given(
    st.floats(0.5, 8),
    st.floats(10, 60),
    st.lists(st.floats(0, 60), max_size=8),
    st.integers(0, 1000),
)
def test_chance_agrees_with_throwing_windows(
    length: float, span_s: float, times: list[float], seed: int
) -> None:
    exact = chance_of(length, [((0.0, span_s), times)])
    assert exact is not None
    draw = random.Random(seed)
    inside = [t for t in times if t <= span_s]
    starts = [draw.uniform(0, span_s - length) for _ in range(800)]
    thrown = sum(any(s <= t <= s + length for t in inside) for s in starts) / len(starts)
    assert thrown == pytest.approx(exact, abs=0.1)


def test_chance_is_not_drawn_from_the_event_itself() -> None:
    clip = entry(label(20.0))
    [event] = score(clip, replay(found(20.2), found(20.4))).events
    assert event.chance == 0.0
    assert event.scattered == pytest.approx(0.1)


def test_without_room_in_the_clip_chance_is_drawn_elsewhere() -> None:
    short = Run(entry(label(2.0), file="s.mp4"), (replay(end_s=5.0, file="s.mp4"),))
    other = Run(entry(file="o.mp4"), (replay(found(12.0), end_s=24.0, file="o.mp4"),))
    scored = score_all([short, other])
    assert scored[0].clips[0].events[0].chance == pytest.approx(0.2)
