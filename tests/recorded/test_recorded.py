"""A database that an earlier release recorded resumes in mid-game, replays and rebuilds.

`arena.db.gz` was recorded with revision 0002 of the tables, from the two files beside it:

- `village`, Secret Mafia with both kinds: five finished games; two games void in their seventh
  turn, because a policy raised, each with a next attempt that took its answers from the cache; then
  the process was killed in mid-game, with two games running and one call in flight.
- `noughts`, TicTacToe, whose pairings follow from its results: two finished games, and two that
  were running when a person stopped it.
- A branch of the first game, and its control.

`end.json` is what the release that recorded them made of both: the games, the ratings bit for bit,
the calls of each game with the least and the greatest of their hashes.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from arena.analysis import plot_chances
from arena.config import load
from arena.leaderboard.rebuild import rebuild
from arena.orchestrator import run
from arena.replay.check import check
from db import get_session, schema
from db.errors import SchemaTooOld
from tests.cli.commands import run_arena

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
RECORDED = "0002"

END = {
    "games": "SELECT t.name, g.schedule_index, g.attempt, g.status, g.winning_team, "
    "g.termination, g.reason, g.turn_count FROM games g JOIN tournaments t "
    "ON t.id = g.tournament_id ORDER BY 1, 2, 3",
    "ratings": "SELECT t.name, a.alias, r.mu, r.sigma, r.games, r.wins, r.draws, r.losses "
    "FROM agent_trueskill r JOIN rating_pools p ON p.id = r.pool_id JOIN tournaments t "
    "ON t.id = p.tournament_id JOIN agents a ON a.id = r.agent_id ORDER BY 1, 2",
    "requests": "SELECT t.name, g.schedule_index, COUNT(*), MIN(c.request_hash), "
    "MAX(c.request_hash) FROM llm_calls c JOIN game_turns u ON u.id = c.game_turn_id "
    "JOIN games g ON g.id = u.game_id JOIN tournaments t ON t.id = g.tournament_id "
    "WHERE g.status = 'completed' AND c.error_class IS NULL GROUP BY 1, 2 ORDER BY 1, 2",
}
FINISHED = "SELECT id FROM games WHERE status = 'completed' ORDER BY id"


def rows(url: str, query: str) -> list[list[Any]]:
    with get_session(url, create=False) as session:
        return [list(row) for row in session.connection().execute(text(query))]


def dumped(file: Path) -> list[str]:
    """Every table and every row of a file."""
    with closing(sqlite3.connect(file)) as connection:
        return list(connection.iterdump())


def test_tables_of_an_earlier_release_are_refused_until_they_are_upgraded(recorded: Path) -> None:
    before = dumped(recorded)
    if schema.HEAD != RECORDED:
        for use in (lambda: rows(str(recorded), FINISHED), lambda: check(1, recorded)):
            with pytest.raises(SchemaTooOld, match=f"{RECORDED}.*type `arena db upgrade`"):
                use()
        refused = run_arena("run", HERE / "village.yaml", "--db", recorded)
        assert refused.exit_code == 2
        assert "arena db upgrade" in refused.stderr
        assert dumped(recorded) == before

    assert run_arena("db", "upgrade", "--db", recorded).exit_code == 0
    assert run_arena("db", "check", "--db", recorded).exit_code == 0
    assert len(rows(str(recorded), FINISHED)) == 9


def test_every_finished_game_and_branch_replays(upgraded: Path) -> None:
    result = run_arena("replay", "--all", "--check", "--db", upgraded)

    assert result.exit_code == 0, result.stderr
    assert "9 games, 147 turns replayed: every observation is the same" in result.stdout


def test_the_ratings_are_those_of_the_games(upgraded: Path) -> None:
    result = run_arena("ratings", "rebuild", "--check", "--db", upgraded)

    assert result.exit_code == 0, result.stderr
    assert "bit for bit" in result.stdout


def test_both_tournaments_resume_in_mid_game_and_end_as_they_would_have(kept: str) -> None:
    village = asyncio.run(run(load(HERE / "village.yaml"), url=kept))
    noughts = asyncio.run(run(load(HERE / "noughts.yaml"), url=kept))

    assert (village.resumed, village.orphans, village.games_left) == (2, 1, 0)
    assert (noughts.resumed, noughts.orphans, noughts.games_left) == (2, 0, 0)
    expected = json.loads((HERE / "end.json").read_text(encoding="utf-8"))
    for what, query in END.items():
        assert rows(kept, query) == expected[what], what
    for (game,) in rows(kept, FINISHED):
        assert check(game, kept).ok
    assert rebuild(kept, check=True).differences == ()


def test_events_of_old_games_are_told_from_their_records(upgraded: Path, tmp_path: Path) -> None:
    db = tmp_path / "old.db"
    shutil.copy(upgraded, db)
    never = run_arena("events", "1", "--db", db)
    assert never.exit_code == 1
    assert "never told: type `arena events rebuild`" in never.stderr

    first = run_arena("events", "rebuild", "--db", db, "--json")
    assert first.exit_code == 0, first.stdout
    finished = len(rows(str(db), FINISHED))
    assert json.loads(first.stdout)["games"] == finished
    again = run_arena("events", "rebuild", "--db", db)
    assert again.stdout == "every finished game has its events\n"
    check = run_arena("events", "rebuild", "--check", "--db", db)
    assert (check.exit_code, check.stdout.split(",")[0]) == (0, f"{finished} games")
    events = run_arena("events", "1", "--kind", "eliminate", "--kind", "result", "--db", db)
    assert events.exit_code == 0
    assert "cause" in events.stdout
    chances = json.loads(run_arena("events", "1", "--chances", "--db", db, "--json").stdout)[
        "chances"
    ]
    assert [each["chance"] for each in chances][-1] in (0.0, 1.0)
    assert all(each["low"] <= each["chance"] <= each["high"] for each in chances)
    drawn = plot_chances(1, db)
    assert [*drawn.lines[0].get_ydata()] == [each["chance"] for each in chances]
    assert chances[0]["random"] == pytest.approx(0.1318, abs=1e-4)
