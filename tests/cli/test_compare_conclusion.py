"""What a run says when it ends: what was done, what it cost, what stopped it and how to go on."""

from __future__ import annotations

from dataclasses import replace

import pytest
import typer

from arena.cli.run_to_end import Wish, conclude
from arena.orchestrator import Summary
from db import Database

DONE = Summary(
    tournament="small",
    games_completed=6,
    games_void=0,
    games_left=0,
    void_causes={},
    turns=40,
    calls=41,
    failed_calls=0,
    tokens=900,
    cost=0.25,
    elapsed=3.0,
    standings=(),
)


# What the standings say of themselves.
STANDINGS = [
    "separability 0 %: 0 of 3 pairs are told apart at the 5 % level, all pairs tested together "
    "(Holm)",
    "25 is the mean of these 3 agents, a rating the distance to it: it moves when others join; "
    "--anchor AGENT keeps one at 25. Ranks: the best and worst that are tenable by that test",
    "rows that share a letter of their group cannot be told apart by that test, even where their "
    "95 % intervals, each of one row alone, do not overlap",
    "note: 3 of 3 agents have fewer than five games: their intervals come from the other agents' "
    "spread more than from their own games.",
]


def ending(
    capsys: pytest.CaptureFixture[str], db: str, summary: Summary, **typed: object
) -> tuple[int, list[str]]:
    """The exit code and the lines on stderr, without the standings and what they say."""
    code = 0
    with Database(db) as database:
        command = ("arena", "run", "small.yaml")
        wish = Wish(command, database, db=db, **typed)  # type: ignore[arg-type]
        try:
            conclude(summary, wish)
        except typer.Exit as end:
            code = end.exit_code
    told = capsys.readouterr()
    assert told.out.startswith("small · TicTacToe-v0")
    lines = told.err.splitlines()
    assert lines[: len(STANDINGS)] == STANDINGS
    return code, lines[len(STANDINGS) :]


def test_a_run_that_is_done_says_what_it_did(
    capsys: pytest.CaptureFixture[str], played: str
) -> None:
    assert ending(capsys, played, DONE) == (
        0,
        ["small: 6 games, 40 turns, 41 calls, $0.2500, 3.0 s"],
    )


def test_everything_that_is_worth_a_line_has_one(
    capsys: pytest.CaptureFixture[str], played: str
) -> None:
    code, lines = ending(
        capsys,
        played,
        replace(
            DONE,
            resumed=2,
            cached_calls=3,
            failed_calls=1,
            lapses={"silence": 2, "refusal": 1, "overlong": 4},
            spent=1.5,
            orphans=2,
            orphan_cost=0.02,
        ),
    )

    assert code == 0
    assert lines[1:] == [
        "2 games resumed from the record",
        "3 calls answered from the cache",
        "1 attempt of a call failed",
        "lapses of the agents: overlong 4x, refusal 1x, silence 2x",
        "spent $1.50 on the whole tournament",
        "note: overlong answers were cut by their limit of tokens, or are longer than the rules "
        "read: raise max_tokens of a model that was cut while it thought; `arena show GAME` tells "
        "which",
        "note: 2 calls were in flight when a run or a worker was killed: counted, and charged "
        "$0.0200 at worst",
    ]


def test_an_interrupted_run_says_what_to_type_with_all_that_was_typed(
    capsys: pytest.CaptureFixture[str], played: str
) -> None:
    code, lines = ending(
        capsys,
        played,
        replace(DONE, interrupted=True, games_left=4, paused=1, spent=0.25, budget=2.5),
        games=9,
        concurrency=3,
        budget=2.5,
    )

    assert code == 130
    assert lines[1:] == [
        "spent $0.2500 of the budget of $2.50",
        "note: 1 game is paused in the middle and will go on from the record",
        "note: interrupted; to go on: arena run small.yaml --games 9 --concurrency 3 "
        f"--budget 2.5 --db {played}",
    ]


def test_a_budget_that_is_reached_is_raised_to_go_on(
    capsys: pytest.CaptureFixture[str], played: str
) -> None:
    code, lines = ending(
        capsys,
        played,
        replace(
            DONE,
            games_left=4,
            paused=2,
            spent=2.49,
            budget=2.5,
            stopped="The budget of $2.50 is reached.",
            budget_reached=True,
        ),
        budget=2.5,
    )

    assert code == 1
    assert lines[2:] == [
        "note: 2 games are paused in the middle and will go on from the record",
        "note: The budget of $2.50 is reached.",
        f"to go on: arena run small.yaml --db {played} --budget USD",
    ]


def test_a_key_that_is_refused_stops_the_run_and_the_same_command_goes_on(
    capsys: pytest.CaptureFixture[str], played: str
) -> None:
    code, lines = ending(
        capsys, played, replace(DONE, games_left=4, stopped="The key was refused.\nMend it.")
    )

    assert code == 1
    assert lines[1:] == [
        "note: The key was refused.",
        "Mend it.",
        f"to go on: arena run small.yaml --db {played}",
    ]


def test_games_without_a_result_need_attention(
    capsys: pytest.CaptureFixture[str], played: str
) -> None:
    code, lines = ending(
        capsys,
        played,
        replace(DONE, games_void=2, void_causes={"provider": 3}, first_error="500: no\x1b[2J"),
    )

    assert code == 1
    assert lines[1:] == [
        "note: 2 games without a result (provider 3x); see: arena games --tournament small "
        f"--status void --db {played}",
        "note: the first error: 500: no\\x1b[2J",
    ]


def test_a_part_of_the_schedule_is_not_a_reason_for_attention(
    capsys: pytest.CaptureFixture[str], played: str
) -> None:
    assert ending(capsys, played, replace(DONE, games_left=4)) == (
        0,
        ["small: 6 games, 40 turns, 41 calls, $0.2500, 3.0 s", "4 games left to play"],
    )
