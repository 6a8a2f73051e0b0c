"""The shapes the API answers with, beyond the domain's own. No camera address is among them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from dashboards.cameras import CameraNow
from dashboards.health import Health
from monitor.clock import utc
from monitor.config.models import Camera
from monitor.domain import Alert, VideoCodec, ViewCondition

Responses = dict[int | str, dict[str, Any]]
"""What FastAPI takes to document the answers of a route."""


class Answer(BaseModel):
    """An answer's base."""

    model_config = ConfigDict(frozen=True)


class Problem(Answer):
    """Why a request was not answered."""

    detail: str = Field(description="A sentence for a person.")
    reason: str = Field(description="A tag for a program.")


class AlertPage(Answer):
    """Alerts, newest first."""

    items: list[Alert]
    next_cursor: str | None = Field(
        description="Give it as `cursor` for the page after this one; null at the end."
    )


class Position(Answer):
    """WGS 84, degrees."""

    latitude: float
    longitude: float


class LastDay(Answer):
    """Moments of the last 24 hours that were looked at twice."""

    opened: int = Field(description="Candidates and alerts.")
    confirmed: int
    dismissed: int
    undecided: int = Field(description="The pictures could not tell.")


class CameraAnswer(Answer):
    """A camera and how it does now."""

    id: str
    name: str
    status: str = Field(
        description="`online`, why there is no picture, or `unknown` where ingest is silent."
    )
    detail: str = Field(description="The reason, as a sentence.")
    since: datetime | None = Field(description="Since when it has this status.")
    live: bool = Field(description="Pictures arrive, and the last is at most 5 s old.")
    view: ViewCondition | None = Field(description="What watch sees of the picture itself.")
    codec: VideoCodec | None
    width: int | None
    height: int | None
    fps: float | None = Field(description="Measured over the last seconds.")
    bitrate_bps: int | None
    last_frame: datetime | None
    last_frame_age_s: float | None
    reconnects: int
    has_b_frames: bool = Field(description="Then no WebRTC, only snapshots.")
    clock: Literal["rtcp", "arrival"] | None = Field(description="Where capture times come from.")
    location: Position | None
    viewing_direction_deg: float | None
    watched: bool = Field(description="Whether its trigger is on.")
    last_day: LastDay


class Offer(BaseModel):
    """A WebRTC offer: all its candidates gathered, H.264 among its codecs."""

    model_config = ConfigDict(extra="forbid")
    type: Literal["offer"]
    sdp: str = Field(min_length=10, max_length=65536)


class LiveAnswer(Answer):
    """The answer to a WebRTC offer."""

    type: Literal["answer"] = "answer"
    sdp: str


class WorkerAnswer(Answer):
    """A process that reports in."""

    name: str
    reported: datetime
    counters: dict[str, float]


class QueueAnswer(Answer):
    """How much work is left in a queue."""

    waiting: int
    pending: int


class HealthAnswer(Answer):
    """Whether the system does its work."""

    healthy: bool
    reasons: list[str] = Field(description="What is wrong, one sentence each; empty when healthy.")
    checked: datetime | None
    redis: Literal["up", "down", "unknown"]
    mqtt: Literal["up", "down", "unknown"]
    archive: Literal["up", "down", "unknown"]
    workers: list[WorkerAnswer]
    queues: dict[str, QueueAnswer]
    dead_letters: int


def camera_answer(camera: Camera, now: CameraNow) -> CameraAnswer:
    """What may be said of a camera: all but its addresses."""
    state = now.state
    place = camera.location
    return CameraAnswer(
        id=camera.id,
        name=now.name,
        status=now.status,
        detail="" if state is None else state.detail,
        since=None if state is None else utc(state.since_ms),
        live=now.is_live,
        view=now.view,
        codec=None if state is None else state.codec,
        width=None if state is None else state.width,
        height=None if state is None else state.height,
        fps=None if state is None else state.fps,
        bitrate_bps=None if state is None else state.bitrate_bps,
        last_frame=None
        if state is None or state.last_frame_ms is None
        else utc(state.last_frame_ms),
        last_frame_age_s=now.age_s,
        last_day=LastDay(
            opened=now.last_day.opened,
            confirmed=now.last_day.confirmed,
            dismissed=now.last_day.dismissed,
            undecided=now.last_day.undecided,
        ),
        reconnects=0 if state is None else state.reconnects,
        has_b_frames=state is not None and state.has_b_frames,
        clock=None if state is None else state.clock,
        location=None
        if place is None
        else Position(latitude=place.latitude, longitude=place.longitude),
        viewing_direction_deg=camera.viewing_direction_deg,
        watched=camera.trigger.enabled,
    )


def health_answer(health: Health | None) -> HealthAnswer:
    """A report; before the first look nothing is known, and that is not healthy."""
    if health is None:
        return HealthAnswer(
            healthy=False,
            reasons=["the dashboard is starting"],
            checked=None,
            redis="unknown",
            mqtt="unknown",
            archive="unknown",
            workers=[],
            queues={},
            dead_letters=0,
        )
    return HealthAnswer(
        healthy=health.healthy,
        reasons=health.reasons(),
        checked=utc(health.at_ms),
        redis="up" if health.redis is None else "down",
        mqtt="up" if health.mqtt is None else "down",
        archive="up" if health.archive is None else "down",
        workers=[
            WorkerAnswer(name=beat.name, reported=utc(beat.at_ms), counters=dict(beat.counters))
            for beat in health.workers
        ],
        queues={
            name: QueueAnswer(waiting=depth.waiting, pending=depth.pending)
            for name, depth in health.queues.items()
        },
        dead_letters=health.dead_count,
    )
