"""Ratings are a projection of the games: deleted and computed again, they come out the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sqlalchemy import text

from arena.config import TournamentConfig
from arena.orchestrator import run
from arena.rebuild import rebuild
from db import get_session

Small = Callable[..., TournamentConfig]

EVERYTHING = (
    "SELECT pool_id, agent_id, mu, sigma, games, wins, draws, losses FROM agent_trueskill "
    "ORDER BY pool_id, agent_id",
    "SELECT c.pool_id, c.game_id, c.agent_id, c.mu_before, c.sigma_before, c.mu_after, "
    "c.sigma_after FROM rating_changes c ORDER BY 1, 2, 3",
    "SELECT id, games, draws FROM rating_pools ORDER BY id",
)


def stored(url: str) -> list[list[tuple[object, ...]]]:
    with get_session(url) as session:
        connection = session.connection()
        return [[tuple(row) for row in connection.execute(text(query))] for query in EVERYTHING]


def tamper(url: str, statement: str) -> None:
    with get_session(url) as session:
        session.connection().execute(text(statement))


def test_what_was_stored_live_is_what_the_games_say(small: Small, database_url: str) -> None:
    asyncio.run(run(small(), url=database_url, concurrency=12))
    asyncio.run(run(small(("name: small\n", "name: second\n")), url=database_url, concurrency=3))

    report = rebuild(database_url, check=True)

    assert (report.ok, report.games, report.pools) == (True, 24, 3)
    assert "bit for bit" in str(report)


def test_a_stored_rating_that_is_wrong_is_found_and_mended(small: Small, database_url: str) -> None:
    asyncio.run(run(small(), url=database_url))
    before = stored(database_url)
    tamper(database_url, "UPDATE agent_trueskill SET mu = mu + 1e-12 WHERE agent_id = 1")
    tamper(database_url, "DELETE FROM rating_changes WHERE agent_id = 2")

    found = rebuild(database_url, check=True)
    assert not found.ok
    wrong = "\n".join(found.differences)
    assert wrong.count("agent 1:") == 2
    assert "60 steps, 60 of them equal stored, 72 steps" in wrong

    assert rebuild(database_url).ok
    assert stored(database_url) == before
    assert rebuild(database_url, check=True).differences == ()


def test_everything_can_be_deleted_and_comes_back(small: Small, database_url: str) -> None:
    asyncio.run(run(small(), url=database_url))
    before = stored(database_url)
    tamper(database_url, "DELETE FROM rating_pools")

    rebuild(database_url)

    assert [sorted(row[1:] for row in rows) for rows in stored(database_url)[:2]] == [
        sorted(row[1:] for row in rows) for rows in before[:2]
    ]
