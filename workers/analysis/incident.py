"""One incident, from its job to its explained alert.

A model is asked if there is one, there is video, and it answers within the deadline (which runs
from when the pictures are ready and includes waiting for a turn). In every other case the
explanation comes from the measurements and says why. An alert is always the result.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

from monitor.alert.build import TAKEN_BACK, Finished, explained
from monitor.alert.dismissal import dismissal
from monitor.buffer.cameras import CameraStore
from monitor.buffer.evidence_log import EvidenceLog
from monitor.buffer.incidents import IncidentStore
from monitor.buffer.ring import RingReader
from monitor.clock import Clock, utc
from monitor.config.models import Config
from monitor.config.section import Mode
from monitor.domain import (
    Alert,
    AlertMedia,
    Answer,
    Evidence,
    Explainer,
    Incident,
    IncidentStatus,
    ModelRun,
    Stage,
    Window,
)
from monitor.errors import QueryError, RingGapError
from monitor.evidence import adjusted_confidence, explain, verify
from monitor.media.stills import model_size
from monitor.query.ask import ModelAnswer, ask, picture_budget
from monitor.query.client import VisionClient
from monitor.query.question import shots
from monitor.query.rulebook import RuleBook
from monitor.query.sampling import Budget, Pair, plan
from monitor.query.scheduler import Grant, Scheduler, Wanted
from monitor.trigger.incident import rejection
from workers.analysis.footage import Footage, nominal_window, read_footage, wait_for_post_roll
from workers.analysis.manner import ask_settings, fewer, wanted_mode
from workers.analysis.media import Pictures, frame_times_s, important_times_ms, take_pictures
from workers.analysis.reasons import sentence
from workers.analysis.turns import Turns
from workers.analysis.weight import is_heard_of, is_strong

logger = logging.getLogger(__name__)

ASKING: Final = 1


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
    models: Scheduler
    in_work: Turns
    decoding: Turns
    threads: ThreadPoolExecutor
    clock: Clock
    counted: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Found:
    """Everything about an incident but its answer."""

    incident: Incident
    window: Window
    evidence: list[Evidence]
    media: AlertMedia | None


async def analyse(incident: Incident, stores: Stores, desk: Desk) -> tuple[Incident, Alert | None]:
    """The incident as it is once its window is over, and its alert.

    A candidate becomes an alert only if a model says so: else None. ``StoreError`` if Redis is
    away: come back later.
    """
    query = desk.config.query
    incident = await wait_for_post_roll(
        incident, query=query, incidents=stores.incidents, ring=stores.ring,
        cameras=stores.cameras, clock=desk.clock,
    )  # fmt: skip
    async with desk.in_work.turn(incident.camera, incident.severity):
        return incident, await _explained(incident, stores, desk)


async def _explained(incident: Incident, stores: Stores, desk: Desk) -> Alert | None:
    if not is_heard_of(incident, models=bool(desk.models.endpoints)):
        return None
    try:
        footage = await read_footage(incident, desk.config.query, stores.ring)
    except RingGapError as error:
        logger.warning("%s is finished without video: %s", incident.id, error)
        return await without_video(incident, stores, desk, "ring_gap")
    window = footage.window
    evidence = await stores.evidence.range(incident.camera, window.start_ms, window.end_ms)
    candidate = incident.status is IncidentStatus.CANDIDATE
    pairs, pictures = await _pictures(incident, footage, evidence, desk, files=not candidate)
    kept = footage if candidate else None
    del footage  # a window is megabytes, and the query may wait
    found = _Found(incident, window, evidence, pictures.media)
    if incident.status is IncidentStatus.DISMISSED:
        return _taken_back(found, desk)
    try:
        answer = await _ask(found, pairs, pictures, desk)
    except QueryError as error:
        desk.counted[f"query_{error.reason}"] += 1
        if candidate:
            logger.warning("the candidate %s stays one: %s", incident.id, error)
            return None
        if error.reason not in {"not_configured", "disabled"}:
            logger.warning("%s is explained from evidence: %s", incident.id, error)
        return _from_evidence(found, desk, error.reason)
    if kept is not None:
        if not (answer.answer.is_incident or await _was_published(incident, stores)):
            desk.counted["candidates_dismissed"] += 1
            return None
        _, pictures = await _pictures(incident, kept, evidence, desk, asked=False)
        found = replace(found, media=pictures.media)
        desk.counted["candidates_confirmed"] += answer.answer.is_incident
    return _from_model(found, answer, desk)


async def _was_published(candidate: Incident, stores: Stores) -> bool:
    """Whether a model made an alert of it before it was extended."""
    return await stores.incidents.explained(candidate.camera, candidate.id) > 0


async def without_video(
    incident: Incident, stores: Stores, desk: Desk, reason: str
) -> Alert | None:
    """The least that is always possible: an explanation from what was measured.

    None for a candidate: nobody has seen what there is to be seen.
    """
    if incident.status is IncidentStatus.CANDIDATE or not is_heard_of(
        incident, models=bool(desk.models.endpoints)
    ):
        return None
    window = nominal_window(incident, desk.config.query)
    evidence = await stores.evidence.range(incident.camera, window.start_ms, window.end_ms)
    found = _Found(incident, window, evidence, None)
    if incident.status is IncidentStatus.DISMISSED:
        return _taken_back(found, desk)
    return _from_evidence(found, desk, reason)


async def _pictures(
    incident: Incident,
    footage: Footage,
    evidence: list[Evidence],
    desk: Desk,
    *,
    files: bool = True,
    asked: bool = True,
) -> tuple[list[Pair], Pictures]:
    """What is shown to people (``files``) and to the model (``asked``)."""
    query, params, window = desk.config.query, footage.params, footage.window
    pairs: list[Pair] = []
    mode, endpoints = desk.models.best(_mode(incident, desk))
    if (
        endpoints and asked and incident.status is not IncidentStatus.DISMISSED
    ):  # as many pictures as the roomiest takes; for a smaller one some are left out
        size = model_size(params.width, params.height, query.frame_width)
        rooms = [_room(desk, one.client, mode, size) for one in endpoints]
        room = max(await asyncio.gather(*rooms), key=lambda room: room.pairs)
        if room.pairs:
            times = [window.t_s(ms) for ms in important_times_ms(incident, evidence)]
            pairs = plan(window, times, frame_times_s(footage), room)
    async with desk.decoding.turn(incident.camera, incident.severity):
        take = partial(
            take_pictures, incident, footage, evidence, pairs,
            query=query, media_dir=desk.media_dir if files else None,
        )  # fmt: skip
        pictures = await asyncio.get_running_loop().run_in_executor(desk.threads, take)
    return pairs, pictures


async def _room(desk: Desk, client: VisionClient, mode: Mode, size: tuple[int, int]) -> Budget:
    return await picture_budget(client, size, await ask_settings(desk.config, mode, client))


async def _ask(found: _Found, pairs: list[Pair], pictures: Pictures, desk: Desk) -> ModelAnswer:
    incident, window = found.incident, found.window
    important = [window.t_s(ms) for ms in important_times_ms(incident, found.evidence)]
    taken = shots(pairs, pictures.stills, window)

    async def act(grant: Grant) -> ModelAnswer:
        client = grant.endpoint.client
        settings = await ask_settings(desk.config, grant.mode, client)
        return await ask(
            client, await fewer(taken, window, important, client, settings), found.evidence, window,
            peak_ms=incident.peak_ms, rulebook=desk.rulebook, settings=settings,
            deadline_s=grant.left_s, clock=desk.clock, queue_s=grant.queue_s,
            close_ups=pictures.close_ups,
        )  # fmt: skip

    wanted = Wanted(
        incident.camera, incident.severity, _mode(incident, desk), desk.config.query.deadline_s
    )
    return await desk.models.ask(wanted, act)


def _mode(incident: Incident, desk: Desk) -> Mode:
    return wanted_mode(desk.config, incident.camera, incident.severity)


def _from_model(found: _Found, model: ModelAnswer, desk: Desk) -> Alert:
    desk.counted["unknown_rules"] += model.unknown_rules
    _count(model.run, desk.counted)
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


def _count(run: ModelRun, counted: Counter[str]) -> None:
    counted["answers"] += 1
    counted["prompt_tokens"] += run.prompt_tokens or 0
    counted["cached_tokens"] += run.cached_tokens or 0
    counted["output_tokens"] += run.output_tokens or 0
    counted["answers_ms"] += round(run.latency_s * 1000)
    counted["queue_ms"] += round((run.queue_s or 0.0) * 1000)


def _taken_back(found: _Found, desk: Desk) -> Alert:
    """The alert of an incident that a second look rejected."""
    desk.counted["taken_back"] += 1
    lang = desk.config.site.lang
    look = rejection(found.incident)
    if look is None:
        raise ValueError(f"{found.incident.id} was dismissed by nobody")
    return _finish(
        found, dismissal(look, lang), desk, Stage.DISMISSED, Explainer.EVIDENCE,
        note=sentence("second_look", lang), asking=TAKEN_BACK,
    )  # fmt: skip


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
    found: _Found, answer: Answer, desk: Desk, stage: Finished, explainer: Explainer, *,
    note: str = "", run: ModelRun | None = None, asking: int = ASKING,
) -> Alert:  # fmt: skip
    site = desk.config.site
    verification = verify(answer, found.evidence, found.window, lang=site.lang)
    if explainer is Explainer.QWEN3_VL:
        confidence = adjusted_confidence(answer.confidence, verification)
        answer = replace(answer, confidence=confidence)
    return explained(
        found.incident, found.evidence, found.window, site=site.id, lang=site.lang,
        now=utc(desk.clock.wall_ms()), answer=answer, verification=verification,
        explainer=explainer, explainer_note=note, media=found.media, model=run, stage=stage,
        asking=asking,
    )  # fmt: skip
