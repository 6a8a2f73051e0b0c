"""The archive: every alert that was published, its revisions, and questions about them.

Written by publish, read by the dashboard and its API. Writing twice is harmless: (id, revision)
names a revision, and an older one never replaces a newer.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import TracebackType
from typing import Any, Self

from pydantic import ValidationError
from sqlalchemy import Select, and_, delete, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.archive.engine import open_engine, translated
from monitor.archive.migrate import migrate
from monitor.archive.tables import alerts, revisions
from monitor.clock import wall_ms_of
from monitor.domain import Alert, IncidentType, Severity, Stage
from monitor.errors import ArchiveError
from monitor.wire import from_json, to_json

_RANKS = {severity: rank for rank, severity in enumerate(Severity)}
_MOST_PER_PAGE = 1000


class Stored(StrEnum):
    """What became of an alert that was handed to the archive."""

    NEW = "new"  # it is the newest of its incident now
    REPEAT = "repeat"  # the same revision was there
    SUPERSEDED = "superseded"  # a newer revision was there; this one is kept beside it


@dataclass(frozen=True, slots=True)
class Expired:
    """What has outlived its time."""

    ids: tuple[str, ...]
    media: tuple[str, ...]  # paths below the media folder that these alerts name


class Archive:
    """An archive at a SQLAlchemy address; ``async with``, or ``open()`` and ``close()``.

    Every method raises ``ArchiveError`` when the database is away or refuses.
    """

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url)
        insert = sqlite.insert if self._engine.dialect.name == "sqlite" else postgresql.insert
        self._insert: Any = insert

    async def open(self) -> None:
        """Connect and bring the tables up to date; may be called again after it failed."""
        async with translated(self._engine):
            await migrate(self._engine)

    async def close(self) -> None:
        """Let go of every connection."""
        await self._engine.dispose()

    async def __aenter__(self) -> Self:
        try:
            await self.open()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def store(self, alert: Alert) -> Stored:
        """Keep this revision, and make it the alert's latest unless a newer one is there."""
        payload = to_json(alert).decode()
        kept = self._insert(revisions).values(
            alert_id=alert.id,
            revision=alert.revision,
            stage=alert.stage.value,
            created_ms=wall_ms_of(alert.created),
            payload=payload,
        )
        latest = self._insert(alerts).values(**_columns(alert), payload=payload)
        latest = latest.on_conflict_do_update(
            index_elements=[alerts.c.id],
            set_={column.name: latest.excluded[column.name] for column in alerts.c},
            where=alerts.c.revision < latest.excluded.revision,
        )
        # RETURNING, since a row count means another thing to each driver.
        kept = kept.on_conflict_do_nothing().returning(revisions.c.revision)
        latest = latest.returning(alerts.c.revision)
        async with translated(self._engine), self._engine.begin() as connection:
            added = await connection.scalar(kept)
            if await connection.scalar(latest) is not None:
                return Stored.NEW
            if added is not None:
                return Stored.SUPERSEDED
            newest = await connection.scalar(
                select(alerts.c.revision).where(alerts.c.id == alert.id)
            )
            return Stored.REPEAT if newest == alert.revision else Stored.SUPERSEDED

    async def upsert(self, alert: Alert) -> bool:
        """Like :meth:`store`; whether it is the newest of its incident now and was not before."""
        return await self.store(alert) is Stored.NEW

    async def alert(self, alert_id: str) -> Alert | None:
        """The latest revision, or None."""
        found = await self._payloads(select(alerts.c.payload).where(alerts.c.id == alert_id))
        return _read(found[0]) if found else None

    async def revisions(self, alert_id: str) -> list[Alert]:
        """Every revision of one alert, the oldest first."""
        query = (
            select(revisions.c.payload)
            .where(revisions.c.alert_id == alert_id)
            .order_by(revisions.c.revision)
        )
        return [_read(payload) for payload in await self._payloads(query)]

    async def alerts(
        self,
        *,
        camera: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        min_severity: Severity | None = None,
        incident_type: IncidentType | None = None,
        stage: Stage | None = None,
        text: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> list[Alert]:
        """Latest revisions by start, the newest first; ``since <= start < until``.

        ``text``: every word of it occurs in the id, the reason, the cause, an antecedent or the
        chain, whatever its case. ``cursor``: :func:`cursor_after` of the last alert of the page
        before; pages neither repeat nor skip while alerts come in. ``ValueError`` for a cursor
        that is none.
        """
        query = select(alerts.c.payload)
        if camera is not None:
            query = query.where(alerts.c.camera == camera)
        if since is not None:
            query = query.where(alerts.c.start_ms >= wall_ms_of(since))
        if until is not None:
            query = query.where(alerts.c.start_ms < wall_ms_of(until))
        if min_severity is not None:
            query = query.where(alerts.c.severity >= _RANKS[min_severity])
        if incident_type is not None:
            query = query.where(alerts.c.incident_type == incident_type.value)
        if stage is not None:
            query = query.where(alerts.c.stage == stage.value)
        for word in (text or "").replace("\0", "").casefold().split():
            query = query.where(alerts.c.search.contains(word, autoescape=True))
        if cursor is not None:
            start_ms, alert_id = _position(cursor)
            query = query.where(
                or_(
                    alerts.c.start_ms < start_ms,
                    and_(alerts.c.start_ms == start_ms, alerts.c.id < alert_id),
                )
            )
        query = query.order_by(alerts.c.start_ms.desc(), alerts.c.id.desc())
        query = query.limit(max(1, min(limit, _MOST_PER_PAGE)))
        return [_read(payload) for payload in await self._payloads(query)]

    async def count(self) -> int:
        """How many alerts are kept."""
        async with translated(self._engine), self._engine.connect() as connection:
            return int(await connection.scalar(select(func.count()).select_from(alerts)) or 0)

    async def expired(self, moment: datetime, limit: int = 200) -> Expired:
        """At most ``limit`` alerts that started before, the oldest first, and their files.

        Delete the files, then :meth:`remove` the ids: a crash in between leaves no file behind
        that nothing names.
        """
        oldest = (
            select(alerts.c.id)
            .where(alerts.c.start_ms < wall_ms_of(moment))
            .order_by(alerts.c.start_ms, alerts.c.id)
            .limit(max(1, min(limit, _MOST_PER_PAGE)))
        )
        async with translated(self._engine), self._engine.connect() as connection:
            ids = tuple((await connection.scalars(oldest)).all())
            return Expired(ids, await _media(connection, ids))

    async def remove(self, ids: Sequence[str]) -> None:
        """Forget alerts and all their revisions; unknown ids are none of its business."""
        async with translated(self._engine), self._engine.begin() as connection:
            await connection.execute(delete(revisions).where(revisions.c.alert_id.in_(ids)))
            await connection.execute(delete(alerts).where(alerts.c.id.in_(ids)))

    async def _payloads(self, query: Select[Any]) -> Sequence[str]:
        async with translated(self._engine), self._engine.connect() as connection:
            return (await connection.scalars(query)).all()


def cursor_after(alert: Alert) -> str:
    """Where the page after this alert begins; opaque, safe in an address."""
    raw = f"{wall_ms_of(alert.start)} {alert.id}".encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _position(cursor: str) -> tuple[int, str]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        start_ms, alert_id = base64.urlsafe_b64decode(padded.encode()).decode().split(" ", 1)
        return int(start_ms), alert_id
    except (ValueError, binascii.Error) as error:
        raise ValueError("not a cursor of this archive") from error


def _columns(alert: Alert) -> dict[str, Any]:
    return {
        "id": alert.id,
        "revision": alert.revision,
        "stage": alert.stage.value,
        "site": alert.site,
        "camera": alert.camera,
        "start_ms": wall_ms_of(alert.start),
        "peak_ms": wall_ms_of(alert.peak),
        "severity": _RANKS[alert.severity],
        "incident_type": "" if alert.answer is None else alert.answer.incident_type.value,
        "trigger_kind": alert.trigger.kind.value,
        "search": _search_text(alert),
    }


def _search_text(alert: Alert) -> str:
    parts = [alert.id, alert.trigger.kind.value, alert.trigger.reason]
    if alert.answer is not None:
        answer = alert.answer
        parts += [answer.incident_type.value, answer.root_cause]
        parts += [part for event in answer.antecedents for part in (event.actor, event.text)]
        chain = answer.chain
        parts += [chain.environment, chain.direct_trigger, chain.systemic_weakness]
        parts += answer.rules
    return "\n".join(parts).replace("\0", "").casefold()  # PostgreSQL's text holds no NUL


def _read(payload: str) -> Alert:
    try:
        return from_json(Alert, payload)
    except ValidationError as error:
        raise ArchiveError("An alert in the archive has another shape.", "refused") from error


async def _media(connection: AsyncConnection, ids: Sequence[str]) -> tuple[str, ...]:
    query = select(revisions.c.payload).where(revisions.c.alert_id.in_(ids))
    paths: set[str] = set()
    for payload in (await connection.scalars(query)).all():
        media = json.loads(payload).get("media") or {}
        paths.update(path for path in (media.get("clip"), media.get("snapshot")) if path)
        paths.update(media.get("frames") or ())
    return tuple(sorted(paths))
