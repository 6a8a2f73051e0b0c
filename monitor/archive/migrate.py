"""Bringing the database to the tables this version knows; run by every process at its start.

Safe to run by many processes at once, also on a database that does not exist yet: the first
one migrates under a lock, the others wait for it and find nothing to do.
"""

from __future__ import annotations

import logging
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from monitor.archive.engine import IMMEDIATE_OPTIONS, for_migration, make_folder
from monitor.errors import ArchiveError

_SCRIPTS = Path(__file__).parent / "migrations"


async def migrate(engine: AsyncEngine) -> None:
    """Upgrade to the newest migration; all of it happens, or nothing."""
    make_folder(engine)
    async with engine.connect() as plain:
        connection = await plain.execution_options(**IMMEDIATE_OPTIONS)
        async with connection.begin():
            await connection.run_sync(_upgrade)


def _upgrade(connection: Connection) -> None:
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells its context at every start
    for_migration(connection)
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    current = MigrationContext.configure(connection).get_current_revision()
    if current == ScriptDirectory.from_config(config).get_current_head():
        return
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise ArchiveError(
            f"The archive's tables ({current}) are newer than this version of Causeway: update it.",
            "refused",
        ) from error
