"""How an incident is asked about: at which servers, in which mode, within which budgets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from monitor.config.asking import Query
from monitor.config.endpoints import model_endpoints
from monitor.config.models import Config
from monitor.config.section import Mode
from monitor.domain import Severity, Window
from monitor.errors import QueryError
from monitor.query.ask import CONTEXT_LENGTH, AskSettings, picture_budget
from monitor.query.client import VisionClient
from monitor.query.endpoint import Endpoint
from monitor.query.limits import limits
from monitor.query.question import Shot
from monitor.query.sampling import plan

_ORDER = tuple(Severity)


def wanted_mode(config: Config, camera: str, severity: Severity) -> Mode:
    """The camera's own mode; else thinking where it is grave enough for that; else the usual."""
    query = config.query
    try:
        own = config.camera(camera).mode
    except KeyError:  # a camera that was taken out of streams.yaml meanwhile
        own = None
    if own is not None:
        return own
    threshold = query.thinking_from
    if threshold is not None and _ORDER.index(severity) >= _ORDER.index(Severity(threshold)):
        return "thinking"
    return query.mode


def endpoints_of(query: Query) -> list[Endpoint]:
    """The configured servers, each with its client."""
    return [
        Endpoint(
            VisionClient(
                one.url,
                one.model or query.model,
                api_key=None if one.api_key is None else one.api_key.get_secret_value(),
            ),
            frozenset(one.modes or get_args(Mode)),
            one.max_running,
        )
        for one in model_endpoints(query)
    ]


async def ask_settings(config: Config, mode: Mode, client: VisionClient) -> AskSettings:
    """The budgets that follow from this server's context, in this mode."""
    site, query = config.site, config.query
    budgets = limits(
        min(await client.context_length(CONTEXT_LENGTH), query.context_length),
        mode,
        max_frames=query.max_frames,
        max_output_tokens=query.max_output_tokens,
        max_thinking_tokens=query.max_thinking_tokens,
    )
    return AskSettings(
        lang=site.lang,
        mode=mode,
        traffic_side=site.keeps,
        max_frames=budgets.max_frames,
        max_output_tokens=budgets.max_output_tokens,
        max_thinking_tokens=budgets.max_thinking_tokens or None,
        max_context_length=budgets.context_length,
    )


async def fewer(
    shots: Sequence[Shot],
    window: Window,
    important_s: Sequence[float],
    client: VisionClient,
    settings: AskSettings,
) -> Sequence[Shot]:
    """All of them, or where this server takes fewer those that a plan with its budget keeps."""
    if not shots:
        return shots
    room = await picture_budget(client, (shots[0].first.width, shots[0].first.height), settings)
    if len(shots) <= room.pairs:
        return shots
    if not room.pairs:
        raise QueryError("no_frames", "this server's context is too short for a single picture")
    middles = {round(shot.pair.t_s * 1000): shot for shot in shots}
    kept = plan(window, important_s, [ms / 1000 for ms in middles], room, paired=False)
    return [middles[ms] for ms in sorted({pair.first_ms for pair in kept})]
