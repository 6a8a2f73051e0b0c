"""Alembic's entry: runs on the connection that monitor.archive.migrate hands in, no other."""

from __future__ import annotations

from alembic import context

from monitor.archive.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    transaction_per_migration=False,
    render_as_batch=connection.dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
