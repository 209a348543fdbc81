"""`arena compare` plays until it knows, goes on where it stopped, and says what it cannot do."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from arena import registry
from tests.cli.commands import Arena
from tests.servers.openai_server import OpenAIServer

PAIR = """\
name: pair
environment: {{name: TicTacToe-v0, players: 2}}
games: 2
models:
  - {{name: good, {good}}}
  - {{name: bad, {bad}}}
prompts:
  - {{name: plain, text: "You are player {{{{player_index}}}}."}}
agents:
  - {{name: Good, model: good, prompt: plain}}
  - {{name: Bad, model: bad, prompt: plain}}
"""
FAST = ("--h0", "0.3", "--h1", "0.8")


class Models:
    """The good model plays legal moves, the bad one does not know the rules. At the request that
    `interrupt` counts down to, somebody presses Ctrl-C."""

    interrupt = 0

    def __call__(self, body: dict[str, Any]) -> str:
        self.interrupt -= 1
        if self.interrupt == 0:
            os.kill(os.getpid(), signal.SIGINT)
        if body["model"] == "bad":
            return "I resign."
        rng = random.Random(body["messages"][-1]["content"])
        return registry.policy("random")(body["messages"], rng)


def entered(arena: Arena, folder: Path, good: str, bad: str) -> str:
    """A database with both agents, who have played two games."""
    file, db = folder / "pair.yaml", str(folder / "pair.db")
    file.write_text(PAIR.format(good=good, bad=bad))
    assert arena("run", file, "--db", db).exit_code == 0
    return db


def paid(server: OpenAIServer) -> tuple[str, str]:
    settings = f"api_base: {server.url}, input_price: 1.0, output_price: 2.0"
    limit = "params: {max_tokens: 50}"
    return (
        f"litellm_model: openai/good, {settings}, {limit}",
        f"litellm_model: openai/bad, {settings}, {limit}",
    )


@pytest.mark.slow
def test_it_plays_until_it_knows_and_says_what_it_took(arena: Arena, tmp_path: Path) -> None:
    with OpenAIServer(Models()) as server:
        db = entered(arena, tmp_path, *paid(server))
        unsaid = arena("compare", "Good", "Bad", "--db", db, *FAST)
        assert unsaid.exit_code == 2
        assert "costs money" in unsaid.stderr
        assert "--budget" in unsaid.stderr
        result = arena("compare", "Good", "Bad", "--db", db, *FAST, "--budget", "5")

        assert result.exit_code == 0
        title, seating, test, _, said, score, evidence, games, fixed = result.stdout.splitlines()
        assert title == "Good and Bad in TicTacToe-v0 with 2 players"
        assert seating.startswith("mirrored: ")
        assert "wrong with at most 5 % where 30 % is true, 5 % where 80 % is" in test
        assert said == "Good is better than Bad or nearly even: Good scores more than 30 %."
        assert score.startswith("score of Good: 100.0 %, 95 % interval ")
        assert evidence.startswith("log likelihood ratio ")
        assert "games played, " in games
        assert "$0.00" in games
        assert fixed.startswith("a test of a fixed size would have needed ")

        # Nothing is left to play: the same question is answered from the record.
        asked = len(server.requests)
        again = arena("compare", "Good", "Bad", "--db", db, *FAST, "--json")
        found = json.loads(again.stdout)
        assert found["decided"]
        assert found["verdict"]["decision"] == "accept h1"
        assert found["dollars"] > 0
        assert len(server.requests) == asked

        played = arena("compare", "Good", "Bad", "--db", db, "--played", "--json")
        on_record = json.loads(played.stdout)
        assert on_record["verdict"]["test"] == "evalue"
        assert on_record["verdict"]["bounds"][0] is None
        assert len(server.requests) == asked

        planned = json.loads(arena("plan", "Good", "Bad", "--db", db, "--json").stdout)
        each = planned["ways"][0]["dollars_per_game"]
        assert each == pytest.approx(found["dollars"] / found["settled"], rel=0.3)


@pytest.mark.slow
def test_budget_games_and_ctrl_c_stop_it_and_it_goes_on(arena: Arena, tmp_path: Path) -> None:
    models = Models()
    with OpenAIServer(models) as server:
        db = entered(arena, tmp_path, *paid(server))
        options = ("--concurrency", "1", "--budget", "5")
        question = ("compare", "Good", "Bad", "--db", db, *FAST, *options)

        poor = arena(*question, "--budget", "0.0004")
        assert poor.exit_code == 1
        assert "Undecided" in poor.stdout
        assert "to go on: arena compare Good Bad --h0 0.3 --h1 0.8" in poor.stderr
        assert "--budget USD" in poor.stderr

        few = arena(*question, "--games", "2")
        assert few.exit_code == 1
        assert "2 games played, 2 games used" in few.stdout
        assert "play on with more --games" in few.stderr
        assert arena(*question, "--games", "2").stdout == few.stdout

        models.interrupt = 2
        stopped = arena(*question)
        assert stopped.exit_code == 130
        assert "Undecided after 2 games" in stopped.stdout
        assert "interrupted; to go on: arena compare Good Bad" in stopped.stderr

        done = arena(*question)
        assert done.exit_code == 0
        assert "Good is better than Bad" in done.stdout


def test_a_model_without_a_price_has_no_budget(arena: Arena, tmp_path: Path) -> None:
    with OpenAIServer(Models()) as server:
        free = f"api_base: {server.url}"
        db = entered(
            arena,
            tmp_path,
            f"litellm_model: openai/good, {free}",
            f"litellm_model: openai/bad, {free}",
        )
        asked = len(server.requests)
        result = arena("compare", "Good", "Bad", "--db", db, "--budget", "1")

    assert result.exit_code == 2
    assert "price" in result.stderr
    assert len(server.requests) == asked


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("Ann", "Ann"), "error: Ann is asked to be compared with itself"),
        (("Ann", "Bo"), "error: unknown agent 'Bo'; did you mean 'Bob'?"),
        (("Ann", "Bob", "--seating", "clones"), "needs teams"),
        (("Ann", "Bob", "--h0", "0.7"), "expected h0 below h1"),
        (("Ann", "Bob", "--games", "3"), "say 2 or 4"),
        (("Ann", "Bob", "--test", "fixed"), "looks once, at a number of games stated before"),
        (("Ann", "Bob", "--played", "--test", "fixed"), "may look once"),
        (("Ann", "Bob", "--played", "--budget", "2"), "--played spends nothing"),
        (("Ann", "Bob", "--environment", "TicTacTo-v0"), "did you mean 'TicTacToe-v0'"),
        (("Ann", "Bob", "--played", "--dry-run"), "--played plays nothing"),
        (("Ann", "Bob", "--played", "--set", "attempts=2"), "leave out --dry-run, --again,"),
        (("Ann", "Bob", "--set", "games=4"), "--set games: a comparison says that itself"),
        (("Ann", "Bob", "--set", "llm.timout=4"), "--set llm.timout: unknown key 'timout'"),
        (("--among", "Ann,Bob", "--set", "seed = 4"), "--set seed: a comparison says that"),
        ((), "which agents? Say `arena compare A B`, or --among A,B,C"),
        (("--among", "Ann"), "--among has 1 agent: expected two or more"),
        (("--among", "Ann,Ann,Bob"), "--among has Ann twice"),
        (("--among", "Ann,,Bob"), "has an empty name"),
        (("--among", "Ann,Bo"), "unknown agent 'Bo'; did you mean 'Bob'?"),
        (("--among", "Ann,Bob", "--test", "gsprt"), "leave out --test"),
        (("Ann", "--among", "Ann,Bob"), "leave out A and B"),
        (("--among", "Ann,Bob", "--played"), "leave out --played"),
        (("--among", "Ann,Bob", "--games", "3"), "1 pairs take 2 for one block each"),
    ],
)
def test_what_cannot_be_asked_is_one_message(
    arena: Arena, played: str, typed: tuple[str, ...], said: str
) -> None:
    result = arena("compare", *typed, "--db", played)

    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert len(json.loads(arena("games", "--db", played, "--json").stdout)["games"]) == 6


def test_games_on_record_are_asked_without_playing(arena: Arena, played: str) -> None:
    result = arena("compare", "Ann", "Bob", "--played", "--db", played)

    assert result.exit_code == 1
    assert "Undecided after 2 games" in result.stdout
    assert "e-value " in result.stdout


def test_without_a_database_there_is_nothing_to_compare(arena: Arena, tmp_path: Path) -> None:
    result = arena("compare", "Ann", "Bob", "--db", tmp_path / "none.db")

    assert result.exit_code != 0
    assert "there is no database" in result.stderr
    assert [*tmp_path.iterdir()] == []


@pytest.mark.slow
def test_every_pair_of_several_is_one_table_that_resumes(
    arena: Arena, played: str, tmp_path: Path
) -> None:
    db = shutil.copy(played, tmp_path / "own.db")
    command = ("compare", "--among", "Ann,Bob,Cy", "--db", db)
    planned = arena(*command, "--games", "6", "--dry-run")
    assert planned.exit_code == 0
    assert "nothing was played or written" in planned.stdout

    result = arena(*command, "--games", "6")
    assert result.exit_code == 1
    assert "3 agents in TicTacToe-v0 with 2 players, 3 pairs" in result.stdout
    assert "at most 5 % are not, on average, however often one looks" in result.stdout
    assert "0 of 3 pairs decided" in result.stdout
    assert result.stdout.count("open") == 3
    assert "6 games played" in result.stdout
    assert "not every pair is decided; play on with more --games" in result.stderr

    again = arena(*command, "--games", "12", "--json")
    found = json.loads(again.stdout)
    assert (found["settled"], found["decided"], found["finished"]) == (12, 0, False)
    assert {(pair["games"], pair["favours"]) for pair in found["pairs"]} == {(4, 0)}
    assert all(pair["e_value"] > 0 for pair in found["pairs"])

    looked = arena("compare", "Ann", "Bob", "--db", db, "--games", "2")
    assert looked.exit_code == 2
    assert "is on record already: 'compare among Ann, Bob, Cy" in looked.stderr
    anew = arena("compare", "Ann", "Bob", "--db", db, "--games", "2", "--again")
    assert "2 comparisons of Ann and Bob in this environment are looked at" in anew.stdout
