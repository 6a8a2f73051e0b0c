"""Migrations: they make the tables the code uses, once, whoever starts first."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from monitor.archive import Archive, migrations
from monitor.archive.tables import metadata
from monitor.errors import ArchiveError
from tests import alerts


async def test_the_migrations_make_the_tables_that_the_code_uses(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    async with Archive(f"sqlite:///{path}"):
        pass

    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        difference = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()
    assert difference == []


async def test_a_database_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    async with Archive(f"sqlite:///{path}"):
        pass
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(ArchiveError, match="newer than this version") as caught:
        async with Archive(f"sqlite:///{path}"):
            pass
    assert caught.value.reason == "refused"
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "9999"
    engine.dispose()


async def test_a_migration_that_fails_leaves_the_database_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts = tmp_path / "migrations"
    shutil.copytree(Path(migrations.__file__).parent, scripts)
    (scripts / "versions" / "r9999_half.py").write_text(
        "from alembic import op\n"
        "import sqlalchemy as sa\n"
        "revision, down_revision = '9999', '0001'\n"
        "def upgrade():\n"
        "    op.create_table('half', sa.Column('id', sa.Integer))\n"
        "    op.execute('SELECT * FROM nowhere')\n"
    )
    path = tmp_path / "archive.db"
    async with Archive(f"sqlite:///{path}") as archive:
        await archive.store(alerts.provisional())

    with monkeypatch.context() as patch:
        patch.setattr("monitor.archive.migrate._SCRIPTS", scripts)
        with pytest.raises(ArchiveError):
            async with Archive(f"sqlite:///{path}"):
                pass

    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "0001"
    engine.dispose()
    async with Archive(f"sqlite:///{path}") as archive:
        assert await archive.count() == 1
