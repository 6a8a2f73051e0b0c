"""The live picture of one camera: WebRTC, and stills where that cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from nicegui.element import Element

from dashboards.strings import Words

_WORDS: Final = (
    "tile.connecting",
    "tile.waiting",
    "tile.snapshots",
    "tile.why.h265",
    "tile.why.b_frames",
    "tile.why.viewers",
    "tile.why.network",
)


class LiveView(Element, component="../static/live_view.js"):
    """Its script connects, reconnects and falls back by itself; ``active`` says pictures come."""

    def __init__(self, camera: str, name: str, words: Words, *, active: bool) -> None:
        super().__init__()
        spoken: Mapping[str, str] = {key.removeprefix("tile."): words(key) for key in _WORDS}
        self.props["camera"] = camera
        self.props["label"] = name
        self.props["words"] = spoken
        self.props["active"] = active

    def set_active(self, active: bool) -> None:
        """Whether pictures come from the camera now."""
        if self.props["active"] != active:
            self.props["active"] = active
            self.update()
