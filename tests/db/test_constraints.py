"""What the models promise, tried on both databases by breaking it: every key, check, unique set,
column that may not be empty, and what becomes of the rows that point to a deleted one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from db import get_engine
from db.models.columns import Table
from tests.db.grown import (
    Row,
    Unfillable,
    candidates,
    checks_of,
    grow,
    recomputed,
    reflected,
    triggers,
    values_for,
)

pytestmark = pytest.mark.slow

TABLES = [table.name for table in Table.metadata.sorted_tables]
DANGLING = 987_654_321
_STATES = {
    "23001": "FOREIGN KEY",
    "23502": "NOT NULL",
    "23503": "FOREIGN KEY",
    "23505": "UNIQUE",
    "23514": "CHECK",
}


class Grown:
    """A database with rows in every table, in a transaction that is never committed."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        grow(connection)
        self.tables = reflected(connection).tables
        self.made = 1_000

    def refusal(self, statement: sa.Executable, row: Row | None = None) -> str:
        """Which kind of constraint refuses it, and what it names; nothing where it is done."""
        point = self.connection.begin_nested()
        try:
            self.connection.execute(statement, dict(row) if row is not None else None)
        except DBAPIError as error:
            return _said(error)
        else:
            return ""
        finally:
            point.rollback()

    def valid(self, table: str, instead: Row) -> dict[str, Any]:
        """A row that would be taken."""
        self.made += 1
        found, instead = self.tables[table], self.with_parents(table, instead)
        refused = ""
        for row in islice(candidates(self.connection, found, self.made, 0, instead), 2_000):
            refused = self.refusal(found.insert(), row)
            if not refused:
                return row
        raise Unfillable(f"{table}: {refused}")

    def insert(self, table: str, instead: Row) -> sa.Row[Any]:
        """A new row; what it came to be."""
        found = self.tables[table]
        row = self.valid(table, instead)
        return self.connection.execute(found.insert().returning(*found.columns), row).one()

    def refusal_of(self, table: str, row: Row, instead: Row) -> str:
        """What refuses a row that would be taken but for these values."""
        found = self.tables[table]
        return self.refusal(found.insert(), recomputed(self.connection, found, {**row, **instead}))

    def with_parents(self, table: str, instead: Row) -> Row:
        """The same values, and the keys of new rows for what else the table must point to."""
        made: dict[str, Any] = {}
        for key in self.tables[table].foreign_key_constraints:
            names = [column.name for column in key.columns]
            if instead.keys() & set(names) or all(column.nullable for column in key.columns):
                continue
            parent = self.insert(key.elements[0].column.table.name, {})
            made |= {
                name: getattr(parent, element.column.name)
                for name, element in zip(names, key.elements, strict=True)
            }
        return made | dict(instead)


def _said(error: DBAPIError) -> str:
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        match = re.match(r"(NOT NULL|FOREIGN KEY|UNIQUE|CHECK) constraint failed", str(error.orig))
        return str(error.orig) if match else f"another error: {error.orig}"
    diagnosis = error.orig.diag  # type: ignore[union-attr]
    named = diagnosis.constraint_name or f"{diagnosis.table_name}.{diagnosis.column_name}"
    return f"{_STATES.get(state, state)} constraint failed: {named}"


@pytest.fixture
def grown(database_url: str) -> Iterator[Grown]:
    engine = get_engine(database_url)
    with engine.connect() as connection:
        yield Grown(connection)
        connection.rollback()
    engine.dispose()


def unique_sets(table: sa.Table) -> Iterator[tuple[str, list[str], Row]]:
    """The name and columns of each, and what a row must not have to be in it."""
    for item in table.constraints:
        if isinstance(item, sa.UniqueConstraint | sa.PrimaryKeyConstraint):
            yield str(item.name), [column.name for column in item.columns], {}
    for index in table.indexes:
        if index.unique:
            empty = re.findall(r"(\w+) IS NULL", str(index.info.get("where", "")))
            yield str(index.name), [column.name for column in index.columns], dict.fromkeys(empty)


def foreign_keys() -> list[tuple[str, sa.ForeignKeyConstraint]]:
    return [
        (name, key)
        for name in TABLES
        for key in sorted(
            Table.metadata.tables[name].foreign_key_constraints, key=lambda key: str(key.name)
        )
    ]


def test_no_table_takes_what_its_constraints_refuse(grown: Grown) -> None:
    taken = []
    guarded = {each.partition(" ")[0] for each in triggers(grown.connection)}
    for name in TABLES:
        model, table = Table.metadata.tables[name], grown.tables[name]
        row = grown.valid(name, {})
        for column in model.columns:
            if column.nullable or (column.primary_key and len(model.primary_key.columns) == 1):
                # SQLite gives a row a key that has none.
                continue
            said = grown.refusal(table.insert(), row | {column.name: None})
            # A trigger may be the first to look.
            if said != f"NOT NULL constraint failed: {name}.{column.name}" and not (
                said and name in guarded
            ):
                taken.append(f"{name}.{column.name} takes NULL: {said}")
        for check in checks_of(model):
            if not any(_check(said) == check.name for said in broken(grown, table, row, check)):
                taken.append(f"{check.name} refuses nothing")
        for constraint, columns, empty in unique_sets(model):
            one = grown.insert(name, empty)._mapping
            again = {column: one[column] for column in columns}
            said = grown.refusal_of(name, grown.valid(name, empty), again)
            # A key that is computed from other columns is the same only where those are.
            copied = grown.refusal(table.insert(), dict(one))
            expected = {
                f"UNIQUE constraint failed: {constraint}",
                "UNIQUE constraint failed: " + ", ".join(f"{name}.{each}" for each in columns),
            }
            if said not in expected and not (constraint.startswith("pk_") and copied):
                taken.append(f"{constraint} takes the same twice: {said}")
    assert not taken, "\n".join(taken)


def broken(
    grown: Grown, table: sa.Table, row: dict[str, Any], check: sa.CheckConstraint
) -> Iterator[str]:
    """What is said of rows that differ from a good one in a column that the check is about."""
    words = set(re.findall(r"\w+", str(check.sqltext)))
    for column in table.columns:
        if column.name in words:
            numbers = [-1, -2, 0, 300, 70_000]
            tried = ["", "nonsense"] if isinstance(column.type, sa.String) else numbers
            stated = values_for(column, 7, [str(check.sqltext)])
            for value in [*tried, *([None] if column.nullable else []), *stated]:
                yield grown.refusal_of(table.name, row, {column.name: value})
                yield grown.refusal(table.insert(), row | {column.name: value})


def _check(said: str) -> str:
    return said.removeprefix("CHECK constraint failed: ")


def test_no_table_takes_a_row_that_points_nowhere(grown: Grown) -> None:
    taken = []
    for name, key in foreign_keys():
        dangling = {
            column.name: "nobody" if isinstance(column.type, sa.String) else DANGLING
            for column in key.columns
        }
        # A trigger may be the first to look, and has nothing against another row.
        said = [grown.refusal_of(name, grown.valid(name, {}), dangling) for _ in range(4)]
        if not {
            "FOREIGN KEY constraint failed",
            f"FOREIGN KEY constraint failed: {key.name}",
        } & set(said):
            taken.append(f"{key.name}: {said}")
    assert not taken, "\n".join(taken)


def test_what_points_to_a_deleted_row_goes_stays_or_forbids_it_as_declared(grown: Grown) -> None:
    wrong = []
    for name, key in foreign_keys():
        parent_table = key.elements[0].column.table.name
        names = [element.column.name for element in key.elements]
        parent = grown.insert(parent_table, {})
        pointing = {
            column.name: getattr(parent, target)
            for column, target in zip(key.columns, names, strict=True)
        }
        child = grown.insert(name, pointing)
        table, other = grown.tables[name], grown.tables[parent_table]
        this = sa.and_(*(column == getattr(parent, column.name) for column in other.primary_key))
        mine = sa.and_(*(column == getattr(child, column.name) for column in table.primary_key))
        point = grown.connection.begin_nested()
        said = grown.refusal(other.delete().where(this))
        if not said:
            grown.connection.execute(other.delete().where(this))
        left = grown.connection.execute(sa.select(table).where(mine)).one_or_none()
        point.rollback()
        if said:
            found = "RESTRICT" if said.startswith("FOREIGN KEY") else said
        elif left is None:
            found = "CASCADE"
        else:
            empty = all(getattr(left, column.name) is None for column in key.columns)
            found = "SET NULL" if empty else "nothing"
        if found != (key.ondelete or "RESTRICT"):
            wrong.append(f"{key.name}: declared {key.ondelete}, found {found}")
    assert not wrong, "\n".join(wrong)


def test_both_databases_have_the_same_triggers(sqlite_url: str, postgresql_url: str) -> None:
    found = []
    for url in (sqlite_url, postgresql_url):
        engine = get_engine(url)
        with engine.connect() as connection:
            found.append({each.partition(" ")[0] for each in triggers(connection)})
        engine.dispose()

    assert found[0] == found[1]
    assert "prompts" in found[0]
