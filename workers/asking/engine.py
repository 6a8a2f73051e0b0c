"""The answer to an operator's question: by the same engine as an incident's alert.

The model is asked if there is one; whatever goes wrong with it, what was measured is explained
instead, where that can say anything, and the result says whose answer it is. Never both mixed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, Protocol

from monitor import wire
from monitor.clock import Clock, utc
from monitor.config.models import Config
from monitor.config.section import Mode
from monitor.domain import Answer, Explainer, ModelRun, Verification
from monitor.errors import QueryError
from monitor.evidence import adjusted_confidence, explain, verify
from monitor.media.stills import model_size
from monitor.query.ask import ModelAnswer, ask, picture_budget
from monitor.query.client import VisionClient
from monitor.query.close_ups import CloseUp, close_ups, wish
from monitor.query.question import Shot
from monitor.query.rulebook import rulebook
from workers.analysis.manner import ask_settings
from workers.analysis.reasons import sentence
from workers.asking.patience import Patience
from workers.asking.seen import Progress, Seen, Source

Profile = Literal["incident", "why", "describe", "screen"]

TRAFFIC: Final = frozenset({"incident", "why"})
"""Profiles that measurements can answer too."""

_SCREEN_WIDTH_PX: Final = 1280  # letters must stay legible
_STILL_WIDTH_PX: Final = 1280  # a lone picture costs little
_NAME_ONE: Final = "Name one: --endpoint http://.../v1, or query.endpoint in streams.yaml."
_CHECK: Final = (
    "To see what is wrong with the endpoint: causeway vllm --check --endpoint http://.../v1"
)
_GIVE_TIME: Final = f"More time: --deadline-s. {_CHECK}"


@dataclass(frozen=True, slots=True)
class Asked:
    """The question and how to put it."""

    question: str | None
    profile: Profile
    mode: Mode
    blind: bool
    deadline_s: float


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it."""

    seen: Seen
    asked: Asked
    explainer: Explainer | None  # None: there is no answer
    note: str  # why it is not the model's
    answer: Answer | None = None
    verification: tuple[Verification, ...] = ()
    run: ModelRun | None = None
    pictures_s: tuple[tuple[float, float], ...] = ()
    prompt_version: str = ""
    frames_as: str = ""
    repairs: tuple[str, ...] = ()
    unknown_rules: int = 0
    hint: str = ""  # what can be done about it that there is no model's answer


class Screen(Protocol):
    """Where progress, thought and answer are shown as they come."""

    def step(self, text: str) -> Progress:
        """A step of the work begins; what it gives back takes its progress."""

    def delta(self, thought: str, answer: str) -> None:
        """More of the model's output."""


async def answer(
    source: Source,
    asked: Asked,
    config: Config,
    client: VisionClient | None,
    *,
    patience: Patience,
    screen: Screen,
    clock: Clock,
) -> Result:
    """Look, ask, check. ``MediaError`` or ``StoreError`` if there is nothing to ask about."""
    seen = await source.look(screen.step("measuring" if asked.profile in TRAFFIC else "looking"))
    if client is None:
        found = _from_evidence(seen, asked, config, "not_configured")
        return replace(found, hint=_NAME_ONE)
    try:
        model, shots = await _ask(source, seen, asked, config, client, patience, screen, clock)
    except QueryError as error:
        if error.reason == "question":
            raise
        found = _from_evidence(seen, asked, config, error.reason)
        hint = _GIVE_TIME if error.reason == "timeout" else _CHECK
        return replace(found, note=f"{found.note} ({error})", hint=hint)
    verification: tuple[Verification, ...] = ()
    given = model.answer
    if seen.measured:
        verification = verify(given, seen.evidence, seen.window, lang=config.site.lang)
        confidence = adjusted_confidence(given.confidence, verification)
        given = replace(given, confidence=confidence)
    return Result(
        seen, asked, Explainer.QWEN3_VL, "", given, verification, model.run,
        tuple((s.pair.first_ms / 1000, s.pair.second_ms / 1000) for s in shots),
        model.prompt_version, model.frames_as, model.notes, model.unknown_rules,
    )  # fmt: skip


async def _ask(
    source: Source, seen: Seen, asked: Asked, config: Config, client: VisionClient,
    patience: Patience, screen: Screen, clock: Clock,
) -> tuple[ModelAnswer, tuple[Shot, ...]]:  # fmt: skip
    async with patience.waiting():
        settings = await ask_settings(config, asked.mode, client)
    settings = replace(settings, profile=asked.profile, blind=asked.blind)
    width = config.query.frame_width
    if asked.profile == "screen":
        width = max(width, _SCREEN_WIDTH_PX)
    elif seen.window.start_ms == seen.window.end_ms:
        width = max(width, _STILL_WIDTH_PX)
    shots: tuple[Shot, ...] = ()
    enlarged: tuple[CloseUp, ...] = ()
    if not asked.blind:
        size, taking = await source.size(), screen.step("taking pictures")
        async with patience.waiting():
            room = await picture_budget(client, model_size(*size, width), settings)
        shots = await source.shots(seen, room, width, taking)
        wished = wish(seen.incident, seen.window, size, width, config.query.close_ups)
        if wished is not None:
            enlarged = close_ups(wished, await source.stills(wished, taking))
    screen.step(f"asking {client.model}")
    on_delta: Callable[[str, str], None] = screen.delta
    async with patience.waiting():
        model = await ask(
            client, shots, seen.evidence, seen.window,
            peak_ms=seen.peak_ms, rulebook=rulebook(config.site.jurisdiction), settings=settings,
            deadline_s=asked.deadline_s, clock=clock, on_delta=on_delta, question=asked.question,
            close_ups=enlarged,
        )  # fmt: skip
    return model, shots


def _from_evidence(seen: Seen, asked: Asked, config: Config, reason: str) -> Result:
    lang = config.site.lang
    note = sentence(reason, lang)
    if asked.profile not in TRAFFIC or seen.incident is None:
        return Result(seen, asked, None, note)
    given = explain(
        seen.incident, seen.evidence, seen.window, lang=lang,
        headway_rules=rulebook(config.site.jurisdiction).headway_rules(),
    )  # fmt: skip
    verification = verify(given, seen.evidence, seen.window, lang=lang)
    return Result(seen, asked, Explainer.EVIDENCE, note, given, verification)


def as_json(result: Result) -> dict[str, Any]:
    """The result as plain data; docs/ask.md describes it."""
    seen, asked = result.seen, result.asked
    window: dict[str, Any] = {
        "start_s": seen.window.start_ms / 1000,
        "end_s": seen.window.end_ms / 1000,
    }
    if seen.live:
        window = {
            "start": utc(seen.window.start_ms).isoformat(),
            "end": utc(seen.window.end_ms).isoformat(),
        }
    return {
        "source": seen.name,
        "window": window,
        "question": asked.question,
        "profile": asked.profile,
        "prompt_version": result.prompt_version or None,
        "blind": asked.blind,
        "explainer": None if result.explainer is None else result.explainer.value,
        "explainer_note": result.note,
        "hint": result.hint,
        "answer": None if result.answer is None else wire.to_object(result.answer),
        "verification": [wire.to_object(one) for one in result.verification],
        "measured": seen.measured,
        "evidence": [
            {**wire.to_object(one), "t_s": seen.window.t_s(one.time_ms)} for one in seen.evidence
        ],
        "pictures_s": [list(pair) for pair in result.pictures_s],
        "frames_as": result.frames_as or None,
        "model": None if result.run is None else wire.to_object(result.run),
        "repairs": list(result.repairs),
        "unknown_rules": result.unknown_rules,
        "notes": list(seen.notes),
    }
