"""Incidents on demand: what goes wrong, when, and the truth about it."""

from __future__ import annotations

from monitor.scene.hours.incidents.director import KINDS, Director

__all__ = ["KINDS", "Director"]
