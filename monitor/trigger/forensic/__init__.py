"""The second look at a candidate, with hindsight: what is in the pictures around its moment."""

from __future__ import annotations

from monitor.trigger.forensic.examine import examine
from monitor.trigger.forensic.verdict import Verdict

__all__ = ["Verdict", "examine"]
