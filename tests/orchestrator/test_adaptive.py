"""Tournaments whose pairings follow the results: the same at any concurrency, and resumed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from arena.config import TournamentConfig
from arena.core import ConfigError
from arena.forecast.plan import plan
from arena.orchestrator import Progress, Stop, restore, run
from db import get_session

pytestmark = pytest.mark.slow

Small = Callable[..., TournamentConfig]

SCHEDULE = (
    "SELECT g.schedule_index, g.block, g.seed, p.player_index, p.agent_id, p.role, p.rank "
    "FROM games g JOIN game_players p ON p.game_id = g.id ORDER BY 1, 4"
)


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    with get_session(url) as session:
        return [tuple(row) for row in session.connection().execute(text(query))]


def by(matchmaker: str) -> tuple[str, str]:
    return ("matchmaker: {name: random}", f"matchmaker: {{name: {matchmaker}, lag: 3}}")


@pytest.mark.parametrize("matchmaker", ["swiss", "informative"])
def test_the_schedule_is_the_same_at_any_concurrency(
    small: Small, tmp_path: Path, matchmaker: str, request: pytest.FixtureRequest
) -> None:
    found = []
    for concurrency in (1, 50, 2, 7) if request.config.getoption("--sweep") else (1, 50):
        url = f"sqlite:///{tmp_path}/at-{concurrency}.db"
        summary = asyncio.run(run(small(by(matchmaker)), url=url, concurrency=concurrency))
        assert (summary.games_completed, summary.games_left) == (12, 0)
        found.append((rows(url, SCHEDULE), summary.standings))

    assert all(each == found[0] for each in found[1:])
    assert rows(url, "SELECT status FROM tournaments") == [("finished",)]


def test_a_stopped_tournament_goes_on_as_if_it_had_not_been(small: Small, tmp_path: Path) -> None:
    config = small(by("informative"))
    whole, parts = (f"sqlite:///{tmp_path}/{name}.db" for name in ("whole", "parts"))
    asyncio.run(run(config, url=whole))

    first = asyncio.run(run(config, url=parts, games=5))
    stop = Stop()

    def at_once(progress: Progress) -> None:
        stop.request()

    asyncio.run(run(config, url=parts, on_progress=at_once, stop=stop))
    last = asyncio.run(run(config, url=parts))

    assert (first.games_completed, first.games_left) == (5, 7)
    assert last.games_left == 0
    assert rows(parts, SCHEDULE) == rows(whole, SCHEDULE)


def test_a_tournament_of_a_former_rule_is_played_to_its_end_by_it(
    small: Small, tmp_path: Path
) -> None:
    whole, parts, newer = (
        f"sqlite:///{tmp_path}/{name}.db" for name in ("whole", "parts", "newer")
    )
    first = small(by("informative, version: 1"))
    asyncio.run(run(first, url=whole))
    asyncio.run(run(first, url=parts, games=5))
    # As it is on record from before rules had versions.
    former = small(by("informative"))
    with get_session(parts) as session, session.begin():
        session.connection().execute(
            text("UPDATE tournaments SET config = :config, config_hash = :hash"),
            {"config": json.dumps(former.canonical()), "hash": former.config_hash},
        )

    again = asyncio.run(run(former, url=parts, games=4))
    assert again.games_left == 3
    begun, anew = plan(former, url=parts), plan(former, url=newer)
    assert begun.shortfall == plan(first, url=newer).shortfall
    assert "by its first rule" in str(begun.shortfall)
    assert "by its first rule" not in str(anew.shortfall)
    with pytest.raises(ConfigError, match="with another configuration"):
        plan(small(by("swiss")), url=parts)
    asyncio.run(run(restore(parts), url=parts))
    asyncio.run(run(former, url=newer))

    assert rows(parts, SCHEDULE) == rows(whole, SCHEDULE)
    assert rows(newer, SCHEDULE) != rows(whole, SCHEDULE)
    ((config,),) = rows(newer, "SELECT config FROM tournaments")
    assert json.loads(str(config))["matchmaker"]["version"] == 2


def test_only_what_can_be_chosen_is_on_record_before_it_is_played(
    small: Small, sqlite_url: str
) -> None:
    asyncio.run(run(small(by("swiss")), url=sqlite_url, games=1))

    assert 1 <= len(rows(sqlite_url, "SELECT id FROM games")) <= 4
    assert rows(sqlite_url, "SELECT status FROM tournaments") == [("paused",)]


def test_what_would_be_played_is_told_as_far_as_it_can_be(small: Small, sqlite_url: str) -> None:
    told = plan(small(by("informative")), url=sqlite_url, estimate=True)

    assert int(told.balance.by_role.sum()) == 12 * 6
    assert told.estimate is not None
    assert told.estimate.games == 12
