"""How much a query may hold, from the context the model has; what is set by hand wins.

Called by whoever makes ``AskSettings``. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

_FRAME_PER_TOKENS: Final = 512  # 64 frames of a context of 32 768
_FRAMES: Final = (8, 512)
_OUTPUT: Final = (1024, 8192)
_THOUGHT: Final = (1024, 32_768)


@dataclass(frozen=True, slots=True)
class Limits:
    """One query's budgets. What pictures may cost is what the rest leaves (``visual_room``)."""

    context_length: int
    max_frames: int
    max_output_tokens: int
    max_thinking_tokens: int  # 0 in standard mode


def limits(
    context_length: int,
    mode: Literal["standard", "thinking"],
    *,
    max_frames: int | None = None,
    max_output_tokens: int | None = None,
    max_thinking_tokens: int | None = None,
) -> Limits:
    """The budgets of a context of that many tokens; ``None`` follows the context."""
    thought = _between(context_length // 8, _THOUGHT)
    return Limits(
        context_length=context_length,
        max_frames=max_frames or _between(context_length // _FRAME_PER_TOKENS // 2 * 2, _FRAMES),
        max_output_tokens=max_output_tokens or _between(context_length // 16, _OUTPUT),
        max_thinking_tokens=(max_thinking_tokens or thought) if mode == "thinking" else 0,
    )


def _between(value: int, bounds: tuple[int, int]) -> int:
    least, most = bounds
    return max(least, min(value, most))
