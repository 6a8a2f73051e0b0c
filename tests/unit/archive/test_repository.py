"""The archive on an SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.archive import Archive, Stored, cursor_after
from monitor.clock import utc
from monitor.domain import IncidentType, Severity, Stage
from monitor.errors import ArchiveError
from tests import alerts

HOUR_MS = 3_600_000


@pytest.fixture
async def archive(tmp_path: Path) -> AsyncIterator[Archive]:
    async with Archive(f"sqlite:///{tmp_path / 'new folder' / 'archive.db'}") as opened:
        yield opened


async def test_writing_twice_is_harmless(archive: Archive) -> None:
    alert = alerts.provisional()

    assert await archive.store(alert) is Stored.NEW
    assert await archive.store(alert) is Stored.REPEAT
    assert await archive.upsert(alert) is False
    assert await archive.alert(alert.id) == alert
    assert await archive.revisions(alert.id) == [alert]


async def test_an_older_revision_never_replaces_a_newer_and_is_kept_beside_it(
    archive: Archive,
) -> None:
    first, second = alerts.provisional(), alerts.provisional(triggers=2)
    explained = alerts.explained()

    assert await archive.upsert(first)
    assert await archive.upsert(explained)
    assert await archive.store(second) is Stored.SUPERSEDED
    assert await archive.store(second) is Stored.SUPERSEDED
    assert await archive.store(first) is Stored.SUPERSEDED

    assert await archive.alert(first.id) == explained
    assert await archive.revisions(first.id) == [first, second, explained]


async def test_a_repeated_revision_keeps_what_was_published_first(archive: Archive) -> None:
    first = alerts.provisional()
    await archive.store(first)

    assert await archive.store(replace(first, created=utc(0))) is Stored.REPEAT
    assert await archive.alert(first.id) == first


async def test_unknown_alerts_are_none(archive: Archive) -> None:
    assert await archive.alert("north-1") is None
    assert await archive.revisions("north-1") == []


async def test_pages_neither_repeat_nor_skip_while_alerts_come_in(archive: Archive) -> None:
    # Two cameras with the same start times: the id breaks the tie.
    kept = [
        alerts.provisional(camera, peak_ms=alerts.PEAK_MS + n * 1000)
        for n in range(5)
        for camera in ("north", "south")
    ]
    for alert in kept:
        await archive.store(alert)

    page = await archive.alerts(limit=3)
    seen = list(page)
    while page:
        await archive.store(
            alerts.provisional("north", peak_ms=alerts.PEAK_MS + HOUR_MS + len(seen))
        )
        page = await archive.alerts(limit=3, cursor=cursor_after(page[-1]))
        seen += page

    assert [alert.id for alert in seen] == [
        alert.id for alert in sorted(kept, key=lambda alert: (alert.start, alert.id), reverse=True)
    ]


async def test_alerts_are_asked_for_by_camera_time_severity_type_and_stage(
    archive: Archive,
) -> None:
    plain = alerts.provisional("north")
    explained = alerts.explained("south", peak_ms=alerts.PEAK_MS + HOUR_MS)
    await archive.store(plain)
    await archive.store(explained)

    assert await archive.alerts() == [explained, plain]
    assert await archive.alerts(camera="north") == [plain]
    assert await archive.alerts(since=explained.start) == [explained]
    assert await archive.alerts(until=explained.start) == [plain]
    assert await archive.alerts(since=plain.start, until=plain.start + timedelta(seconds=1)) == [
        plain
    ]
    assert await archive.alerts(min_severity=Severity.HIGH) == [explained, plain]
    assert await archive.alerts(min_severity=Severity.CRITICAL) == []
    assert await archive.alerts(incident_type=IncidentType.REAR_END_COLLISION) == [explained]
    assert await archive.alerts(stage=Stage.PROVISIONAL) == [plain]
    assert await archive.count() == 2


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("HEADWAY pedestrian", True),
        ("0.8 s", True),
        ("headway unicorn", False),
        ("100%", False),
        ("_", True),  # rear_end_collision holds one; as a wildcard it would match anything
        ("r_ar", False),
        ("", True),
    ],
)
async def test_alerts_are_found_by_words(archive: Archive, text: str, found: bool) -> None:
    explained = alerts.explained()
    await archive.store(explained)

    assert await archive.alerts(text=text) == ([explained] if found else [])


@pytest.mark.parametrize("cursor", ["nonsense", "====", "", "a b", "é"])
async def test_a_made_up_cursor_is_refused(archive: Archive, cursor: str) -> None:
    with pytest.raises(ValueError, match="cursor"):
        await archive.alerts(cursor=cursor)


async def test_what_has_outlived_its_time_goes_with_its_files(archive: Archive) -> None:
    old = alerts.explained("north")
    new = alerts.explained("north", peak_ms=alerts.PEAK_MS + HOUR_MS)
    await archive.store(old)
    await archive.store(new)

    expired = await archive.expired(utc(alerts.PEAK_MS + 1))
    assert old.media is not None
    assert expired.ids == (old.id,)
    assert set(expired.media) == {old.media.clip, old.media.snapshot, *old.media.frames}
    await archive.remove(expired.ids)

    assert await archive.alert(old.id) is None
    assert await archive.revisions(old.id) == []
    assert await archive.alerts() == [new]
    assert (await archive.expired(utc(alerts.PEAK_MS + 1))).ids == ()


async def test_a_reader_and_a_writer_share_the_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'archive.db'}"
    async with Archive(url) as writer, Archive(url) as reader:
        for n in range(20):
            alert = alerts.provisional(peak_ms=alerts.PEAK_MS + n)
            await writer.store(alert)
            assert await reader.alert(alert.id) == alert


async def test_a_locked_file_is_away_not_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.archive.engine.WAIT_S", 0.05)
    path = tmp_path / "archive.db"
    async with Archive(f"sqlite:///{path}") as archive:
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(ArchiveError) as caught:
            await archive.store(alerts.provisional())
        assert caught.value.reason == "away"

        holder.execute("ROLLBACK")
        holder.close()
        assert await archive.store(alerts.provisional()) is Stored.NEW


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    path.write_bytes(b"not a database at all, but long enough to be looked at" * 100)

    with pytest.raises(ArchiveError) as caught:
        async with Archive(f"sqlite:///{path}"):
            pass
    assert caught.value.reason == "refused"


@pytest.mark.parametrize(
    "url", ["mysql://u:hunter2@h/db", "sqlite://", "sqlite:///:memory:", "not an address"]
)
def test_other_databases_are_refused_without_showing_the_password(url: str) -> None:
    with pytest.raises(ArchiveError) as caught:
        Archive(url)
    assert caught.value.reason == "refused"
    assert "hunter2" not in str(caught.value)


async def test_an_unreachable_server_is_away_and_its_password_stays_hidden() -> None:
    archive = Archive("postgresql://causeway:hunter2@127.0.0.1:1/alerts")
    try:
        with pytest.raises(ArchiveError) as caught:
            await archive.open()
    finally:
        await archive.close()
    assert caught.value.reason == "away"
    assert "hunter2" not in str(caught.value)
