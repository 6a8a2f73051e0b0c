"""What goes onto a camera's retained state topic, and when."""

from __future__ import annotations

import json
from typing import Any

from monitor.domain import CameraState, ViewCondition
from monitor.wire import to_object

_MEASURED = ("fps", "bitrate_bps", "last_frame_ms")
_MEASURED_EVERY_S = 10.0
UNKNOWN = "unknown"
"""The status of a camera of which no ingest has spoken lately; beside those of CameraStatus."""


class StateNews:
    """Remembers what was published of each camera, and says what is new.

    A change of status, picture or codec is news at once; the measured numbers, which change all
    the time, every ten seconds.
    """

    def __init__(self) -> None:
        self._published: dict[str, tuple[dict[str, Any], float]] = {}

    def forget(self) -> None:
        """The broker may have forgotten too: everything is news."""
        self._published.clear()

    def message(
        self, camera: str, state: CameraState | None, view: ViewCondition | None, now_s: float
    ) -> bytes | None:
        """The payload to publish now, or None. Counts as published from here on."""
        fields: dict[str, Any] = (
            {"camera": camera, "status": UNKNOWN} if state is None else to_object(state)
        )
        fields["view"] = None if view is None else view.value
        before, at_s = self._published.get(camera, ({}, float("-inf")))
        if fields == before or (
            _steady(fields) == _steady(before) and now_s - at_s < _MEASURED_EVERY_S
        ):
            return None
        self._published[camera] = (fields, now_s)
        return json.dumps(fields, ensure_ascii=False).encode()


def _steady(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in _MEASURED}
