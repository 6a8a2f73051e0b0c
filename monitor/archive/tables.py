"""The archive's tables, as the newest migration leaves them (a test holds the two together).

``alerts`` has one row per incident with its highest revision, and the columns one asks by;
``revisions`` keeps every revision's JSON as it was published. Columns that are only asked by
are copies: the JSON in ``payload`` is the truth.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
)

metadata = MetaData()

alerts = Table(
    "alerts",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("stage", String(16), nullable=False),
    Column("site", String(63), nullable=False),
    Column("camera", String(63), nullable=False),
    Column("start_ms", BigInteger, nullable=False),
    Column("peak_ms", BigInteger, nullable=False),
    Column("severity", SmallInteger, nullable=False),  # 0 low .. 3 critical, so that it compares
    Column("incident_type", String(40), nullable=False),  # "" while nobody has said
    Column("trigger_kind", String(40), nullable=False),
    Column("search", Text, nullable=False),  # what a person may look for, case-folded
    Column("payload", Text, nullable=False),
    Index("ix_alerts_start", "start_ms", "id"),
    Index("ix_alerts_camera_start", "camera", "start_ms", "id"),
    Index("ix_alerts_severity_start", "severity", "start_ms", "id"),
    Index("ix_alerts_type_start", "incident_type", "start_ms", "id"),
    Index("ix_alerts_stage_start", "stage", "start_ms", "id"),
)

revisions = Table(
    "revisions",
    metadata,
    Column("alert_id", String(200), primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("stage", String(16), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("payload", Text, nullable=False),
)
