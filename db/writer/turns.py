"""Writes turns: what a player was shown, what it did, and what the rules made of that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from db import keys
from db.codec import (
    COPIES,
    JSON,
    LONGEST_COPY,
    SHORTEST_COPY,
    Codec,
    beyond,
    copied,
    to_json,
)
from db.errors import WriteFailed
from db.writer.connections import Connection
from db.writer.subject import Record, Rows, Subject, Writing, cleaned

_OPEN = (
    "INSERT INTO game_turns (id, game_id, turn_number, player_index, invalid, observed_at) "
    "VALUES (?, ?, ?, ?, false, ?) ON CONFLICT (id) DO NOTHING"
)
_OBSERVATION = (
    "INSERT INTO turn_payloads (game_turn_id, prefix_len, prefix_hash, body) "
    "VALUES (?, ?, ?, ?) ON CONFLICT (game_turn_id) DO NOTHING"
)
_ACT = (
    "UPDATE game_turns SET action = ?, action_raw = ?, submitted = ?, submitted_raw = ?, "
    "acted_at = ?, response_time_ms = ?, tokens_used = ?, lapse = ?, target = ?, target_how = ? "
    "WHERE id = ? AND acted_at IS NULL"
)
_DETAILS = "UPDATE turn_payloads SET details = ? WHERE game_turn_id = ?"
_REFUSE = "UPDATE game_turns SET invalid = true WHERE id = ?"


@dataclass(frozen=True, slots=True)
class TurnOpened:
    """A player was shown `observation`: everything it has seen so far."""

    game_id: int
    turn_number: int
    player_index: int
    observation: str
    observed_at: datetime


@dataclass(frozen=True, slots=True)
class TurnActed:
    """What the agent did. `submitted` is the text the environment was given, when it differs;
    `lapse` what was wrong with the turn: silence, refusal, overlong, time_limit or
    malfunction; `target` whom
    the action was read to choose, and `target_how` how that was told; `reading` how the action was
    read from what the model said, where there is something to tell."""

    game_id: int
    turn_number: int
    player_index: int
    action: str
    acted_at: datetime
    submitted: str | None = None
    response_time_ms: float | None = None
    tokens_used: int | None = None
    lapse: str | None = None
    target: str | None = None
    target_how: str | None = None
    reading: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class TurnRefused:
    """The rules refused the action of this turn."""

    game_id: int
    turn_number: int
    player_index: int


def key(record: TurnOpened | TurnActed | TurnRefused) -> int:
    """The key of a record's turn. Raises DatabaseError for a number that does not fit."""
    return keys.turn_key(record.game_id, record.turn_number, record.player_index)


def packed(codec: Codec, tail: str, flags: int, source: str, action: str = "") -> bytes:
    """A tail as a blob: what copying from `source` and `action` leaves of it, if that is less."""
    if SHORTEST_COPY <= len(tail) <= LONGEST_COPY and source:
        left = copied(source, action, tail)
        if left is not None:
            return codec.pack(left, flags | COPIES)
    return codec.pack(tail, flags)


def _opened(writing: Writing, record: TurnOpened, following: Record | None) -> Rows:
    turn_id, player = key(record), record.player_index
    moment = writing.moment(record.observed_at)
    turn = (turn_id, record.game_id, record.turn_number, player, moment)
    chain = writing.chain(record.game_id)
    if chain is None or turn_id <= chain.turn_id:
        # Rows are read in the order of their keys: one that comes late stands for itself.
        if chain is not None:
            chain.observations.pop(player, None)
        body = writing.codec.pack(record.observation)
        return [(_OPEN, turn), (_OBSERVATION, (turn_id, 0, None, body))]
    prefix_len, prefix_hash, tail, known = beyond(
        chain.observations.get(player), record.observation
    )
    body = packed(writing.codec, tail, 0, chain.shown, chain.action)
    chain.observations[player] = known
    chain.turn_id, chain.shown, chain.action = turn_id, record.observation, ""
    return [(_OPEN, turn), (_OBSERVATION, (turn_id, prefix_len, prefix_hash, body))]


def _acted(writing: Writing, record: TurnActed, following: Record | None) -> Rows:
    turn_id = key(record)
    chain = writing.chain(record.game_id)
    if chain is not None and chain.turn_id == turn_id:
        chain.action = record.action
    row = (
        *cleaned(record.action),
        *cleaned(record.submitted),
        writing.moment(record.acted_at),
        record.response_time_ms,
        record.tokens_used,
        record.lapse,
        cleaned(record.target)[0],
        cleaned(record.target_how)[0],
        turn_id,
    )
    if not record.reading:
        return [(_ACT, row)]
    details = writing.codec.pack(to_json({"reading": record.reading}), JSON)
    return [(_ACT, row), (_DETAILS, (details, turn_id))]


def _refused(writing: Writing, record: TurnRefused, following: Record | None) -> Rows:
    return [(_REFUSE, (key(record),))]


def _expect(connection: Connection, record: TurnOpened | TurnActed | TurnRefused) -> None:
    if not connection.query("SELECT 1 FROM game_turns WHERE id = ?", (key(record),)):
        raise WriteFailed(
            f"turn {record.turn_number} of player {record.player_index} in game "
            f"{record.game_id} was never opened"
        )


SUBJECT = Subject(
    statements=(_OPEN, _OBSERVATION, _ACT, _DETAILS, _REFUSE),
    rows={TurnOpened: _opened, TurnActed: _acted, TurnRefused: _refused},
    expects=_expect,
)
