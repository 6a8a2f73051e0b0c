"""``/api/v1/alerts``: past and present alerts, straight from the archive."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query
from pydantic import AwareDatetime

from dashboards.api.models import AlertPage, Problem, Responses
from dashboards.board import Board
from monitor.archive import cursor_after
from monitor.domain import Alert, IncidentType, Severity, Stage

AlertId = Annotated[str, Path(min_length=1, max_length=200, description="The alert's id.")]


def alerts_router(board: Board) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/api/v1/alerts", tags=["alerts"])
    missing: Responses = {404: {"model": Problem, "description": "No such alert."}}
    away: Responses = {503: {"model": Problem, "description": "The archive is away."}}

    @router.get("", responses={**away, 400: {"model": Problem, "description": "Bad cursor."}})
    async def alerts(
        camera: Annotated[str | None, Query(max_length=63, description="A camera's id.")] = None,
        since: Annotated[
            AwareDatetime | None, Query(description="Started at or after; ISO 8601 with zone.")
        ] = None,
        until: Annotated[
            AwareDatetime | None, Query(description="Started before; ISO 8601 with zone.")
        ] = None,
        min_severity: Annotated[Severity | None, Query(description="This or worse.")] = None,
        incident_type: Annotated[IncidentType | None, Query(description="What happened.")] = None,
        stage: Annotated[Stage | None, Query(description="Where the alert stands.")] = None,
        text: Annotated[
            str | None, Query(max_length=200, description="Words that must all occur.")
        ] = None,
        limit: Annotated[int, Query(ge=1, le=200, description="Alerts per page.")] = 50,
        cursor: Annotated[
            str | None, Query(max_length=400, description="`next_cursor` of the page before.")
        ] = None,
    ) -> AlertPage:
        """The latest revision of each alert, newest first. Pages neither repeat nor skip."""
        try:
            found = await board.archive.alerts(
                camera=camera,
                since=since,
                until=until,
                min_severity=min_severity,
                incident_type=incident_type,
                stage=stage,
                text=text,
                limit=limit + 1,
                cursor=cursor,
            )
        except ValueError as error:
            raise HTTPException(400, "cursor: not one that an answer of this API gave") from error
        page = found[:limit]
        return AlertPage(
            items=page, next_cursor=cursor_after(page[-1]) if len(found) > limit else None
        )

    @router.get("/{alert_id}", responses={**missing, **away})
    async def alert(alert_id: AlertId) -> Alert:
        """The latest revision of one alert."""
        found = await board.archive.alert(alert_id)
        if found is None:
            raise HTTPException(404, "no alert has this id")
        return found

    @router.get("/{alert_id}/revisions", responses={**missing, **away})
    async def revisions(alert_id: AlertId) -> list[Alert]:
        """Every revision of one alert, the oldest first."""
        found = await board.archive.revisions(alert_id)
        if not found:
            raise HTTPException(404, "no alert has this id")
        return found

    return router
