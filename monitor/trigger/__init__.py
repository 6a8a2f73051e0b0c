"""Deciding from frames, as they come, that something happens on a camera."""

from __future__ import annotations

from monitor.trigger.camera_trigger import WIDTH_PX, CameraTrigger
from monitor.trigger.results import StepResult

__all__ = ["WIDTH_PX", "CameraTrigger", "StepResult"]
