"""The leaderboard from rows that are maintained as games finish, beside computing it by a scan."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlmodel import Session

from arena.core import Games
from arena.ratings.online.fold import Changes, Pool, pool_after
from arena.ratings.trueskill import TrueSkill
from bench.games import mafia_games
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
_POOL = (
    "INSERT INTO rating_pools (environment_id, tournament_id, system, games, draws) "
    "VALUES (?, ?, 'trueskill', ?, ?)"
)
_STEP = (
    "INSERT INTO rating_changes (pool_id, game_id, agent_id, mu_before, sigma_before, mu_after, "
    "sigma_after) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_SCAN = (
    "SELECT p.agent_id, COUNT(*) AS games, SUM(p.rank = 0) AS wins, SUM(p.rank > 0) AS losses "
    "FROM games g JOIN game_players p ON p.game_id = g.id WHERE g.status = 'completed' "
    "AND g.environment_id = 1 GROUP BY p.agent_id ORDER BY wins * 1.0 / games DESC"
)
_TEAMS = ("Village", "Mafia")


def fill(database: Path, played: Games, pool: Pool, changes: Changes | None = None) -> int:
    """A database with the games' results and the ratings after them: the environment's pool. With
    `changes`, the tournament's pool too, which is the same, and the steps of both."""
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
    connection = sqlite3.connect(database)
    # Nobody misses this file when the machine stops.
    connection.execute("PRAGMA journal_mode=OFF")
    connection.execute("PRAGMA synchronous=OFF")
    with connection:
        made = (
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL "
            "AND tbl_name IN ('game_players', 'rating_changes')"
        )
        later = connection.execute(made).fetchall()
        for name, _ in later:
            connection.execute(f"DROP INDEX {name}")
        moment = datetime.now(UTC).isoformat(sep=" ")
        numbers = range(1, len(played) + 1)
        connection.executemany(
            _GAME, ((n, *keys, n - 1, n - 1, "Mafia", n, moment) for n in numbers)
        )
        connection.executemany(_PLAYER, _players(played))
        places = [(keys[1], None)] if changes is None else [(keys[1], None), (keys[1], keys[0])]
        pool_ids = []
        for place in places:
            key = connection.execute(_POOL, (*place, pool.games, pool.draws)).lastrowid
            assert key is not None
            pool_ids.append(key)
            connection.executemany(
                _RATED,
                (
                    (
                        agent + 1,
                        key,
                        *row.rating,
                        row.games,
                        row.wins,
                        row.draws,
                        row.losses,
                        moment,
                    )
                    for agent, row in pool.standings.items()
                ),
            )
            if changes is not None:
                connection.executemany(
                    _STEP,
                    ((key, game + 1, agent + 1, *moved) for game, agent, *moved in changes.rows()),
                )
        for _, statement in later:
            connection.execute(statement)
    connection.execute("ANALYZE")
    connection.close()
    return pool_ids[0]


def _players(played: Games) -> Iterator[tuple[int, int, int, str, str, int, float]]:
    columns = (list(map(int, column)) for column in (played.agents, played.teams, played.ranks))
    width = int(played.sizes[0])
    for at, (agent, team, rank) in enumerate(zip(*columns, strict=True)):
        game, index = divmod(at, width)
        yield game + 1, agent + 1, index, "Villager", _TEAMS[team], rank, 1.0 - 2.0 * rank


def asking(games: int, rounds: int) -> dict[str, list[float]]:
    """Seconds of CPU, round by round, of each way to a leaderboard."""
    played = mafia_games(games, random.Random(2), AGENTS)
    pool = pool_after(played, TrueSkill())
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
            columns = Games(rows.sizes, rows.agents, rows.teams, rows.ranks)
            return len(pool_after(columns, TrueSkill()).standings)

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
