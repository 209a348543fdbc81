"""The indexes of a PostgreSQL database: word vectors with GIN, in a schema beside the record's.

The words come ready (`db.search.words`), as `to_tsvector('simple')` would find them in plain prose;
its parser is not asked, because it takes `a-b`, `x.y` and `+1` for more than words.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from sqlalchemy import URL, Connection, Engine, text

from db.engine import get_engine, said_plainly
from db.search.store import RANKED, VERSION, FilledTo, IndexName

# A vector keeps this many places of a word.
_PLACES = 255

_SCHEMA = "CREATE SCHEMA {s}"
_MADE = (
    "CREATE TABLE IF NOT EXISTS {s}.progress (name text PRIMARY KEY, version int NOT NULL, "
    "last bigint NOT NULL, stamp text NOT NULL)",
    "CREATE TABLE IF NOT EXISTS {s}.waiting (name text, game_id bigint, "
    "PRIMARY KEY (name, game_id))",
    *(
        statement
        for name in ("words", "parts")
        for statement in (
            f"CREATE TABLE IF NOT EXISTS {{s}}.{name} "
            "(key bigint PRIMARY KEY, words tsvector NOT NULL)",
            f"CREATE INDEX IF NOT EXISTS ix_{name} ON {{s}}.{name} USING gin (words)",
        )
    ),
)


class ServerStore:
    """The indexes in a schema of a server's database, made when they are not there
    (`SearchStore`); with the `engine` of somebody who only reads, they are left as they are."""

    def __init__(self, url: URL, engine: Engine | None = None) -> None:
        self._url = url
        self._own = engine is None
        self._engine = get_engine(url) if engine is None else engine
        with self._writing() as connection:
            found = connection.execute(text("SELECT current_schema()")).scalar() or "public"
            quoted = self._engine.dialect.identifier_preparer.quote
            self._schema = quoted(f"{found}_search")
            if self._own:
                self._make(connection)

    def _make(self, connection: Connection) -> None:
        there = connection.execute(
            text("SELECT to_regclass(:name)"), {"name": f"{self._schema}.progress"}
        ).scalar()
        if there is None:
            # Two may make it at once.
            connection.execute(text("SELECT pg_advisory_xact_lock(7305808869231650158)"))
            # Whoever may not make schemas can still fill one that was made for them.
            schema = connection.execute(
                text("SELECT to_regnamespace(:name)"), {"name": self._schema}
            ).scalar()
            for statement in _MADE if schema is not None else (_SCHEMA, *_MADE):
                connection.execute(text(statement.format(s=self._schema)))
        for name in ("words", "parts"):
            known = connection.execute(
                text(f"SELECT version FROM {self._schema}.progress WHERE name = :name"),  # noqa: S608
                {"name": name},
            ).scalar()
            if known != VERSION:
                self._empty(connection, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._own:
            self._engine.dispose()

    def is_current(self, name: IndexName) -> bool:
        with self._writing() as connection:
            there = connection.execute(
                text("SELECT to_regclass(:name)"), {"name": f"{self._schema}.progress"}
            ).scalar()
            if there is None:
                return False
            known = text(f"SELECT version FROM {self._schema}.progress WHERE name = :name")  # noqa: S608
            return connection.execute(known, {"name": name}).scalar() == VERSION

    def progress(self, name: IndexName) -> FilledTo:
        with self._writing() as connection:
            return self._progress(connection, name)

    def _progress(self, connection: Connection, name: IndexName, lock: str = "") -> FilledTo:
        row = connection.execute(
            text(f"SELECT last, stamp FROM {self._schema}.progress WHERE name = :name {lock}"),  # noqa: S608
            {"name": name},
        ).one()
        waiting = connection.execute(
            text(
                f"SELECT game_id FROM {self._schema}.waiting WHERE name = :name "  # noqa: S608
                "ORDER BY game_id"
            ),
            {"name": name},
        )
        return FilledTo(row[0], row[1], tuple(waiting.scalars()))

    def add(
        self,
        name: IndexName,
        texts: Sequence[tuple[int, Sequence[str]]],
        before: FilledTo,
        after: FilledTo,
    ) -> bool:
        rows = [{"key": key, "words": _vector(words)} for key, words in texts]
        place = {"name": name, "last": after.last, "stamp": after.stamp}
        gone, new = {*before.waiting} - {*after.waiting}, {*after.waiting} - {*before.waiting}
        with self._writing() as connection:
            if self._progress(connection, name, "FOR UPDATE") != before:
                return False
            for statement, values in (
                (
                    f"INSERT INTO {{s}}.{name} VALUES (:key, CAST(:words AS tsvector))",  # noqa: S608
                    rows,
                ),
                (
                    "UPDATE {s}.progress SET last = :last, stamp = :stamp WHERE name = :name",
                    [place],
                ),
                (
                    "DELETE FROM {s}.waiting WHERE name = :name AND game_id = :game",
                    [{"name": name, "game": game} for game in gone],
                ),
                (
                    "INSERT INTO {s}.waiting VALUES (:name, :game)",
                    [{"name": name, "game": game} for game in new],
                ),
            ):
                if values:
                    connection.execute(text(statement.format(s=self._schema)), values)
        return True

    def clear(self, name: IndexName) -> None:
        with self._writing() as connection:
            self._empty(connection, name)

    def _empty(self, connection: Connection, name: str) -> None:
        for statement in (
            f"TRUNCATE {{s}}.{name}",
            "DELETE FROM {s}.waiting WHERE name = :name",
            "INSERT INTO {s}.progress VALUES (:name, :version, 0, '') ON CONFLICT (name) DO UPDATE "
            "SET version = excluded.version, last = 0, stamp = ''",
        ):
            connection.execute(
                text(statement.format(s=self._schema)),
                {"name": name, "version": VERSION} if ":" in statement else {},
            )

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
        return self._keys(f"SELECT {self._within(name)}", phrases, limit, since, below, kinds)

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
        query = (
            f"SELECT key FROM (SELECT words, {self._within(name)}) AS newest "  # noqa: S608
            "ORDER BY ts_rank_cd(words, CAST(:asked AS tsquery), 1) DESC, key DESC"
        )
        found = self._keys(query, phrases, most + 1, since, below, kinds)
        more = len(found) > most
        if more:
            found.remove(min(found))
        return found, more

    def _within(self, name: IndexName) -> str:
        return (
            f"key FROM {self._schema}.{name} WHERE words @@ CAST(:asked AS tsquery) "
            "AND key >= :since AND key < :below AND key & 3 = ANY(:kinds) "
            "ORDER BY key DESC LIMIT :limit"
        )

    def _keys(
        self,
        query: str,
        phrases: Sequence[Sequence[str]],
        limit: int,
        since: int,
        below: int,
        kinds: Sequence[int],
    ) -> list[int]:
        values = {"asked": _matching(phrases), "since": since, "below": below, "limit": limit}
        with self._writing() as connection:
            return [*connection.execute(text(query), {**values, "kinds": [*kinds]}).scalars()]

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with said_plainly(self._url), self._engine.begin() as connection:
            yield connection


def _vector(words: Sequence[str]) -> str:
    """Words as a vector is written, each with its places from 1."""
    found: dict[str, list[str]] = defaultdict(list)
    for place, word in enumerate(words, 1):
        at = found[word]
        if len(at) < _PLACES:
            at.append(str(place))
    return " ".join(f"'{word}':{','.join(at)}" for word, at in found.items())


def _matching(phrases: Sequence[Sequence[str]]) -> str:
    """The phrases as a query is written; a word is letters and digits, and nothing of it is
    syntax."""
    quoted = ([f"'{word}'" for word in phrase] for phrase in phrases)
    return " & ".join(f"({' <-> '.join(phrase)})" for phrase in quoted)
