"""``/media/``: clips and stills, with HTTP Range so that a player can seek.

Starlette's static files do the serving: nothing outside the folder is reachable, by ``..`` or by
a link. Only the kinds of file we write are served.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

SERVED: Final = frozenset({".mp4", ".jpg"})


class MediaFiles(StaticFiles):
    """The media folder, which need not exist yet."""

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder, check_dir=False)
        self.config_checked = True  # else a folder that does not exist yet is a server error

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file, or 404; revalidated each time, because a longer incident rewrites its clip."""
        if PurePosixPath(path).suffix not in SERVED:
            raise HTTPException(404)
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "private, no-cache"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response
