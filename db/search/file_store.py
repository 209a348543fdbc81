"""The indexes of an SQLite database: FTS5 tables without texts, in a file of their own beside it.

The record holds no virtual table (`db.strange_files` refuses them in a stranger's file), and its
writer never waits for whoever fills an index. Words come ready (`db.search.words`): the tokenizer
only cuts at spaces.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import URL

from db.engine import BUSY_TIMEOUT_MS, own_file
from db.errors import Damaged, DatabaseError
from db.faults import fault, first_line
from db.search.store import RANKED, VERSION, FilledTo, IndexName

_TABLES = {
    "words": "CREATE VIRTUAL TABLE words USING fts5(text, content='', tokenize='ascii')",
    "parts": (
        "CREATE VIRTUAL TABLE parts USING fts5(text, content='', tokenize=\"ascii tokenchars '_'\")"
    ),
    "progress": (
        "CREATE TABLE progress (name TEXT PRIMARY KEY, version INTEGER, last INTEGER, stamp TEXT) "
        "WITHOUT ROWID"
    ),
    "waiting": (
        "CREATE TABLE waiting (name TEXT, game_id INTEGER, PRIMARY KEY (name, game_id)) "
        "WITHOUT ROWID"
    ),
}
# What FTS5 makes for each of its tables.
_SHADOWS = ("data", "idx", "docsize", "config")


def index_path(url: URL) -> Path:
    """Where the indexes of a database file are."""
    return Path(f"{url.database}-search")


class FileStore:
    """The file of indexes beside a database, made when it is not there (`SearchStore`); one that is
    opened `read_only` must be there, and is not written to.

    Raises DatabaseError for a file that is none of ours or cannot be written, and Damaged for one
    that is broken: it can be deleted without loss.
    """

    def __init__(self, url: URL, *, read_only: bool = False) -> None:
        path = index_path(url)
        self._url = URL.create("sqlite", database=str(path))
        with self._plainly():
            if read_only:
                self._connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
            else:
                own_file(self._url)
                self._connection = sqlite3.connect(str(path), isolation_level=None)
        try:
            with self._plainly():
                self._connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
                self._connection.execute("PRAGMA trusted_schema=OFF")
                self._refuse_strange()
                if not read_only:
                    self._make()
        except BaseException:
            self._connection.close()
            raise

    def _make(self) -> None:
        run = self._connection.execute
        run("PRAGMA journal_mode=WAL")
        # What a power cut takes is filled in again.
        run("PRAGMA synchronous=NORMAL")
        with self._writing():
            for name, sql in _TABLES.items():
                if not run("SELECT 1 FROM sqlite_master WHERE name = ?", (name,)).fetchone():
                    run(sql)
            for name in ("words", "parts"):
                known = run("SELECT version FROM progress WHERE name = ?", (name,)).fetchone()
                if known is None or known[0] != VERSION:
                    self._empty(name)

    def _refuse_strange(self) -> None:
        made = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"
        shadows = {f"{name}_{part}" for name in ("words", "parts") for part in _SHADOWS}
        for name, sql in self._connection.execute(made):
            if sql != _TABLES.get(name) and (
                name not in shadows or not str(sql).startswith(f"CREATE TABLE '{name}'(")
            ):
                raise DatabaseError(
                    f"{self._url.database} is no search index of ours (it holds "
                    f"{str(name)[:60]!r}): move it away, and type the same command again"
                )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._connection.close()

    def progress(self, name: IndexName) -> FilledTo:
        with self._plainly():
            return self._progress(name)

    def _progress(self, name: IndexName) -> FilledTo:
        run = self._connection.execute
        last, stamp = run("SELECT last, stamp FROM progress WHERE name = ?", (name,)).fetchone()
        waiting = run("SELECT game_id FROM waiting WHERE name = ? ORDER BY game_id", (name,))
        return FilledTo(last, stamp, tuple(game for (game,) in waiting))

    def add(
        self,
        name: IndexName,
        texts: Sequence[tuple[int, Sequence[str]]],
        before: FilledTo,
        after: FilledTo,
    ) -> bool:
        rows = [(key, " ".join(words)) for key, words in texts]
        run, run_all = self._connection.execute, self._connection.executemany
        with self._plainly(), self._writing():
            if self._progress(name) != before:
                return False
            run_all(f"INSERT INTO {name} (rowid, text) VALUES (?, ?)", rows)  # noqa: S608
            run(
                "UPDATE progress SET last = ?, stamp = ? WHERE name = ?",
                (after.last, after.stamp, name),
            )
            gone, new = {*before.waiting} - {*after.waiting}, {*after.waiting} - {*before.waiting}
            run_all(
                "DELETE FROM waiting WHERE name = ? AND game_id = ?",
                ((name, game) for game in gone),
            )
            run_all("INSERT INTO waiting VALUES (?, ?)", ((name, game) for game in new))
        return True

    def clear(self, name: IndexName) -> None:
        with self._plainly(), self._writing():
            self._empty(name)

    def is_current(self, name: IndexName) -> bool:
        with self._plainly():
            made = "SELECT COUNT(*) FROM sqlite_master WHERE name IN ('words', 'parts', 'progress')"
            if self._connection.execute(made).fetchone() != (3,):
                return False
            known = "SELECT version FROM progress WHERE name = ?"
            return bool(self._connection.execute(known, (name,)).fetchone() == (VERSION,))

    def _empty(self, name: str) -> None:
        run = self._connection.execute
        run(f"INSERT INTO {name} ({name}) VALUES ('delete-all')")  # noqa: S608
        run("DELETE FROM waiting WHERE name = ?", (name,))
        run("INSERT OR REPLACE INTO progress VALUES (?, ?, 0, '')", (name, VERSION))

    def newest(
        self,
        name: IndexName,
        phrases: Sequence[Sequence[str]],
        limit: int,
        *,
        since: int,
        below: int,
        kinds: Sequence[int],
    ) -> list[int]:
        query = f"SELECT rowid {_within(name, kinds)} ORDER BY rowid DESC LIMIT ?"
        with self._plainly():
            rows = self._connection.execute(query, (_matching(phrases), since, below, limit))
            return [key for (key,) in rows]

    def ranked(
        self,
        name: IndexName,
        phrases: Sequence[Sequence[str]],
        *,
        since: int,
        below: int,
        kinds: Sequence[int],
        most: int = RANKED,
    ) -> tuple[list[int], bool]:
        newest = self.newest(name, phrases, most + 1, since=since, below=below, kinds=kinds)
        more = len(newest) > most
        best = f"SELECT rowid {_within(name, kinds)} ORDER BY rank, rowid DESC"
        with self._plainly():
            rows = self._connection.execute(
                best, (_matching(phrases), newest[most - 1] if more else since, below)
            )
            return [key for (key,) in rows], more

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    @contextmanager
    def _plainly(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            reason = first_line(error)
            if "fts5" in reason and "no such module" in reason:
                raise DatabaseError(
                    "this Python's SQLite was built without FTS5, by which texts are searched: use "
                    "another Python, or PostgreSQL"
                ) from error
            found = fault(self._url, error)
            if found is None or isinstance(found, Damaged) or "not a database" in reason:
                raise Damaged(
                    f"the search index {self._url.database} is damaged ({reason}): delete it, and "
                    "type the same command again; it is filled from the record"
                ) from error
            raise found from error


def _within(name: IndexName, kinds: Sequence[int]) -> str:
    wanted = f"AND rowid & 3 IN ({', '.join(map(str, kinds))}) " if len(kinds) < 4 else ""
    return f"FROM {name} WHERE {name} MATCH ? AND rowid >= ? AND rowid < ? {wanted}"


def _matching(phrases: Sequence[Sequence[str]]) -> str:
    """The phrases for FTS5; a word is letters and digits, and nothing of it is syntax."""
    return " AND ".join(f'"{" ".join(phrase)}"' for phrase in phrases)
