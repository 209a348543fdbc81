"""Writes games: that one is being played, its result, or that it has none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from db.codec import to_json
from db.errors import WriteFailed
from db.models.columns import storable_json
from db.models.games import COUNTS
from db.writer.connections import Connection
from db.writer.subject import Ended, Record, Rows, Subject, Writing, cleaned

_START = (
    "UPDATE games SET status = 'running', started_at = COALESCE(started_at, ?), "
    "revision = COALESCE(revision, ?) "
    "WHERE id = ? AND status IN ('scheduled', 'running')"
)
_FINISH = (
    "UPDATE games SET status = 'completed', finished_at = ?, winning_team = ?, termination = ?, "
    "reason = ?, reason_raw = ?, turn_count = ?, game_info = ?::json, final = true "
    "WHERE id = ? AND status IN ('scheduled', 'running')"
)
_PLAYER = (
    "UPDATE game_players SET role = ?, team = ?, rank = ?, reward = ?, decided = ?, "  # noqa: S608
    "eliminated_turn = ?, "
    f"{', '.join(f'{name} = ?' for name in COUNTS)} WHERE game_id = ? AND player_index = ?"
)
_VOID = (
    "UPDATE games SET status = 'void', finished_at = ?, void_cause = ?, error = ?, "
    "error_raw = ?, environment_crashed = ?, final = ?, turn_count = COALESCE(?, turn_count) "
    "WHERE id = ? AND status IN ('scheduled', 'running')"
)
_FINAL = "UPDATE games SET final = true WHERE id = ? AND status = 'void'"
_NEXT = (
    "INSERT INTO games (tournament_id, environment_id, schedule_index, block, seed, attempt, "
    "parent_game_id, parent_turn, status, environment_crashed, final, created_at) "
    "SELECT tournament_id, environment_id, schedule_index, block, seed, attempt + 1, "
    "parent_game_id, parent_turn, 'scheduled', false, false, ? FROM games "
    "WHERE id = ? AND NOT final AND tournament_id IS NOT NULL AND schedule_index IS NOT NULL "
    "ON CONFLICT (tournament_id, schedule_index, attempt) DO NOTHING"
)
_NEXT_PLAYERS = (
    "INSERT INTO game_players (game_id, agent_id, player_index, invalid_actions) "
    "SELECT n.id, p.agent_id, p.player_index, 0 FROM games g "
    "JOIN games n ON n.tournament_id = g.tournament_id "
    "AND n.schedule_index = g.schedule_index AND n.attempt = g.attempt + 1 "
    "JOIN game_players p ON p.game_id = g.id WHERE g.id = ? ORDER BY p.player_index"
)
_AGENTS = "SELECT player_index, agent_id FROM game_players WHERE game_id = ?"
_STATUS = "SELECT status FROM games WHERE id = ?"
_PLACE = "SELECT tournament_id, schedule_index FROM games WHERE id = ?"


@dataclass(frozen=True, slots=True)
class GameStarted:
    """A scheduled game is being played, with its rules put to the players in this `revision`."""

    game_id: int
    started_at: datetime
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class PlayerFinished:
    """One player's part in the result. `rank` counts from 0; equal ranks are a draw.

    `turns` and the counts of them are as in `GamePlayer`; `decided` says that a lapse or an invalid
    action of its own decided the game, `eliminated_turn` in which turn the rules threw it out for
    one.
    """

    player_index: int
    role: str | None
    team: str | None
    rank: int
    reward: float
    invalid_actions: int = 0
    turns: int | None = None
    silences: int = 0
    refusals: int = 0
    overlongs: int = 0
    time_limits: int = 0
    malfunctions: int = 0
    targets: int = 0
    targets_several: int = 0
    targets_none: int = 0
    notes: int = 0
    notes_lost: int = 0
    decided: bool = False
    eliminated_turn: int | None = None


class PositionRow(NamedTuple):
    """Where a game stood, and the team whose chances that tells."""

    name: str
    team: str


@dataclass(frozen=True, slots=True)
class GameFinished:
    """The result of a game; committed in one transaction with the ratings that it moves.
    `positions` are those that it came to, each once; None where its events were not told."""

    game_id: int
    finished_at: datetime
    winning_team: str | None
    termination: str
    reason: str
    turn_count: int
    players: Sequence[PlayerFinished]
    game_info: Mapping[str, Any] | None = None
    positions: Sequence[PositionRow] | None = None


@dataclass(frozen=True, slots=True)
class GameVoided:
    """A game that has no result.

    With `final` no further attempt is made, and the games after it need not wait for it before
    they are rated. Without it the next attempt, at the same place of the tournament with the same
    players and seed, is scheduled in the same transaction.
    """

    game_id: int
    finished_at: datetime
    cause: str
    error: str
    environment_crashed: bool = False
    final: bool = True
    turn_count: int | None = None


def _started(writing: Writing, record: GameStarted, following: Record | None) -> Rows:
    return [(_START, (writing.time(record.started_at), record.revision, record.game_id))]


def _expect(connection: Connection, record: GameStarted) -> None:
    found = connection.query(_STATUS, (record.game_id,))
    state = f"is {found[0][0]}" if found else "is not in the database"
    raise WriteFailed(f"game {record.game_id} cannot start: it {state}")


def _finish(writing: Writing, record: GameFinished) -> Ended | None:
    """Nothing follows from a result that was written before. Raises WriteFailed for a game that is
    not there, is void, or has other players."""
    connection = writing.connection
    info = None if record.game_info is None else to_json(storable_json(dict(record.game_info)))
    done = connection.execute(
        _FINISH,
        (
            writing.time(record.finished_at),
            cleaned(record.winning_team)[0],
            record.termination,
            *cleaned(record.reason),
            record.turn_count,
            info,
            record.game_id,
        ),
    )
    if not done:
        _expect_status(connection, record.game_id, "completed", "finish")
        return None
    rows = [
        (
            cleaned(player.role)[0],
            cleaned(player.team)[0],
            player.rank,
            player.reward,
            player.decided,
            player.eliminated_turn,
            *(getattr(player, name) for name in COUNTS),
            record.game_id,
            player.player_index,
        )
        for player in record.players
    ]
    (written,) = connection.run([(_PLAYER, rows)]) if rows else (0,)
    agents = dict(connection.query(_AGENTS, (record.game_id,)))
    if not written == len(rows) == len(agents):
        raise WriteFailed(
            f"game {record.game_id} has {len(agents)} players, its result names {len(rows)}: "
            "expected one for each player_index"
        )
    return _ended(connection, record, agents)


def _void(writing: Writing, record: GameVoided) -> Ended | None:
    """The next attempt is scheduled unless this was the last."""
    connection = writing.connection
    done = connection.execute(
        _VOID,
        (
            writing.time(record.finished_at),
            record.cause,
            *cleaned(record.error),
            record.environment_crashed,
            record.final,
            record.turn_count,
            record.game_id,
        ),
    )
    if not done:
        _expect_status(connection, record.game_id, "void", "make void")
        if record.final:
            connection.execute(_FINAL, (record.game_id,))
    if not record.final and connection.execute(
        _NEXT, (writing.time(datetime.now(UTC)), record.game_id)
    ):
        connection.execute(_NEXT_PLAYERS, (record.game_id,))
    if not (done or record.final):
        return None
    ended = _ended(connection, record)
    return None if ended is None else replace(ended, final=record.final, again=not done)


def _expect_status(connection: Connection, game_id: int, expected: str, what: str) -> None:
    found = connection.query(_STATUS, (game_id,))
    if not found:
        raise WriteFailed(f"there is no game {game_id} to {what}")
    if found[0][0] != expected:
        raise WriteFailed(f"cannot {what} game {game_id}: it is {found[0][0]}")


def _ended(
    connection: Connection, record: Record, agents: Mapping[int, int] | None = None
) -> Ended | None:
    tournament_id, schedule_index = connection.query(_PLACE, (record.game_id,))[0]
    if tournament_id is None:
        return None
    return Ended(record, int(tournament_id), schedule_index, agents or {})


SUBJECT = Subject(
    statements=(_START,),
    rows={GameStarted: _started},
    expects=_expect,
    ends={GameFinished: _finish, GameVoided: _void},
)
