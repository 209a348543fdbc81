"""Ratings are a projection of the games: deleted and computed again, they come out the same."""

from __future__ import annotations

import asyncio
import math
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session

import arena.leaderboard.rebuild
from arena.config import TournamentConfig
from arena.leaderboard.rebuild import rebuild
from arena.orchestrator import run
from db import Repository, get_session
from db.queries.folds import Span, spans
from db.queries.steps import Steps, stored_steps

pytestmark = pytest.mark.slow

Small = Callable[..., TournamentConfig]

EVERYTHING = (
    "SELECT pool_id, agent_id, mu, sigma, games, wins, draws, losses FROM agent_trueskill "
    "ORDER BY pool_id, agent_id",
    "SELECT c.pool_id, c.game_id, c.agent_id, c.mu_before, c.sigma_before, c.mu_after, "
    "c.sigma_after FROM rating_changes c ORDER BY 1, 2, 3",
    "SELECT id, games, draws FROM rating_pools ORDER BY id",
)


@pytest.fixture(scope="module")
def once(small: Small, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small tournament in a file, played once for all tests."""
    file = tmp_path_factory.mktemp("once") / "once.db"
    shutil.copyfile(sqlite_template, file)
    asyncio.run(run(small(), url=f"sqlite:///{file}", concurrency=12))
    return file


@pytest.fixture
def played(small: Small, database_url: str, request: pytest.FixtureRequest) -> str:
    """A database of its own with the small tournament."""
    file = database_url.removeprefix("sqlite:///")
    if file == database_url:
        asyncio.run(run(small(), url=database_url, concurrency=12))
    else:
        shutil.copyfile(request.getfixturevalue("once"), file)
    return database_url


def stored(url: str) -> list[list[tuple[object, ...]]]:
    with get_session(url) as session:
        connection = session.connection()
        return [[tuple(row) for row in connection.execute(text(query))] for query in EVERYTHING]


def tamper(url: str, statement: str) -> None:
    with get_session(url) as session:
        session.connection().execute(text(statement))


def test_what_was_stored_live_is_what_the_games_say(small: Small, played: str) -> None:
    asyncio.run(run(small(("name: small\n", "name: second\n")), url=played, concurrency=3))

    report = rebuild(played, check=True)

    assert (report.ok, report.games, report.pools) == (True, 24, 3)
    assert "bit for bit" in str(report)


def test_a_stored_rating_that_is_wrong_is_found_and_mended(played: str) -> None:
    before = stored(played)
    tamper(played, "UPDATE agent_trueskill SET mu = mu + 1e-12 WHERE agent_id = 1")
    tamper(played, "DELETE FROM rating_changes WHERE agent_id = 2")

    found = rebuild(played, check=True)
    assert not found.ok
    wrong = "\n".join(found.differences)
    assert wrong.count("agent 1:") == 2
    assert "60 steps, 60 of them equal stored, 72 steps" in wrong

    assert rebuild(played).ok
    assert stored(played) == before
    assert rebuild(played, check=True).differences == ()


def test_everything_can_be_deleted_and_comes_back(played: str) -> None:
    before = stored(played)
    tamper(played, "DELETE FROM rating_pools")

    rebuild(played)

    assert [sorted(row[1:] for row in rows) for rows in stored(played)[:2]] == [
        sorted(row[1:] for row in rows) for rows in before[:2]
    ]


@pytest.fixture
def short_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five games at a time, so that a few games are several stretches."""
    monkeypatch.setattr(arena.leaderboard.rebuild, "spans", partial(spans, size=5))


@pytest.mark.usefixtures("short_stretches")
def test_games_in_several_stretches_are_one_fold(small: Small, played: str) -> None:
    asyncio.run(run(small(("name: small\n", "name: second\n")), url=played, concurrency=3))
    before = stored(played)

    assert rebuild(played, check=True).ok
    tamper(played, "UPDATE agent_trueskill SET mu = mu + 1 WHERE agent_id = 1")
    assert rebuild(played).differences

    assert stored(played) == before


PLACES = (
    ("agent_trueskill", "mu"),
    ("agent_trueskill", "sigma"),
    ("rating_changes", "mu_before"),
    ("rating_changes", "sigma_before"),
    ("rating_changes", "mu_after"),
    ("rating_changes", "sigma_after"),
)


@pytest.mark.usefixtures("short_stretches")
def test_the_last_bit_of_every_number_counts(played: str) -> None:
    for table, column in PLACES:
        with get_session(played) as session:
            connection = session.connection()
            key, value = connection.execute(
                text(f"SELECT id, {column} FROM {table} ORDER BY id DESC")
            ).first() or (0, 0.0)
            set_to = text(f"UPDATE {table} SET {column} = :value WHERE id = :key")
            connection.execute(set_to, {"key": key, "value": math.nextafter(value, math.inf)})

        found = rebuild(played, check=True)
        assert (found.ok, len(found.differences)) == (False, 1), (table, column)

        with get_session(played) as session:
            session.connection().execute(set_to, {"key": key, "value": value})
        assert rebuild(played, check=True).ok


def one(table: str, where: str = "1 = 1") -> str:
    return f"WHERE id = (SELECT MIN(id) FROM {table} WHERE {where})"


COUNTERS = (
    f"UPDATE agent_trueskill SET games = games + 1, wins = wins + 1 {one('agent_trueskill')}",
    "UPDATE agent_trueskill SET wins = wins + 1, losses = losses - 1 "
    + one("agent_trueskill", "losses > 0"),
    f"UPDATE rating_pools SET draws = draws + 1 {one('rating_pools')}",
    f"UPDATE rating_pools SET games = games + 1 {one('rating_pools')}",
    f"DELETE FROM rating_changes {one('rating_changes')}",
)


def test_counters_and_missing_steps_are_found(played: str) -> None:
    before = stored(played)
    for statement in COUNTERS:
        tamper(played, statement)
        assert len(rebuild(played, check=True).differences) == 1, statement
        rebuild(played)
        assert stored(played) == before


def test_a_step_of_a_game_that_was_never_rated_is_found(played: str) -> None:
    with get_session(played) as session:
        game = Repository(session).create_game(status="scheduled", environment_id=1)
        session.connection().execute(
            text(
                "INSERT INTO rating_changes "
                "(pool_id, game_id, agent_id, mu_before, sigma_before, mu_after, sigma_after) "
                "VALUES (1, :game, 1, 25, 8, 26, 7)"
            ),
            {"game": game.id},
        )

    (found,) = rebuild(played, check=True).differences

    assert "73 steps, 72 of them equal stored, 72 steps, 72 of them equal from the games" in found


@pytest.mark.usefixtures("short_stretches")
def test_a_rebuild_that_is_interrupted_leaves_the_old_ratings(
    played: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tamper(played, "UPDATE agent_trueskill SET mu = mu + 1 WHERE agent_id = 1")
    before = stored(played)
    store = Repository.store_steps
    written: list[Any] = []

    def interrupted(self: Repository, *arguments: Any) -> None:
        if len(written) == 3:
            raise KeyboardInterrupt
        store(self, *arguments)
        written.append(arguments)

    monkeypatch.setattr(Repository, "store_steps", interrupted)
    with pytest.raises(KeyboardInterrupt):
        rebuild(played)

    assert stored(played) == before


@pytest.mark.usefixtures("short_stretches")
def test_a_check_reads_as_of_one_moment(played: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Span] = []

    def meanwhile(session: Session, span: Span) -> dict[int, Steps]:
        if not seen:
            tamper(played, "UPDATE agent_trueskill SET mu = mu + 1 WHERE agent_id = 1")
        seen.append(span)
        return stored_steps(session, span)

    monkeypatch.setattr(arena.leaderboard.rebuild, "stored_steps", meanwhile)

    assert rebuild(played, check=True).ok
    assert len(seen) == 3
    assert not rebuild(played, check=True).ok
