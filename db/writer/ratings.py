"""Folds finished games into the ratings in schedule order, in the transactions that finish them.

A finished game waits for its predecessors: the fold continues from the tournament's
`next_fold_index` for as long as the next place of the schedule is settled. What it reads does not
grow with the games that are on record. A rating system that raises stops its pool, never a game.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from db.fold import Fold, PoolStop, RatedSeat, StoredPool, StoredStanding, numbered
from db.writer.connections import Connection, SqlRow
from db.writer.games import GameFinished
from db.writer.pairs import CountedGame, count_pairs
from db.writer.subject import Ended, Subject, Writing

_FRONTIER = "SELECT next_fold_index, environment_id FROM tournaments WHERE id = ?"
_AT = (
    "SELECT id, status, final FROM games WHERE tournament_id = ? AND schedule_index = ? "
    "ORDER BY attempt DESC LIMIT 1"
)
_ADVANCE = "UPDATE tournaments SET next_fold_index = ? WHERE id = ?"
_SEATS = "SELECT agent_id, team, rank FROM game_players WHERE game_id = ? ORDER BY player_index"
_LAST = "SELECT COALESCE(MAX(fold_index), 0) FROM games"
_FOLDED = "UPDATE games SET fold_index = ? WHERE id = ?"
_POOL = "SELECT id, games, draws, stopped_at FROM rating_pools WHERE system = ? AND "
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
_STOPPED = "UPDATE rating_pools SET stopped_at = ?, stop_reason = ? WHERE id = ?"


class _Game(NamedTuple):
    fold_index: int
    game_id: int
    seats: Sequence[RatedSeat]


def _fold(writing: Writing, ended: Ended) -> None:
    """Fold every game of the tournament whose turn has come. Whatever two processes do, a game is
    folded once."""
    connection, fold = writing.connection, writing.fold
    if fold is None or not ended.final:
        return
    connection.lock_fold()
    tournament_id, place = ended.tournament_id, ended.schedule_index
    frontier, environment_id = connection.query(_FRONTIER, (tournament_id,))[0]
    due: list[int] = []
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
    if not due:
        return
    (last,) = connection.query(_LAST)[0]
    games = [_Game(int(last) + at, key, _seats(connection, key)) for at, key in enumerate(due, 1)]
    connection.run([(_FOLDED, [(game.fold_index, game.game_id) for game in games])])
    counted = [CountedGame(game.fold_index, game.game_id) for game in games]
    count_pairs(connection, int(environment_id), tournament_id, counted)
    moment = connection.time(datetime.now(UTC))
    for of_tournament in (None, tournament_id):
        key, before = _pool(connection, int(environment_id), of_tournament, fold, games)
        if before.stop is None:
            pool, changes = _after(before, games, fold)
            _store(connection, key, pool, changes, moment)


def _after(
    pool: StoredPool, games: Sequence[_Game], fold: Fold
) -> tuple[StoredPool, Sequence[SqlRow]]:
    """The pool after these games, or after those before the first at which the system raises, with
    the standings that moved; and what each game did to each agent."""
    counted, draws = pool.games, pool.draws
    standings: dict[int, StoredStanding] = {}
    changes: list[SqlRow] = []
    for fold_index, game_id, seats in games:
        try:
            before = {
                agent: standings.get(agent)
                or pool.standings.get(agent)
                or StoredStanding(*fold.initial())
                for agent, _, _ in seats
            }
            skills = {agent: (standing.mu, standing.sigma) for agent, standing in before.items()}
            played = fold.play(seats, skills, counted, draws)
            after = {agent: played.ratings[agent] for agent in before}
        except Exception as error:
            stop = PoolStop.at(fold_index, game_id, error)
            return StoredPool(counted, draws, standings, stop), changes
        for agent, old in before.items():
            mu, sigma = after[agent]
            won, lost = agent in played.won, agent in played.lost
            changes.append((game_id, agent, old.mu, old.sigma, mu, sigma))
            standings[agent] = StoredStanding(
                mu,
                sigma,
                old.games + 1,
                old.wins + won,
                old.draws + (not won and not lost),
                old.losses + lost,
            )
        counted += 1
        draws += played.drawn
    return StoredPool(counted, draws, standings), changes


def _store(
    connection: Connection, key: int, pool: StoredPool, changes: Sequence[SqlRow], moment: Any
) -> None:
    if changes:
        rated = [
            (agent, key, now.mu, now.sigma, now.games, now.wins, now.draws, now.losses, moment)
            for agent, now in pool.standings.items()
        ]
        connection.run(
            [
                (_CHANGED, [(key, *change) for change in changes]),
                (_RATED, rated),
                (_COUNTED, [(pool.games, pool.draws, key)]),
            ]
        )
    if pool.stop is not None:
        connection.execute(_STOPPED, (pool.stop.fold_index, pool.stop.reason, key))


def _seats(connection: Connection, game_id: int) -> list[RatedSeat]:
    rows = connection.query(_SEATS, (game_id,))
    teams = numbered([team for _, team, _ in rows])
    return [
        (int(agent), team, int(rank)) for (agent, _, rank), team in zip(rows, teams, strict=True)
    ]


def _pool(
    connection: Connection,
    environment_id: int,
    tournament_id: int | None,
    fold: Fold,
    games: Sequence[_Game],
) -> tuple[int, StoredPool]:
    """A pool's key, and what it holds of the agents of these games."""
    if tournament_id is None:
        query, place = _POOL + _OF_ENVIRONMENT, environment_id
    else:
        query, place = _POOL + _OF_TOURNAMENT, tournament_id
    found = connection.query(query, (fold.system, place))
    if not found:
        connection.execute(_NEW_POOL, (environment_id, tournament_id, fold.system))
        found = connection.query(query, (fold.system, place))
    key, counted, draws, stopped_at = found[0]
    if stopped_at is not None:
        return int(key), StoredPool(int(counted), int(draws), stop=PoolStop(int(stopped_at), ""))
    agents = sorted({agent for game in games for agent, _, _ in game.seats})
    marks = ", ".join("?" * len(agents))
    rows = connection.query(f"{_RATINGS}({marks})", (key, *agents))
    standings = {int(agent): StoredStanding(*standing) for agent, *standing in rows}
    return int(key), StoredPool(int(counted), int(draws), standings)


SUBJECT = Subject(follows=_fold)
