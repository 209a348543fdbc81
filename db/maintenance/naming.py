"""The naming rules of tables, constraints, indexes and migrations, and what breaks them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, MetaData, UniqueConstraint
from sqlalchemy import Table as SQLTable

LONGEST = 63
"""Characters of a name; PostgreSQL cuts what is longer."""

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_FILE = re.compile(r"(\d{4})_([a-z0-9]+(?:_[a-z0-9]+)*)\.py")
_PREFIXES = {CheckConstraint: "ck", ForeignKeyConstraint: "fk", UniqueConstraint: "uq"}


def misnamed(metadata: MetaData) -> list[str]:
    """A sentence for each table, column, constraint or index that breaks a rule.

    Names are lower case, with underscores, of at most 63 characters; those of constraints and
    indexes begin with what they are and their table: `pk_games`, `fk_games_tournament_id`,
    `ck_games_status`, `uq_games_fold_index`, `ix_games_status`.
    """
    return [found for table in metadata.sorted_tables for found in _of_table(table)]


def _of_table(table: SQLTable) -> Iterator[str]:
    for word in (table.name, *table.columns.keys()):
        yield from _plain(table.name, word)
    named: list[tuple[str, object]] = [("pk", table.primary_key.name)]
    for kind, prefix in _PREFIXES.items():
        named += [(prefix, item.name) for item in table.constraints if isinstance(item, kind)]
    # An index that keeps rows apart is a constraint, over some of the rows.
    named += [("uq|ix" if index.unique else "ix", index.name) for index in table.indexes]
    for prefix, name in sorted(named, key=str):
        begins = rf"(?:{prefix})_{table.name}" + ("" if prefix == "pk" else r"_\w+")
        if name is None or not re.fullmatch(begins, str(name)):
            wanted = f"{prefix.partition('|')[0]}_{table.name}" + ("" if prefix == "pk" else "_...")
            yield f"{table.name}: {name or 'a constraint without a name'} must be named {wanted}"
        else:
            yield from _plain(table.name, str(name))


def _plain(table: str, name: str) -> Iterator[str]:
    if not _NAME.fullmatch(name):
        yield f"{table}: {name} must be of lower-case letters, digits and underscores"
    if len(name) > LONGEST:
        yield f"{table}: {name} has {len(name)} characters, and at most {LONGEST} are kept"


def misnamed_files(folder: Path) -> list[str]:
    """A sentence for each migration in a folder that breaks a rule.

    A file is named by its number and what changes in it (`0007_branch_runs.py`); numbers follow on
    each other from 0001, and each revision is its file's number and follows the one before. The
    docstring says in a sentence what changes, and repeats the number.
    """
    found = []
    files = sorted(folder.glob("*.py"))
    for place, file in enumerate(files, 1):
        number = f"{place:04}"
        match = _FILE.fullmatch(file.name)
        if match is None or match[1] != number:
            found.append(f"{file.name} must be named {number}_what_changes.py")
            continue
        text = file.read_text(encoding="utf-8")
        before = "None" if place == 1 else f'"{place - 1:04}"'
        if f'\nrevision: str = "{number}"\ndown_revision: str | None = {before}\n' not in text:
            found.append(f'{file.name} must say revision "{number}" and down_revision {before}')
        sentence, _, rest = text.removeprefix('"""').partition("\n\n")
        if not sentence.endswith(".") or not rest.startswith(f'Revision ID: {number}\n"""\n'):
            found.append(
                f"{file.name} must begin with a sentence that says what changes, an empty line, "
                f"and `Revision ID: {number}`"
            )
    return found


def slug_of(message: str) -> str:
    """What a file is named for a message: `Games get a colour` is `games_get_a_colour`."""
    words = re.sub(r"[^a-z0-9]+", " ", message.lower()).split()
    slug = ""
    for word in words:
        if slug and len(slug) + len(word) + 1 > 40:
            break
        slug = f"{slug}_{word}" if slug else word
    return slug
