"""SQLite changes a table by copying it: what the copy must not lose."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from db import get_engine, schema
from tests.db.grown import made_of, triggers

LATER = """
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{head}"


def upgrade() -> None:
    with op.batch_alter_table("{table}", recreate="always") as batch:
        batch.add_column(sa.Column("colour", sa.Text))
    {after}


def downgrade() -> None:
    op.execute("ALTER TABLE {table} DROP COLUMN colour")
"""


def later(
    folder: Path, patch: pytest.MonkeyPatch, table: str, before: str = "pass", after: str = "pass"
) -> None:
    """A release whose migration copies a table."""
    shutil.copytree(schema.migrations_path(), folder / "later")
    text = LATER.format(head=schema.HEAD, table=table, after=after)
    text = text.replace("def upgrade() -> None:\n", f"def upgrade() -> None:\n    {before}\n")
    (folder / "later" / "versions" / "9999_later.py").write_text(text)
    patch.setattr(schema, "migrations_path", lambda: folder / "later")
    patch.setattr(schema, "HEAD", "9999")


def test_a_copy_keeps_keys_constraints_and_indexes(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = get_engine(sqlite_url)
    with engine.connect() as connection:
        before = made_of(connection)
    later(tmp_path, monkeypatch, "game_players")

    schema.upgrade(engine)

    with engine.connect() as connection:
        after = made_of(connection)
    assert after.pop("game_players.colour") == ("TEXT", True, None)
    assert after == before
    engine.dispose()


def test_a_copy_that_loses_a_trigger_is_refused_and_changes_nothing(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = get_engine(sqlite_url)
    with engine.connect() as connection:
        before, head = made_of(connection), schema.HEAD
    later(tmp_path, monkeypatch, "prompts")

    with pytest.raises(RuntimeError, match="loses the triggers prompts_immutable of prompts"):
        schema.upgrade(engine)

    assert schema.current(engine) == head
    with engine.connect() as connection:
        assert made_of(connection) == before
    engine.dispose()


def test_a_trigger_is_made_again_or_dropped_on_purpose(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = get_engine(sqlite_url)
    with engine.connect() as connection:
        known = triggers(connection)
        (made,) = connection.exec_driver_sql(
            "SELECT sql FROM sqlite_master WHERE name = 'prompts_immutable'"
        ).scalars()
    head = schema.HEAD
    with monkeypatch.context() as patch:
        later(tmp_path / "again", patch, "prompts", after=f"op.execute({made!r})")
        schema.upgrade(engine)
        with engine.connect() as connection:
            assert triggers(connection) == known
        schema.downgrade(engine, head)

    later(
        tmp_path / "meant", monkeypatch, "prompts", 'op.execute("DROP TRIGGER prompts_immutable")'
    )
    schema.upgrade(engine)

    with engine.connect() as connection:
        assert known.keys() - triggers(connection).keys() == {"prompts prompts_immutable"}
    engine.dispose()
