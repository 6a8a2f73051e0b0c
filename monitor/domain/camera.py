"""The camera, its encoded pictures, its state."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Literal

from pydantic import ConfigDict

from monitor.domain.base import STRICT


class VideoCodec(StrEnum):
    """Codecs a camera may send; the values are FFmpeg's names."""

    H264 = "h264"
    HEVC = "hevc"


@dataclass(frozen=True, slots=True)
class CodecParameters:
    """What a decoder or muxer must know. A change makes a new ``generation``."""

    codec: VideoCodec
    width: int
    height: int
    extradata: bytes  # parameter sets in Annex B; may be empty, key access units carry them too
    fps: float | None  # as announced; None where the camera does not say
    generation: int


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One encoded picture, Annex B. A key access unit carries its parameter sets in band.

    ``entry_ms`` is the ring entry's id: decode order, strictly increasing per camera.
    ``capture_ms`` is when the picture was taken; it differs only where there are B-frames.
    """

    entry_ms: int
    capture_ms: int
    is_key: bool
    generation: int
    data: bytes


class CameraStatus(StrEnum):
    """Why a camera's picture does or does not arrive."""

    CONNECTING = "connecting"
    ONLINE = "online"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    UNAUTHORIZED = "unauthorized"
    NOT_FOUND = "not_found"
    NO_ANSWER = "no_answer"
    STALLED = "stalled"
    ENDED = "ended"
    NO_KEY_FRAME = "no_key_frame"
    UNSUPPORTED_CODEC = "unsupported_codec"
    INVALID_DATA = "invalid_data"
    BUFFER_AWAY = "buffer_away"
    BUFFER_FULL = "buffer_full"


@dataclass(frozen=True, slots=True)
class CameraState:
    """What ingest knows of a camera; kept in Redis, shown on the dashboard, retained on MQTT."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    camera: str
    status: CameraStatus
    since_ms: int
    detail: str = ""  # one sentence for a person; never a password
    codec: VideoCodec | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None  # measured over the last seconds
    bitrate_bps: int | None = None
    last_frame_ms: int | None = None
    reconnects: int = 0
    clock: Literal["rtcp", "arrival"] | None = None
    has_b_frames: bool = False
    clock_jumps: int = 0


class ViewCondition(StrEnum):
    """What watch sees of the picture itself; where several hold, the worst."""

    NORMAL = "normal"
    WARMING_UP = "warming_up"
    VIEW_CHANGED = "view_changed"
    CAMERA_MOVING = "camera_moving"  # pans, tilts or zooms
    SHAKING = "shaking"  # its mast does
    FROZEN = "picture_frozen"
    STALLING = "stalling"  # holes in time, pictures that repeat
    NO_SIGNAL = "no_signal"  # noise, or one colour
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"  # blinded
    EXPOSURE_STEP = "exposure_step"
    GLARE = "glare"  # headlights at night
    RAIN = "rain"
    OVERLAY = "overlay"  # a good part of the picture is drawn on it, no scene
    MASKED = "masked"  # its masks leave nothing of it
    UNDECODABLE = "undecodable"
