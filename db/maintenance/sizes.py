"""How large a database is: tables and indexes, what a vacuum would free, what is archived."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from db.database import Database
from db.models.columns import Table
from db.transcripts.places import path_of

# Rows of a server's larger tables are as many as it last counted.
_COUNTED = 100_000
_SLOWEST = 10
_TOLD_BY_SERVER = "pg_stat_statements"


@dataclass(frozen=True, slots=True)
class IndexSize:
    """The bytes of an index."""

    name: str
    bytes: int


@dataclass(frozen=True, slots=True)
class TableSize:
    """A table: its rows, its own bytes, those of its indexes, and about how many bytes of both a
    vacuum would free. None is what cannot be told; `estimated` are rows as the server last counted
    them."""

    name: str
    rows: int
    estimated: bool
    bytes: int | None
    index_bytes: int | None
    free: int | None
    indexes: tuple[IndexSize, ...] = ()


@dataclass(frozen=True, slots=True)
class SlowQuery:
    """A statement by the time that it took since the server counts: milliseconds in all and for
    each of its calls."""

    query: str
    calls: int
    total_ms: float
    mean_ms: float


@dataclass(frozen=True, slots=True)
class DatabaseSizes:
    """A database: `bytes` of it as a whole, `free` those that a vacuum would free, `turn_bytes`
    bytes for each turn on record. `archived` games have their texts of `archived_bytes` in files of
    `file_bytes` together. `slow` is None where nothing tells; `notes` say what cannot be told, and
    what to do about it. Tables are the largest first."""

    bytes: int
    free: int
    turns: int
    turn_bytes: float | None
    archived: int
    archived_bytes: int
    file_bytes: int
    tables: tuple[TableSize, ...]
    slow: tuple[SlowQuery, ...] | None
    notes: tuple[str, ...]


def sizes(database: Database) -> DatabaseSizes:
    """What there is, as of now. Counts the rows of every table. Raises what opening the database
    raises."""
    with database.session(create=False) as session:
        connection = session.connection()
        notes: list[str] = []
        slow = None
        if connection.dialect.name == "sqlite":
            whole, free, tables = _of_file(connection, notes)
        else:
            whole, free, tables = _of_server(connection)
            slow = _slow(connection, notes)
        turns = int(connection.execute(text("SELECT COUNT(*) FROM game_turns")).scalar_one())
        query = "SELECT COUNT(*), COALESCE(SUM(text_bytes), 0) FROM archived_games"
        archived, archived_bytes = connection.execute(text(query)).one()
        files = connection.execute(text("SELECT DISTINCT file FROM archived_games")).scalars()
        file_bytes = _of_files(database, [*files], notes)
    return DatabaseSizes(
        whole,
        free,
        turns,
        whole / turns if turns else None,
        int(archived),
        int(archived_bytes),
        file_bytes,
        tuple(sorted(tables, key=_weight)),
        slow,
        tuple(notes),
    )


def _weight(table: TableSize) -> tuple[int, int, str]:
    return -(table.bytes or 0) - (table.index_bytes or 0), -table.rows, table.name


def _of_files(database: Database, files: list[str], notes: list[str]) -> int:
    size = 0
    for file in files:
        path = path_of(database.url, file)
        if path.is_file():
            size += path.stat().st_size
        else:
            notes.append(f"the transcripts in {path} are not there: put the file back from a copy")
    return size


def _of_file(connection: Connection, notes: list[str]) -> tuple[int, int, list[TableSize]]:
    def number(pragma: str) -> int:
        return int(connection.exec_driver_sql(f"PRAGMA {pragma}").scalar_one())

    page, pages, unused = (number(each) for each in ("page_size", "page_count", "freelist_count"))
    found: dict[str, int] | None
    try:
        found = {
            name: int(size)
            for name, size in connection.exec_driver_sql(
                "SELECT name, pgsize FROM dbstat WHERE aggregate = TRUE"
            )
        }
    except DBAPIError:
        found = None
        notes.append(
            "this build of SQLite cannot tell the sizes of tables (it has no dbstat): rows are "
            "counted all the same"
        )
    owners: dict[str, list[str]] = {}
    for index, table in connection.exec_driver_sql(
        "SELECT name, tbl_name FROM sqlite_master WHERE type = 'index' ORDER BY name"
    ):
        owners.setdefault(table, []).append(index)
    tables = []
    for name in _names():
        own = () if found is None else owners.get(name, [])
        indexes = tuple(IndexSize(index, (found or {}).get(index, 0)) for index in own)
        tables.append(
            TableSize(
                name,
                _count(connection, name),
                False,
                None if found is None else found.get(name, 0),
                None if found is None else sum(each.bytes for each in indexes),
                None,
                indexes,
            )
        )
    return page * pages, page * unused, tables


def _of_server(connection: Connection) -> tuple[int, int, list[TableSize]]:
    whole = connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
    query = text(
        "SELECT c.relname, c.reltuples, pg_table_size(c.oid), pg_indexes_size(c.oid), "
        "COALESCE(s.n_live_tup, 0), COALESCE(s.n_dead_tup, 0) FROM pg_class c "
        "JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema() "
        "LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid WHERE c.relkind = 'r'"
    )
    known: dict[str, Any] = {row[0]: row[1:] for row in connection.execute(query)}
    indexed: dict[str, list[IndexSize]] = {}
    for table, index, size in connection.execute(
        text(
            "SELECT t.relname, i.relname, pg_relation_size(i.oid) FROM pg_index x "
            "JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid "
            "JOIN pg_namespace n ON n.oid = t.relnamespace AND n.nspname = current_schema() "
            "ORDER BY i.relname"
        )
    ):
        indexed.setdefault(table, []).append(IndexSize(index, int(size)))
    tables = []
    for name in _names():
        counted, size, index_size, live, dead = known.get(name, (0, 0, 0, 0, 0))
        estimated = counted >= _COUNTED
        rows = int(counted) if estimated else _count(connection, name)
        free = int((size + index_size) * dead / (live + dead)) if live + dead else 0
        tables.append(
            TableSize(
                name, rows, estimated, int(size), int(index_size), free,
                tuple(indexed.get(name, ())),
            )
        )  # fmt: skip
    return int(whole), sum(each.free or 0 for each in tables), tables


def _slow(connection: Connection, notes: list[str]) -> tuple[SlowQuery, ...] | None:
    has = text("SELECT 1 FROM pg_extension WHERE extname = :name")
    if connection.execute(has, {"name": _TOLD_BY_SERVER}).first() is None:
        notes.append(
            f"the server tells no slow queries: an administrator adds {_TOLD_BY_SERVER} to "
            f"shared_preload_libraries, and types CREATE EXTENSION {_TOLD_BY_SERVER}"
        )
        return None
    query = text(
        "SELECT query, calls, total_exec_time, mean_exec_time FROM pg_stat_statements "
        "WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) "
        # What sets a password or connects elsewhere is told with its text: it is not shown.
        "AND query ~* '^\\s*(select|insert|update|delete|with)\\M' "
        "ORDER BY total_exec_time DESC LIMIT :most"
    )
    try:
        with connection.begin_nested():
            rows = connection.execute(query, {"most": _SLOWEST}).all()
    except DBAPIError as error:
        reason = str(error.orig).strip().splitlines()[0]
        notes.append(f"the server tells no slow queries ({reason})")
        return None
    return tuple(
        SlowQuery(" ".join(str(said).split()), int(calls), float(total), float(mean))
        for said, calls, total, mean in rows
    )


def _names() -> list[str]:
    return [table.name for table in Table.metadata.sorted_tables]


def _count(connection: Connection, name: str) -> int:
    return int(connection.execute(text(f"SELECT COUNT(*) FROM {name}")).scalar_one())  # noqa: S608


def size_of_database(database: Database) -> int:
    """The bytes of a database: of a file with what SQLite keeps beside it, or as a server says."""
    if database.url.drivername == "sqlite":
        path = Path(str(database.url.database))
        parts = (path, path.with_name(path.name + "-wal"))
        return sum(part.stat().st_size for part in parts if part.is_file())
    with database.engine.connect() as connection:
        size = connection.execute(text("SELECT pg_database_size(current_database())"))
        return int(size.scalar_one())
