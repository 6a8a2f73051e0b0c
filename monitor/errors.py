"""Every error the project raises on purpose.

    CausewayError
    ├── ConfigError              streams.yaml or the environment is wrong; says what to write
    ├── CaptureError             a camera cannot be read; ``reason`` is a CameraStatus
    ├── StoreError               Redis is away, full or refuses
    ├── RingGapError             the ring no longer (or not yet) holds what was asked for
    ├── MediaError               an access unit or a file cannot be decoded, muxed or encoded
    ├── QueryError               the model gave no usable answer; ``reason`` is a short tag
    ├── PublishError             the broker did not take a message
    ├── ArchiveError             the database refused or is away
    ├── DetectorError            a detector's model is missing, broken, unknown or fails
    ├── SceneError               a scenario is impossible or cannot be rendered
    ├── SceneMemoryError         what was learned of a view cannot be read
    └── CatalogueError           a catalogue of labelled clips is wrong; names every entry

A library's own error is translated where it enters (``raise ... from``). Messages say what to
do; they never carry a password, a prompt or an image.
"""

from __future__ import annotations


class CausewayError(Exception):
    """Base of all of them."""


class ConfigError(CausewayError):
    """The configuration is wrong; the message lists every problem found."""


class CaptureError(CausewayError):
    """A camera cannot be read. ``reason`` is the value of a ``domain.CameraStatus``."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class StoreError(CausewayError):
    """Redis is away, full, or refuses. ``reason``: ``away``, ``full`` or ``refused``."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class RingGapError(CausewayError):
    """The ring does not hold the span of time that was asked for."""


class MediaError(CausewayError):
    """Encoded video or an image cannot be decoded, muxed or encoded."""


class QueryError(CausewayError):
    """The model gave no usable answer.

    ``reason`` is one of ``unreachable``, ``timeout``, ``busy``, ``rejected``, ``server_error``,
    ``cut``, ``malformed``, ``schema``, ``disabled``, ``no_frames``, ``question``.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class PublishError(CausewayError):
    """The MQTT broker did not take a message."""


class ArchiveError(CausewayError):
    """The database is away or refuses.

    ``reason``: ``away`` (it comes back), ``refused`` (someone must mend the database or its
    address) or ``unfit`` (it will never take this alert).
    """

    def __init__(self, message: str, reason: str = "away") -> None:
        super().__init__(message)
        self.reason = reason


class DetectorError(CausewayError):
    """The optional detector cannot be used; the message says what to mend."""


class SceneError(CausewayError):
    """A scenario is impossible or cannot be rendered."""


class SceneMemoryError(CausewayError):
    """What was learned of a camera's view cannot be read: damaged, or of another version."""


class CatalogueError(CausewayError):
    """A catalogue of labelled clips is wrong; the message names every entry and field."""
