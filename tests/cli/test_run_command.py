"""`arena run` plays a tournament, resumes it, and says clearly why it cannot."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.commands import TOURNAMENT, Arena
from tests.servers.openai_server import OpenAIServer, Reply


def test_a_tournament_is_played_on_either_database(
    arena: Arena, config: Path, database_url: str
) -> None:
    result = arena("run", config, "--db", database_url)

    assert result.exit_code == 0
    title, _, rule, *rows = result.stdout.splitlines()
    assert title == "small · TicTacToe-v0 · 2 players · 6 games · probit"
    assert set(rule) == {"─"}
    assert [row.split()[0] for row in rows] == ["1", "2", "3"]
    assert {row.split()[1] for row in rows} == {"Ann", "Bob", "Cy"}
    assert "6/6 games · 0 running · " in result.stderr
    assert "small: 6 games, " in result.stderr
    assert "\x1b" not in result.stdout + result.stderr

    games = json.loads(arena("games", "--db", database_url, "--json").stdout)["games"]
    assert {game["status"] for game in games} == {"completed"}


@pytest.mark.slow
def test_a_run_goes_on_where_the_last_one_stopped(
    arena: Arena, config: Path, sqlite_url: str
) -> None:
    first = arena("run", config, "--db", sqlite_url, "--games", "2")
    assert "small: 2 games, " in first.stderr
    assert "4 games left to play" in first.stderr

    planned = arena("run", config, "--db", sqlite_url, "--dry-run", "--games", "3")
    assert "small: 3 games of TicTacToe-v0 with 2 players, 2 of 6 already played" in planned.stdout

    second = arena("run", config, "--db", sqlite_url)
    assert "small: 4 games, " in second.stderr
    third = arena("run", config, "--db", sqlite_url)
    assert "small: nothing is left to play, all games are finished" in third.stderr
    assert third.exit_code == 0
    assert third.stdout == second.stdout


def test_a_dry_run_writes_nothing(arena: Arena, config: Path, tmp_path: Path) -> None:
    result = arena("run", config, "--db", tmp_path / "none.db", "--dry-run")

    assert result.exit_code == 0
    assert "Everything is in order; nothing was played or written." in result.stdout
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("games: 6", "gmaes: 6", ":4: unknown key 'gmaes'; did you mean 'games'?"),
        ("TicTacToe-v0", "TicTacTo-v0", ":3: unknown environment 'TicTacTo-v0'; did you mean"),
        ("players: 2", "players: 5", ":3: TicTacToe-v0 is played by 2 players, found players: 5"),
        ("round-robin", "roundrobin", ":6: unknown matchmaker 'roundrobin'; did you mean"),
        ("kind: remembering", "kind: rembering", "unknown kind 'rembering'; did you mean"),
        ("{{player_index}}", "{{playr_index}}", "did you mean {{player_index}}?"),
        ("scripted/random", "scripted/rndom", "unknown scripted model 'rndom'; did you mean"),
        ("prompt: other", "prompt: anther", "no prompt 'anther' in this file or in the catalogue"),
    ],
)
def test_a_wrong_file_is_one_message_and_nothing_is_written(
    arena: Arena, tmp_path: Path, old: str, new: str, said: str
) -> None:
    file = tmp_path / "wrong.yaml"
    assert old in TOURNAMENT
    file.write_text(TOURNAMENT.replace(old, new))

    result = arena("run", file, "--db", tmp_path / "none.db")

    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    if not (tmp_path / "none.db").exists():
        return
    games = arena("games", "--db", tmp_path / "none.db", "--json")
    assert json.loads(games.stdout) == {"version": 1, "games": []}
    assert (
        json.loads(arena("models", "list", "--db", tmp_path / "none.db", "--json").stdout)["models"]
        == []
    )


def test_set_says_it_in_place_of_the_file_and_is_said_again(
    arena: Arena, config: Path, sqlite_url: str
) -> None:
    shown = arena("run", config, "--db", sqlite_url, "--set", "games=12", "--dry-run")
    assert "small: 12 games of TicTacToe-v0" in shown.stdout
    planned = arena("plan", config, "--db", sqlite_url, "--set", "games=12")
    assert "the 12 games of the file" in planned.stderr

    typed = ("--set", "games=12", "--set", "matchmaker.blocks=false")
    result = arena("run", config, "--db", sqlite_url, *typed, "--games", "2")
    assert "small: 2 games, " in result.stderr
    assert "10 games left to play" in result.stderr
    again = arena("run", config, "--db", sqlite_url, "--games", "2")
    assert "the tournament 'small' is in the database with another configuration" in again.stderr
    assert "arena tournaments delete small" in again.stderr

    wrong = arena("run", config, "--db", sqlite_url, "--set", "matchmaker.name=roundrobin")
    assert wrong.exit_code == 2
    assert "error: --set matchmaker.name: unknown matchmaker 'roundrobin'" in wrong.stderr
    assert "--set is for a tournament's file" in arena("plan", "--top", "1", *typed).stderr


def test_a_file_that_is_not_there_may_be_another(
    arena: Arena, config: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    arena("run", config, "--db", sqlite_url, "--games", "1", "--set", "name=village cup")
    monkeypatch.chdir(config.parent)

    def said(name: str) -> str:
        return arena("run", name, "--db", sqlite_url).stderr

    assert said("quickstar") == (
        "error: quickstar: no such file; did you mean 'quickstart', which comes with the arena?\n"
    )
    near = f"error: {config.stem}s: no such file; did you mean {config.name!r}?\n"
    assert said(f"{config.stem}s") == near
    assert "'village cup', which is on record: `arena resume 'village cup' --db" in said("village")
    assert "with the arena come connect-four, courtroom, hosted" in said("zzz")


def test_a_changed_tournament_is_refused_under_its_old_name(
    arena: Arena, config: Path, sqlite_url: str, tmp_path: Path
) -> None:
    arena("run", config, "--db", sqlite_url, "--games", "1")
    changed = tmp_path / "small.yaml"
    changed.write_text(TOURNAMENT.replace("seed: 3", "seed: 4"))

    result = arena("run", changed, "--db", sqlite_url)

    assert result.exit_code == 2
    assert "seed is 4, was 3" in result.stderr


def test_games_without_a_result_are_an_exit_code_and_a_way_to_look(
    arena: Arena, sqlite_url: str, tmp_path: Path
) -> None:
    # A model that has answered before and fails then: one that never did stops the run.
    with OpenAIServer(["[4]", Reply(status=500)]) as server:
        file = tmp_path / "void.yaml"
        file.write_text(
            TOURNAMENT.replace(
                "litellm_model: scripted/random",
                f"litellm_model: openai/x, api_base: '{server.url}'",
            ).replace("games: 6", "games: 2\nattempts: 1\nllm: {retries: 0, patience: 0.1}")
        )
        result = arena("run", file, "--db", sqlite_url)

    assert result.exit_code == 1, result.stderr
    assert "2 games without a result (provider 2x)" in result.stderr
    assert "arena games --tournament small --status void" in result.stderr
    listed = arena("games", "--tournament", "small", "--status", "void", "--db", sqlite_url)
    assert "provider" in listed.stdout
    shown = arena("show", "1", "--db", sqlite_url, "--calls")
    assert "Void: provider" in shown.stdout
    assert "error: " in shown.stdout


def unfinished(db: Path) -> int:
    """How many games are begun and not finished; 0 also while there are no tables."""
    with closing(sqlite3.connect(f"file:{db}?mode=ro", uri=True)) as connection:
        try:
            query = (
                "SELECT COUNT(DISTINCT g.id) FROM games g JOIN game_turns t ON t.game_id = g.id "
                "WHERE g.status = 'running'"
            )
            return int(connection.execute(query).fetchone()[0])
        except sqlite3.OperationalError:
            return 0


def interrupted(command: list[str], db: Path, *signals: signal.Signals) -> tuple[int, str]:
    """Type a command and send the signals once games run; the exit code and what was said."""
    with subprocess.Popen(
        [sys.executable, "-m", "arena.cli", *command, "--db", str(db)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background job starts with interrupts ignored, and its children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    ) as run:
        assert run.stderr is not None
        said = run.stderr.readline()
        while not unfinished(db):
            assert run.poll() is None, said + run.stderr.read()
            time.sleep(0.02)
        for number in signals:
            run.send_signal(number)
        _, rest = run.communicate(timeout=300)
    return run.returncode, said + rest


@pytest.mark.slow
def test_a_stopped_run_says_how_to_go_on_and_goes_on(arena: Arena, tmp_path: Path) -> None:
    file, db = tmp_path / "long.yaml", tmp_path / "long.db"
    file.write_text(
        TOURNAMENT.replace("games: 6", "games: 300").replace("concurrency: 4", "concurrency: 3")
    )
    arena("db", "upgrade", "--db", db)

    code, said = interrupted(["run", str(file)], db, signal.SIGTERM)
    assert code == 130
    assert "stopping: running games finish their turn; press Ctrl-C again" in said
    assert f"interrupted; to go on: arena run {file} --db {db}\n" in said
    assert "Traceback" not in said
    paused = json.loads(arena("games", "--db", db, "--status", "paused", "--json").stdout)["games"]
    assert 0 < len(paused) == unfinished(db) < 300
    assert "The game is paused." in arena("show", paused[0]["game_id"], "--db", db).stdout

    # Two of a kind may arrive as one.
    code, said = interrupted(["resume"], db, signal.SIGINT, signal.SIGTERM)
    assert code == 130
    assert f"interrupted; to go on: arena resume small --db {db}\n" in said
    assert "Traceback" not in said

    left = unfinished(db)
    rest = arena("resume", "--games", left + 1, "--db", db)
    assert rest.exit_code == 0, rest.stderr
    assert f"small: {left + 1} games, " in rest.stderr
    assert f"{left} game" in rest.stderr.split("resumed from the record")[0]
    assert unfinished(db) == 0
