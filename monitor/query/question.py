"""A question to the model and its reply, and how a question is written for the server. Pure."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monitor.domain import Window
from monitor.media.stills import PATCH_PX, Still
from monitor.query.sampling import Budget, Pair

VIDEO_PIXELS = 24_576 * PATCH_PX * PATCH_PX
"""Qwen3-VL's ``size.longest_edge`` for a whole video (frames x height x width) as it is shipped:
past it the server silently shrinks every picture, so no question goes past it."""

_IMAGE_PIXELS = 64 * PATCH_PX * PATCH_PX
"""``size.shortest_edge`` for an image as it is shipped: a smaller one is enlarged by the server."""

_TEXT_TOKENS = 4500  # the fixed part, rules, evidence and schema, in the wordier language
_TOKENS_AROUND_PAIR = 8
_TOKENS_AROUND_IMAGE = 2
_TOKENS_OF_TIME = 8  # "<12.3 seconds>" in front of an image
_TOKENS_OF_PLACE = 48  # the words in front of a close-up, in the wordier language


@dataclass(frozen=True, slots=True)
class Shot:
    """One pair of pictures as sent; the same picture twice if it has no neighbour."""

    pair: Pair
    first: Still
    second: Still


@dataclass(frozen=True, slots=True)
class Question:
    """What the model is asked."""

    system: str
    user: str
    shots: tuple[Shot, ...]
    schema: Mapping[str, Any]
    thinking: bool
    max_output_tokens: int
    max_visual_tokens: int
    max_thinking_tokens: int | None = None  # None: as many as for the answer
    close_ups: tuple[tuple[str, Still], ...] = ()  # each after its words, behind the pictures


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, unread."""

    text: str
    reasoning: str
    finish_reason: str | None
    prompt_tokens: int | None
    output_tokens: int | None
    frames_as: str
    cached_tokens: int | None = None  # where the server says (--enable-prompt-tokens-details)
    first_token_s: float | None = None


def shots(
    pairs: Sequence[Pair], stills: Sequence[Still | None], window: Window
) -> tuple[Shot, ...]:
    """Pairs with their pictures. ``stills``: what was found of first, second, first, second, ...

    A pair that lost one picture to a broken access unit is sent as a lone one, and one that lost
    both is left out; pictures of another size than most are left out too.
    """
    sizes = [(still.width, still.height) for still in stills if still is not None]
    size = max(sorted(set(sizes)), key=sizes.count, default=None)
    found = []
    for first, second in zip(stills[::2], stills[1::2], strict=True):
        there = [
            still for still in (first, second)
            if still is not None and (still.width, still.height) == size
        ]  # fmt: skip
        if there:
            times = [still.capture_ms - window.start_ms for still in there]
            found.append(Shot(Pair(times[0], times[-1]), there[0], there[-1]))
    return tuple(found)


def budget(
    size: tuple[int, int],
    *,
    frames_as: str,
    max_frames: int,
    context_length: int,
    max_output_tokens: int,
) -> Budget:
    """What may be sent of pictures of this size, within context and the video's pixel budget."""
    patches = (size[0] // PATCH_PX) * (size[1] // PATCH_PX)
    if frames_as == "video":
        per_pair = patches + _TOKENS_AROUND_PAIR
        max_frames = min(max_frames, VIDEO_PIXELS // (size[0] * size[1]) // 2 * 2)
    else:
        per_pair = 2 * _image_tokens(*size)
    return Budget(max_frames, per_pair, visual_room(context_length, max_output_tokens))


def visual_room(context_length: int, max_output_tokens: int) -> int:
    """The tokens left for pictures beside the words and the answer."""
    return max(0, context_length - max_output_tokens - _TEXT_TOKENS)


def room_for_close_ups(
    shots: Sequence[Shot], stills: Sequence[Still], *, frames_as: str, visual_tokens: int
) -> int:
    """How many of the close-ups fit beside the pictures, which have the first right to the room."""
    left = visual_tokens
    if shots:
        size = (shots[0].first.width, shots[0].first.height)
        room = budget(
            size, frames_as=frames_as, max_frames=2, context_length=0, max_output_tokens=0
        )
        left -= len(shots) * room.tokens_per_pair
    for number, still in enumerate(stills):
        left -= _close_up_tokens(still)
        if left < 0:
            return number
    return len(stills)


def request_body(question: Question, model: str, frames_as: str) -> dict[str, Any]:
    """The arguments of ``chat.completions.create``."""
    extra: dict[str, Any] = {"chat_template_kwargs": {"enable_thinking": question.thinking}}
    pictures: list[dict[str, Any]] = []
    if question.shots and frames_as == "video":
        pictures = [_video(question.shots)]
        extra["media_io_kwargs"] = {"video": _frame_times(question.shots)}
    elif question.shots:
        taken = sum(_close_up_tokens(still) for _, still in question.close_ups)
        pictures = _images(question.shots, question.max_visual_tokens - taken)
    for words, still in question.close_ups:
        pictures += [{"type": "text", "text": words}, _image(still)]
    max_tokens = question.max_output_tokens
    if question.thinking:
        thought = question.max_thinking_tokens or question.max_output_tokens
        extra["thinking_token_budget"] = thought
        max_tokens += thought
    return {
        "model": model,
        "messages": [
            {"role": "system", "content": question.system},
            {"role": "user", "content": [*pictures, {"type": "text", "text": question.user}]},
        ],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": dict(question.schema), "strict": True},
        },
        "temperature": 0.6 if question.thinking else 0.0,  # greedy thought runs in circles
        "seed": 0,
        "max_completion_tokens": max_tokens,
        "stream": True,
        "stream_options": {"include_usage": True},
        "extra_body": extra,
    }


def _video(found: Sequence[Shot]) -> dict[str, Any]:
    encoded = [_base64(still) for shot in found for still in (shot.first, shot.second)]
    return {
        "type": "video_url",
        "video_url": {"url": "data:video/jpeg;base64," + ",".join(encoded)},
    }


def _frame_times(found: Sequence[Shot]) -> dict[str, Any]:
    """Indices are milliseconds, at 1000 frames a second: so the server computes true times."""
    times = [ms for shot in found for ms in (shot.pair.first_ms, shot.pair.second_ms)]
    return {
        "fps": 1000,
        "frames_indices": times,
        # A lone picture at 0 ms, sent twice, is two frames all the same.
        "total_num_frames": max(times[-1] + 1, len(times)),
        "num_frames": -1,
        "do_sample_frames": False,
    }


def _images(found: Sequence[Shot], max_tokens: int) -> list[dict[str, Any]]:
    """One by one; a picture of each pair, then of every other pair, ... where both do not fit."""
    timed = [(ms, still) for shot in found for ms, still in _pictures(shot)]
    most = max(2, max_tokens // _image_tokens(found[0].first.width, found[0].first.height))
    if len(timed) > most:
        timed = [_pictures(shot)[0] for shot in found]
    if len(timed) > most:
        last = len(timed) - 1
        timed = [timed[round(index * last / (most - 1))] for index in range(most)]
    parts: list[dict[str, Any]] = []
    for time_ms, still in timed:
        parts.append({"type": "text", "text": f"<{time_ms / 1000:.1f} seconds>"})
        parts.append(_image(still))
    return parts


def _image(still: Still) -> dict[str, Any]:
    return {
        "type": "image_url",
        "image_url": {"url": "data:image/jpeg;base64," + _base64(still)},
    }


def _pictures(shot: Shot) -> list[tuple[int, Still]]:
    both = [(shot.pair.first_ms, shot.first), (shot.pair.second_ms, shot.second)]
    return both if shot.pair.first_ms != shot.pair.second_ms else both[:1]


def _image_tokens(width: int, height: int) -> int:
    factor = max(1.0, math.sqrt(_IMAGE_PIXELS / (width * height)))
    columns, rows = (math.ceil(side * factor / PATCH_PX - 1e-9) for side in (width, height))
    return columns * rows + _TOKENS_AROUND_IMAGE + _TOKENS_OF_TIME


def _close_up_tokens(still: Still) -> int:
    return _image_tokens(still.width, still.height) + _TOKENS_OF_PLACE


def _base64(still: Still) -> str:
    return base64.b64encode(still.jpeg).decode("ascii")
