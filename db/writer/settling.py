"""Ends games, and folds the finished ones into the ratings in schedule order.

A game's result and every rating that it moves are one transaction. A finished game waits for its
predecessors: the fold goes on from the tournament's `next_fold_index` for as long as the next
place of the schedule is settled.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from db.codec import to_json
from db.errors import WriteFailed
from db.fold import Pool, Rate, Seat, Standing, fold_game, numbered
from db.models.columns import clean_text, raw_text, storable_json
from db.records import GameFinished, GameVoided
from db.writer import conduct
from db.writer.connections import Connection

SYSTEM = "trueskill"

_FINISH = (
    "UPDATE games SET status = 'completed', finished_at = ?, winning_team = ?, termination = ?, "
    "reason = ?, reason_raw = ?, turn_count = ?, game_info = ?::json, final = true "
    "WHERE id = ? AND status IN ('scheduled', 'running')"
)
_PLAYER = (
    "UPDATE game_players SET role = ?, team = ?, rank = ?, reward = ?, invalid_actions = ?, "
    "turns = ?, silences = ?, refusals = ?, overlongs = ?, time_limits = ?, decided = ? "
    "WHERE game_id = ? AND player_index = ?"
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
_TOURNAMENT = "SELECT tournament_id FROM games WHERE id = ?"

_FRONTIER = "SELECT next_fold_index, environment_id FROM tournaments WHERE id = ?"
_AT = (
    "SELECT id, status, final FROM games WHERE tournament_id = ? AND schedule_index = ? "
    "ORDER BY attempt DESC LIMIT 1"
)
_LATE = (
    "SELECT id FROM games WHERE tournament_id = ? AND schedule_index < ? "
    "AND status = 'completed' AND fold_index IS NULL ORDER BY schedule_index, attempt"
)
_ADVANCE = "UPDATE tournaments SET next_fold_index = ? WHERE id = ?"
_SEATS = "SELECT agent_id, team, rank FROM game_players WHERE game_id = ? ORDER BY player_index"
_LAST_FOLD = "SELECT COALESCE(MAX(fold_index), 0) FROM games"
_FOLDED = "UPDATE games SET fold_index = ? WHERE id = ?"
_POOL = "SELECT id, games, draws FROM rating_pools WHERE system = ? AND "
_OF_ENVIRONMENT = "tournament_id IS NULL AND environment_id = ?"
_OF_TOURNAMENT = "tournament_id = ?"
_NEW_POOL = (
    "INSERT INTO rating_pools (environment_id, tournament_id, system, games, draws) "
    "VALUES (?, ?, ?, 0, 0) ON CONFLICT DO NOTHING"
)
_RATINGS = (
    "SELECT agent_id, mu, sigma, games, wins, draws, losses FROM agent_trueskill WHERE pool_id = ? "
    "AND agent_id IN "
)
_RATED = (
    "INSERT INTO agent_trueskill "
    "(agent_id, pool_id, mu, sigma, games, wins, draws, losses, updated_at) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (pool_id, agent_id) DO UPDATE SET "
    "mu = excluded.mu, sigma = excluded.sigma, games = excluded.games, wins = excluded.wins, "
    "draws = excluded.draws, losses = excluded.losses, updated_at = excluded.updated_at"
)
_CHANGED = (
    "INSERT INTO rating_changes "
    "(pool_id, game_id, agent_id, mu_before, sigma_before, mu_after, sigma_after) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_COUNTED = "UPDATE rating_pools SET games = ?, draws = ? WHERE id = ?"


def finish(connection: Connection, record: GameFinished) -> int | None:
    """Write a result: the tournament whose ratings may move, None when it was written before.

    Raises WriteFailed for a game that is not there, is void, or has other players.
    """
    reason = clean_text(record.reason)
    info = None if record.game_info is None else to_json(storable_json(dict(record.game_info)))
    done = connection.execute(
        _FINISH,
        (
            connection.time(record.finished_at),
            None if record.winning_team is None else clean_text(record.winning_team),
            record.termination,
            reason,
            raw_text(record.reason, reason),
            record.turn_count,
            info,
            record.game_id,
        ),
    )
    if not done:
        _expect(connection, record.game_id, "completed", "finish")
        return None
    rows = [
        (
            None if player.role is None else clean_text(player.role),
            None if player.team is None else clean_text(player.team),
            player.rank,
            player.reward,
            player.invalid_actions,
            player.turns,
            player.silences,
            player.refusals,
            player.overlongs,
            player.time_limits,
            player.decided,
            record.game_id,
            player.player_index,
        )
        for player in record.players
    ]
    (written,) = connection.run([(_PLAYER, rows)]) if rows else (0,)
    seats = dict(connection.query(_AGENTS, (record.game_id,)))
    if not written == len(rows) == len(seats):
        raise WriteFailed(
            f"game {record.game_id} has {len(seats)} players, its result names {len(rows)}: "
            "expected one for each player_index"
        )
    tournament_id = _tournament(connection, record.game_id)
    if tournament_id is not None:
        connection.run([(conduct.COUNT, conduct.rows(tournament_id, seats, record.players))])
    return tournament_id


def void(connection: Connection, record: GameVoided) -> int | None:
    """Write that a game has no result, and schedule its next attempt unless this was the last:
    the tournament that need not wait for it any more."""
    error = clean_text(record.error)
    done = connection.execute(
        _VOID,
        (
            connection.time(record.finished_at),
            record.cause,
            error,
            raw_text(record.error, error),
            record.environment_crashed,
            record.final,
            record.turn_count,
            record.game_id,
        ),
    )
    if not done:
        _expect(connection, record.game_id, "void", "make void")
        if record.final:
            connection.execute(_FINAL, (record.game_id,))
    if record.final:
        return _tournament(connection, record.game_id)
    if connection.execute(_NEXT, (connection.time(datetime.now(UTC)), record.game_id)):
        connection.execute(_NEXT_PLAYERS, (record.game_id,))
    return None


def _expect(connection: Connection, game_id: int, expected: str, what: str) -> None:
    found = connection.query(_STATUS, (game_id,))
    if not found:
        raise WriteFailed(f"there is no game {game_id} to {what}")
    if found[0][0] != expected:
        raise WriteFailed(f"cannot {what} game {game_id}: it is {found[0][0]}")


def _tournament(connection: Connection, game_id: int) -> int | None:
    rows = connection.query(_TOURNAMENT, (game_id,))
    return None if not rows or rows[0][0] is None else int(rows[0][0])


def fold(connection: Connection, tournament_id: int, rate: Rate) -> int:
    """Fold every game of the tournament whose turn has come; how many there were.

    Call it inside a transaction. Whatever two processes do, a game is folded once.
    """
    connection.lock_fold()
    rows = connection.query(_FRONTIER, (tournament_id,))
    if not rows:
        raise WriteFailed(f"there is no tournament {tournament_id} to rate")
    frontier, environment_id = rows[0]
    # A place that was given up may be played after all: it is folded when it is finished.
    due = [int(row[0]) for row in connection.query(_LATE, (tournament_id, frontier))]
    index = int(frontier)
    while True:
        found = connection.query(_AT, (tournament_id, index))
        if not found:
            break
        game_id, status, final = found[0]
        if status == "completed":
            due.append(int(game_id))
        elif status != "void" or not final:
            break
        index += 1
    if index != frontier:
        connection.execute(_ADVANCE, (index, tournament_id))
    if due:
        _fold_games(connection, tournament_id, int(environment_id), due, rate)
    return len(due)


def _fold_games(
    connection: Connection,
    tournament_id: int,
    environment_id: int,
    games: Sequence[int],
    rate: Rate,
) -> None:
    seats = {game_id: _seats(connection, game_id) for game_id in games}
    (last,) = connection.query(_LAST_FOLD)[0]
    connection.run(
        [(_FOLDED, [(int(last) + place, game_id) for place, game_id in enumerate(games, 1)])]
    )
    moment = connection.time(datetime.now(UTC))
    agents = sorted({agent for played in seats.values() for agent, _, _ in played})
    for in_tournament in (None, tournament_id):
        pool_id, pool = _pool(connection, environment_id, in_tournament, agents)
        changes = []
        touched: dict[int, None] = {}
        for game_id in games:
            for change in fold_game(pool, seats[game_id], rate):
                touched[change.agent_id] = None
                changes.append(
                    (
                        pool_id,
                        game_id,
                        change.agent_id,
                        change.mu_before,
                        change.sigma_before,
                        change.mu_after,
                        change.sigma_after,
                    )
                )
        rated = []
        for agent_id in touched:
            now = pool.standings[agent_id]
            rated.append(
                (
                    agent_id,
                    pool_id,
                    now.mu,
                    now.sigma,
                    now.games,
                    now.wins,
                    now.draws,
                    now.losses,
                    moment,
                )
            )
        connection.run(
            [(_CHANGED, changes), (_RATED, rated), (_COUNTED, [(pool.games, pool.draws, pool_id)])]
        )


def _seats(connection: Connection, game_id: int) -> list[Seat]:
    rows = connection.query(_SEATS, (game_id,))
    teams = numbered([team for _, team, _ in rows])
    return [
        (int(agent), team, int(rank)) for (agent, _, rank), team in zip(rows, teams, strict=True)
    ]


def _pool(
    connection: Connection,
    environment_id: int,
    tournament_id: int | None,
    agents: Sequence[int],
) -> tuple[int, Pool]:
    if tournament_id is None:
        query, place = _POOL + _OF_ENVIRONMENT, environment_id
    else:
        query, place = _POOL + _OF_TOURNAMENT, tournament_id
    found = connection.query(query, (SYSTEM, place))
    if not found:
        connection.execute(_NEW_POOL, (environment_id, tournament_id, SYSTEM))
        found = connection.query(query, (SYSTEM, place))
    pool_id, games, draws = found[0]
    marks = ", ".join("?" * len(agents))
    rows = connection.query(f"{_RATINGS}({marks})", (pool_id, *agents))
    standings = {int(agent): Standing(*standing) for agent, *standing in rows}
    return int(pool_id), Pool(int(games), int(draws), standings)
