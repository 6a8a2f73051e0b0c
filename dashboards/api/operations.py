"""``/healthz``, ``/livez`` and ``/metrics``: for load balancers, supervisors and Prometheus."""

from __future__ import annotations

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from dashboards.api.models import HealthAnswer, health_answer
from dashboards.board import Board
from dashboards.metrics import BoardCollector


def operations_router(board: Board) -> APIRouter:
    """The routes."""
    router = APIRouter(tags=["operations"])
    registry = CollectorRegistry()
    registry.register(BoardCollector(board))

    @router.get(
        "/healthz",
        responses={503: {"model": HealthAnswer, "description": "Something is wrong; see reasons."}},
    )
    async def healthz(response: Response) -> HealthAnswer:
        """Whether the whole system does its work: servers, and one of each kind of worker."""
        answer = health_answer(board.health.last)
        response.status_code = 200 if answer.healthy else 503
        response.headers["Cache-Control"] = "no-store"
        return answer

    @router.get("/livez")
    async def livez() -> dict[str, str]:
        """Whether this process answers, whatever else is away."""
        return {"status": "alive"}

    @router.get("/metrics", response_class=Response)
    async def metrics() -> Response:
        """Prometheus metrics, as text."""
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return router
