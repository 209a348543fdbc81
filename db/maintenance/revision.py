"""Writes the next migration of a checkout: from what the models say and the tables do not."""

from __future__ import annotations

import re
import subprocess
import sys
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path

from db import schema
from db.database import Database
from db.errors import DatabaseError
from db.maintenance.naming import misnamed, misnamed_files, slug_of
from db.urls import shown

_LONGEST = 100  # characters of a message


@dataclass(frozen=True, slots=True)
class WrittenRevision:
    """A new migration: its number and file, and the differences that it was written from."""

    revision: str
    file: Path
    differences: tuple[str, ...]


def write_revision(database: Database, message: str) -> WrittenRevision:
    """Write `NNNN_slug.py`, which takes the tables of the newest revision to those of the models,
    and set HEAD in db/schema.py; the database itself stays as it is.

    Raises DatabaseError outside of a checkout, for a message that names no file, for names that
    break the rules, for a database that is not of the newest revision, and where models and tables
    agree.
    """
    message = " ".join(message.split()).rstrip(".")
    slug = slug_of(message)
    if not slug or len(message) > _LONGEST or not message.isprintable() or '"""' in message:
        raise DatabaseError(
            f"no migration can be named for {message[:40]!r}: expected a short sentence that says "
            'what changes, like "Games get a colour"'
        )
    folder, number = _checkout(), f"{int(schema.HEAD) + 1:04}"
    same = [file.name for file in folder.glob(f"[0-9]*_{slug}.py")]
    if same:
        raise DatabaseError(f"{same[0]} has that name already: say what else changes")
    found = _differences(database)
    _write(database, message, number, slug)
    _set_head(number)
    return WrittenRevision(number, folder / f"{number}_{slug}.py", tuple(found))


def _checkout() -> Path:
    """The folder of the migrations.

    Raises DatabaseError unless it is that of a checkout whose migrations keep the rules.
    """
    folder = schema.migrations_path() / "versions"
    if schema.migrations_path() != _root() / "migrations" or not (_root() / "Makefile").is_file():
        raise DatabaseError(
            f"the migrations in {folder} belong to an installed package: type `arena db revision` "
            "where `db` comes from a checkout of the arena (`pip install --editable .`)"
        )
    wrong = misnamed_files(folder)
    newest = max((file.name[:4] for file in folder.glob("[0-9]*.py")), default=None)
    if newest != schema.HEAD:
        wrong.append(f"HEAD in db/schema.py is {schema.HEAD}, and the newest migration {newest}")
    if wrong:
        raise DatabaseError("the migrations break the rules of their names: " + "; ".join(wrong))
    return folder


def _root() -> Path:
    return Path(schema.__file__).resolve().parents[1]


def _differences(database: Database) -> list[str]:
    import db.models
    from db.models.columns import Table

    assert db.models is not None
    schema.check_schema(database.engine, create=False)
    found = schema.differences(database.engine)
    if not found:
        raise DatabaseError(
            f"the models and the tables of {shown(database.url)} agree: change db/models/ first"
        )
    wrong = misnamed(Table.metadata)
    if wrong:
        raise DatabaseError("the models break the rules of names: " + "; ".join(wrong))
    return found


def _write(database: Database, message: str, number: str, slug: str) -> None:
    from alembic import command

    with schema.migrating(database.engine) as configuration:
        configuration.cmd_opts = Namespace(quiet=True)
        configuration.set_main_option("file_template", f"{number}_{slug}")
        command.revision(configuration, message, autogenerate=True, rev_id=number)
    file = schema.migrations_path() / "versions" / f"{number}_{slug}.py"
    # Alembic's own remarks, and what goes without saying.
    text = re.sub(r"\n*    # ### .*", "", file.read_text(encoding="utf-8"))
    text = re.sub(r"(def \w+\(\) -> None:)\n+", r"\1\n", text.replace(", schema=None", ""))
    file.write_text(text, encoding="utf-8")
    for what in (("check", "--fix-only"), ("format",)):
        command_line = [sys.executable, "-m", "ruff", *what, "--quiet", str(file)]
        subprocess.run(command_line, check=False)  # noqa: S603


def _set_head(number: str) -> None:
    file = _root() / "db" / "schema.py"
    text = file.read_text(encoding="utf-8")
    file.write_text(
        re.sub(r'^HEAD = "\d+"$', f'HEAD = "{number}"', text, count=1, flags=re.MULTILINE),
        encoding="utf-8",
    )
