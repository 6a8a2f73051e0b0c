"""``/api/v1/cameras``: how each camera does, its live picture, its newest still."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, HTTPException, Path, Response
from fastapi.responses import JSONResponse

from dashboards.api.models import CameraAnswer, LiveAnswer, Offer, Problem, Responses, camera_answer
from dashboards.board import Board
from dashboards.live.hub import LiveRefusedError
from monitor.clock import utc
from monitor.config.models import Camera
from monitor.errors import MediaError

CameraId = Annotated[str, Path(min_length=1, max_length=63, description="The camera's id.")]

_REFUSED_STATUS: Final = {"offer": 400, "viewers": 503}  # else 409: the camera cannot do it now


def cameras_router(board: Board) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/api/v1/cameras", tags=["cameras"])
    missing: Responses = {404: {"model": Problem, "description": "No such camera."}}
    away: Responses = {503: {"model": Problem, "description": "Redis is away."}}

    def configured(camera_id: str) -> Camera:
        try:
            return board.config.camera(camera_id)
        except KeyError as error:
            raise HTTPException(404, "no camera has this id") from error

    def answer(camera: Camera) -> CameraAnswer:
        now = board.cameras.get(camera.id)
        if now is None:
            raise HTTPException(404, "no camera has this id")
        return camera_answer(camera, now)

    @router.get("")
    async def cameras() -> list[CameraAnswer]:
        """Every configured camera, in the order of streams.yaml."""
        return [answer(camera) for camera in board.config.cameras]

    @router.get("/{camera_id}", responses=missing)
    async def camera(camera_id: CameraId) -> CameraAnswer:
        """One camera."""
        return answer(configured(camera_id))

    @router.get(
        "/{camera_id}/snapshot.jpg",
        response_class=Response,
        responses={
            200: {"content": {"image/jpeg": {}}, "description": "The newest key picture."},
            **missing,
            409: {"model": Problem, "description": "There is no picture, or a broken one."},
            **away,
        },
    )
    async def snapshot(camera_id: CameraId) -> Response:
        """The newest key picture, as JPEG, decoded from the camera's ring."""
        configured(camera_id)
        try:
            found = await board.snapshots.newest(camera_id)
        except MediaError as error:
            raise HTTPException(409, f"the picture cannot be shown: {error}") from error
        if found is None:
            raise HTTPException(409, "no picture has come from this camera lately")
        return Response(
            found.jpeg,
            media_type="image/jpeg",
            headers={
                "Cache-Control": "no-store",
                "X-Captured": utc(found.capture_ms).isoformat(timespec="milliseconds"),
            },
        )

    @router.post(
        "/{camera_id}/webrtc",
        responses={
            400: {"model": Problem, "description": "The offer cannot be read."},
            **missing,
            409: {
                "model": Problem,
                "description": "No WebRTC now; `reason` is `no_picture`, `h265`, `b_frames` or"
                " `browser`.",
            },
            503: {"model": Problem, "description": "Redis is away, or too many viewers."},
        },
    )
    async def webrtc(camera_id: CameraId, offer: Offer) -> LiveAnswer:
        """Live picture: answers a WebRTC offer. The camera's H.264 is passed through."""
        configured(camera_id)
        return LiveAnswer(sdp=await board.live.answer(camera_id, offer.sdp))

    return router


def live_refused(error: LiveRefusedError) -> JSONResponse:
    """A refusal as the page's script reads it."""
    problem = Problem(detail=str(error), reason=error.reason)
    return JSONResponse(problem.model_dump(), _REFUSED_STATUS.get(error.reason, 409))
