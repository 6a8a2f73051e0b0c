"""What is kept of alerts: SQL tables, migrations, queries."""

from __future__ import annotations

from monitor.archive.repository import Archive, Expired, Stored, cursor_after

__all__ = ["Archive", "Expired", "Stored", "cursor_after"]
