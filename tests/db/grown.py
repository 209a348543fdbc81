"""Rows for every table of a database, of whatever revision: made from what the tables say of
themselves, so that those of a new revision are filled like the others."""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from db.models.columns import EPOCH, aware, microseconds

NOON = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
TRIES = 2_000
"""Of a row that constraints refuse."""

Row = Mapping[str, Any]


class Unfillable(AssertionError):
    """No row was found that the constraints of a table take."""


def reflected(connection: sa.Connection) -> sa.MetaData:
    """The tables of the database, without Alembic's own."""
    tables = sa.MetaData()
    tables.reflect(connection, only=lambda name, _: name != "alembic_version")
    for table in tables.tables.values():
        for column in table.columns:
            if isinstance(column.type, sa.JSON):
                column.type.none_as_null = True
    return tables


def grow(connection: sa.Connection, *, per_table: int = 2) -> None:
    """Add rows to every table, parents before children: of each two, one has a value in every
    column, and one has none wherever none is allowed.

    Raises Unfillable for a table whose constraints refuse all that was tried.
    """
    tables = reflected(connection)
    for table in tables.sorted_tables:
        already = connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
        for place in range(per_table):
            _add(connection, table, already + place, place)


def _add(connection: sa.Connection, table: sa.Table, number: int, place: int) -> None:
    refused: Exception | None = None
    for row in itertools.islice(candidates(connection, table, number, place), TRIES):
        try:
            with connection.begin_nested():
                connection.execute(table.insert(), row)
                return
        except DBAPIError as error:
            refused = error
    raise Unfillable(f"{table.name}: no row was found that its constraints take: {refused}")


def candidates(
    connection: sa.Connection, table: sa.Table, number: int, place: int, instead: Row | None = None
) -> Iterator[dict[str, Any]]:
    """Rows to try, the likeliest first: rows with the same place in one round name parents with
    that place, which no other row names yet. `instead` are values that are given."""
    sparse = place % 2 == 1
    checks = [_bare(str(check.sqltext)) for check in checks_of(table)]
    computed = computed_of(table)
    parents = [
        (names, [*rows[place:], *rows[:place]])
        for names, rows in _parents(connection, table, sparse=sparse)
    ]
    named = {name for parent in parents for name in parent[0]}
    free = [
        column
        for column in table.columns
        if column.name not in named and column.name not in computed and not _made(column)
    ]
    pools = [
        [None]
        # Whoever holds a lease plays, and nobody may migrate meanwhile.
        if column.nullable and (sparse or column.name == "holder")
        else values_for(column, number, checks)
        for column in free
    ]
    first = tuple(pool[0] for pool in pools)
    of_parents = [rows for _, rows in parents]
    likely = ((picked, first) for picked in itertools.product(*of_parents))
    others = (
        (picked, values)
        for picked in itertools.product(*of_parents)
        for values in itertools.islice(itertools.product(*pools), TRIES // 4)
    )
    for picked, values in itertools.chain(itertools.islice(likely, TRIES // 4), others):
        row: dict[str, Any] = dict(zip((column.name for column in free), values, strict=True))
        for parent in picked:
            row.update(parent)
        row.update(instead or {})
        yield recomputed(connection, table, row)


def computed_of(table: sa.Table) -> dict[str, str]:
    """The columns that a check makes the sum of others, and that sum."""
    checks = [_bare(str(check.sqltext)) for check in checks_of(table)]
    found = [re.fullmatch(r"(\w+) = (.*[*+].*)", check, re.DOTALL) for check in checks]
    return {match[1]: match[2] for match in found if match}


def recomputed(connection: sa.Connection, table: sa.Table, row: Row) -> dict[str, Any]:
    """The row with what is computed from its other columns."""
    sums = computed_of(table)
    return dict(row) | {name: _result(connection, sum_of, row) for name, sum_of in sums.items()}


def checks_of(table: sa.Table) -> list[sa.CheckConstraint]:
    return sorted(
        (item for item in table.constraints if isinstance(item, sa.CheckConstraint)),
        key=lambda item: str(item.name),
    )


def _bare(condition: str) -> str:
    """A check without the brackets around all of it and the casts that PostgreSQL adds."""
    condition = re.sub(r"::[a-z ]+(\[\])?", "", condition)
    while condition.startswith("(") and condition.endswith(")") and _one_bracket(condition):
        condition = condition[1:-1]
    return condition


def _one_bracket(text: str) -> bool:
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return place == len(text) - 1
    return False


def _made(column: sa.Column[Any]) -> bool:
    """Whether the database gives the key itself."""
    table = column.table
    if not column.primary_key or len(table.primary_key.columns) > 1 or column.foreign_keys:
        return False
    if column.server_default is not None or column.identity is not None:
        return True
    return str(column.type) == "INTEGER" and column.autoincrement in (True, "auto")


def _parents(
    connection: sa.Connection, table: sa.Table, *, sparse: bool
) -> list[tuple[tuple[str, ...], list[dict[str, Any]]]]:
    """By each foreign key its columns, and the rows that they may name, the newest first."""
    found: list[tuple[tuple[str, ...], list[dict[str, Any]]]] = []
    taken: set[str] = set()
    by_width = sorted(
        table.foreign_key_constraints, key=lambda key: (-len(key.columns), str(key.name))
    )
    for key in by_width:
        names = tuple(column.name for column in key.columns)
        if taken.issuperset(names):
            continue
        taken.update(names)
        targets = [element.column for element in key.elements]
        nothing = dict.fromkeys(names)
        if sparse and all(column.nullable for column in key.columns):
            found.append((names, [nothing]))
            continue
        rows = connection.execute(sa.select(*targets).order_by(*(t.desc() for t in targets))).all()
        there = [dict(zip(names, row, strict=True)) for row in rows]
        # A table may name its own rows, of which there is none at first.
        if all(column.nullable for column in key.columns):
            there.append(nothing)
        found.append((names, there))
    return found


def values_for(column: sa.Column[Any], number: int, checks: list[str]) -> list[Any]:
    """Values of the type of the column, the likeliest first: for texts, numbers and the like those
    that its checks name, or are beside those."""
    kind = column.type
    mine = [check for check in checks if re.search(rf"\b{re.escape(column.name)}\b", check)]
    if isinstance(kind, sa.Boolean):
        return [number % 2 == 0, number % 2 == 1]
    if isinstance(kind, sa.DateTime):
        return [NOON + timedelta(seconds=number)]
    if isinstance(kind, sa.JSON):
        return [{"number": number, "text": "naïve ' \" \n"}]
    if isinstance(kind, sa.LargeBinary):
        return [b"\x00\xff" + str(number).encode()]
    if isinstance(kind, sa.Integer):
        if column.name.endswith("_at"):
            return [microseconds(NOON) + number]
        stated = {int(n) for check in mine for n in re.findall(r"-?\b\d+\b", check)}
        limits = [n for n in stated if n > 1]
        first = (number + 1) % min(limits) if limits else number + 1
        return [first, *sorted({n + by for n in stated for by in (0, 1, -1)}), 0]
    if isinstance(kind, sa.Float):
        return [number + 0.25, 0.5, 0.0, 1.0]
    if isinstance(kind, sa.Numeric):
        return [Decimal(number + 1)]
    stated_texts = [text for check in mine for text in re.findall(r"'((?:[^']|'')*)'", check)]
    chosen = [text for text in dict.fromkeys(stated_texts) if text]
    shift = number % len(chosen) if chosen else 0
    return [*chosen[shift:], *chosen[:shift], f"{column.name} {number}", "a" * 64]


def _result(connection: sa.Connection, sum_of: str, row: Row) -> int:
    text = re.sub(r"\b[a-z_]\w*\b", lambda match: f"CAST({row[match[0]]} AS BIGINT)", sum_of)
    return int(connection.execute(sa.text(f"SELECT {text}")).scalar_one())


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Every row of a database, by table and in the form that it has at every revision, and the
    tables themselves."""

    tables: sa.MetaData
    rows: dict[str, list[Row]]

    def columns(self, table: str) -> set[str]:
        found = self.tables.tables.get(table)
        return set() if found is None else set(found.columns.keys())

    def without(self, others: Snapshot) -> Snapshot:
        """These rows, except those that the others have too, in the columns that both know."""
        rows = {}
        for table, mine in self.rows.items():
            columns = sorted(self.columns(table) & others.columns(table))
            theirs = Counter(_said(row, columns) for row in others.rows.get(table, ()))
            rows[table] = [row for row in mine if not _taken(theirs, _said(row, columns))]
        return Snapshot(self.tables, rows)

    def of(self, other: Snapshot) -> Snapshot:
        """These rows, in the tables and columns that the other has too."""
        rows = {}
        for table in self.rows.keys() & other.rows.keys():
            known = other.columns(table)
            rows[table] = [
                {name: value for name, value in row.items() if name in known}
                for row in self.rows[table]
            ]
        return Snapshot(self.tables, rows)


def snapshot(connection: sa.Connection) -> Snapshot:
    tables = reflected(connection)
    return Snapshot(
        tables,
        {
            table.name: [
                {name: _plain(name, value) for name, value in row._mapping.items()}
                for row in connection.execute(sa.select(table))
            ]
            for table in tables.sorted_tables
        },
    )


def _plain(name: str, value: object) -> object:
    """SQLite's times are texts in old tables, and microseconds in new ones."""
    if isinstance(value, int) and not isinstance(value, bool) and name.endswith("_at"):
        # `stopped_at` is a place in the schedule, and small.
        return EPOCH + timedelta(microseconds=value) if value > 10**12 else value
    if isinstance(value, datetime):
        return aware(value)
    if isinstance(value, memoryview):
        return bytes(value)
    if isinstance(value, dict | list):
        return json.dumps(value, sort_keys=True)
    return value


def lost(
    connection: sa.Connection,
    before: Snapshot,
    after: Snapshot,
    moved: Collection[tuple[str, str]] = (),
) -> list[str]:
    """The rows of `before` that are not in `after`, in the columns that both know, although the
    tables of `after` would take them. A table that is dropped takes its rows with it; the `moved`
    columns (table, column) are not compared."""
    gone = []
    for table in sorted(before.rows.keys() & after.rows.keys()):
        known = after.columns(table)
        if before.rows[table]:
            known &= before.rows[table][0].keys()
        columns = sorted(name for name in known if (table, name) not in moved)
        left = Counter(_said(row, columns) for row in after.rows[table])
        gone += [
            f"{table}: {_said(row, columns)}"
            for row in before.rows[table]
            if not _taken(left, _said(row, columns))
            and _takes(connection, after.tables.tables[table], row, columns)
        ]
    return gone


def _taken(left: Counter[str], said: str) -> bool:
    left[said] -= 1
    return left[said] >= 0


def _said(row: Row, columns: list[str]) -> str:
    return ", ".join(f"{name}={row[name]!r}" for name in columns)


def _takes(connection: sa.Connection, table: sa.Table, row: Row, columns: list[str]) -> bool:
    """Whether a row has something wherever the table wants it, and passes its checks."""
    if any(row[name] is None and not table.c[name].nullable for name in columns):
        return False
    for check in checks_of(table):
        words = set(re.findall(r"\w+", str(check.sqltext)))
        values = [
            sa.literal(row[name], table.c[name].type).label(name)
            for name in columns
            if name in words
        ]
        if len(values) != len(words & set(table.columns.keys())):
            continue
        one = sa.select(*values).subquery("one")
        passed = connection.execute(sa.select(sa.text(str(check.sqltext))).select_from(one))
        # A check that says neither yes nor no lets a row pass.
        if passed.scalar_one() not in (None, True, 1):
            return False
    return True


def made_of(connection: sa.Connection) -> dict[str, object]:
    """What the tables are made of, however they came to be: columns, keys, constraints, indexes and
    triggers."""
    tables = reflected(connection)
    found: dict[str, object] = {}
    for table in tables.sorted_tables:
        for column in table.columns:
            default = getattr(column.server_default, "arg", None)
            found[f"{table.name}.{column.name}"] = (
                str(column.type),
                bool(column.nullable),
                None if default is None else str(default),
            )
        for constraint in table.constraints:
            found[f"{table.name} {constraint.name}"] = _constraint(constraint)
        for index in table.indexes:
            where = index.dialect_options[connection.dialect.name]["where"]
            found[f"{table.name} {index.name}"] = (
                [column.name for column in index.columns],
                bool(index.unique),
                None if where is None else str(where),
            )
    return found | triggers(connection)


def _constraint(constraint: sa.Constraint) -> tuple[object, ...]:
    kind = type(constraint).__name__
    if isinstance(constraint, sa.CheckConstraint):
        return kind, str(constraint.sqltext)
    if isinstance(constraint, sa.ForeignKeyConstraint):
        targets = [element.target_fullname for element in constraint.elements]
        return kind, constraint.column_keys, targets, constraint.ondelete
    assert isinstance(constraint, sa.PrimaryKeyConstraint | sa.UniqueConstraint)
    return kind, [column.name for column in constraint.columns]


_TRIGGERS = {
    "sqlite": "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT t.tgname, c.relname, pg_get_triggerdef(t.oid) || p.prosrc "
    "FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid "
    "WHERE NOT t.tgisinternal",
}


def triggers(connection: sa.Connection) -> dict[str, object]:
    """By name and table what each trigger of the database does."""
    return {
        f"{table} {name}": " ".join(str(sql).split())
        for name, table, sql in connection.execute(sa.text(_TRIGGERS[connection.dialect.name]))
    }
