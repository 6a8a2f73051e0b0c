"""Budgets follow the context."""

from __future__ import annotations

from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from monitor.query.limits import Limits, limits
from monitor.query.question import budget, visual_room


def test_the_usual_context_and_the_longest() -> None:
    assert limits(32_768, "standard") == Limits(32_768, 64, 2048, 0)
    assert limits(32_768, "thinking") == Limits(32_768, 64, 2048, 4096)
    assert limits(262_144, "thinking") == Limits(262_144, 512, 8192, 32_768)
    assert limits(8192, "standard") == Limits(8192, 16, 1024, 0)


def test_what_is_set_by_hand_wins() -> None:
    assert limits(
        32_768, "thinking", max_frames=12, max_output_tokens=512, max_thinking_tokens=300
    ) == Limits(32_768, 12, 512, 300)
    assert limits(32_768, "standard", max_thinking_tokens=300).max_thinking_tokens == 0


@given(
    context=st.integers(8192, 262_144), more=st.integers(0, 100_000),
    mode=st.sampled_from(("standard", "thinking")),
)  # fmt: skip
def test_all_of_it_fits_and_a_longer_context_holds_no_less(
    context: int, more: int, mode: Literal["standard", "thinking"]
) -> None:
    found, longer = limits(context, mode), limits(context + more, mode)
    output = found.max_output_tokens + found.max_thinking_tokens
    room = visual_room(context, output)
    assert output + room <= context
    assert found.max_frames % 2 == 0
    pairs = budget(
        (640, 352), frames_as="video", max_frames=found.max_frames, context_length=context,
        max_output_tokens=output,
    ).pairs  # fmt: skip
    assert 1 <= pairs <= found.max_frames // 2
    assert longer.max_frames >= found.max_frames
    assert longer.max_output_tokens >= found.max_output_tokens
    assert longer.max_thinking_tokens >= found.max_thinking_tokens
