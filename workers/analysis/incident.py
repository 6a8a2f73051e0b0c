"""One incident, from its job to its explained alert.

The model is asked if there is one, there is video, and it answers within the deadline (which
runs from when the pictures are ready and includes waiting for a turn). In every other case the
explanation comes from the measurements and says why. An alert is always the result.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from monitor.alert.build import dismissed, explained
from monitor.buffer.cameras import CameraStore
from monitor.buffer.evidence_log import EvidenceLog
from monitor.buffer.incidents import IncidentStore
from monitor.buffer.ring import RingReader
from monitor.clock import Clock, utc
from monitor.config.models import Config
from monitor.domain import (
    Alert,
    AlertMedia,
    Answer,
    Evidence,
    EvidenceKind,
    Explainer,
    Incident,
    ModelRun,
    Stage,
    Window,
)
from monitor.errors import QueryError, RingGapError
from monitor.evidence import adjusted_confidence, explain, verify
from monitor.media.stills import model_size
from monitor.query.ask import AskSettings, ModelAnswer, ask, picture_budget
from monitor.query.client import VisionClient
from monitor.query.question import shots
from monitor.query.rulebook import RuleBook
from monitor.query.sampling import Budget, Pair, plan
from workers.analysis.footage import Footage, nominal_window, read_footage, wait_for_post_roll
from workers.analysis.manner import ask_settings, wanted_mode
from workers.analysis.media import Pictures, frame_times_s, important_times_ms, take_pictures
from workers.analysis.reasons import sentence
from workers.analysis.turns import Turns

logger = logging.getLogger(__name__)

STRONG_SCORE: Final = 2.0
"""Twice the operating threshold: a trigger the model's 'no incident' does not overrule."""

_NO_PICTURES: Final = Budget(max_frames=0, tokens_per_pair=1, max_visual_tokens=0)


@dataclass(frozen=True, slots=True)
class Stores:
    """Where an analysis reads."""

    incidents: IncidentStore
    evidence: EvidenceLog
    cameras: CameraStore
    ring: RingReader


@dataclass(slots=True)
class Desk:
    """What all analyses of a worker share."""

    config: Config
    media_dir: Path
    rulebook: RuleBook
    client: VisionClient | None
    queries: Turns
    decoding: Turns
    clock: Clock
    counted: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Found:
    """Everything about an incident but its answer."""

    incident: Incident
    window: Window
    evidence: list[Evidence]
    media: AlertMedia | None


async def analyse(incident: Incident, stores: Stores, desk: Desk) -> tuple[Incident, Alert]:
    """The incident as it is once its window is over, and its alert.

    ``StoreError`` if Redis is away: come back later.
    """
    query = desk.config.query
    incident = await wait_for_post_roll(
        incident, query=query, incidents=stores.incidents, ring=stores.ring,
        cameras=stores.cameras, clock=desk.clock,
    )  # fmt: skip
    try:
        footage = await read_footage(incident, query, stores.ring)
    except RingGapError as error:
        logger.warning("%s is explained without video: %s", incident.id, error)
        return incident, await without_video(incident, stores, desk, "ring_gap")
    window = footage.window
    evidence = await stores.evidence.range(incident.camera, window.start_ms, window.end_ms)
    pairs, pictures = await _pictures(incident, footage, evidence, desk)
    del footage  # a window is megabytes, and the query may wait
    found = _Found(incident, window, evidence, pictures.media)
    try:
        answer = await _ask(found, pairs, pictures, desk)
    except QueryError as error:
        if error.reason not in {"not_configured", "disabled"}:
            logger.warning("%s is explained from evidence: %s", incident.id, error)
        desk.counted[f"query_{error.reason}"] += 1
        return incident, _from_evidence(found, desk, error.reason)
    return incident, _from_model(found, answer, desk)


async def without_video(incident: Incident, stores: Stores, desk: Desk, reason: str) -> Alert:
    """The least that is always possible: an explanation from what was measured."""
    window = nominal_window(incident, desk.config.query)
    evidence = await stores.evidence.range(incident.camera, window.start_ms, window.end_ms)
    return _from_evidence(_Found(incident, window, evidence, None), desk, reason)


async def _pictures(
    incident: Incident, footage: Footage, evidence: list[Evidence], desk: Desk
) -> tuple[list[Pair], Pictures]:
    query, params, window = desk.config.query, footage.params, footage.window
    room = _NO_PICTURES
    if desk.client is not None:
        size = model_size(params.width, params.height, query.frame_width)
        room = await picture_budget(desk.client, size, _settings(incident, desk))
    pairs: list[Pair] = []
    if room.pairs:
        times = [window.t_s(ms) for ms in important_times_ms(incident, evidence)]
        pairs = plan(window, times, frame_times_s(footage), room)
    async with desk.decoding.turn(incident.camera, incident.severity):
        pictures = await asyncio.to_thread(
            take_pictures, incident, footage, evidence, pairs,
            frame_width=query.frame_width, media_dir=desk.media_dir,
        )  # fmt: skip
    return pairs, pictures


async def _ask(found: _Found, pairs: list[Pair], pictures: Pictures, desk: Desk) -> ModelAnswer:
    client, deadline_s = desk.client, desk.config.query.deadline_s
    if client is None:
        raise QueryError("not_configured", "no endpoint")
    incident, began_s = found.incident, desk.clock.monotonic_s()
    try:
        async with (
            asyncio.timeout(deadline_s),
            desk.queries.turn(incident.camera, incident.severity),
        ):
            waited_s = desk.clock.monotonic_s() - began_s
            return await ask(
                client, shots(pairs, pictures.stills, found.window), found.evidence, found.window,
                peak_ms=incident.peak_ms, rulebook=desk.rulebook,
                settings=_settings(incident, desk), deadline_s=max(0.0, deadline_s - waited_s),
                clock=desk.clock,
            )  # fmt: skip
    except TimeoutError as error:
        raise QueryError("timeout", f"no turn within {deadline_s:g} s") from error


def _settings(incident: Incident, desk: Desk) -> AskSettings:
    mode = wanted_mode(desk.config, incident.camera, incident.severity)
    return ask_settings(desk.config, mode, desk.config.query.context_length)


def _from_model(found: _Found, model: ModelAnswer, desk: Desk) -> Alert:
    desk.counted["unknown_rules"] += model.unknown_rules
    desk.counted["prompt_tokens"] += model.run.prompt_tokens or 0
    desk.counted["output_tokens"] += model.run.output_tokens or 0
    if model.notes:
        logger.info("%s: the answer was repaired: %s", found.incident.id, "; ".join(model.notes))
    if model.answer.is_incident:
        desk.counted["explained_by_model"] += 1
        return _finish(
            found, model.answer, desk, Stage.EXPLAINED, Explainer.QWEN3_VL, run=model.run
        )
    if is_strong(found.incident):
        return _from_evidence(found, desk, "no_incident", run=model.run, trust=0.5)
    desk.counted["dismissed"] += 1
    return _finish(found, model.answer, desk, Stage.DISMISSED, Explainer.QWEN3_VL, run=model.run)


def is_strong(incident: Incident) -> bool:
    """Whether a trigger outweighs a model that sees no incident."""
    return any(
        trigger.score >= (1.0 if trigger.kind is EvidenceKind.CONTACT else STRONG_SCORE)
        for trigger in incident.triggers
    )


def _from_evidence(
    found: _Found, desk: Desk, reason: str, *, run: ModelRun | None = None, trust: float = 1.0
) -> Alert:
    desk.counted["explained_by_evidence"] += 1
    lang = desk.config.site.lang
    answer = explain(
        found.incident, found.evidence, found.window, lang=lang,
        headway_rules=desk.rulebook.headway_rules(),
    )  # fmt: skip
    answer = replace(answer, confidence=round(answer.confidence * trust, 3))
    note = sentence(reason, lang)
    return _finish(found, answer, desk, Stage.EXPLAINED, Explainer.EVIDENCE, note=note, run=run)


def _finish(
    found: _Found, answer: Answer, desk: Desk, stage: Stage, explainer: Explainer, *,
    note: str = "", run: ModelRun | None = None,
) -> Alert:  # fmt: skip
    site = desk.config.site
    verification = verify(answer, found.evidence, found.window, lang=site.lang)
    if explainer is Explainer.QWEN3_VL:
        confidence = adjusted_confidence(answer.confidence, verification)
        answer = replace(answer, confidence=confidence)
    build = explained if stage is Stage.EXPLAINED else dismissed
    return build(
        found.incident, found.evidence, found.window, site=site.id, lang=site.lang,
        now=utc(desk.clock.wall_ms()), answer=answer, verification=verification,
        explainer=explainer, explainer_note=note, media=found.media, model=run,
    )  # fmt: skip
