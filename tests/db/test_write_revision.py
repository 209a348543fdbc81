"""A migration is written from the difference of models and tables, with the next number."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import CheckConstraint, Column, Index, Integer, MetaData, Table, text

import db.models
from db import Database, DatabaseError, schema
from db.errors import MissingDatabase, SchemaTooOld
from db.maintenance.naming import misnamed, misnamed_files, slug_of
from db.maintenance.revision import write_revision
from db.models.columns import Table as ArenaTable
from tests.cli.commands import run_arena

NEXT = f"{int(schema.HEAD) + 1:04}"
SHRUNK = (
    "DROP INDEX ix_llm_calls_error_class",
    "ALTER TABLE leases DROP COLUMN told",
    "ALTER TABLE llm_calls DROP COLUMN request_sent_at",
    "ALTER TABLE game_turns DROP COLUMN lapse",
    "DROP TABLE annotation_tags",
)
"""What makes the tables older than the models."""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the migrations and of db/schema.py, where migrations are written."""
    root = tmp_path / "checkout"
    shutil.copytree(schema.migrations_path(), root / "migrations")
    (root / "db").mkdir()
    shutil.copyfile(schema.__file__, root / "db" / "schema.py")
    (root / "Makefile").touch()
    monkeypatch.setattr(schema, "__file__", str(root / "db" / "schema.py"))
    return root


@pytest.fixture
def behind(database_url: str) -> Iterator[Database]:
    """Tables that lack what the models say."""
    with Database(database_url) as database:
        with database.session() as session:
            for change in SHRUNK:
                session.execute(text(change))
        yield database


def written(root: Path) -> list[str]:
    return sorted(file.name for file in (root / "migrations" / "versions").glob(f"{NEXT}*"))


def test_what_the_models_have_beyond_the_tables_is_written_and_leads_there(
    behind: Database, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = write_revision(behind, "Leases tell,  and calls have times.")

    assert (made.revision, made.file.name) == (NEXT, f"{NEXT}_leases_tell_and_calls_have_times.py")
    assert written(checkout) == [made.file.name]
    assert misnamed_files(made.file.parent) == []
    assert f'\nHEAD = "{NEXT}"\n' in (checkout / "db" / "schema.py").read_text(encoding="utf-8")
    found = made.file.read_text(encoding="utf-8")
    assert found.startswith(f'"""Leases tell, and calls have times.\n\nRevision ID: {NEXT}\n"""\n')
    for says in (
        'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")',
        'sa.BigInteger().with_variant(sa.DateTime(timezone=True), "postgresql")',
        """sqlite_where=sa.text("error_class IS NOT NULL")""",
        """postgresql_where=sa.text("error_class IS NOT NULL")""",
        'create_check_constraint(\n            "ck_game_turns_lapse"',
        'sa.CheckConstraint("tag <> \'\'", name="ck_annotation_tags_tag")',
    ):
        assert says in found
    assert "sqlmodel" not in found
    assert "db.models" not in found

    monkeypatch.setattr(schema, "HEAD", NEXT)
    schema.upgrade(behind.engine)
    assert schema.differences(behind.engine) == []
    schema.downgrade(behind.engine, f"{int(NEXT) - 1:04}")
    assert "told" in "\n".join(schema.differences(behind.engine))


def test_where_models_and_tables_agree_nothing_is_written(sqlite_url: str, checkout: Path) -> None:
    with Database(sqlite_url) as database, pytest.raises(DatabaseError, match="agree: change db/m"):
        write_revision(database, "Nothing changes")
    assert written(checkout) == []


def test_a_database_that_is_not_of_the_newest_revision_is_refused(
    sqlite_url: str, checkout: Path, tmp_path: Path
) -> None:
    with Database(sqlite_url) as database:
        schema.downgrade(database.engine, f"{int(NEXT) - 2:04}")
        with pytest.raises(SchemaTooOld, match="arena db upgrade"):
            write_revision(database, "Games get a colour")
    with Database(tmp_path / "none.db") as none, pytest.raises(MissingDatabase):
        write_revision(none, "Games get a colour")
    assert written(checkout) == []
    assert not (tmp_path / "none.db").exists()


@pytest.mark.parametrize("message", ["", "...", "§", "x" * 101, 'Say """', "A \x1b[2J screen"])
def test_a_message_that_names_no_file_is_refused(
    message: str, sqlite_url: str, checkout: Path
) -> None:
    with Database(sqlite_url) as database, pytest.raises(DatabaseError, match="short sentence"):
        write_revision(database, message)
    assert written(checkout) == []


def test_a_name_that_is_taken_is_refused(sqlite_url: str, checkout: Path) -> None:
    with (
        Database(sqlite_url) as database,
        pytest.raises(DatabaseError, match=r"0014_positions\.py"),
    ):
        write_revision(database, "Positions")


def test_an_installed_package_is_no_place_for_migrations(
    sqlite_url: str, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (checkout / "Makefile").unlink()
    with Database(sqlite_url) as database, pytest.raises(DatabaseError, match="installed package"):
        write_revision(database, "Games get a colour")


def test_migrations_that_break_the_rules_are_mended_first(
    sqlite_url: str, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = checkout / "migrations" / "versions"
    (versions / "0009_lists_of_games.py").rename(versions / "0009-Lists.py")
    with (
        Database(sqlite_url) as database,
        pytest.raises(DatabaseError, match=r"0009-Lists\.py must"),
    ):
        write_revision(database, "Games get a colour")
    (versions / "0009-Lists.py").rename(versions / "0009_lists_of_games.py")
    monkeypatch.setattr(schema, "HEAD", "0021")
    with Database(sqlite_url) as database, pytest.raises(DatabaseError, match="HEAD in db/schema"):
        write_revision(database, "Games get a colour")


def test_the_command_says_what_was_found(behind: Database, checkout: Path) -> None:
    url = behind.url.render_as_string(hide_password=False)

    done = run_arena("db", "revision", "Leases tell", "--db", url)

    assert done.exit_code == 0, done.stderr
    assert "add_column leases told" in done.stdout
    assert f"{NEXT}_leases_tell.py" in done.stdout.replace("\n", "")
    assert f"HEAD in db/schema.py is {NEXT} now" in done.stderr
    refused = run_arena("db", "revision", "!", "--db", url)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "short sentence" in refused.stderr


def test_all_names_keep_the_rules() -> None:
    assert db.models is not None
    assert misnamed(ArenaTable.metadata) == []
    assert misnamed_files(schema.migrations_path() / "versions") == []


def test_a_name_that_breaks_a_rule_is_named() -> None:
    tables = MetaData()
    Table(
        "cups",
        tables,
        Column("id", Integer, primary_key=True),
        Column("Size", Integer),
        CheckConstraint("id > 0", name="positive"),
        Index("ix_cup_size", "Size"),
        Index("ix_cups_" + "x" * 60, "id"),
    )

    assert misnamed(tables) == [
        "cups: Size must be of lower-case letters, digits and underscores",
        "cups: positive must be named ck_cups_...",
        "cups: ix_cup_size must be named ix_cups_...",
        f"cups: ix_cups_{'x' * 60} has 68 characters, and at most 63 are kept",
        "cups: a constraint without a name must be named pk_cups",
    ]


def test_a_migration_that_breaks_a_rule_is_named(tmp_path: Path) -> None:
    head = 'revision: str = "{0}"\ndown_revision: str | None = {1}\n'
    for name, said in {
        "0001_first.py": f'"""Tables.\n\nRevision ID: 0001\n"""\n\n{head.format("0001", "None")}',
        "0002_Second.py": "",
        "0003_third.py": f'"""Tables"""\n\n{head.format("0003", chr(34) + "0001" + chr(34))}',
        "0005_fifth.py": "",
    }.items():
        (tmp_path / name).write_text(said)

    assert misnamed_files(tmp_path) == [
        "0002_Second.py must be named 0002_what_changes.py",
        '0003_third.py must say revision "0003" and down_revision "0002"',
        "0003_third.py must begin with a sentence that says what changes, an empty line, "
        "and `Revision ID: 0003`",
        "0005_fifth.py must be named 0004_what_changes.py",
    ]


def test_a_file_is_named_by_whole_words() -> None:
    assert slug_of("Games get a colour") == "games_get_a_colour"
    assert slug_of("  Who's first?  ") == "who_s_first"
    assert slug_of("word " * 20) == "_".join(["word"] * 8)
