"""`arena resume` resumes a tournament of the database as `arena run` would with its file."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from db import Repository, get_session
from db.models import Tournament, TournamentLease
from db.models.columns import aware
from tests.cli.commands import TOURNAMENT, Arena


def named(folder: Path, name: str) -> Path:
    file = folder / f"{name}.yaml"
    file.write_text(TOURNAMENT.replace("name: small", f"name: {name}"))
    return file


def finish(url: str, name: str) -> None:
    """Mark a tournament as its last run would."""
    with get_session(url) as session:
        repo = Repository(session)
        row = repo.get_tournament_by_name(name)
        assert row is not None
        for status in ("running", "finished"):
            repo.set_tournament_status(row.id or 0, status)


@pytest.mark.slow
def test_the_only_unfinished_tournament_goes_on_without_its_file(
    arena: Arena, database_url: str, tmp_path: Path
) -> None:
    file = named(tmp_path, "small")
    arena("run", file, "--db", database_url, "--games", "2")
    file.unlink()

    planned = arena("resume", "--db", database_url, "--dry-run")
    assert "small: 4 games of TicTacToe-v0 with 2 players, 2 of 6 already played" in planned.stdout
    some = arena("resume", "--db", database_url, "--games", "1", "--concurrency", "1")
    assert some.exit_code == 0, some.stderr
    assert "small: 1 game, " in some.stderr
    assert "3 games left to play" in some.stderr
    rest = arena("resume", "small", "--db", database_url)

    assert "small: 3 games, " in rest.stderr
    assert rest.stdout.startswith("small · TicTacToe-v0 · 2 players · 6 games")
    again = arena("resume", "small", "--db", database_url)
    assert "nothing is left to play" in again.stderr
    games = json.loads(arena("games", "--db", database_url, "--json").stdout)["games"]
    assert [game["status"] for game in games] == ["completed"] * 6


def test_without_a_name_there_must_be_one_to_go_on_with(
    arena: Arena, sqlite_url: str, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        arena("run", named(tmp_path, name), "--db", sqlite_url, "--games", "1")

    which = arena("resume", "--db", sqlite_url)
    assert which.exit_code == 2
    assert "'one', 'two'" in which.stderr
    finish(sqlite_url, "one")
    planned = arena("resume", "--db", sqlite_url, "--dry-run")
    assert "two: 5 games of TicTacToe-v0" in planned.stdout
    finish(sqlite_url, "two")
    none = arena("resume", "--db", sqlite_url)
    assert none.exit_code == 2
    assert "nothing to resume" in none.stderr


def test_a_tournament_that_is_not_there_gets_the_nearest_name(
    arena: Arena, played: str, tmp_path: Path
) -> None:
    wrong = arena("resume", "smal", "--db", played)
    assert wrong.exit_code == 2
    assert "unknown tournament 'smal'; did you mean 'small'?" in wrong.stderr

    missing = arena("resume", "small", "--db", tmp_path / "none.db")
    assert missing.exit_code == 2
    assert "there is no database at" in missing.stderr
    assert [*tmp_path.iterdir()] == []


def test_an_abandoned_tournament_goes_on_and_says_so(
    arena: Arena, sqlite_url: str, tmp_path: Path
) -> None:
    arena("run", named(tmp_path, "small"), "--db", sqlite_url, "--games", "1")
    with get_session(sqlite_url) as session:
        row, lease = session.get(Tournament, 1), session.get(TournamentLease, 1)
        assert row is not None
        assert lease is not None
        for there, name in ((row, "created_at"), (row, "started_at"), (lease, "told_at")):
            setattr(there, name, aware(getattr(there, name)) - timedelta(days=40))

    resumed = arena("resume", "--db", sqlite_url, "--games", "1")
    again = arena("resume", "--db", sqlite_url, "--games", "1")
    logged = arena("logs", "--db", sqlite_url, "--level", "warning").stdout

    said = "the tournament goes on, abandoned: nothing had happened for 40 days"
    assert (resumed.exit_code, again.exit_code) == (0, 0)
    assert resumed.stderr.count(said) == 1
    assert said not in again.stderr
    assert logged.count("nothing had happened for 40 days") == 1
