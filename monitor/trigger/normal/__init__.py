"""What is normal in one camera's view, learned while it watches and kept across restarts."""

from __future__ import annotations

from monitor.trigger.normal.course import UsualDirection
from monitor.trigger.normal.memory import SceneMemory
from monitor.trigger.normal.views import KnownViews

__all__ = ["KnownViews", "SceneMemory", "UsualDirection"]
