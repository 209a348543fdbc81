"""The tournaments of a database: listed, and one shown with what it has cost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from db import Repository, get_session
from db.login import login_name
from tests.cli.commands import Arena


def read(arena: Arena, *command: str) -> Any:
    result = arena(*command, "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert found.pop("version") == 1
    return found.get("tournaments", found)


def test_a_tournament_says_how_far_it_is_and_what_it_cost(arena: Arena, played: str) -> None:
    (listed,) = read(arena, "tournaments", "list", "--db", played)
    shown = read(arena, "tournaments", "show", "small", "--db", played)

    assert (shown["name"], shown["environment"], shown["players"]) == ("small", "TicTacToe-v0", 2)
    assert (shown["status"], shown["games"], shown["by_status"]) == (
        "finished", 6, {"completed": 6},
    )  # fmt: skip
    assert (shown["matchmaker"], shown["agents"]) == ("round_robin", ["Ann", "Bob", "Cy"])
    assert shown["void_causes"] == {}
    (model,) = shown["models"]
    assert (model["model"], model["failed"], shown["charged"]) == ("random", 0, 0.0)
    assert model["calls"] > 6 * 5
    assert read(arena, "tournaments", "show", "1", "--db", played) == shown
    moves = [(move["before"], move["after"]) for move in shown.pop("history")]
    assert moves == [(None, "created"), ("created", "running"), ("running", "finished")]
    status = shown.pop("run")["status"]
    assert (status["done"], status["ended"], status["at_once"]) == (6, True, None)
    assert status["times"]["latency"]["median"] > 0.0
    assert status["times"]["lag"]["p95"] >= 0.0
    assert listed == shown | {"models": None}


def test_a_person_reads_it_in_lines(arena: Arena, played: str) -> None:
    table = arena("tournaments", "list", "--db", played).stdout.splitlines()
    printed = arena("tournaments", "show", "small", "--db", played)
    lines = printed.stdout.splitlines()

    assert " ".join(table[0].split()) == "# tournament environment status played of started"
    assert table[2].split()[:6] == ["1", "small", "TicTacToe-v0", "finished", "6", "6"]
    assert "agents       Ann, Bob, Cy" in lines
    assert "by_status    completed 6" in lines
    actor = login_name()
    made, began, ended = lines[lines.index("history") + 1 :][:3]
    assert made.endswith(f"created, by {actor}")
    assert began.endswith(f"running, by {actor}: its run began")
    assert ended.endswith(f"finished, by {actor}: every game was played")
    assert lines[-1].startswith("random ")
    assert lines[-1].endswith(" calls, 0 failed, $0.00")
    assert "in its last run calls took " in printed.stderr


def test_tournaments_are_chosen_by_environment_and_one_that_nobody_runs_is_paused(
    arena: Arena, tmp_path: Path
) -> None:
    url = str(tmp_path / "two.db")
    with get_session(url) as session:
        repo = Repository(session)
        for name in ("Nim-v0", "Duel-v0"):
            rules = repo.get_or_create_environment(name, 2, package="p", version="1")
            cup = repo.create_tournament(f"{name} cup", {}, 7, 3, rules.id or 0)
            repo.set_tournament_status(cup.id or 0, "running")
            for status, cause in (("void", "provider"), ("void", "crash"), ("completed", None)):
                game = repo.create_game(status=status, tournament_id=cup.id)
                game.void_cause = cause

    rows = read(arena, "tournaments", "list", "--db", url)
    (nim,) = read(arena, "tournaments", "list", "--environment", "Nim-v0", "--db", url)

    assert [row["name"] for row in rows] == ["Duel-v0 cup", "Nim-v0 cup"]
    assert nim["status"] == "paused"
    assert nim["by_status"] == {"completed": 1, "void": 2}
    assert nim["void_causes"] == {"crash": 1, "provider": 1}
    shown = arena("tournaments", "show", "Nim-v0 cup", "--db", url).stdout
    assert "void_causes  crash 1, provider 1\n" in shown


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["show", "smal"], "unknown tournament 'smal'; did you mean 'small'? `arena tournaments"),
        (["list", "--environment", "Tic"], "unknown environment 'Tic'; known: TicTacToe-v0."),
    ],
    ids=" ".join,
)
def test_a_wrong_name_is_refused(arena: Arena, played: str, command: list[str], said: str) -> None:
    result = arena("tournaments", *command, "--db", played)

    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
