"""The options that say which games mean the same in every command that has them."""

from __future__ import annotations

import json
from dataclasses import fields
from inspect import signature
from pathlib import Path
from typing import Any

import pytest

from arena.cli.games import games
from db import get_session
from db.selection import Selection
from tests.cli.commands import Arena
from tests.leaderboard.table import Sat, Table


@pytest.fixture(scope="module")
def two_cups(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Duels, an hour after each other from noon on: in `first` Ann beats Bob in each of four, by
    pairs on a seed; in `second` Bob beats Ann in two, the last by Ann's silence; Mafia without a
    tournament at six and seven o'clock."""
    url = str(tmp_path_factory.mktemp("cups") / "cups.db")
    with get_session(url) as session:
        table = Table(session)
        ann, bob = (table.agent(name, model=f"{name}-model") for name in ("Ann", "Bob"))
        cid = table.agent("Cid", kind="remembering", model="Cid-model", prompt="other")
        duel, village = table.environment("Duel-v0"), table.environment("Mafia-v0", 3)
        first, second = (table.tournament(name, duel) for name in ("first", "second"))
        for block in (0, 1):
            table.play(duel, Sat(ann, 0), Sat(bob, 1), tournament=first, block=block)
            table.play(duel, Sat(bob, 1), Sat(ann, 0), tournament=first, block=block)
        table.play(duel, Sat(ann, 1), Sat(bob, 0), tournament=second, block=5)
        table.play(
            duel, Sat(bob, 0), Sat(ann, 1, decided=True), tournament=second, block=5,
            termination="silence",
        )  # fmt: skip
        table.mafia(village, [ann], [bob, cid], village_won=True)
        table.mafia(village, [bob], [ann, cid], village_won=False)
    return url


def test_games_can_be_chosen_by_every_field_of_the_one_filter() -> None:
    assert {field.name for field in fields(Selection)} <= {*signature(games).parameters}


def read(arena: Arena, url: str, *command: str) -> Any:
    result = arena(*command, "--db", url, "--json")
    assert result.exit_code in (0, 1), result.stderr
    return json.loads(result.stdout)


NOON = "2026-03-01T{}:00+00:00"


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        ([], [8, 7, 6, 5, 4, 3, 2, 1]),
        (["--tournament", "second"], [6, 5]),
        (["--tournament", "second", "--tournament", "1"], [6, 5, 4, 3, 2, 1]),
        (["--environment", "Mafia-v0"], [8, 7]),
        (["--game", "3", "--game", "8"], [8, 3]),
        (["--agent", "Cid"], [8, 7]),
        (["--agent", "Ann", "--against", "Cid"], [7]),
        (["--against", "Cid", "--result", "loss"], [7]),
        (["--agent", "remembering/Cid-model/other"], [8, 7]),
        (["--model", "Ann-model", "--result", "win"], [4, 3, 2, 1]),
        (["--kind", "remembering"], [8, 7]),
        (["--prompt", "other"], [8, 7]),
        (["--prompt", "plain", "--limit", "2"], [8, 7]),
        (["--agent", "Bob", "--role", "Mafia"], [8]),
        (["--team", "Village", "--result", "win"], [7]),
        (["--termination", "silence"], [6]),
        (["--since", NOON.format(16), "--until", NOON.format(18)], [6, 5]),
        (["--status", "completed", "--status", "void"], [8, 7, 6, 5, 4, 3, 2, 1]),
    ],
    ids=str,
)
def test_games_are_chosen_by_any_of_them(
    arena: Arena, two_cups: str, options: list[str], chosen: list[int]
) -> None:
    assert [row["game_id"] for row in read(arena, two_cups, "games", *options)["games"]] == chosen


def test_boards_and_matrices_are_of_the_games_that_were_chosen(arena: Arena, two_cups: str) -> None:
    for options, number in (
        (["--tournament", "first"], 4),
        (["--tournament", "first", "--tournament", "second"], 6),
        (["--environment", "Duel-v0", "--until", NOON.format(13)], 1),
        (["--environment", "Duel-v0", "--since", NOON.format(13)], 5),
        (["--tournament", "2", "--termination", "silence"], 1),
    ):
        board = read(arena, two_cups, "leaderboard", *options)["rows"]
        assert {row["name"]: row["games"] for row in board} == {"Ann": number, "Bob": number}
        cells = read(arena, two_cups, "head-to-head", *options)["cells"]
        assert {cell["games"] for cell in cells} == {number}, options
    tree, _ = read(arena, two_cups, "prompts", "tree", "--tournament", "second")["prompts"]
    assert (tree["prompt"], tree["games"]) == ("plain", 2)
    both = read(arena, two_cups, "leaderboard", "--tournament", "first", "--tournament", "second")[
        "rows"
    ]
    assert {row["tournament"] for row in both} == {"first, second"}


def test_two_agents_are_compared_by_the_games_that_were_chosen(arena: Arena, two_cups: str) -> None:
    compare = ("compare", "Ann", "Bob", "--played", "--environment", "Duel-v0")

    whole = read(arena, two_cups, *compare)
    second = read(arena, two_cups, *compare, "--tournament", "second")
    early = read(arena, two_cups, *compare, "--until", NOON.format(14))

    assert (whole["settled"], whole["verdict"]["estimate"]) == (6, pytest.approx(2 / 3))
    assert (second["settled"], second["verdict"]["estimate"]) == (2, 0.0)
    assert (early["settled"], early["verdict"]["estimate"]) == (2, 1.0)
    assert read(arena, two_cups, *compare[:-1], "1") == whole
    refused = arena("compare", "Ann", "Bob", "--since", "2026-03-01", "--db", two_cups)
    assert refused.exit_code == 2
    assert "choose among games on record: --played" in refused.stderr


def test_a_plan_is_of_the_games_that_were_chosen(arena: Arena, two_cups: str) -> None:
    from importlib.metadata import version

    with get_session(two_cups) as session:
        # What is played must be installed: these rules stand for some that are.
        session.connection().exec_driver_sql(
            "UPDATE environments SET name = 'TicTacToe-v0', package = 'textarena', "
            f"version = '{version('textarena')}' WHERE name = 'Duel-v0'"
        )
    try:
        for options, number in (
            (["--tournament", "first"], 4),
            (["--tournament", "first", "--tournament", "second"], 6),
            (["--environment", "TicTacToe-v0", "--since", NOON.format(15)], 3),
        ):
            assert read(arena, two_cups, "plan", "Ann", "Bob", *options)["games"] == number
    finally:
        with get_session(two_cups) as session:
            session.connection().exec_driver_sql(
                "UPDATE environments SET name = 'Duel-v0' WHERE name = 'TicTacToe-v0'"
            )


def test_a_replay_of_all_is_of_those_that_were_chosen(
    arena: Arena, played: str, tmp_path: Path
) -> None:
    def replayed(*options: str) -> int:
        return len(read(arena, played, "replay", "--all", *options)["games"])

    assert replayed() == 6
    assert replayed("--agent", "Ann") == 4
    assert replayed("--tournament", "small", "--environment", "TicTacToe-v0") == 6
    assert replayed("--until", "2020-01-01") == 0
    refused = arena("replay", "1", "--check", "--agent", "Ann", "--db", played)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "--agent goes with --all: `arena replay --all --agent ...`" in refused.stderr
