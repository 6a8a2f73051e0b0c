"""How an incident is asked about: in which mode, within which budgets. Pure."""

from __future__ import annotations

from monitor.config.models import Config, Mode
from monitor.domain import Severity
from monitor.query.ask import AskSettings
from monitor.query.limits import limits

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


def ask_settings(config: Config, mode: Mode, served_context: int) -> AskSettings:
    """The budgets that follow from a server's context, in this mode."""
    site, query = config.site, config.query
    budgets = limits(
        min(served_context, query.context_length),
        mode,
        max_frames=query.max_frames,
        max_output_tokens=query.max_output_tokens,
        max_thinking_tokens=query.max_thinking_tokens,
    )
    return AskSettings(
        lang=site.lang,
        mode=mode,
        traffic_side=site.traffic_side,
        max_frames=budgets.max_frames,
        max_output_tokens=budgets.max_output_tokens,
        max_thinking_tokens=budgets.max_thinking_tokens or None,
        max_context_length=budgets.context_length,
    )
