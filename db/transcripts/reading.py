"""Reads the transcripts of archived games, each checked against what was written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from db.errors import DatabaseError
from db.transcripts.files import damaged_game, read_game
from db.transcripts.moved import StoredTexts, hash_of
from db.transcripts.places import path_of

_ARCHIVED = text(
    "SELECT file, row_group, text_hash, text_rows FROM archived_games WHERE game_id = :game"
)
_ALL = text("SELECT COUNT(*) FROM archived_games")
_KEPT = "archived_texts"
FIRST_WITH_FILES = "0034"
"""The first revision of which a game may be archived."""


def archived_rows(session: Session | Connection, game_id: int) -> StoredTexts | None:
    """By the name of a table, the rows of a game that are in a file; None where the game is not
    archived. The game that was read last is kept with the connection.

    Raises Damaged for a file that is missing, or holds anything else than was written."""
    connection = _connection(session)
    found = connection.execute(_ARCHIVED, {"game": game_id}).first()
    if found is None:
        return None
    file, row_group, text_hash, row_count = found
    kept = connection.info.get(_KEPT)
    if kept is not None and kept[0] == (game_id, bytes(text_hash)):
        rows: StoredTexts = kept[1]
        return rows
    path = path_of(connection.engine.url, file)
    rows = read_game(path, row_group, game_id, row_count)
    if hash_of(rows) != bytes(text_hash):
        raise damaged_game(path, game_id)
    connection.info[_KEPT] = ((game_id, bytes(text_hash)), rows)
    return rows


def archived_part(session: Session | Connection, game_id: int, name: str) -> list[dict[str, Any]]:
    """The rows of one table of a game that are in a file; none where it is not archived."""
    rows = archived_rows(session, game_id)
    return [] if rows is None else rows[name]


def is_archived(session: Session | Connection, game_id: int) -> bool:
    """Whether a game's transcript is in a file."""
    return _connection(session).execute(_ARCHIVED, {"game": game_id}).first() is not None


def refuse_forgetting(connection: Connection) -> None:
    """Raises DatabaseError while games are archived: for whoever drops the only table that knows
    where their transcripts are, and keeps the games. Uses no model: the tables are of any release
    that has archived games."""
    games = connection.execute(_ALL).scalar_one()
    if games:
        raise DatabaseError(
            f"tables before revision {FIRST_WITH_FILES} know of no files, and the transcripts of "
            f"{games:,} archived games are in files alone: type `arena db prune --undo`, which "
            "brings them back, and then the same again"
        )


def archived_observations(rows: StoredTexts) -> Iterator[tuple[Any, ...]]:
    """(turn, prefix_len, prefix_hash, body, details, action, action_raw) of each turn that has an
    observation, in order."""
    said = {row["id"]: row for row in rows["game_turns"]}
    for row in rows["turn_payloads"]:
        turn = said.get(row["game_turn_id"], {})
        yield (
            *(row[n] for n in ("game_turn_id", "prefix_len", "prefix_hash", "body", "details")),
            turn.get("action"),
            turn.get("action_raw"),
        )


def archived_calls(rows: StoredTexts) -> Iterator[tuple[Any, ...]]:
    """(call, prefix_len, prefix_hash, messages, response) of each call, in order."""
    for row in rows["call_payloads"]:
        yield tuple(
            row[n] for n in ("llm_call_id", "prefix_len", "prefix_hash", "messages", "response")
        )


def _connection(session: Session | Connection) -> Connection:
    return session if isinstance(session, Connection) else session.connection()
