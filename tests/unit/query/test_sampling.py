"""What the model sees: pairs, evidence, no blind spot; held for any video and any budget."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.domain import Window
from monitor.errors import QueryError
from monitor.query.sampling import (
    PAIR_MAX_MS,
    PAIR_MIN_MS,
    Budget,
    Pair,
    gap_limit_ms,
    pairs_to_cover,
    plan,
)


def budget(frames: int, tokens: int = 10**6) -> Budget:
    return Budget(max_frames=frames, tokens_per_pair=228, max_visual_tokens=tokens)


def times_s(duration_s: float, fps: float = 25) -> list[float]:
    return [index / fps for index in range(int(duration_s * fps) + 1)]


def window(duration_s: float) -> Window:
    return Window(1_760_000_000_000, 1_760_000_000_000 + round(duration_s * 1000))


videos = st.lists(st.integers(1, 4000), min_size=0, max_size=400).map(
    lambda steps: [sum(steps[:index]) / 1000 for index in range(len(steps) + 1)]
)
steady = st.builds(times_s, st.floats(0, 180), st.sampled_from([1.0, 2.0, 5.0, 8.0, 15.0, 25.0]))
evidences = st.lists(st.floats(-5, 200, allow_nan=False), max_size=12)


@given(st.one_of(videos, steady), evidences, st.integers(2, 128))
@settings(max_examples=300)
def test_any_plan_is_made_of_true_pairs_in_order_within_the_budget(
    frames: list[float], evidence: list[float], max_frames: int
) -> None:
    found = plan(window(frames[-1]), evidence, frames, budget(max_frames))
    there = {round(t * 1000) for t in frames}
    assert 1 <= len(found) <= max_frames // 2
    for pair in found:
        assert {pair.first_ms, pair.second_ms} <= there
        apart = pair.second_ms - pair.first_ms
        assert apart == 0 or PAIR_MIN_MS <= apart <= PAIR_MAX_MS
    for earlier, later in pairwise(found):
        assert earlier.second_ms < later.first_ms
    assert found == plan(window(frames[-1]), evidence, frames[::-1], budget(max_frames))


@given(st.one_of(videos, steady), evidences, st.integers(4, 128))
@settings(max_examples=300)
def test_first_and_last_picture_are_always_there(
    frames: list[float], evidence: list[float], max_frames: int
) -> None:
    found = plan(window(frames[-1]), evidence, frames, budget(max_frames))
    assert found[0].first_ms == 0
    assert found[-1].second_ms == round(frames[-1] * 1000)


@given(st.one_of(videos, steady), evidences, st.integers(0, 40))
@settings(max_examples=300)
def test_no_stretch_of_video_goes_unseen(
    frames: list[float], evidence: list[float], spare: int
) -> None:
    duration_ms = round(frames[-1] * 1000)
    enough = budget(2 * (2 * pairs_to_cover(duration_ms) + spare))
    found = plan(window(frames[-1]), evidence, frames, enough)
    times = [round(t * 1000) for t in frames]
    for earlier, later in pairwise(found):
        if later.first_ms - earlier.second_ms > gap_limit_ms(duration_ms):
            assert not [t for t in times if earlier.second_ms < t < later.first_ms]


@given(
    st.floats(5, 60), st.integers(0, 10), st.lists(st.floats(0, 1), max_size=6, min_size=1)
)  # fmt: skip
def test_every_evidence_time_is_seen_if_there_is_room(
    duration_s: float, spare: int, shares: list[float]
) -> None:
    frames = times_s(duration_s)
    evidence = [share * frames[-1] for share in shares]
    room = budget(2 * (pairs_to_cover(round(frames[-1] * 1000)) + len(evidence) + 2 + spare))
    found = plan(window(frames[-1]), evidence, frames, room)
    for time in evidence:
        seen = min(
            abs(ms / 1000 - time) for pair in found for ms in (pair.first_ms, pair.second_ms)
        )
        assert seen <= 0.53, "half a second, and the pictures are 40 ms apart"


def test_the_default_window_is_covered_and_dense_at_the_evidence() -> None:
    frames = times_s(28)
    found = plan(window(28), [20.0, 18.6, 17.2], frames, budget(64))
    assert len(found) == 32
    assert max(b.first_ms - a.second_ms for a, b in pairwise(found)) <= 3000
    near = [pair for pair in found if 16 <= pair.t_s <= 21.5]
    far = [pair for pair in found if pair.t_s < 12]
    assert len(near) / 5.5 > 3 * len(far) / 12


def test_a_small_budget_sees_evidence_and_the_ends() -> None:
    found = plan(window(28), [20.0, 18.6, 17.2], times_s(28), budget(8))
    seen = [pair.t_s for pair in found]
    assert len(found) == 4
    assert min(abs(t - 20.0) for t in seen) < 0.2
    assert (found[0].first_ms, found[-1].second_ms) == (0, 28000)


quick = st.builds(times_s, st.floats(2, 120), st.sampled_from([8.0, 12.5, 25.0, 30.0]))


@given(quick, evidences, st.integers(1, 20))
@settings(max_examples=300)
def test_one_pair_over_the_least_is_enough_to_leave_no_gap(
    frames: list[float], evidence: list[float], more: int
) -> None:
    """Of any camera that is not slow, whatever was measured."""
    duration_ms = round(frames[-1] * 1000)
    found = plan(
        window(frames[-1]), evidence, frames, budget(2 * (pairs_to_cover(duration_ms) + more))
    )
    gaps = [later.first_ms - earlier.second_ms for earlier, later in pairwise(found)]
    assert max(gaps, default=0) <= gap_limit_ms(duration_ms)


@given(quick, st.lists(st.floats(0, 1), min_size=1, max_size=12), st.integers(6, 128))
@settings(max_examples=300)
def test_the_first_evidence_time_is_shown_however_few_pictures_there_are(
    frames: list[float], shares: list[float], max_frames: int
) -> None:
    evidence = [share * frames[-1] for share in shares]
    found = plan(window(frames[-1]), evidence, frames, budget(max_frames))
    sent = [ms / 1000 for pair in found for ms in (pair.first_ms, pair.second_ms)]
    assert min(abs(t - evidence[0]) for t in sent) <= 0.5  # inside the first pair, at most


@given(quick, st.lists(st.floats(0, 1), max_size=4))
@settings(max_examples=200)
def test_with_pairs_for_it_no_moment_is_far_from_a_picture(
    frames: list[float], shares: list[float]
) -> None:
    """A pair shows 2 s at most; evidence and the seconds before it take some that overlap."""
    duration_s = frames[-1]
    enough = math.ceil(duration_s / 1.8) * 5 // 4 + 2 * len(shares) + 6
    evidence = [share * duration_s for share in shares]
    found = plan(window(duration_s), evidence, frames, budget(2 * enough))
    gaps = [later.first_ms - earlier.second_ms for earlier, later in pairwise(found)]
    assert max(gaps, default=0) <= 1000 + 2 * 125


@given(
    st.floats(3, 10), st.lists(st.floats(0, 1), min_size=1, max_size=12),
    st.sampled_from([15.0, 25.0, 30.0]),
)  # fmt: skip
@settings(max_examples=200)
def test_sixteen_pictures_show_a_short_video_whole_whatever_was_measured(
    duration_s: float, shares: list[float], fps: float
) -> None:
    frames = times_s(duration_s, fps)
    evidence = [share * frames[-1] for share in shares]
    found = plan(window(frames[-1]), evidence, frames, budget(16))
    gaps = [later.first_ms - earlier.second_ms for earlier, later in pairwise(found)]
    assert max(gaps) <= 1000 + 2 * 67


def test_pairs_are_close_at_evidence_and_wide_where_nothing_is_known() -> None:
    found = plan(window(28), [20.0, 10.0], times_s(28), budget(8))
    apart = {pair.second_ms: pair.second_ms - pair.first_ms for pair in found}
    assert apart == {1_000: 1_000, 18_600: 1_000, 20_000: 400, 28_000: 1_000}
    plenty = plan(window(4), [2.0], times_s(4), budget(32))
    assert max(pair.second_ms - pair.first_ms for pair in plenty) == 200


def test_few_pairs_show_what_was_before_the_evidence_and_not_after() -> None:
    found = plan(window(28), [20.0], times_s(28), budget(10))
    shown = [(pair.first_ms, pair.second_ms) for pair in found[1:-1]]
    assert shown == [(15_600, 16_600), (17_600, 18_600), (19_600, 20_000)]


def test_lone_pictures_where_no_pairs_are_wanted() -> None:
    found = plan(window(28), [20.0], times_s(28), budget(12), paired=False)
    assert len(found) == 6
    assert all(one.first_ms == one.second_ms for one in found)


def test_tokens_limit_too() -> None:
    assert len(plan(window(28), [], times_s(28), budget(64, tokens=228 * 12))) == 12
    assert budget(65).pairs == 32


def test_lone_pictures_are_sent_twice_and_pairs_never_span_a_hole() -> None:
    assert plan(window(0), [], [0.0], budget(8)) == [Pair(0, 0)]
    found = plan(window(10), [], [0.0, 5.0, 10.0], budget(8))
    assert found == [Pair(0, 0), Pair(5000, 5000), Pair(10_000, 10_000)]
    frames = [t for t in times_s(10) if not 4 < t < 6]
    for pair in plan(window(10), [5.0], frames, budget(64)):
        assert not pair.first_ms <= 5000 <= pair.second_ms


def test_one_pair_goes_to_the_first_evidence() -> None:
    assert plan(window(28), [20.0, 3.0], times_s(28), budget(2)) == [Pair(19_600, 20_000)]
    assert plan(window(28), [], times_s(28), budget(3))[0].second_ms == 28000


def test_nothing_to_see() -> None:
    with pytest.raises(QueryError) as caught:
        plan(window(28), [], [], budget(8))
    assert caught.value.reason == "no_frames"
    with pytest.raises(QueryError):
        plan(window(28), [], times_s(28), budget(8, tokens=100))
