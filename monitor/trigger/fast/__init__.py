"""The fast cues: what the momentum of coherent features says, within a second, with no warm-up."""

from __future__ import annotations

from monitor.trigger.fast.watch import ImpulseWatch, odds

__all__ = ["ImpulseWatch", "odds"]
