"""The FastAPI application: routes, media, errors in one shape, and headers that keep it local."""

from __future__ import annotations

from importlib.metadata import version
from typing import Final

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboards.api.alerts import alerts_router
from dashboards.api.cameras import cameras_router, live_refused
from dashboards.api.docs_page import docs_page
from dashboards.api.media import MediaFiles
from dashboards.api.models import Problem
from dashboards.api.operations import operations_router
from dashboards.board import Board
from dashboards.live.hub import LiveRefusedError
from monitor.errors import ArchiveError, StoreError

# Vue compiles templates in the page, so scripts need unsafe-eval; nothing may come from elsewhere.
POLICY: Final = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'self'; "
    "form-action 'self'"
)


def create_application(board: Board) -> FastAPI:
    """The API of a board; the pages are mounted on it by ``app``."""
    app = FastAPI(
        title="Causeway",
        version=version("causeway"),
        summary="Explained incidents from traffic cameras.",
        docs_url=None,  # FastAPI's page loads its script from a CDN; ours is local
        redoc_url=None,
        responses={422: {"model": Problem, "description": "A parameter is wrong; it is named."}},
    )
    app.add_middleware(LocalOnly)
    app.include_router(alerts_router(board))
    app.include_router(cameras_router(board))
    app.include_router(operations_router(board))
    app.mount("/media", MediaFiles(board.media), name="media")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(docs_page(app.openapi()))

    @app.exception_handler(ArchiveError)
    async def archive_away(_request: Request, _error: ArchiveError) -> JSONResponse:
        return _problem(503, "the archive is away; try again in a few seconds", "archive")

    @app.exception_handler(StoreError)
    async def store_away(_request: Request, error: StoreError) -> JSONResponse:
        return _problem(503, "Redis is away; try again in a few seconds", f"redis_{error.reason}")

    @app.exception_handler(LiveRefusedError)
    async def refused(_request: Request, error: LiveRefusedError) -> JSONResponse:
        return live_refused(error)

    @app.exception_handler(HTTPException)
    async def said(_request: Request, error: HTTPException) -> JSONResponse:
        reasons = {400: "bad_request", 404: "not_found", 409: "not_now"}
        return _problem(error.status_code, error.detail, reasons.get(error.status_code, "error"))

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        sentences = (
            f"{'.'.join(str(part) for part in one['loc'][1:]) or 'body'}: {one['msg']}"
            for one in error.errors()
        )
        return _problem(422, "; ".join(sentences), "invalid")

    return app


def _problem(status: int, detail: str, reason: str) -> JSONResponse:
    headers = {"Retry-After": "5"} if status == 503 else None
    return JSONResponse(Problem(detail=detail, reason=reason).model_dump(), status, headers=headers)


class LocalOnly:
    """Adds the policy that forbids the page to ask any other host for anything."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Content-Security-Policy", POLICY)
                headers.setdefault("Referrer-Policy", "same-origin")
                headers.setdefault("X-Content-Type-Options", "nosniff")
            await send(message)

        await self._app(scope, receive, with_policy)
