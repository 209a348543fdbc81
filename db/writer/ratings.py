"""Folds finished games into the ratings in schedule order, in the transactions that finish them.

A finished game waits for its predecessors: the fold goes on from the tournament's
`next_fold_index` for as long as the next place of the schedule is settled. What it reads does not
grow with the games that are on record.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from db.fold import Pool, Rate, Seat, Standing, fold_game, numbered
from db.writer.connections import Connection
from db.writer.games import GameFinished
from db.writer.subject import Ended, Subject, Writing

SYSTEM = "trueskill"

_FRONTIER = "SELECT next_fold_index, environment_id FROM tournaments WHERE id = ?"
_AT = (
    "SELECT id, status, final FROM games WHERE tournament_id = ? AND schedule_index = ? "
    "ORDER BY attempt DESC LIMIT 1"
)
_ADVANCE = "UPDATE tournaments SET next_fold_index = ? WHERE id = ?"
_SEATS = "SELECT agent_id, team, rank FROM game_players WHERE game_id = ? ORDER BY player_index"
_LAST = "SELECT COALESCE(MAX(fold_index), 0) FROM games"
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


def _fold(writing: Writing, ended: Ended) -> None:
    """Fold every game of the tournament whose turn has come. Whatever two processes do, a game is
    folded once."""
    connection, tournament_id = writing.connection, ended.tournament_id
    if writing.rate is None:
        return
    connection.lock_fold()
    frontier, environment_id = connection.query(_FRONTIER, (tournament_id,))[0]
    due: list[int] = []
    place = ended.schedule_index
    if isinstance(ended.record, GameFinished) and place is not None and place < frontier:
        # A place that was given up was played after all.
        due.append(ended.record.game_id)
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
        _fold_games(connection, tournament_id, int(environment_id), due, writing.rate)


def _fold_games(
    connection: Connection,
    tournament_id: int,
    environment_id: int,
    games: Sequence[int],
    rate: Rate,
) -> None:
    seats = {game_id: _seats(connection, game_id) for game_id in games}
    (last,) = connection.query(_LAST)[0]
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


SUBJECT = Subject(follows=_fold)
