"""The leaderboard from rows that are maintained as games finish, beside computing it by a scan."""

from __future__ import annotations

import random
import sqlite3
import time
from array import array
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlmodel import Session

from arena.ratings.fold import Pool, fold
from arena.ratings.games import Games
from arena.ratings.trueskill import TrueSkill
from bench.measure import Row, median, ratios
from bench.workers import Worker
from db import Repository, get_engine, get_session, init_db
from db.queries.folds import folded_games
from db.queries.leaderboard import leaderboard

AGENTS = 100

_GAME = (
    "INSERT INTO games (id, tournament_id, environment_id, schedule_index, block, seed, attempt, "
    "status, winning_team, environment_crashed, final, turn_count, fold_index, created_at) "
    "VALUES (?, ?, ?, ?, 0, ?, 0, 'completed', ?, 0, 1, 30, ?, ?)"
)
_PLAYER = (
    "INSERT INTO game_players (game_id, agent_id, player_index, role, team, rank, reward, "
    "invalid_actions) VALUES (?, ?, ?, ?, ?, ?, ?, 0)"
)
_RATED = (
    "INSERT INTO agent_trueskill (agent_id, pool_id, mu, sigma, games, wins, draws, losses, "
    "updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_SCAN = (
    "SELECT p.agent_id, COUNT(*) AS games, SUM(p.rank = 0) AS wins, SUM(p.rank > 0) AS losses "
    "FROM games g JOIN game_players p ON p.game_id = g.id WHERE g.status = 'completed' "
    "AND g.environment_id = 1 GROUP BY p.agent_id ORDER BY wins * 1.0 / games DESC"
)
_TEAMS = ("Village", "Mafia")


def fill(database: Path, played: Games, pool: Pool) -> int:
    """A database with the games' results and the ratings after them: the pool's key."""
    init_db(database)
    with get_session(database) as session:
        repo = Repository(session)
        model = repo.create_model(name="one", litellm_model_name="scripted/random")
        kind = repo.create_kind(name="thinking")
        for index in range(AGENTS):
            prompt = repo.create_prompt(name=f"p{index}", content=f"Play {index}.")
            repo.create_agent(kind.id or 0, model.id or 0, prompt.id or 0, alias=f"agent {index}")
        rules = repo.get_or_create_environment("SecretMafia-v0", 6, package="bench", version="0")
        tournament = repo.create_tournament("bench", {}, 0, len(played), rules.id or 0)
        keys = tournament.id, rules.id
    moment = datetime.now(UTC).isoformat(sep=" ")
    connection = sqlite3.connect(database)
    with connection:
        connection.executemany(
            _GAME,
            (
                (game + 1, *keys, game, game, "Mafia", game + 1, moment)
                for game in range(len(played))
            ),
        )
        connection.executemany(
            _PLAYER,
            (
                (
                    game + 1,
                    player.agent_id + 1,
                    index,
                    "Villager",
                    _TEAMS[player.team],
                    player.rank,
                    1.0 - 2.0 * player.rank,
                )
                for game, players in enumerate(played)
                for index, player in enumerate(players)
            ),
        )
        pool_id = connection.execute(
            "INSERT INTO rating_pools (environment_id, system, games, draws) "
            "VALUES (?, 'trueskill', ?, ?)",
            (keys[1], pool.games, pool.draws),
        ).lastrowid
        connection.executemany(
            _RATED,
            (
                (
                    agent + 1,
                    pool_id,
                    standing.rating.mu,
                    standing.rating.sigma,
                    standing.games,
                    standing.wins,
                    standing.draws,
                    standing.losses,
                    moment,
                )
                for agent, standing in pool.standings.items()
            ),
        )
    connection.execute("ANALYZE")
    connection.close()
    assert pool_id is not None
    return pool_id


def asking(games: int, rounds: int) -> dict[str, list[float]]:
    """Seconds of CPU, round by round, of each way to a leaderboard."""
    from bench.ratings import mafia_games

    played = mafia_games(games, random.Random(2), AGENTS)
    pool, _ = fold(played, TrueSkill())
    with TemporaryDirectory() as folder:
        database = Path(folder) / "leaderboard.db"
        pool_id = fill(database, played, pool)
        engine = get_engine(database)

        def maintained() -> int:
            with Session(engine) as session:
                return len(leaderboard(session, pool_id))

        def scan() -> int:
            with engine.connect() as connection:
                return len(connection.exec_driver_sql(_SCAN).all())

        def rebuilt() -> int:
            with Session(engine) as session:
                rows = folded_games(session)
            columns = (rows.sizes, rows.agents, rows.teams, rows.ranks)
            again, _ = fold(Games(*(array("q", column) for column in columns)), TrueSkill())
            return len(again.standings)

        ways: dict[str, Callable[[], int]] = {
            "maintained": maintained,
            "scan": scan,
            "rebuilt": rebuilt,
        }
        found: dict[str, list[float]] = {name: [] for name in ways}
        for turn in range(rounds + 1):
            for name, way in ways.items():
                start = time.process_time()
                if way() != len(pool.standings):
                    raise RuntimeError(f"the leaderboard by {name} misses agents")
                # The first round compiles queries and reads the file into memory.
                if turn:
                    found[name].append(time.process_time() - start)
        engine.dispose()
    return found


def measure(worker: Worker, *, games: int, rounds: int) -> list[Row]:
    """Maintained rows beside a scan for wins only, and beside a scan that rates as well."""
    found = worker.run(asking, games=games, rounds=rounds)
    mine = {"maintained ms": median(found["maintained"]) * 1e3}
    return [
        Row(
            "ratings",
            f"leaderboard at {games:,} games, maintained / a scan that counts wins",
            ratios(found["scan"], found["maintained"]),
            numbers={**mine, "scan ms": median(found["scan"]) * 1e3},
        ),
        Row(
            "ratings",
            f"leaderboard at {games:,} games, maintained / read all games and rate them",
            ratios(found["rebuilt"], found["maintained"]),
            numbers={**mine, "read and rate ms": median(found["rebuilt"]) * 1e3},
        ),
    ]
