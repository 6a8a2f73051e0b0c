"""The connection to the archive's database: what makes SQLite and PostgreSQL behave alike.

Every error of the database leaves here as an ``ArchiveError``, without the statement's
parameters and without a password.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from monitor.errors import ArchiveError

WAIT_S = 5.0  # for a lock, a connection, a statement; several times what any of ours takes
DEADLINE_S = 3 * WAIT_S  # for one call as a whole, where the network swallows packets
_SUPPORTED = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg"}
_IMMEDIATE = "causeway_immediate"


def open_engine(address: str) -> AsyncEngine:
    """An engine for a SQLAlchemy address; connects to nothing yet."""
    try:
        url = make_url(address)
        backend = url.get_backend_name()
    except (ArgumentError, NoSuchModuleError) as error:
        raise ArchiveError("The archive's address is not one of a database.", "refused") from error
    if backend not in _SUPPORTED:
        raise ArchiveError(
            f"The archive can be SQLite or PostgreSQL, not {backend}: "
            "write sqlite:///path or postgresql://user@host/name.",
            "refused",
        )
    url = url.set(drivername=_SUPPORTED[backend])
    if backend == "sqlite":
        return _sqlite(url)
    return create_async_engine(
        url,
        hide_parameters=True,
        pool_pre_ping=True,
        pool_timeout=WAIT_S,
        pool_size=4,
        connect_args={
            "connect_timeout": round(WAIT_S),
            "application_name": "causeway",
            "tcp_user_timeout": round(WAIT_S * 1000),
            "options": f"-c statement_timeout={round(WAIT_S * 1000)}"
            f" -c lock_timeout={round(WAIT_S * 1000)}",
        },
    )


def for_migration(connection: Connection) -> None:
    """Hold the database for this transaction: processes that start together queue up here."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7261004517)")


IMMEDIATE_OPTIONS: dict[str, Any] = {_IMMEDIATE: True}
"""Execution options of a transaction that takes SQLite's write lock at its start."""


@asynccontextmanager
async def translated(engine: AsyncEngine) -> AsyncIterator[None]:
    """Turn the database's errors into ``ArchiveError``, and end a call that hangs."""
    name = engine.url.render_as_string(hide_password=True)
    try:
        async with asyncio.timeout(DEADLINE_S):
            yield
    except (TimeoutError, PoolTimeoutError) as error:
        raise ArchiveError(f"The archive {name} does not answer.") from error
    except OSError as error:
        raise ArchiveError(f"The archive {name} is away: {error.strerror or error}.") from error
    except (OperationalError, InterfaceError) as error:
        raise ArchiveError(f"The archive {name} is away: {_cause(error)}.") from error
    except (DataError, IntegrityError) as error:
        raise ArchiveError(f"The archive {name} refused: {_cause(error)}.", "unfit") from error
    except DBAPIError as error:
        reason = "away" if error.connection_invalidated else "refused"
        raise ArchiveError(f"The archive {name} refused: {_cause(error)}.", reason) from error
    except SQLAlchemyError as error:
        raise ArchiveError(f"The archive {name} refused: {type(error).__name__}.", "refused") from (
            error
        )


def _cause(error: DBAPIError) -> str:
    lines = str(error.orig).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error.orig).__name__


def _sqlite(url: URL) -> AsyncEngine:
    if url.database in (None, "", ":memory:"):
        raise ArchiveError("An archive in memory keeps nothing: give a file.", "refused")
    engine = create_async_engine(
        url, hide_parameters=True, pool_timeout=WAIT_S, connect_args={"timeout": WAIT_S}
    )

    def prepare(dbapi: Any, _record: object) -> None:
        # The driver's own transactions begin too late (not before DDL), so ours begin below.
        dbapi.isolation_level = None
        cursor = dbapi.cursor()
        cursor.execute(f"PRAGMA busy_timeout={round(WAIT_S * 1000)}")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")  # an acknowledged alert survives a power cut
        cursor.close()

    def begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get(_IMMEDIATE, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    event.listen(engine.sync_engine, "connect", prepare)
    event.listen(engine.sync_engine, "begin", begin)
    return engine


def make_folder(engine: AsyncEngine) -> None:
    """The folder of an SQLite file, where it is missing."""
    if engine.dialect.name == "sqlite" and engine.url.database:
        Path(engine.url.database).parent.mkdir(parents=True, exist_ok=True)
