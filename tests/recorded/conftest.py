"""The record of an earlier release: as it was, and upgraded, on both databases."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, func, insert, select, text

from db import get_engine
from db.models.columns import Table
from tests.cli.commands import run_arena

HERE = Path(__file__).parent


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """The file as it was recorded."""
    file = tmp_path / "recorded.db"
    file.write_bytes(gzip.decompress((HERE / "arena.db.gz").read_bytes()))
    return file


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file with the tables of this release, to be copied."""
    file = tmp_path_factory.mktemp("recorded") / "recorded.db"
    file.write_bytes(gzip.decompress((HERE / "arena.db.gz").read_bytes()))
    result = run_arena("db", "upgrade", "--db", file)
    assert result.exit_code == 0, result.stderr
    return file


@pytest.fixture(params=["sqlite", "postgresql"])
def kept(request: pytest.FixtureRequest, upgraded: Path, tmp_path: Path) -> str:
    """The upgraded record, on SQLite and, copied row for row, on PostgreSQL."""
    if request.param == "sqlite":
        shutil.copyfile(upgraded, tmp_path / "arena.db")
        return f"sqlite:///{tmp_path / 'arena.db'}"
    url = str(request.getfixturevalue("postgresql_url"))
    source, target = get_engine(upgraded), get_engine(url)
    copy(source, target)
    source.dispose()
    target.dispose()
    return url


def copy(source: Engine, target: Engine) -> None:
    """Every row of every table, keys included."""
    with source.connect() as reads, target.begin() as writes:
        # What the migrations themselves bring is what the file holds as well.
        writes.execute(delete(Table.metadata.tables["event_types"]))
        # What triggers write is copied like all else.
        writes.execute(text("SET LOCAL session_replication_role = replica"))
        for table in Table.metadata.sorted_tables:
            found = reads.execute(select(table).order_by(*table.primary_key.columns))
            if values := [dict(row._mapping) for row in found]:
                writes.execute(insert(table), values)
            key = table.autoincrement_column
            if key is not None:
                last = select(func.coalesce(func.max(key), 1)).scalar_subquery()
                writes.execute(
                    select(func.setval(func.pg_get_serial_sequence(table.name, key.name), last))
                )
