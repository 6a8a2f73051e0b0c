"""Names of the MQTT topics; docs/alerts.md lists what each carries."""

from __future__ import annotations

from dataclasses import dataclass

_FORBIDDEN = frozenset("/+#\0")


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one site."""

    prefix: str
    site: str

    @property
    def status(self) -> str:
        """``online`` or, also as Last Will, ``offline``; retained."""
        return f"{self.prefix}/{self.site}/status"

    def alerts(self, camera: str) -> str:
        """Alerts of a camera; not retained. ``ValueError`` where the name is no topic level."""
        return f"{self.prefix}/{self.site}/alerts/{_level(camera)}"

    def camera_state(self, camera: str) -> str:
        """What is known of a camera; retained."""
        return f"{self.prefix}/{self.site}/cameras/{_level(camera)}/state"


def _level(name: str) -> str:
    if not name or _FORBIDDEN & set(name):
        raise ValueError("a camera's name must be one level of a topic")
    return name
