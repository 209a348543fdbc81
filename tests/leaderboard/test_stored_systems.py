"""What is stored live may be any system's that rates game by game, a stranger's too."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from arena.config import TournamentConfig, loads
from arena.core import ConfigError
from arena.leaderboard.rebuild import rebuild
from arena.orchestrator import run
from arena.ratings.openskill import OpenSkill
from db import Repository, get_session
from db.queries.leaderboard import leaderboard, pools
from db.selection import Selection
from tests.cli.commands import run_arena
from tests.strangers import Install, install

pytestmark = pytest.mark.slow

Small = Callable[..., TournamentConfig]

__all__ = ["install"]

ELO = """
    from arena.core import Rating
    from arena.ratings.online.fold import fitted

    class Elo:
        name = "elo"

        def initial(self):
            return Rating(25.0, 4.0)

        def rate(self, players, ratings, draw_probability):
            if {trouble}:
                raise RuntimeError("K is lost")
            best = min(rank for _, _, rank in players)
            mean = sum(mu for mu, _ in ratings.values()) / len(ratings)
            return {{
                agent: Rating(mu + ((rank == best) - 1 / (1 + 10 ** ((mean - mu) / 16))), 4.0)
                for agent, _, rank in players
                for mu, _ in [ratings[agent]]
            }}

        def fit(self, games):
            return fitted(games, self)
"""
NEVER = "False"
AFTER_FIVE = "max(mu for mu, _ in ratings.values()) > 25.6"


def elo(install: Install, trouble: str = NEVER) -> None:
    install(ELO.format(trouble=trouble), {"ratings": {"elo": "Elo"}})


NIM = """
name: {name}
seed: 3
environment: {{name: Nim-v0, players: 2}}
games: 9
concurrency: 3
rating: {rating}
matchmaker: {{name: round-robin}}
models: [{{name: random, litellm_model: scripted/random}}]
prompts:
  - {{name: a, text: A}}
  - {{name: b, text: B}}
  - {{name: c, text: C}}
agents:
  - {{name: Ann, model: random, prompt: a}}
  - {{name: Bob, model: random, prompt: b}}
  - {{name: Cid, model: random, prompt: c}}
"""


def nim(name: str, rating: str) -> TournamentConfig:
    return loads(NIM.format(name=name, rating=rating), source=f"{name}.yaml")


def stored(url: str) -> dict[tuple[str, str | None], tuple[int, int, str | None]]:
    """(system, tournament) -> (games in the pool, agents in it, why it stopped)."""
    found = {}
    with get_session(url) as session:
        for system in ("elo", "openskill", "trueskill"):
            played = [row.name for row in Repository(session).get_tournaments()]
            for tournament in (None, *played):
                for pool in pools(session, Selection(tournament=tournament), system=system):
                    agents = len(leaderboard(session, pool.pool_id))
                    found[system, tournament] = (pool.games, agents, pool.stop_reason)
    return found


def sql(url: str, statement: str) -> list[tuple[object, ...]]:
    with get_session(url) as session:
        result = session.connection().execute(text(statement))
        return [tuple(row) for row in result] if result.returns_rows else []


def test_every_tournament_is_rated_by_its_own_system(database_url: str, install: Install) -> None:
    elo(install)
    for name, rating in (("one", "trueskill"), ("two", "elo"), ("three", "openskill")):
        summary = asyncio.run(run(nim(name, rating), url=database_url))
        assert (summary.games_completed, summary.unrated) == (9, None)

    assert stored(database_url) == {
        (system, tournament): (9, 3, None)
        for system, cup in (("trueskill", "one"), ("elo", "two"), ("openskill", "three"))
        for tournament in (None, cup)
    }
    checked = rebuild(database_url, check=True)
    assert (checked.ok, checked.games, checked.pools, checked.differences) == (True, 27, 6, ())


def test_a_rebuild_mends_every_system_from_the_games_alone(
    database_url: str, install: Install
) -> None:
    elo(install)
    asyncio.run(run(nim("two", "elo"), url=database_url))
    asyncio.run(run(nim("three", "openskill"), url=database_url))
    rows = "SELECT agent_id, mu, sigma, games, wins, losses FROM agent_trueskill ORDER BY mu, id"
    before = sql(database_url, rows)
    sql(database_url, "UPDATE agent_trueskill SET mu = mu + 1")

    checked = rebuild(database_url, check=True)
    assert len(checked.differences) == 12
    assert any("environment 1, by elo, agent 1" in line for line in checked.differences)
    assert any("tournament 2, by openskill, agent 3" in line for line in checked.differences)
    assert rebuild(database_url).ok
    assert sorted(row[:6] for row in sql(database_url, rows)) == sorted(before)

    sql(database_url, "DELETE FROM rating_pools")
    assert rebuild(database_url).ok
    assert sorted(row[:6] for row in sql(database_url, rows)) == sorted(before)


def test_a_system_that_raises_keeps_every_result_and_stops_its_pools(
    database_url: str, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    elo(install, trouble=AFTER_FIVE)

    summary = asyncio.run(run(nim("two", "elo"), url=database_url))

    assert (summary.games_completed, summary.games_left) == (9, 0)
    assert summary.unrated is not None
    assert "the rating system elo raised an error at game " in summary.unrated
    assert "RuntimeError: K is lost" in summary.unrated
    found = stored(database_url)
    games, _, reason = found["elo", "two"]
    assert found["elo", None] == found["elo", "two"]
    assert 0 < games < 9
    assert reason is not None
    assert reason.endswith("RuntimeError: K is lost")
    # What is stored is what the games before it say, and says so; the rebuild stops there too.
    checked = rebuild(database_url, check=True)
    assert checked.differences == ()
    assert not checked.ok
    assert len(checked.left) == 2
    assert "elo raised an error at game" in str(checked)

    # The next run says it again; a mended system, and a rebuild, and all is well.
    again = asyncio.run(run(nim("two", "elo"), url=database_url))
    assert again.unrated == summary.unrated
    mended(install, monkeypatch)
    assert not rebuild(database_url, check=True).ok
    assert rebuild(database_url).ok
    assert stored(database_url) == {("elo", None): (9, 3, None), ("elo", "two"): (9, 3, None)}
    assert rebuild(database_url, check=True).ok
    assert asyncio.run(run(nim("two", "elo"), url=database_url)).unrated is None


def mended(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next release of the same package, in the place of the one before."""
    import sys

    from arena.registry import finding

    monkeypatch.setattr(sys, "path", [path for path in sys.path if "stranger" not in path])
    finding._points.cache_clear()
    elo(install)


def test_games_of_other_systems_are_rated_whatever_one_of_them_raises(
    sqlite_url: str, install: Install
) -> None:
    elo(install, trouble="True")
    asyncio.run(run(nim("two", "elo"), url=sqlite_url))
    asyncio.run(run(nim("one", "trueskill"), url=sqlite_url))

    found = stored(sqlite_url)
    assert found["elo", "two"][:2] == (0, 0)
    assert found["trueskill", None] == (9, 3, None)


def test_a_system_that_is_gone_is_left_as_it_is(
    sqlite_url: str, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    elo(install)
    asyncio.run(run(nim("two", "elo"), url=sqlite_url))
    asyncio.run(run(nim("one", "trueskill"), url=sqlite_url))
    before = stored(sqlite_url)
    sql(sqlite_url, "UPDATE agent_trueskill SET mu = mu + 1")
    monkeypatch.setattr(sys, "path", [path for path in sys.path if "stranger" not in path])

    report = rebuild(sqlite_url)

    (said,) = report.left
    assert said.startswith("the ratings by elo are left as they are: unknown rating system 'elo'")
    assert not report.ok
    assert len(report.differences) == 6
    assert stored(sqlite_url) == before
    assert rebuild(sqlite_url, check=True).differences == ()


def test_the_command_says_what_is_wrong_and_exits_1(tmp_path: Path, install: Install) -> None:
    elo(install, trouble=AFTER_FIVE)
    url = str(tmp_path / "arena.db")
    file = tmp_path / "two.yaml"
    file.write_text(NIM.format(name="two", rating="elo"))

    played = run_arena("run", file, "--db", url)
    checked = run_arena("ratings", "rebuild", "--check", "--db", url)

    assert played.exit_code == 1, played.stderr
    assert "the rating system elo raised an error at game" in played.stderr
    assert checked.exit_code == 1
    assert "bit for bit" in checked.stdout
    assert "mend the rating system, then `arena ratings rebuild`" in checked.stdout


@pytest.mark.parametrize("name", ["probit", "trueskill-sides", "bradley-terry"])
def test_a_system_of_whole_sets_of_games_is_refused(sqlite_url: str, name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} rates whole sets of games"):
        asyncio.run(run(nim("one", name), url=sqlite_url))


def test_a_name_may_be_written_as_python_writes_it(sqlite_url: str, install: Install) -> None:
    install(ELO.format(trouble=NEVER).replace('"elo"', '"my-elo"'), {"ratings": {"my-elo": "Elo"}})
    asyncio.run(run(nim("one", "my-elo"), url=sqlite_url))
    asyncio.run(run(nim("two", "my_elo"), url=sqlite_url))

    assert sql(sqlite_url, "SELECT DISTINCT system FROM rating_pools") == [("my-elo",)]
    report = rebuild(sqlite_url, check=True)
    assert (report.ok, report.pools) == (True, 3)


def test_openskill_is_one_of_them() -> None:
    assert OpenSkill().initial().mu == 25.0
