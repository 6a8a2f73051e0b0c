"""The archive on a real PostgreSQL, and on SQLite what only several connections can show."""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from monitor.archive import Archive, Stored, cursor_after
from monitor.archive.tables import metadata
from monitor.clock import utc
from monitor.domain import Alert, Severity
from monitor.errors import ArchiveError
from tests import alerts, servers
from tests.archives import open_and_store


@pytest.fixture(scope="module")
def postgres() -> Iterator[servers.Server]:
    binaries = servers.postgres_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL server is installed (apt-get install postgresql)")
    with servers.postgres(binaries) as server:
        yield server


def new_database(server: servers.Server) -> str:
    """The address of an empty database."""
    name = f"test_{uuid.uuid4().hex}"
    address = f"postgresql+psycopg://causeway@127.0.0.1:{server.port}"
    engine = create_engine(f"{address}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return f"{address}/{name}"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'archive.db'}"
    return new_database(request.getfixturevalue("postgres"))


@pytest.fixture
async def archive(url: str) -> AsyncIterator[Archive]:
    async with Archive(url) as opened:
        yield opened


async def test_revisions_only_rise_and_all_are_kept(archive: Archive) -> None:
    first, second, explained = (
        alerts.provisional(),
        alerts.provisional(triggers=2),
        alerts.explained(),
    )

    assert await archive.store(first) is Stored.NEW
    assert await archive.store(first) is Stored.REPEAT
    assert await archive.store(explained) is Stored.NEW
    assert await archive.store(second) is Stored.SUPERSEDED
    assert await archive.alert(first.id) == explained
    assert await archive.revisions(first.id) == [first, second, explained]


async def test_writers_that_race_end_with_the_highest_revision(url: str) -> None:
    async with Archive(url) as one, Archive(url) as other:
        wanted = [alerts.provisional(triggers=n) for n in range(1, 9)]
        await asyncio.gather(
            *(one.store(alert) for alert in wanted), *(other.store(a) for a in reversed(wanted))
        )
        assert await one.alert(wanted[0].id) == wanted[-1]
        assert await one.revisions(wanted[0].id) == wanted


async def test_pages_and_filters(archive: Archive) -> None:
    kept = [
        alerts.explained(camera, peak_ms=alerts.PEAK_MS + n * 1000)
        for n in range(3)
        for camera in ("north", "south")
    ]
    for alert in kept:
        await archive.store(alert)
    newest_first = sorted(kept, key=lambda alert: (alert.start, alert.id), reverse=True)

    seen: list[Alert] = []
    while page := await archive.alerts(
        limit=2, cursor=cursor_after(seen[-1]) if seen else None, min_severity=Severity.HIGH
    ):
        seen += page
    assert seen == newest_first
    north = [alert for alert in newest_first if alert.camera == "north"]
    assert await archive.alerts(camera="north") == north
    assert await archive.alerts(camera="north", until=north[0].start) == north[1:]
    assert (
        await archive.alerts(camera="north", since=north[0].start - timedelta(seconds=1))
        == north[:2]
    )


async def test_any_text_is_kept_and_found(archive: Archive) -> None:
    odd = replace(
        alerts.explained(), answer=alerts.answer(root_cause="后车跟车过近 100% \0 Straße '; --")
    )
    await archive.store(odd)

    assert await archive.alert(odd.id) == odd
    for words in ("跟车过近", "100%", "STRASSE", "'; --"):
        assert await archive.alerts(text=words) == [odd]
    assert await archive.alerts(text="100_") == []


async def test_what_is_removed_is_gone(archive: Archive) -> None:
    old, new = alerts.explained(), alerts.explained(peak_ms=alerts.PEAK_MS + 60_000)
    await archive.store(old)
    await archive.store(new)

    expired = await archive.expired(utc(alerts.PEAK_MS))
    await archive.remove(expired.ids)

    assert await archive.alerts() == [new]
    assert await archive.revisions(old.id) == []


def test_processes_that_start_together_do_not_collide(url: str) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        stored = pool.starmap(open_and_store, [(url, n) for n in range(3)])

    assert stored == ["new", "new", "new"]


async def test_the_migrations_make_the_tables_that_the_code_uses(url: str) -> None:
    async with Archive(url):
        pass

    engine = create_engine(url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


async def test_an_alert_that_postgresql_never_takes_is_unfit(postgres: servers.Server) -> None:
    async with Archive(new_database(postgres)) as archive:
        with pytest.raises(ArchiveError) as caught:
            await archive.store(replace(alerts.provisional(), id="x" * 300))
        assert caught.value.reason == "unfit"
        assert await archive.store(alerts.provisional()) is Stored.NEW


async def test_a_server_that_was_stopped_is_away_and_comes_back(postgres: servers.Server) -> None:
    async with Archive(new_database(postgres)) as archive:
        alert = alerts.provisional()
        await archive.store(alert)

        postgres.stop(signal.SIGINT)
        with pytest.raises(ArchiveError) as caught:
            await archive.alert(alert.id)
        assert caught.value.reason == "away"

        postgres.start()
        assert await archive.alert(alert.id) == alert
        assert await archive.store(alert) is Stored.REPEAT
