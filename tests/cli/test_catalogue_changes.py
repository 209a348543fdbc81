"""Rows of the catalogue are edited, renamed and deleted where nothing was played, and tournaments
deleted with all that hangs on them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import typer.main
from sqlalchemy import text

from arena.cli.app import app
from db import get_session
from tests.cli.commands import TOURNAMENT, Arena

TABLES = (
    "tournaments", "games", "game_players", "game_turns", "llm_calls", "call_payloads",
    "game_events", "rating_changes", "pair_scopes", "counters",
    "position_counts", "live_states", "leases", "granted_chunks",
)  # fmt: skip


@pytest.fixture
def db(played: str, tmp_path: Path) -> str:
    """A copy of the played database."""
    return str(shutil.copy(played, tmp_path / "mine.db"))


def read(arena: Arena, db: str, *command: str) -> Any:
    return json.loads(arena(*command, "--db", db, "--json").stdout)


def ask(url: str, query: str) -> list[Any]:
    with get_session(url) as session:
        return [tuple(row) for row in session.connection().execute(text(query))]


def names(arena: Arena, db: str, noun: str) -> list[str]:
    return [row["name"] for row in read(arena, db, noun, "list")[noun]]


def done(arena: Arena, db: str, *command: str) -> str:
    result = arena(*command, "--db", db)
    assert result.exit_code == 0, result.stderr
    return result.stderr


def refused(arena: Arena, db: str, *command: str) -> str:
    result = arena(*command, "--db", db)
    assert (result.exit_code, result.stdout) == (2, "")
    return " ".join(result.stderr.split())


def test_what_never_played_is_changed_renamed_and_deleted(arena: Arena, tmp_path: Path) -> None:
    db = str(tmp_path / "new.db")
    done(arena, db, "models", "add", "mini", "scripted/random")
    done(arena, db, "prompts", "add", "plain", "--text", "Win.")
    done(arena, db, "prompts", "fork", "plain", "brief", "--text", "Be brief.")
    done(arena, db, "agents", "add", "Ann", "--model", "mini", "--prompt", "plain")
    before = ask(db, "SELECT fingerprint FROM agents")

    changed = done(
        arena, db, "models", "edit", "mini", "--litellm-model", "scripted/mafia-sharp",
        "--param", "temperature=0.5", "--input-price", "2",
    )  # fmt: skip
    assert "changed the model mini" in changed
    done(arena, db, "prompts", "edit", "plain", "--text", "Play.")
    done(arena, db, "models", "rename", "mini", "maxi")
    done(arena, db, "prompts", "rename", "plain", "simple")
    done(arena, db, "agents", "rename", "Ann", "Bea")
    done(arena, db, "agents", "edit", "Bea", "--option", "answer=last_line")

    assert ask(db, "SELECT name, litellm_model_name, input_price FROM models") == [
        ("maxi", "scripted/mafia-sharp", 2.0)
    ]
    assert ask(db, "SELECT id, name, content, forked_from FROM prompts ORDER BY id") == [
        (1, "simple", "Play.", None), (2, "brief", "Be brief.", 1),
    ]  # fmt: skip
    bea = read(arena, db, "agents", "show", "Bea")["agent"]
    assert (bea["model"], bea["prompt"], bea["options"]) == (
        "maxi", "simple", {"answer": "last_line"},
    )  # fmt: skip
    assert (bea["version"], bea["versions"]) == (1, ["Bea"])
    assert ask(db, "SELECT fingerprint FROM agents") != before

    assert "agent Bea is made of this model" in refused(
        arena, db, "models", "delete", "maxi", "--yes"
    )
    done(arena, db, "agents", "delete", "Bea", "--yes")
    assert "brief was forked from it" in refused(arena, db, "prompts", "delete", "simple", "--yes")
    for noun, name in (("prompts", "brief"), ("prompts", "simple"), ("models", "maxi"),
                       ("kinds", "thinking")):  # fmt: skip
        done(arena, db, noun, "delete", name, "--yes")
    for table in ("models", "prompts", "agents", "kinds"):
        assert ask(db, f"SELECT COUNT(*) FROM {table}") == [(0,)]


@pytest.mark.slow
def test_of_what_has_played_there_is_another_version(arena: Arena, db: str, tmp_path: Path) -> None:
    before = ask(db, "SELECT * FROM models"), ask(db, "SELECT * FROM prompts ORDER BY id")

    model = done(arena, db, "models", "edit", "random", "--param", "max_tokens=9")
    assert "random has played and stays as it is: added the model random@2" in " ".join(
        model.split()
    )
    done(arena, db, "prompts", "edit", "plain", "--text", "Win.")
    done(arena, db, "agents", "edit", "Ann", "--model", "random@2", "--prompt", "plain@2")
    # What makes no other model is changed all the same.
    done(arena, db, "models", "edit", "random", "--output-price", "3")

    models, prompts = (
        ask(db, f"SELECT * FROM {table} ORDER BY id") for table in ("models", "prompts")
    )
    assert prompts[: len(before[1])] == before[1]
    assert [row[1] for row in models] == ["random", "random@2"]
    assert names(arena, db, "agents") == ["Ann", "Bob", "Cy", "Ann@2"]
    shown = read(arena, db, "agents", "show", "Ann@2")["agent"]
    assert (shown["model"], shown["prompt"]) == ("random@2", "plain@2")
    assert (shown["version"], shown["versions"]) == (2, ["Ann", "Ann@2"])
    assert ask(db, "SELECT name, forked_from FROM prompts WHERE name = 'plain@2'") == [
        ("plain@2", 1)
    ]
    for noun, name in (("model", "random"), ("prompt", "plain"), ("agent", "Ann")):
        games = [
            len(read(arena, db, "games", f"--{noun}", one)["games"])
            for one in (name, f"{name}@1", f"{name}@*", f"{name}@2")
        ]
        assert games[0] == games[1] == games[2] > games[3] == 0

    for command, said in (
        (["models", "edit", "random@2", "--param", "max_tokens=null"], "that is 'random' already"),
        (["models", "edit", "random", "--output-price", "3"], "is so already"),
        (["models", "edit", "randm", "--output-price", "3"], "did you mean 'random'?"),
        (["prompts", "edit", "other", "--text", "{{playr}}"], "playr"),
        (["agents", "edit", "Bob", "--prompt", "plain"], "that is the agent 'Ann' already"),
        (["agents", "rename", "Bob", "Bo"], "known by its name in small"),
        (["agents", "rename", "Ann@2", "Bob"], "has an agent 'Bob' already"),
        (["agents", "rename", "Ann@2", "Ann@3"], "versions are numbered by the arena"),
        (["agents", "delete", "Bob", "--yes"], "seat in 4 games in small"),
        (["kinds", "delete", "thinking", "--yes"], "agents Ann, Bob, Ann@2 are made of this kind"),
        (["agents", "delete", "Ann@2"], "add --yes"),
        (["tournaments", "delete", "small"], "add --yes"),
        (["tournaments", "delete", "smal", "--yes"], "did you mean 'small'?"),
    ):
        assert said in refused(arena, db, *command), command
    assert names(arena, db, "agents") == ["Ann", "Bob", "Cy", "Ann@2"]

    file = tmp_path / "other.yaml"
    file.write_text(
        TOURNAMENT.replace("name: small\n", "name: other\n").replace(
            "You are player", "Win, player"
        )
    )
    result = arena("run", file, "--db", db)
    assert result.exit_code == 0, result.stderr
    assert {"Ann@2", "Bob", "Cy@2"} <= {*result.stdout.split()}
    assert "Ann@2, Cy@2: what an agent is made of has changed" in " ".join(result.stderr.split())
    shown = read(arena, db, "tournaments", "show", "other")
    assert shown["agents"] == ["Ann@2", "Bob", "Cy@2"]
    assert read(arena, db, "tournaments", "show", "small")["agents"] == ["Ann", "Bob", "Cy"]
    assert arena("run", file, "--db", db).exit_code == 0


@pytest.mark.slow
def test_a_tournament_is_deleted_and_the_others_are_rated_without_it(
    arena: Arena, db: str, tmp_path: Path
) -> None:
    file = tmp_path / "second.yaml"
    file.write_text(
        TOURNAMENT.replace("name: small\n", "name: second\n").replace("seed: 3", "seed: 4")
    )
    alone = str(tmp_path / "alone.db")
    for url in (db, alone):
        assert arena("run", file, "--db", url).exit_code == 0
    ratings = (
        "SELECT a.alias, t.mu, t.sigma, t.games FROM agent_trueskill t "
        "JOIN agents a ON a.id = t.agent_id JOIN rating_pools p ON p.id = t.pool_id "
        "WHERE p.tournament_id IS NULL ORDER BY 1"
    )
    assert ask(db, ratings) != ask(alone, ratings)
    game = ask(db, "SELECT MIN(id) FROM games")[0][0]
    assert arena("branch", str(game), "--turn", "2", "--set", "0=Cy", "--times", "2",
                 "--db", db).exit_code == 0  # fmt: skip
    arena("leaderboard", "--db", db)
    arena("search", "player", "--db", db)

    said = done(arena, db, "tournaments", "delete", "small", "--yes")

    assert "6 games (6 finished, 6 rated), 4 branches of them" in " ".join(said.split())
    assert names(arena, db, "tournaments") == ["second"]
    assert ask(db, ratings) == ask(alone, ratings)
    for table in TABLES:
        if table != "leases":
            count = f"SELECT COUNT(*) FROM {table}"
            assert ask(db, count) == ask(alone, count), table
    for check in (
        ["ratings", "rebuild", "--check"], ["counters", "rebuild", "--check"], ["db", "verify"],
    ):  # fmt: skip
        assert arena(*check, "--db", db).exit_code == 0
    board = read(arena, db, "leaderboard")["rows"]
    assert {row["name"] for row in board} == {"Ann", "Bob", "Cy"}
    assert arena("search", "player", "--db", db).exit_code == 0
    assert names(arena, db, "agents") == ["Ann", "Bob", "Cy"]

    done(arena, db, "tournaments", "delete", "second", "--yes")
    for table in (*TABLES, "rating_pools", "agent_trueskill", "environments"):
        assert ask(db, f"SELECT COUNT(*) FROM {table}") == [(0,)], table
    done(arena, db, "agents", "delete", "Ann", "--yes")


def test_nothing_is_deleted_or_changed_while_it_is_played(
    arena: Arena, tmp_path: Path, database_url: str
) -> None:
    from db import Database

    file = tmp_path / "small.yaml"
    file.write_text(TOURNAMENT)
    assert arena("run", file, "--games", "1", "--db", database_url).exit_code == 0
    with Database(database_url) as database, database.lease(1):
        said = refused(arena, database_url, "tournaments", "delete", "small", "--yes")
        assert "small is run now" in said
        file.write_text(TOURNAMENT.replace("games: 6", "games: 8"))
        assert "being run with another configuration" in refused(
            arena, database_url, "run", str(file)
        )
    assert ask(database_url, "SELECT games FROM tournaments") == [(6,)]
    (listed,) = read(arena, database_url, "tournaments", "list")["tournaments"]
    assert listed["left"] == 5
    assert listed["resume"].startswith("arena resume small --db ")
    done(arena, database_url, "tournaments", "delete", "small", "--yes")
    assert ask(database_url, "SELECT COUNT(*) FROM games") == [(0,)]


# What a noun may be told, and what one alone may be beside it.
VERBS = {"list", "show", "add", "edit", "rename", "delete", "fork", "activate", "deactivate"}
ALONE = {
    "prompts": {"tree"}, "annotations": {"agreement"}, "templates": {"export"},
    "environments": {"check"}, "agents": {"check"}, "access": {"revoke"},
    "tools": {"calls"},
}  # fmt: skip


def test_every_noun_has_the_same_verbs() -> None:
    root: Any = typer.main.get_command(app)
    commands = {name: root.get_command(None, name) for name in root.commands}
    nouns = {
        name: {*command.commands}
        for name, command in commands.items()
        if "list" in getattr(command, "commands", ())
    }

    assert nouns.keys() >= {
        "agents", "environments", "keys", "kinds", "models", "prompts", "tournaments",
    }  # fmt: skip
    for name, verbs in nouns.items():
        assert verbs - ALONE.get(name, set()) <= VERBS, name
    for name in ("agents", "kinds", "models", "prompts", "tournaments"):
        assert {"list", "show", "delete"} <= nouns[name], name
    for name in ("agents", "models", "prompts"):
        assert {"add", "edit", "rename", "activate", "deactivate"} <= nouns[name], name
