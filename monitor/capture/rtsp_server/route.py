"""A path of the server: what it plays, who may watch, and what is wrong with it just now."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from monitor.capture.rtsp_server.auth import Credentials, Scheme
from monitor.capture.rtsp_server.source import VideoSource


class Fault(StrEnum):
    """What ails a camera."""

    NONE = "none"
    STALL = "stall"  # says nothing more, keeps the connection
    SILENT = "silent"  # accepts a connection and never answers
    GARBAGE = "garbage"  # answers and sends what nobody understands
    UNAUTHORIZED = "unauthorized"  # no password is right
    NOT_FOUND = "not_found"
    NO_KEY_FRAMES = "no_key_frames"  # only pictures that lean on others


@dataclass(frozen=True, slots=True)
class Route:
    """Settings of a path. ``password`` set means that a viewer must give both.

    ``live``: all viewers see the same picture at the same time, and a new one joins at the last
    key picture; else everyone starts at the beginning. ``loop`` False ends after one round.
    """

    path: str
    source: VideoSource
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    auth: Scheme = "both"
    loop: bool = True
    live: bool = False
    sender_reports: bool = True
    sender_report_interval_s: float = 5.0
    rtp_info: bool = True

    @property
    def credentials(self) -> Credentials | None:
        if self.password is None:
            return None
        return Credentials(self.username or "", self.password, self.auth)


@dataclass(slots=True)
class RouteState:
    """What changes while the server runs; the server writes it, players read it."""

    route: Route
    source: VideoSource
    fault: Fault = Fault.NONE
    epoch_s: float | None = None  # monotonic start of a live route's timeline
    clock_offset_ms: int = 0
    clock_jumps: int = 0
    playing: int = 0
    played_units: int = 0
