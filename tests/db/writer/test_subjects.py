"""What is written of a subject is one module: its record, its rows, what it expects of them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text

from db import get_session
from db.errors import WriteFailed
from db.urls import resolve_url
from db.writer.batches import Append, BatchWriter
from db.writer.connections import Connection, open_writer
from db.writer.games import GameFinished
from db.writer.subject import Ended, Record, Rows, Subject, Writing
from db.writer.subjects import SUBJECTS
from tests.db.tournaments import FOLD, tournament, void, won

RECORDS = [kind for subject in SUBJECTS for kind in (*subject.rows, *subject.ends)]


@pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.__name__)
def test_every_record_is_frozen_and_of_one_subject(kind: type) -> None:
    assert dataclasses.is_dataclass(kind)
    assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert "game_id" in {field.name for field in dataclasses.fields(kind)}
    assert RECORDS.count(kind) == 1


@pytest.mark.parametrize(
    "statement", [statement for subject in SUBJECTS for statement in subject.statements]
)
def test_every_statement_can_be_run_again_by_its_key(statement: str) -> None:
    if "INTO execution_logs" in statement:
        return  # A line that is there twice counts nowhere.
    inserts = statement.startswith("INSERT") and (
        "ON CONFLICT" in statement or "NOT EXISTS" in statement
    )
    assert inserts or (statement.startswith("UPDATE") and " WHERE " in statement)


@dataclass(frozen=True, slots=True)
class Remarked:
    """Somebody has said something about a game."""

    game_id: int
    number: int
    said: str
    edited: bool = False


_SAY = "INSERT INTO remarks (game_id, number, said) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_EDIT = "UPDATE remarks SET said = ? WHERE game_id = ? AND number = ?"
_COUNT = (
    "INSERT INTO remarkable (tournament_id, games) VALUES (?, 1) "
    "ON CONFLICT (tournament_id) DO UPDATE SET games = remarkable.games + 1"
)


def _remarked(writing: Writing, record: Remarked, following: Record | None) -> Rows:
    if record.edited:
        return [(_EDIT, (record.said, record.game_id, record.number))]
    return [(_SAY, (record.game_id, record.number, record.said))]


def _expect(connection: Connection, record: Remarked) -> None:
    raise WriteFailed(f"remark {record.number} of game {record.game_id} was never made")


def _count(writing: Writing, ended: Ended) -> None:
    if isinstance(ended.record, GameFinished):
        writing.connection.execute(_COUNT, (ended.tournament_id,))


REMARKS = Subject(
    statements=(_SAY, _EDIT), rows={Remarked: _remarked}, expects=_expect, follows=_count
)


def written(url: str, *appends: tuple[Any, ...]) -> list[BaseException | None]:
    """Each append's error, all of them written in one batch."""
    connection = open_writer(resolve_url(url), 1000)
    batch = [Append(records) for records in appends]
    BatchWriter(connection, FOLD, subjects=(*SUBJECTS, REMARKS)).write(batch)
    connection.close()
    return [append.error for append in batch]


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with get_session(url) as session:
        return [tuple(row) for row in session.connection().execute(text(query))]


def test_a_subject_of_its_own_is_written_like_the_others(database_url: str) -> None:
    first, second, third, _ = tournament(database_url)
    with get_session(database_url) as session:
        key = "PRIMARY KEY (game_id, number)"
        session.execute(
            text(f"CREATE TABLE remarks (game_id INTEGER, number INTEGER, said TEXT, {key})")
        )
        session.execute(
            text("CREATE TABLE remarkable (tournament_id INTEGER PRIMARY KEY, games INTEGER)")
        )

    ends = (Remarked(first, 0, "well played"), won(first)), (won(second),), (void(third),)
    assert written(database_url, *ends) == [None] * 3
    # Written again, with an edit of what is there and of what is not.
    errors = written(
        database_url,
        *ends,
        (Remarked(first, 0, "well played!", edited=True),),
        (Remarked(first, 7, "never made", edited=True), won(second)),
    )

    assert errors[:4] == [None] * 4
    assert str(errors[4]) == f"remark 7 of game {first} was never made"
    assert rows(database_url, "SELECT * FROM remarks") == [(first, 0, "well played!")]
    assert rows(database_url, "SELECT * FROM remarkable") == [(1, 2)]


def test_what_no_subject_writes_is_named(sqlite_url: str) -> None:
    @dataclass(frozen=True)
    class Wished:
        game_id: int

    first, *_ = tournament(sqlite_url)
    error, none = written(sqlite_url, (Wished(first),), (void(first),))
    assert "Wished is no record: no subject writes it" in str(error)
    assert none is None
