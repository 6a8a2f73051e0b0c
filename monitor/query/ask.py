"""One causal question, from pictures and measurements to an answer: the same for every caller.

Called by the analyse worker and by ``causeway ask``. It knows neither ring nor alert, holds no
claim against the evidence, and raises nothing but ``QueryError`` (and cancellation).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from monitor.clock import Clock
from monitor.domain import Answer, Evidence, ModelRun, Window
from monitor.errors import QueryError
from monitor.media.stills import Still
from monitor.query.client import VisionClient
from monitor.query.close_ups import CloseUp
from monitor.query.parse import parse, reasoning_steps
from monitor.query.prompting import (
    Prompt,
    answer_schema,
    close_up_words,
    load_prompt,
    user_text,
)
from monitor.query.question import Question, Shot, budget, room_for_close_ups, visual_room
from monitor.query.rulebook import RuleBook
from monitor.query.sampling import Budget

CONTEXT_LENGTH = 32_768  # assumed of a server that does not say


@dataclass(frozen=True, slots=True)
class AskSettings:
    """How to ask; from streams.yaml, or a command's options."""

    lang: Literal["en", "zh"]
    mode: Literal["standard", "thinking"]
    traffic_side: Literal["right", "left"]
    max_frames: int
    max_output_tokens: int
    profile: str = "incident"
    max_thinking_tokens: int | None = None  # None: as many as for the answer
    max_context_length: int | None = None  # None: all that the server has
    blind: bool = False  # without pictures: shows how much of an answer was never seen

    @property
    def thinking_tokens(self) -> int:
        """For the thought."""
        if self.mode == "standard":
            return 0
        return self.max_thinking_tokens or self.max_output_tokens

    @property
    def output_tokens(self) -> int:
        """Answer and thought together."""
        return self.max_output_tokens + self.thinking_tokens


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """The answer and how it came about."""

    answer: Answer
    run: ModelRun
    notes: tuple[str, ...]  # what had to be repaired
    unknown_rules: int
    prompt_version: str
    frames_as: str


async def picture_budget(
    client: VisionClient, size: tuple[int, int], settings: AskSettings
) -> Budget:
    """What the endpoint takes of pictures of this size; to plan the sampling with."""
    return budget(
        size,
        frames_as=client.frames_as,
        max_frames=settings.max_frames,
        context_length=await _context_length(client, settings),
        max_output_tokens=settings.output_tokens,
    )


async def _context_length(client: VisionClient, settings: AskSettings) -> int:
    served = await client.context_length(CONTEXT_LENGTH)
    return min(served, settings.max_context_length or served)


async def ask(
    client: VisionClient,
    shots: Sequence[Shot],
    evidence: Sequence[Evidence],
    window: Window,
    *,
    peak_ms: int | None,
    rulebook: RuleBook,
    settings: AskSettings,
    deadline_s: float,
    clock: Clock,
    on_delta: Callable[[str, str], None] | None = None,
    queue_s: float | None = None,
    question: str | None = None,
    close_ups: Sequence[CloseUp] = (),
) -> ModelAnswer:
    """Ask why. ``QueryError`` if there is no usable answer within the deadline.

    ``queue_s``: how long the question waited for its turn, for the record. ``question``: an
    operator's, for a profile that has a place for it. ``close_ups``: most telling first; as many
    go along as there is room for beside ``shots``.
    """
    if settings.blind:
        shots = close_ups = ()
    elif not shots:
        raise QueryError("no_frames", "there is no picture to ask about")
    prompt = load_prompt(settings.profile, settings.lang)
    rules = (
        rulebook.select({item.kind for item in evidence}, lang=settings.lang)
        if prompt.takes_rules
        else []
    )
    rule_ids = [rule.id for rule in rules]
    thinking = settings.mode == "thinking"
    visual_tokens = visual_room(await _context_length(client, settings), settings.output_tokens)
    asked = Question(
        system=prompt.system,
        user=user_text(
            prompt, window=window, peak_ms=peak_ms, evidence=evidence, rules=rules,
            lang=settings.lang, traffic_side=settings.traffic_side, question=question,
        ),
        shots=tuple(shots),
        schema=answer_schema(rule_ids, thinking=thinking),
        thinking=thinking,
        max_output_tokens=settings.max_output_tokens,
        max_thinking_tokens=settings.thinking_tokens,
        max_visual_tokens=visual_tokens,
        close_ups=_enlarged(
            prompt, window, close_ups, shots, frames_as=client.frames_as, room=visual_tokens
        ),
    )  # fmt: skip
    started_s = clock.monotonic_s()
    reply = await client.ask(asked, deadline_s=deadline_s, on_delta=on_delta)
    parsed = parse(
        reply.text, rule_ids=rule_ids, lang=settings.lang, finish_reason=reply.finish_reason
    )
    answer = parsed.answer
    if reply.reasoning:
        answer = replace(answer, thinking=reasoning_steps(reply.reasoning))
    return ModelAnswer(
        answer=answer,
        run=ModelRun(
            name=client.model,
            mode=settings.mode,
            latency_s=round(clock.monotonic_s() - started_s, 3),
            prompt_tokens=reply.prompt_tokens,
            output_tokens=reply.output_tokens,
            cached_tokens=reply.cached_tokens,
            queue_s=None if queue_s is None else round(queue_s, 3),
            first_token_s=reply.first_token_s,
            frames=2 * len(shots),
        ),
        notes=parsed.notes,
        unknown_rules=parsed.unknown_rules,
        prompt_version=prompt.version,
        frames_as=reply.frames_as,
    )


def _enlarged(
    prompt: Prompt, window: Window, close_ups: Sequence[CloseUp], shots: Sequence[Shot], *,
    frames_as: str, room: int,
) -> tuple[tuple[str, Still], ...]:  # fmt: skip
    """Those that fit, in order of time, each with its words; none in a profile without words."""
    words = prompt.close_up
    if words is None:
        return ()
    stills = [one.still for one in close_ups]
    fitting = room_for_close_ups(shots, stills, frames_as=frames_as, visual_tokens=room)
    return tuple(
        (close_up_words(words, window.t_s(one.still.capture_ms), one.part), one.still)
        for one in sorted(close_ups[:fitting], key=lambda one: one.still.capture_ms)
    )
