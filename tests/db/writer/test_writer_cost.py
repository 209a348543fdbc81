"""What a finished game costs the writer does not depend on how many there are before it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, text

from db import Repository, get_session
from db.models import Game, GamePlayer, RatingChange
from db.urls import resolve_url
from db.writer.batches import Append, BatchWriter
from db.writer.connections import (
    Connection,
    PostgreSQLConnection,
    SQLiteConnection,
    SqlRow,
    open_writer,
)
from db.writer.subject import Record
from tests.db.tournaments import FOLD, NOON, tournament, void, won

FEW, MANY = 60, 3_000


def filled(url: str, games: int) -> tuple[int, int, int]:
    """A tournament of so many games that are finished and rated: the keys of the next two of its
    schedule, and of a place that was given up and is played after all."""
    first, given_up, *_ = tournament(url, games=2)
    finish(url, won(first), void(given_up))
    with get_session(url) as session:
        late = Repository(session).retry_game(given_up).id or 0
        connection = session.connection()
        add = range(2, games + 2)
        connection.execute(
            insert(Game),
            [
                {
                    "tournament_id": 1,
                    "environment_id": 1,
                    "schedule_index": index,
                    "block": 0,
                    # Of its own: games of one seed are read together (`db.writer.pairs`).
                    "seed": 1_000_000 + index,
                    "attempt": 0,
                    "status": "completed" if index < games else "scheduled",
                    "final": index < games,
                    "environment_crashed": False,
                    "fold_index": index if index < games else None,
                    "created_at": NOON,
                }
                for index in add
            ],
        )
        query = text("SELECT id FROM games WHERE schedule_index > 1 ORDER BY schedule_index")
        keys = [int(key) for key in connection.execute(query).scalars()]
        seats = [
            {"game_id": key, "agent_id": 1 + seat, "player_index": seat, "rank": seat}
            for key in keys
            for seat in (0, 1)
        ]
        connection.execute(insert(GamePlayer), [{**seat, "invalid_actions": 0} for seat in seats])
        skills = {"mu_before": 25.0, "sigma_before": 8.0, "mu_after": 25.0, "sigma_after": 8.0}
        connection.execute(
            insert(RatingChange),
            [
                {
                    "pool_id": pool,
                    "game_id": seat["game_id"],
                    "agent_id": seat["agent_id"],
                    **skills,
                }
                for pool in (1, 2)
                for seat in seats[:-4]
            ],
        )
        connection.execute(text(f"UPDATE tournaments SET next_fold_index = {games}"))
    return keys[-2], keys[-1], late


def analyze(url: str) -> None:
    with get_session(url) as session:
        session.connection().execute(text("ANALYZE"))


def finish(url: str, *records: Record) -> None:
    connection = open_writer(resolve_url(url), 1000)
    write(connection, *records)
    connection.close()


def write(connection: Connection, *records: Record) -> None:
    writer = BatchWriter(connection, FOLD)
    for record in records:
        append = Append((record,))
        writer.write([append])
        assert append.error is None, append.error


def steps(url: str, record: Record) -> int:
    """How many instructions SQLite's virtual machine runs to write a record."""
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    connection = SQLiteConnection(resolve_url(url), 1000)
    connection._connection.set_progress_handler(step, 1)
    write(connection, record)
    connection.close()
    return count


class Explained(PostgreSQLConnection):
    """Counts the rows that PostgreSQL looks at for each statement, before it is run."""

    rows = 0

    def _look(self, statement: str, values: SqlRow) -> None:
        if statement.startswith(("SELECT", "INSERT", "UPDATE")):
            self._connection.execute("SAVEPOINT look")
            explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {self._ours(statement)}"
            (plans,) = self._connection.execute(explain, values).fetchone()
            self._connection.execute("ROLLBACK TO SAVEPOINT look")
            self.rows += looked_at(plans[0]["Plan"])

    def execute(self, statement: str, values: SqlRow = ()) -> int:
        self._look(statement, values)
        return super().execute(statement, values)

    def query(self, statement: str, values: SqlRow = ()) -> list[Any]:
        self._look(statement, values)
        return super().query(statement, values)

    def run(self, groups: Sequence[tuple[str, Sequence[SqlRow]]]) -> list[int]:
        for statement, rows in groups:
            for row in rows:
                self._look(statement, row)
        return super().run(groups)


def looked_at(plan: dict[str, Any]) -> int:
    """Rows that the scans of a plan read, those that they then left out included."""
    own = 0
    if "Scan" in plan["Node Type"]:
        left_out = sum(
            plan.get(f"Rows Removed by {what}", 0) for what in ("Filter", "Index Recheck")
        )
        own = (plan["Actual Rows"] + left_out) * plan["Actual Loops"]
    return own + sum(looked_at(part) for part in plan.get("Plans", ()))


def rows(url: str, record: Record) -> int:
    connection = Explained(resolve_url(url))
    write(connection, record)
    connection.close()
    return connection.rows


@pytest.mark.parametrize("known", ["no statistics", "statistics"])
def test_sqlite_runs_as_many_steps_after_thousands_of_games(
    sqlite_template: Path, tmp_path: Path, known: str
) -> None:
    found = []
    for games in (FEW, MANY):
        url = f"sqlite:///{shutil.copyfile(sqlite_template, tmp_path / f'{games}.db')}"
        first, second, late = filled(url, games)
        if known == "statistics":
            analyze(url)
        found.append([steps(url, end) for end in (won(first), void(second), won(late))])
    assert found[0] == found[1]


@pytest.mark.parametrize("known", ["no statistics", "statistics"])
def test_postgresql_looks_at_as_many_rows_after_thousands_of_games(
    postgresql_url: str, known: str
) -> None:
    first, second, late = filled(postgresql_url, MANY)
    if known == "statistics":
        analyze(postgresql_url)
    for end in (won(first), void(second), won(late)):
        assert 0 < rows(postgresql_url, end) < 100
