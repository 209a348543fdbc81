"""`arena plan` says what it takes to tell agents apart, and plays nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.commands import Arena


def test_two_agents_and_the_best_are_planned_from_their_games(arena: Arena, played: str) -> None:
    result = arena("plan", "Ann", "Bob", "--db", played, "--budget", "5")

    assert result.exit_code == 0
    title, difference, _, header, _, *rows = result.stdout.splitlines()
    assert title == "Ann and Bob: TicTacToe-v0, 2 players, 6 games on record"
    assert difference.startswith("difference of their ratings: ")
    assert header.split()[:3] == ["seating", "further", "games"]
    assert [row.split()[0] for row in rows] == ["mirrored", "random", "mirrored:", "random:"]
    assert "$5.00 is never reached: these games cost nothing" in rows[2]
    assert "as likely as not" in result.stderr

    best = json.loads(arena("plan", "--top", "1", "--db", played, "--json").stdout)
    assert best["subject"] == "the top 1 of 3 agents"
    assert [way["seating"] for way in best["ways"]] == ["mirrored", "random"]
    assert best["separated"] is False
    cup = arena("plan", "Ann", "Bob", "--tournament", "small", "--db", played)
    assert cup.stdout.splitlines()[0] == title


def test_a_file_is_planned_without_a_database(arena: Arena, config: Path, tmp_path: Path) -> None:
    result = arena("plan", config, "--effect", "0.6", "--db", tmp_path / "none.db")

    assert result.exit_code == 0
    assert result.stdout.startswith("an edge of 60 % between two of 3 agents: TicTacToe-v0, 2 ")
    assert "the 6 games of the file (random seating) are enough with a" in result.stderr
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ((), "expected two agents (`arena plan A B`)"),
        (("Ann", "Bob", "Cy"), "expected two agents (`arena plan A B`)"),
        (("Ann", "Bob", "--top", "1"), "expected two agents (`arena plan A B`)"),
        (("Ann", "Ann"), "told apart from itself"),
        (("Ann", "Bb"), "did you mean 'Bob'?"),
        (("--top", "3"), "3 agents have played TicTacToe-v0"),
        (("--top", "1", "--seating", "clones"), "say random or mirrored"),
        (("Ann", "Bob", "--tournament", "smal"), "did you mean 'small'?"),
        (("nowhere.yaml",), "nowhere.yaml"),
        (("Ann", "--environment", "TicTacToe-v0"), "agents are compared by naming both"),
        (("Ann", "Bob", "--budget", "0"), "expected dollars above 0"),
    ],
)
def test_what_cannot_be_planned_is_one_message(
    arena: Arena, played: str, typed: tuple[str, ...], said: str
) -> None:
    result = arena("plan", *typed, "--db", played)

    assert (result.exit_code, result.stdout) == (2, "")
    assert said in " ".join(result.stderr.split())
