"""Forgets alerts, and their clips and pictures, that are older than ``archive.keep_days``.

Run by the active publisher, so that only one process deletes. Files go first: a crash in
between leaves no file behind that nothing names.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

from monitor.archive import Archive
from monitor.clock import Clock, utc

logger = logging.getLogger(__name__)

EVERY_S: Final = 3600.0
FIRST_S: Final = 60.0  # after the start there is more urgent work


async def prune(archive: Archive, media: Path, keep_days: float, clock: Clock) -> int:
    """How many alerts were forgotten; ``ArchiveError`` where the database does not answer."""
    forgotten = 0
    before = utc(clock.wall_ms()) - timedelta(days=keep_days)
    while (old := await archive.expired(before)).ids:
        _delete(media, old.media)
        await archive.remove(old.ids)
        forgotten += len(old.ids)
    if forgotten:
        logger.info("%d alerts older than %g days were forgotten", forgotten, keep_days)
    return forgotten


def _delete(media: Path, paths: Sequence[str]) -> None:
    """Delete files below the media folder, and the folders that this leaves empty."""
    root = media.resolve()
    folders: set[Path] = set()
    for name in paths:
        path = (root / name).resolve()
        if not path.is_relative_to(root):  # an archive is data: it may not reach out of here
            logger.warning("a stored media path points outside the media folder: left alone")
            continue
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            logger.warning("%s cannot be deleted: %s", name, error.strerror)
        folders.update(parent for parent in path.parents if root in parent.parents)
    for folder in sorted(folders, key=lambda folder: -len(folder.parts)):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
