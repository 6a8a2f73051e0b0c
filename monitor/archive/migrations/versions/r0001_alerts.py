"""Alerts and their revisions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.String(200), primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("stage", sa.String(16), nullable=False),
        sa.Column("site", sa.String(63), nullable=False),
        sa.Column("camera", sa.String(63), nullable=False),
        sa.Column("start_ms", sa.BigInteger, nullable=False),
        sa.Column("peak_ms", sa.BigInteger, nullable=False),
        sa.Column("severity", sa.SmallInteger, nullable=False),
        sa.Column("incident_type", sa.String(40), nullable=False),
        sa.Column("trigger_kind", sa.String(40), nullable=False),
        sa.Column("search", sa.Text, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
    )
    op.create_index("ix_alerts_start", "alerts", ["start_ms", "id"])
    op.create_index("ix_alerts_camera_start", "alerts", ["camera", "start_ms", "id"])
    op.create_index("ix_alerts_severity_start", "alerts", ["severity", "start_ms", "id"])
    op.create_index("ix_alerts_type_start", "alerts", ["incident_type", "start_ms", "id"])
    op.create_index("ix_alerts_stage_start", "alerts", ["stage", "start_ms", "id"])
    op.create_table(
        "revisions",
        sa.Column("alert_id", sa.String(200), primary_key=True),
        sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("stage", sa.String(16), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("revisions")
    op.drop_table("alerts")
